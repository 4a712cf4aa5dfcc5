# SPDX-License-Identifier: MIT
"""What models.py checks: each design within its bounds, and each mutant, which puts a known fault back."""
import collections

Run = collections.namedtuple("Run", "model name flags mutant error long")
RUNS = []
WAITS = "waits for ever"


def design(model, name, flags="", long=False):
    RUNS.append(Run(model, name, flags, None, None, long))


def mutant(model, name, what, flags, error, long=False):
    """error: a part of what the checker says of it."""
    RUNS.append(Run(model, f"{name}: {what}", f"{flags} {name}", name, error, long))


# Faults that several models know.
BIT_LATE = "M_BIT_LATE", "the CPU is in dirty_cpus after its CR3"
END_EARLY = "M_END_EARLY", "the CPU leaves dirty_cpus, or is empty, before the CR3"
CLOCK_AFTER = "M_CLOCK_AFTER", "the time of a flush is read after it"
NO_SERVE = "M_NO_SERVE", "who waits serves no flush"
NO_TICK = "M_NO_TICK", "who asks does not tick"

# ---- flush.pml: TLB flushes and changes of type ----
TWO, THREE = "NCPU=2 OPS=2", "NCPU=2 OPS=3"
AHEAD = "NCPU=2 DIRECTED AHEAD OPS=3"
ABA = "NCPU=3 NO_BUFFER DIRECTED OPS0=2 OPS1=4 OPS2=1"
STALE = "assertion violated"
design("flush", "2 CPUs, 2 operations each", TWO)
design("flush", "2 CPUs, 2 operations each, flushes under PGT_locked", TWO + " LOCKED", long=True)
design("flush", "2 CPUs, 3 operations each", THREE, long=True)
design("flush", "3 CPUs, 1 operation each", "NCPU=3 OPS=1", long=True)
design("flush", "3 CPUs, an ABA of the type word", ABA, long=True)
design("flush", "2 CPUs, 3 operations each, one pins and unpins", THREE + " ONE_SLOT", long=True)
design("flush", "a frame is cleared ahead", AHEAD)
mutant("flush", *NO_SERVE, TWO, WAITS)
mutant("flush", "M_NO_SERVE", "who waits for PGT_locked serves no flush", "NCPU=2 OPS=1 LOCKED", WAITS)
mutant("flush", "M_STAMP_FIRST", "a plain frame is stamped while it has its last reference: the store buffer", THREE + " ONE_SLOT", STALE)
mutant("flush", "M_STAMP_FIRST", "a plain frame is stamped while it has its last reference: ABA", ABA, STALE, long=True)
mutant("flush", "M_NO_BARRIER", "the frame is taken in change by no locked instruction", TWO, STALE)
mutant("flush", *BIT_LATE, THREE, STALE, long=True)
mutant("flush", *END_EARLY, TWO, STALE)
mutant("flush", *CLOCK_AFTER, TWO, STALE)
mutant("flush", "M_SKIP_HV", "CPUs in the hypervisor are not asked", TWO, STALE)
mutant("flush", *NO_TICK, TWO, WAITS)
mutant("flush", "M_NO_FORGOT", "a frame is cleared ahead that a TLB may know", AHEAD, "&1")
mutant("flush", "M_NO_HEAP_LOCK", "a frame is cleared ahead while another takes it", AHEAD, "owner==0")

# ---- shootdown.pml: flushes of entries, with weak stores; cache.pml: of caches ----
design("shootdown", "2 CPUs, 2 operations each", TWO)
design("shootdown", "2 CPUs, 4 operations each", "NCPU=2 OPS=4", long=True)
mutant("shootdown", "M_NO_MB", "no barrier between the entry and who is asked", TWO, "tlb")
mutant("shootdown", "M_ONE_COUNTS", "a flush of one address counts as one of all", TWO, "tlb")
mutant("shootdown", *BIT_LATE, TWO, "tlb")
mutant("shootdown", *END_EARLY, TWO, "tlb")
mutant("shootdown", *CLOCK_AFTER, TWO, "tlb")
mutant("shootdown", *NO_SERVE, TWO, WAITS)
design("cache", "2 CPUs, 2 operations each", TWO)
design("cache", "3 CPUs, 1 operation each", "NCPU=3 OPS=1", long=True)
mutant("cache", *CLOCK_AFTER, TWO, "done_for")
mutant("cache", *NO_TICK, TWO, "done_for")
mutant("cache", *NO_SERVE, TWO, WAITS)

# ---- sched.pml: who runs where ----
SMALL, MORE, MOVED = "NV=2 OPS=1 CTL_OPS=1", "NV=2 OPS=2 CTL_OPS=1", "NV=2 OPS=1 CTL_OPS=1 AFFINITY"
design("sched", "2 vCPUs, 1 operation each and one of the controller", SMALL)
design("sched", "2 vCPUs, the controller sets one affinity", MOVED)
design("sched", "2 vCPUs, one is ended", SMALL + " KILL", long=True)
design("sched", "2 vCPUs, flushes meanwhile", SMALL + " FLUSH", long=True)
design("sched", "2 vCPUs, 2 operations of the controller", "NV=2 OPS=1 CTL_OPS=2", long=True)
design("sched", "3 vCPUs, one pinned", "NV=3 OPS=1 CTL_OPS=1", long=True)
design("sched", "2 vCPUs, 2 operations each", MORE, long=True)
design("sched", "2 vCPUs, 2 operations each, one is ended", MORE + " KILL", long=True)
design("sched", "2 vCPUs, the controller sets two affinities", "NV=2 OPS=1 CTL_OPS=2 AFFINITY", long=True)
design("sched", "3 vCPUs, one pinned, another moved", "NV=3 OPS=1 CTL_OPS=1 AFFINITY", long=True)
mutant("sched", "M_ON_CPU_EARLY", "on_cpu goes before registers and CR3 have left", MORE, "in_cpu")
mutant("sched", "M_WAIT_RUNNING", "a pause waits for `running`", MORE, "in_cpu")
mutant("sched", "M_QUEUE_EARLY", "who is pre-empted is queued before it has left", MORE, "in_cpu")
mutant("sched", "M_NO_LOOK", "who has left is not looked at again", MORE, "queued")
mutant("sched", "M_BLOCK_RACE", "a vCPU looks for events before it says that it blocks", SMALL, "upcall_pending")
mutant("sched", "M_KICK_RACE", "a sender looks where to kick before it sets the event", MORE, "upcall_pending")
mutant("sched", "M_NO_TICKLE", "two wake-ups wake the same idle CPU, and that tells nobody of the other", "NV=2 OPS=1 CTL_OPS=2 M_NO_REST", "queued")
mutant("sched", "M_FREE_NO_LOCK", "a vCPU is freed before the CPU that it left is through with it", SMALL + " KILL", "ended")
mutant("sched", *NO_SERVE, SMALL + " FLUSH", "controller_done")
mutant("sched", "M_PAUSE_LOCK", "a pause waits with a lock that hypercalls take", SMALL, "controller_done")
mutant("sched", "M_MUTUAL", "two vCPUs wait for each other to leave", "NV=2 OPS=1 CTL_OPS=0", WAITS)
mutant("sched", "M_NO_MOVE_RUNNING", "an affinity does not move who runs", MOVED, "affinity")
mutant("sched", "M_KEEP_UNALLOWED", "who runs stays where it may no more", MOVED, "affinity")
mutant("sched", "M_NO_MOVE_QUEUED", "an affinity tells no idle CPU of who waits", "NV=2 OPS=1 CTL_OPS=2 AFFINITY", "queued")
mutant("sched", "M_NO_REST", "a CPU that chooses another than it was woken for tells nobody", MOVED, "queued")

# ---- raise.pml: telling a CPU ----
design("raise", "2 ask for a flush, 2 for other work, 1 hypercall", "OPS=1")
mutant("raise", "M_KICK_FIRST", "the interrupt comes before the bit", "OPS=0", WAITS)
mutant("raise", "M_CLEAR_LAST", "the bit goes when the work is done", "OPS=0", "asked_other")
mutant("raise", "M_NO_LOOK", "the exit path does not look again for what it was told by itself", "OPS=0", "asked_other")
mutant("raise", "M_INTERRUPTS_ON", "an interrupt is taken before the guest is entered, and nobody looks", "OPS=0", WAITS)

# ---- exchange.pml: who is told to take whom ----
FEW = "OPS=1 CTL_OPS=2"
design("exchange", "1 operation of each CPU's guests, 2 of the controller", FEW)
design("exchange", "1 operation of each CPU's guests, 3 of the controller", "OPS=1 CTL_OPS=3", long=True)
mutant("exchange", "M_NO_CHAIN", "no CPU gives way to who waits for it alone", FEW, "idle_cpus")
mutant("exchange", "M_CHAIN_SPARES", "who is at a chain's end goes on for a moment", FEW, "idle_cpus")
mutant("exchange", "M_NO_FILL", "who has chosen does not look at those that idle", FEW, "idle_cpus")
mutant("exchange", "M_SET_AND_NO_FILL", "an affinity opens a chain, and nobody looks", "OPS=1 CTL_OPS=3", "idle_cpus", long=True)
mutant("exchange", "M_TWO_CHAINS", "a CPU is told of a second before it took the first", FEW, "wanted_by")
mutant("exchange", "M_GONE_IS_WANTED", "who sleeps is still to be taken", FEW, "to_take")
mutant("exchange", "M_MOVED_IS_WANTED", "who may not run there any more is still to be taken", FEW, "affinity")
mutant("exchange", "M_RESTING_IS_WANTED", "who is to rest stays in the queue, and to be taken", FEW, "parked")
mutant("exchange", "M_ACTIVE_IN_SILENCE", "a cap leaves one more, and no CPU is told", FEW, "idle_cpus", long=True)
mutant("exchange", "M_COUNTED_TWICE", "who leaves able to run counts as waiting twice", FEW, "waiting")

# ---- timer.pml, destroy.pml ----
design("timer", "set from afar, and ended")
design("timer", "the callback flushes", "FLUSH")
design("timer", "set from afar", "SET")
mutant("timer", "M_NO_DEAD", "a callback sets its timer again after the end", "", "freed")
mutant("timer", "M_NO_WAIT", "the end does not wait for the callback", "", "freed")
mutant("timer", "M_KILL_LOCKED", "the end waits with a lock that the callback takes", "", "done")
mutant("timer", "M_NO_SERVE", "who waits for the callback serves no flush", "FLUSH", "done")
mutant("timer", "M_NO_REARM", "what is set while a callback runs is not armed for at the end", "SET", "in_heap")
mutant("timer", "M_MOVE_RUNNING", "a timer moves while its callback runs", "", "callbacks")
mutant("timer", "M_MOVE_RUNNING", "a timer moves while its callback runs, and the end looks in the wrong queue", "NO_COUNT", "freed")
mutant("timer", "M_NO_LOOK_AGAIN", "who has the lock does not look whether the timer went", "", "assertion")
design("destroy", "a frame's reference, the table's, and a look-up")
mutant("destroy", "M_NO_REF", "a lock in a domain is held without a reference to it", "", "freed")
mutant("destroy", "M_DIRECT", "the last reference frees at once", "", "freed")
mutant("destroy", "M_NO_LOOK", "a look-up takes a reference where there is none", "", "freed")
mutant("destroy", "M_FREE_FIRST", "freed before it is off the table", "", "freed")

# ---- vcpu_context.pml, vcpu_info.pml, poll.pml ----
design("vcpu_context", "two give a third its first, which comes up")
mutant("vcpu_context", "M_NO_BUSY", "both at once", "", "given")
mutant("vcpu_context", "M_SAID_EARLY", "it has one before it is whole", "", "registers")
design("vcpu_info", "a vCPU moves its own, 2 events", "SENDS=1")
design("vcpu_info", "a vCPU moves its own, 4 events", "SENDS=2", long=True)
design("vcpu_info", "another moves that of a vCPU that comes up", "SENDS=1 OTHER")
design("vcpu_info", "another moves that of a vCPU that goes down and comes up", "SENDS=0 QUEUE")
mutant("vcpu_info", "M_SLEEP_LATE", "it is down before it is out of the queue", "SENDS=0 QUEUE", "moving")
mutant("vcpu_info", "M_PLACE_FIRST", "who sends reads the place before it sets the port", "SENDS=1", "port")
mutant("vcpu_info", "M_NO_TELL", "who moves it does not let the vCPU look again", "SENDS=1", "port")
mutant("vcpu_info", "M_NO_LOCK", "the vCPU comes up while it is moved", "SENDS=2 OTHER", "port")
design("poll", "2 polls, 4 events, a timer", "OPS=2")
design("poll", "4 polls, 4 events, a timer", "OPS=4", long=True)
mutant("poll", "M_LOOK_FIRST", "it looks at the ports before it says that it polls", "OPS=2", "polling")
mutant("poll", "M_NO_LOCK", "a poll is ended in halves", "OPS=2", "poll_mask")
