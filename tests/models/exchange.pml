/* SPDX-License-Identifier: MIT */
/*
 * Exchanges: a CPU is told to take a vCPU (cpu->next), whose own then goes where it can, while affinities change and vCPUs rest
 * for their domains' caps. sched.pml has the rest of the scheduler, with the switch in all its steps; here what the run queue's lock
 * guards is one step, for all of this is under it, and the switch is two: the choice, and context_saved().
 *
 * Two CPUs; vCPU 0, alone in its domain, may run on CPU 0 at first; vCPUs 1 and 2 of another domain anywhere. Order by virtual time
 * is left out: any that may is chosen, and who waits may or may not find one who comes after it. Guests do OPS operations, the
 * controller CTL_OPS.
 *
 * Shown: who is chosen waits and may run there; at rest (timeout) no CPU idles beside a vCPU that could run
 * there, by itself or by an exchange, none was told of a vCPU that it did not take, none runs where it may not, or is to rest, no wake-up
 * was lost, and a domain's vCPUs that wait are as many as it has counted.
 *
 * Mutants: see runs.py.
 */
#define NV 3
#define IDLE 100
#define NONE 255

bool queued[NV];
bool leaving[NV];                   /* counted as waiting, not queued yet */
bool blocked[NV];                   /* any reason not to run */
byte on_cpu[NV] = NONE;
byte affinity[NV];                  /* a bit per CPU */
byte wanted_by[NV] = NONE;
byte running[2] = IDLE;
byte to_take[2] = NONE;             /* cpu->next */
bool idle_cpus[2];
bool told_cpus[2];                  /* told to choose, and have not yet */
bool work[2];                       /* CPU_WORK_SCHEDULE */
bool parked[2];                     /* domains that may have nobody active */
bool resting[NV];
byte waiting[2];
bool controller_done;

#define dom(v) ((v) == 0 -> 0 : 1)
#define runnable(v) (!blocked[v])
#define allowed(v, c) (affinity[v] & (1 << (c)))
#define busy(c) (running[c] != IDLE)
#define chain(v, c, k) (allowed(v, c) && busy(c) && idle_cpus[k] && allowed(running[c], k))
#define could_idle(v) ((idle_cpus[0] && allowed(v, 0)) || (idle_cpus[1] && allowed(v, 1)) || chain(v, 0, 1) || chain(v, 1, 0))

/* ---- core/sched/runqueue.c, sched_exchange.c ---- */

#define DROP_NEXT(c) k = c; told = to_take[k]; wanted_by[told] = NONE; to_take[k] = NONE; k = 0; told = 0

inline sched_remove(x)
{
    queued[x] = 0;
#ifndef M_GONE_IS_WANTED
    if :: wanted_by[x] != NONE -> DROP_NEXT(wanted_by[x]) :: else fi;   /* model: sched_remove.drop */
#endif
    waiting[dom(x)]--
}

#define TELL(c) told_cpus[c] = 1; idle_cpus[c] = 0; work[c] = 1

inline take_up(x, c)
{
    if
#ifndef M_TWO_CHAINS
    :: to_take[c] != NONE                                       /* model: take_up.other */
#endif
    :: else -> to_take[c] = x; wanted_by[x] = c; TELL(c)        /* model: take_up.next */
    fi
}

inline sched_find_cpu(x)
{
    if
    :: wanted_by[x] != NONE
    :: wanted_by[x] == NONE && idle_cpus[0] && allowed(x, 0) -> TELL(0)
    :: wanted_by[x] == NONE && idle_cpus[1] && allowed(x, 1) -> TELL(1)
    :: else ->
        if
#ifndef M_NO_CHAIN
        :: chain(x, 0, 1) -> take_up(x, 0)
        :: chain(x, 1, 0) -> take_up(x, 1)
#endif
#ifdef M_CHAIN_SPARES
        :: chain(x, 0, 1) || chain(x, 1, 0)
#endif
        :: else ->                                              /* some CPU whose vCPU comes after it */
            if
            :: skip                                             /* or none; or a stranger that goes on for a moment (is_spared()) */
            :: busy(0) && allowed(x, 0) -> TELL(0)
            :: busy(1) && allowed(x, 1) -> TELL(1)
            :: busy(0) && allowed(x, 0) && busy(1) && allowed(running[0], 1) -> take_up(x, 0)
            :: busy(1) && allowed(x, 1) && busy(0) && allowed(running[1], 0) -> take_up(x, 1)
            fi
        fi
    fi
}

/* A CPU was told to choose, and has not yet: it may take it. */
#define comes(x) ((told_cpus[0] && allowed(x, 0)) || (told_cpus[1] && allowed(x, 1)))
#define FILL(x) :: queued[x] && wanted_by[x] == NONE && could_idle(x) && !comes(x) -> w = x
inline sched_fill_idle()
{
    if
    FILL(0)
    FILL(1)
    FILL(2)
    :: else -> w = NONE
    fi;
    if :: w != NONE -> sched_find_cpu(w) :: else fi;
    w = 0
}

/* ---- core/sched/sched.c ---- */

inline enqueue(x)
{
    assert(!queued[x] && !resting[x] && on_cpu[x] == NONE);
    if
    :: parked[dom(x)] -> waiting[dom(x)]--; resting[x] = 1
    :: else -> queued[x] = 1; sched_find_cpu(x)
    fi
}

#define TAKE(x) :: to_take[c] == NONE && queued[x] && allowed(x, c) -> n = x
inline choose()
{
    if
    :: to_take[c] != NONE -> n = to_take[c]                     /* model: choose.next */
    TAKE(0)
    TAKE(1)
    TAKE(2)
    :: to_take[c] == NONE && prev != IDLE && runnable(prev) && allowed(prev, c) && !parked[dom(prev)] -> n = prev
    :: else -> n = IDLE
    fi
}

inline sched_schedule()
{
    prev = running[c];
    choose();
    if
    :: n != prev ->
        if
        :: prev != IDLE && runnable(prev) && !parked[dom(prev)] -> leaving[prev] = 1; waiting[dom(prev)]++
        :: else
        fi;
        if
        :: n != IDLE ->
            assert(queued[n] && allowed(n, c) && on_cpu[n] == NONE);
            sched_remove(n);
            on_cpu[n] = c
        :: else
        fi;
        running[c] = n
    :: else
    fi;
    idle_cpus[c] = (n == IDLE);
    told_cpus[c] = 0;
#ifndef M_NO_FILL
    if
    :: n == prev || prev == IDLE || !leaving[prev] -> sched_fill_idle()
    :: else
    fi
#endif
}

inline context_saved(x)
{
    on_cpu[x] = NONE;
    if
    :: runnable(x) ->
#ifndef M_COUNTED_TWICE
        if :: !leaving[x] -> waiting[dom(x)]++ :: else fi;      /* model: context_saved.count */
#else
        waiting[dom(x)]++;
#endif
        enqueue(x)
    :: else ->
        if :: leaving[x] -> waiting[dom(x)]-- :: else fi        /* model: context_saved.uncount */
    fi;
#ifndef M_NO_FILL
    if :: leaving[x] -> sched_fill_idle() :: else fi;           /* model: context_saved.fill */
#endif
    leaving[x] = 0
}

inline vcpu_wake(x)
{
    if
    :: !queued[x] && !resting[x] && on_cpu[x] == NONE && runnable(x) -> waiting[dom(x)]++; enqueue(x)
    :: else
    fi
}

inline vcpu_sleep(x)
{
    if
    :: on_cpu[x] != NONE -> if :: running[on_cpu[x]] == x && !runnable(x) -> work[on_cpu[x]] = 1 :: else fi
    :: on_cpu[x] == NONE && !runnable(x) && queued[x] -> sched_remove(x)
    :: on_cpu[x] == NONE && !runnable(x) && resting[x] -> resting[x] = 0
    :: else
    fi
}

/* ---- core/sched/affinity.c, sched_cap.c ---- */

inline set(x)
{
    affinity[x] = cpus;
#ifndef M_MOVED_IS_WANTED
    if :: wanted_by[x] != NONE -> DROP_NEXT(wanted_by[x]) :: else fi;   /* model: set.drop */
#endif
    if :: on_cpu[x] != NONE && !allowed(x, on_cpu[x]) -> work[on_cpu[x]] = 1 :: else fi;
    if :: queued[x] -> sched_find_cpu(x) :: else fi;
#ifndef M_SET_AND_NO_FILL
    sched_fill_idle()                                           /* model: set.fill */
#endif
}

#define REST(v) if :: queued[v] && dom(v) == d -> sched_remove(v); resting[v] = 1 :: else fi

inline park(d)
{
    parked[d] = 1;
#ifndef M_RESTING_IS_WANTED
    REST(0);
    REST(1);
    REST(2);
#endif
    if :: busy(0) && dom(running[0]) == d -> work[0] = 1 :: else fi;
    if :: busy(1) && dom(running[1]) == d -> work[1] = 1 :: else fi
}

inline unpark(d)
{
    parked[d] = 0;
    w = 0;
    do
    :: w < NV ->
        if
        :: resting[w] && dom(w) == d ->
            resting[w] = 0;
            queued[w] = 1;
            waiting[d]++;
#ifndef M_ACTIVE_IN_SILENCE
            sched_find_cpu(w)
#endif
        :: else
        fi;
        w++
    :: else -> break
    od;
    w = 0
}

/* ---- what CPUs do ---- */

proctype cpu(byte c)
{
    byte prev, n, v, ops, k, w, told;
    bool left;

exit_path:
    if
    :: work[c] ->
        atomic { work[c] = 0; sched_schedule(); left = (n != prev && prev != IDLE); v = prev; prev = 0; n = 0 };
        if :: left -> atomic { context_saved(v); left = 0; v = 0 } :: else -> v = 0 fi;
        goto exit_path
    :: !work[c] && running[c] == IDLE ->
end_idle:
        work[c];
        goto exit_path
    :: !work[c] && running[c] != IDLE ->
end_guest:
        if
        :: work[c]
        :: ops < OPS ->
            ops++;
            if
            :: work[c] = 1          /* the slice is over */
            :: v = running[c]; blocked[v] = 1; atomic { vcpu_sleep(v); v = 0 }
            fi
        fi;
        goto exit_path
    fi
}

proctype controller()
{
    byte v, n, k, w, cpus, told;

    do
    :: n < CTL_OPS ->
        n++;
        if :: v = 0 :: v = 1 :: v = 2 fi;
        if
        :: blocked[v] = 0; atomic { vcpu_wake(v) }
        :: blocked[v] = 1; atomic { vcpu_sleep(v) }
        :: if :: cpus = 1 :: cpus = 2 :: cpus = 3 fi; atomic { set(v); cpus = 0 }
        :: atomic { !parked[dom(v)] -> park(dom(v)) }
        :: atomic { parked[dom(v)] -> unpark(dom(v)) }
        fi;
        v = 0
    :: n == CTL_OPS -> break
    od;
    controller_done = 1
}

inline check_at_rest(x)
{
    assert((queued[x] || resting[x]) == (runnable(x) && on_cpu[x] == NONE));
    assert(!(queued[x] && resting[x]) && (!resting[x] || parked[dom(x)]) && (!queued[x] || !parked[dom(x)]));
    assert(on_cpu[x] == NONE || (allowed(x, on_cpu[x]) && !parked[dom(x)]));
    assert(wanted_by[x] == NONE);
    assert(!(queued[x] && could_idle(x)))
}

proctype monitor()
{
end_monitor:
    timeout ->
    assert(controller_done && to_take[0] == NONE && to_take[1] == NONE);
    check_at_rest(0);
    check_at_rest(1);
    check_at_rest(2);
    assert(waiting[0] == queued[0] && waiting[1] == queued[1] + queued[2])
}

init
{
    atomic {
        affinity[0] = 1; affinity[1] = 3; affinity[2] = 3;
        blocked[0] = 1;
        running[0] = 1; on_cpu[1] = 0;
        running[1] = 2; on_cpu[2] = 1;
        run cpu(0); run cpu(1); run controller(); run monitor()
    }
}
