/* SPDX-License-Identifier: MIT */
/*
 * cpu_raise() (core/base/cpu.c) against the exit path of the CPU that is told: who finds the bit set sends no interrupt, and the exit
 * path goes on to the guest with a flush that is asked for behind its look: the interrupt for that waits.
 *
 * Two ask for a flush each and wait for it; two ask for other work and go on. In the guest, or halted, the CPU does nothing by itself.
 * Shown: who waits is served, and at rest all work has been done, by who saw what came before it. Mutants: see runs.py.
 */
bool work_flush, work_other;        /* bits of cpu->pending */
bool interrupt;                     /* waits in its APIC */
byte asked_flush, asked_other;      /* what was set before the bits: the clock, who is to be looked at */
byte flushed, done;

/* ---- core/base/cpu.c ---- */

#ifdef M_KICK_FIRST
#define cpu_raise(bit) if :: !bit -> interrupt = 1; bit = 1 :: else fi
#else
#define cpu_raise(bit) \
    atomic { was = bit; bit = 1 };                          /* model: cpu_raise.set */ \
    if :: !was -> interrupt = 1 :: else fi                  /* model: cpu_raise.kick */
#endif

proctype asks_for_flush()
{
    byte mine;
    bool was;
    atomic { asked_flush++; mine = asked_flush };           /* model: flush_cpus.tick */
    cpu_raise(work_flush);                                  /* model: flush_cpus.ask */
    flushed >= mine                                         /* model: flush_cpus.wait */
}

proctype asks_for_work()
{
    bool was;
    asked_other++;
    cpu_raise(work_other)
}

/* ---- the CPU ---- */

inline serve_flush()
{
    work_flush = 0;                                         /* model: serve_flush.taken */
    began = asked_flush;
    flushed = began                                         /* model: serve_flush.flush */
}

inline do_work()
{
    began = asked_other;
    done = began;
    if
    :: !own -> own = 1; asked_other++; work_other = 1       /* a timer of its own, for instance: no interrupt */
    :: skip
    fi
}

inline cpu_do_pending()
{
    if :: work_flush -> serve_flush() :: else fi;           /* model: cpu_do_pending.serve */
#ifdef M_CLEAR_LAST
    was = work_other;
    if :: was -> do_work() :: else fi;
    work_other = 0
#else
    atomic { was = work_other; work_other = 0 };            /* model: cpu_do_pending.taken */
    if :: was -> do_work() :: else fi                       /* model: cpu_do_pending.do */
#endif
}

proctype cpu()
{
    byte began, n;
    bool was, own;
in_hypervisor:                      /* interrupts are off */
    if :: work_flush -> serve_flush() :: skip fi;           /* it may wait for something: spin_wait() */
    if
    :: work_flush || work_other ->
again:
        cpu_do_pending();
#ifndef M_NO_LOOK
        if :: work_other -> goto again :: else fi
#endif
    :: else
    fi;
#ifdef M_INTERRUPTS_ON
    interrupt = 0;
#endif
end_guest:                          /* or halted */
    if
    :: interrupt -> interrupt = 0
    :: n < OPS -> n++               /* a hypercall */
    fi;
    goto in_hypervisor
}

proctype monitor()
{
end_monitor:
    timeout -> assert(done == asked_other)
}

init
{
    atomic {
        run asks_for_flush(); run asks_for_flush(); run asks_for_work(); run asks_for_work(); run cpu(); run monitor()
    }
}
