/* SPDX-License-Identifier: MIT */
/*
 * Who runs where: one run queue for two CPUs, vCPUs that block, wake, are pre-empted, paused, moved, and end.
 *
 * A controller on a CPU of its own pauses, unpauses, sends events, sets affinities and ends a vCPU. Order by virtual time is left out:
 * choose() takes any allowed vCPU of the queue, or keeps the one that runs. in_cpu[v] says what of v is in a CPU: its registers, and
 * its CR3. A guest's CPU does OPS operations, the controller CTL_OPS.
 *
 * Shown: a vCPU is in one CPU at a time; who has waited for one to leave its CPU finds its registers saved and its CR3 left; nobody
 * touches a vCPU that has ended; at rest (timeout) no wake-up and no event was lost, no CPU idles beside a vCPU that may run there, and
 * none runs where it may not.
 *
 * KILL: vCPU 0 is ended. FLUSH: CPUs ask the controller's for a flush. AFFINITY: the controller moves vCPU 0 between the CPUs.
 * Mutants: see models.py.
 */
#define NCPU 2
#define CTL 2                       /* the controller's CPU */
#define IDLE 100
#define NONE 255
#define REGISTERS 1
#define CR3 2

byte rq_lock = NONE;
bool queued[NV];                    /* rq_lock */
byte on_cpu[NV] = NONE;             /* set and cleared under rq_lock, cleared by that CPU when v has left it */
byte affinity[NV];                  /* rq_lock: a bit per CPU */
byte running[NCPU];                 /* changed by its CPU, under rq_lock */
bool idle_cpus[NCPU];               /* rq_lock: idle, and not chosen to wake yet */
bool blocked[NV];                   /* VPF_blocked */
byte pause_count[NV];
bool upcall_pending[NV];
bool ended[NV];
byte in_cpu[NV];
bool work_schedule[NCPU];           /* CPU_WORK_SCHEDULE in cpu->pending, with an interrupt */
bool interrupt[NCPU];               /* an interrupt alone: machine_kick() */
bool work_flush[NCPU + 1];          /* CPU_WORK_FLUSH */
byte hypercall_lock = NONE;         /* some lock that hypercalls take */
bool controller_done;

#define runnable(v) (!blocked[v] && pause_count[v] == 0)
#define allowed(v, c) (affinity[v] & (1 << (c)))

#ifdef M_NO_SERVE
#define OR_SPIN_WAIT(c)
#else
#define OR_SPIN_WAIT(c) :: work_flush[c] -> work_flush[c] = 0
#endif

inline lock(c) { do :: atomic { rq_lock == NONE -> rq_lock = c } -> break OR_SPIN_WAIT(c) od }
inline unlock() { rq_lock = NONE }

/* ---- core/sched/sched.c ---- */

#ifdef M_NO_TICKLE
#define TAKE_OUT_OF_IDLE(k)
#else
#define TAKE_OUT_OF_IDLE(k) idle_cpus[k] = 0;
#endif

/* The lock is held, v is queued: an idle CPU that may run it is told. */
#define TICKLE(v, k) atomic { idle_cpus[k] && allowed(v, k) -> TAKE_OUT_OF_IDLE(k) work_schedule[k] = 1 }

inline enqueue(v)
{
    assert(!queued[v] && on_cpu[v] == NONE && in_cpu[v] == 0);
    queued[v] = 1;
    if
    :: TICKLE(v, 0)                                             /* enqueue.tickle */
    :: TICKLE(v, 1)
    :: else -> if :: skip :: work_schedule[0] = 1 :: work_schedule[1] = 1 fi
    fi
}

/* Who stays in the queue when this CPU has chosen: it may have been woken for that one, and another may be allowed elsewhere. */
inline tickle_rest()
{
    w = 0;
    do
    :: w < NV ->
        if
        :: queued[w] -> if :: TICKLE(w, 0) :: TICKLE(w, 1) :: else fi
        :: else
        fi;
        w++
    :: else -> break
    od;
    w = 0
}

inline vcpu_wake(c, v)
{
    if
    :: on_cpu[v] == c                                           /* model: vcpu_wake.own */
    :: else ->
        lock(c);                                                /* vcpu_wake.lock */
        if
        :: queued[v] || on_cpu[v] != NONE || !runnable(v)       /* model: vcpu_wake.look */
        :: else -> enqueue(v)
        fi;
        unlock()
    fi
}

inline vcpu_sleep(c, v)
{
    if
    :: on_cpu[v] == c -> work_schedule[c] = 1                   /* model: vcpu_sleep.own */
    :: else ->
        lock(c);                                                /* vcpu_sleep.lock */
        if
        :: !queued[v] && on_cpu[v] != NONE && running[on_cpu[v]] == v -> work_schedule[on_cpu[v]] = 1   /* model: vcpu_sleep.ask */
        :: queued[v] && !runnable(v) -> queued[v] = 0           /* model: vcpu_sleep.remove */
        :: else
        fi;
        unlock()
    fi
}

inline vcpu_set_affinity(c, v, cpus)
{
    lock(c);
    affinity[v] = cpus;                                         /* sched_set_affinity.set */
    if
#ifndef M_NO_MOVE_RUNNING
    :: on_cpu[v] != NONE && running[on_cpu[v]] == v && !allowed(v, on_cpu[v]) -> work_schedule[on_cpu[v]] = 1
#endif
#ifndef M_NO_MOVE_QUEUED
    :: queued[v] -> queued[v] = 0; enqueue(v)                   /* sched_set_affinity.requeue */
#endif
    :: else
    fi;
    unlock()
}

#define TAKE(v) :: queued[v] && allowed(v, c) -> next = v
#ifdef M_KEEP_UNALLOWED
#define may_stay(v, c) runnable(v)
#else
#define may_stay(v, c) (runnable(v) && allowed(v, c))
#endif
inline choose(c)
{
    if
    TAKE(0)
    TAKE(1)
#if NV == 3
    TAKE(2)
#endif
    :: prev != IDLE && may_stay(prev, c) -> next = prev
    :: else -> next = IDLE
    fi
}

inline machine_context_switch(c)
{
    if :: prev != IDLE -> in_cpu[prev] = in_cpu[prev] & ~REGISTERS :: else fi;
    atomic {
        if :: prev != IDLE -> in_cpu[prev] = in_cpu[prev] & ~CR3 :: else fi;
        if :: next != IDLE -> assert(in_cpu[next] == 0 && !ended[next]); in_cpu[next] = REGISTERS | CR3 :: else fi
    }
}

inline context_saved(c, v)
{
    lock(c);
    on_cpu[v] = NONE;                                           /* model: context_saved.off */
    assert(!ended[v]);
#ifndef M_NO_LOOK
    if :: runnable(v) && !queued[v] -> enqueue(v) :: else fi;   /* model: context_saved.look */
#endif
#ifndef M_NO_REST
    if :: leaves -> tickle_rest() :: else fi;                   /* model: context_saved.fill */
#endif
    unlock()
}

inline sched_schedule(c)
{
    lock(c);                                                    /* sched_schedule.lock */
    prev = running[c];
    choose(c);
    if
    :: next != prev ->
#ifdef M_QUEUE_EARLY
        if :: prev != IDLE && runnable(prev) -> queued[prev] = 1 :: else fi;
#endif
        if
        :: next != IDLE -> queued[next] = 0; on_cpu[next] = c   /* model: hand_over.on_cpu */
        :: else
        fi;
        running[c] = next;                                      /* model: hand_over.running */
        idle_cpus[c] = (next == IDLE);                          /* sched_schedule.idle */
        leaves = (prev != IDLE && runnable(prev));
#ifndef M_NO_REST
        if :: !leaves -> tickle_rest() :: else fi;              /* model: sched_schedule.fill */
#endif
#ifdef M_ON_CPU_EARLY
        if :: prev != IDLE -> on_cpu[prev] = NONE :: else fi;
#endif
        unlock();
        machine_context_switch(c);                              /* model: switch_vcpus.switch */
        if :: prev != IDLE -> context_saved(c, prev) :: else fi /* model: switch_vcpus.saved */
    :: else -> idle_cpus[c] = (next == IDLE); unlock()
    fi;
    prev = 0; next = 0; leaves = 0
}

/* ---- core/sched/pause.c, core/event/evtchn.c ---- */

inline vcpu_pause(c, v)
{
    pause_count[v]++;                                           /* model: vcpu_pause.count */
    vcpu_sleep(c, v);                                           /* model: vcpu_pause.sleep */
    do
#ifdef M_WAIT_RUNNING
    :: running[0] != v && running[1] != v -> break
#else
    :: on_cpu[v] == NONE -> break                               /* model: wait_until_off.wait */
#endif
    OR_SPIN_WAIT(c)
    od
}

inline vcpu_unpause(c, v)
{
    atomic { pause_count[v]--; ok = (pause_count[v] == 0) };
    if :: ok -> vcpu_wake(c, v) :: else fi;                     /* model: vcpu_unpause.wake */
    ok = 0
}

inline vcpu_block(c, v)
{
#ifdef M_BLOCK_RACE
    skip;      /* or this else would be that of the choice among operations */
    if :: upcall_pending[v] :: else -> blocked[v] = 1; vcpu_sleep(c, v) fi
#else
    blocked[v] = 1;                                             /* model: vcpu_block.flag */
    if
    :: upcall_pending[v] -> blocked[v] = 0                      /* model: vcpu_block.look */
    :: else -> vcpu_sleep(c, v)                                 /* model: vcpu_block.sleep */
    fi
#endif
}

inline send_event(c, v)
{
#ifdef M_KICK_RACE
    k = on_cpu[v];
#endif
    atomic { ok = upcall_pending[v]; upcall_pending[v] = 1 };   /* model: vcpu_mark_events_pending.set */
    if
    :: !ok ->
        if :: blocked[v] -> blocked[v] = 0; vcpu_wake(c, v) :: else fi;     /* model: vcpu_mark_events_pending.unblock */
#ifndef M_KICK_RACE
        k = on_cpu[v];                                          /* model: vcpu_kick.where */
#endif
        if :: k != NONE && k != c -> interrupt[k] = 1 :: else fi;     /* model: vcpu_mark_events_pending.kick */
        k = 0
    :: else
    fi;
    ok = 0
}

/* ---- what CPUs do ---- */

proctype cpu(byte c)
{
    byte prev, next, v, w, n, k;
    bool ok, leaves;

exit_path:                                  /* interrupts are off */
    if
    :: work_flush[c] -> work_flush[c] = 0; goto exit_path
    :: work_schedule[c] -> work_schedule[c] = 0; sched_schedule(c); goto exit_path
    :: !work_flush[c] && !work_schedule[c] && running[c] == IDLE -> interrupt[c] = 0;
end_idle:                                   /* sti; hlt */
        if :: work_schedule[c] :: work_flush[c] :: interrupt[c] fi;
        goto exit_path
    :: !work_flush[c] && !work_schedule[c] && running[c] != IDLE ->
        v = running[c];
        assert(in_cpu[v] == (REGISTERS | CR3));
        if :: upcall_pending[v] -> upcall_pending[v] = 0 :: else fi     /* delivered: the exit path's last look */
    fi;
end_guest:                                  /* interrupts are on */
    if
    :: interrupt[c] -> interrupt[c] = 0
    :: work_schedule[c] || work_flush[c]
    :: n < OPS ->
        n++;
        if
        :: work_schedule[c] = 1             /* the slice is over */
        :: vcpu_block(c, v)
        :: w = (v == 0 -> 1 : 0); send_event(c, w); w = 0
#ifdef FLUSH
        :: work_flush[CTL] = 1; do :: !work_flush[CTL] -> break OR_SPIN_WAIT(c) od
#endif
#ifdef M_PAUSE_LOCK
        :: skip; atomic { hypercall_lock == NONE -> hypercall_lock = c }; hypercall_lock = NONE
#endif
#ifdef M_MUTUAL
        :: n == 1 && c == 0 && v == 0 -> vcpu_pause(c, 1); vcpu_unpause(c, 1)
        :: n == 1 && c == 1 && v == 1 -> vcpu_pause(c, 0); vcpu_unpause(c, 0)
#endif
        fi
    fi;
    goto exit_path
}

/* Another domain's vCPU, on a CPU of its own. */
proctype controller()
{
    byte v, k, n;
    bool ok;

    do
    :: n < CTL_OPS ->
        n++;
        if
#ifdef AFFINITY
        :: skip; if :: vcpu_set_affinity(CTL, 0, 1) :: vcpu_set_affinity(CTL, 0, 2) fi
        :: send_event(CTL, v)
#else
        :: if :: v = 0 :: v = 1 fi;
#ifdef M_PAUSE_LOCK
            atomic { hypercall_lock == NONE -> hypercall_lock = CTL };
#endif
            vcpu_pause(CTL, v);
            assert(in_cpu[v] == 0 && running[0] != v && running[1] != v);   /* so getvcpucontext reads what was saved */
            vcpu_unpause(CTL, v);
#ifdef M_PAUSE_LOCK
            hypercall_lock = NONE
#endif
        :: if :: v = 0 :: v = 1 fi; send_event(CTL, v)
#endif
        fi
    :: n == CTL_OPS -> break
    od;
#ifdef KILL
    vcpu_pause(CTL, 0);
    assert(in_cpu[0] == 0 && !queued[0]);
#ifndef M_FREE_NO_LOCK
    lock(CTL); unlock();                    /* model: sched_destroy_vcpu.lock */
#endif
    ended[0] = 1;
#endif
    v = 0;
    controller_done = 1;
end_controller:
    do :: work_flush[CTL] -> work_flush[CTL] = 0 od
}

#define lost_wake_up(v) (runnable(v) && on_cpu[v] == NONE && !queued[v])
#define lost_event(v) (upcall_pending[v] && (on_cpu[v] != NONE || blocked[v]))
#define waits_beside(v, c) (queued[v] && running[c] == IDLE && allowed(v, c))
#define where_it_may_not(v) (on_cpu[v] != NONE && !allowed(v, on_cpu[v]))
inline check_at_rest(v)
{
    assert(!lost_wake_up(v));
    assert(!lost_event(v));
    assert(!waits_beside(v, 0) && !waits_beside(v, 1));
    assert(!(queued[v] && !runnable(v)));
    assert(!where_it_may_not(v))
}

proctype monitor()
{
end_monitor:
    timeout ->
    assert(controller_done);
    check_at_rest(0);
    check_at_rest(1);
#if NV == 3
    check_at_rest(2)
#endif
}

init
{
    atomic {
        running[0] = 0; on_cpu[0] = 0; in_cpu[0] = REGISTERS | CR3; affinity[0] = 3;
        running[1] = 1; on_cpu[1] = 1; in_cpu[1] = REGISTERS | CR3; affinity[1] = 3;
#if NV == 3
        queued[2] = 1; affinity[2] = 2;     /* pinned to CPU 1 */
#endif
        run cpu(0); run cpu(1); run controller(); run monitor()
    }
}
