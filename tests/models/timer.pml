/* SPDX-License-Identifier: MIT */
/*
 * Timers, and their end: CPU 0 owns the queue and calls what is due; CPU 1 sets the timer from afar, then ends it and frees what the
 * callback uses. All deadlines are past, so a timer that is set goes off.
 *
 * Shown: no callback runs after timer_kill(), which comes to an end; a timer that was set from afar goes off.
 *
 * SET: no end, CPU 1 only sets it. FLUSH: the callback asks CPU 1 for a flush. Mutants: see models.py.
 */
#define NONE 255
bool in_heap;                       /* queue_lock */
bool dead;                          /* queue_lock: timer_kill() was called */
bool called;                        /* queue_lock: timer_queue.running is this timer */
byte queue_lock = NONE;
byte domain_lock = NONE;            /* a lock that the callback takes */
bool armed[2];                      /* this CPU's timer interrupt */
bool work_timer[2];                 /* CPU_WORK_TIMER in cpu->pending */
bool work_flush[2];
bool freed;
bool done;

#ifdef M_NO_SERVE
#define OR_SPIN_WAIT(c)
#else
#define OR_SPIN_WAIT(c) :: work_flush[c] -> work_flush[c] = 0
#endif
inline lock(c, l) { do :: atomic { l == NONE -> l = c } -> break OR_SPIN_WAIT(c) od }
inline unlock(l) { l = NONE }

inline timer_set(c)
{
    lock(c, queue_lock);                                /* model: timer_set.lock */
#ifdef M_NO_DEAD
    in_heap = 1;
#else
    if :: !dead -> in_heap = 1 :: else fi;              /* model: timer_set.dead */
#endif
#ifdef M_ARM_CALLER
    armed[c] = 1;
#else
    if :: c == 0 -> armed[0] = 1 :: else -> work_timer[0] = 1 fi;   /* model: rearm.owner */
#endif
    unlock(queue_lock)
}

inline timers_run()
{
    lock(0, queue_lock);                                /* model: timers_run.lock */
    do
    :: in_heap ->
        in_heap = 0; called = 1;                        /* model: timers_run.called */
        unlock(queue_lock);
        assert(!freed);                                 /* the callback begins */
        lock(0, domain_lock); unlock(domain_lock);
#ifdef FLUSH
        work_flush[1] = 1; do :: !work_flush[1] -> break OR_SPIN_WAIT(0) od;
#endif
        n++;
        if :: n < 3 -> timer_set(0) :: else fi;         /* a periodic one sets itself again */
        assert(!freed);                                 /* the callback ends */
        lock(0, queue_lock);
        called = 0                                      /* model: timers_run.done */
    :: in_heap -> armed[0] = 1; break                   /* set again for later, and not due yet */
    :: else -> break
    od;
    unlock(queue_lock)
}

inline timer_kill(c)
{
    lock(c, queue_lock);                                /* model: timer_kill.lock */
    dead = 1;                                           /* model: timer_kill.dead */
    in_heap = 0;
#ifndef M_NO_WAIT
    do
    :: !called -> break
    :: called ->                                        /* model: timer_kill.wait */
        unlock(queue_lock);
        do :: !called -> break OR_SPIN_WAIT(c) od;
        lock(c, queue_lock)
    od;
#endif
    unlock(queue_lock)
}

proctype cpu0()
{
    byte n;
end_guest:
    do
    :: work_flush[0] -> work_flush[0] = 0
    :: armed[0] -> armed[0] = 0; work_timer[0] = 1
    :: work_timer[0] -> work_timer[0] = 0; timers_run()
    od
}

proctype cpu1()
{
#ifdef SET
    timer_set(1);
#else
    if :: timer_set(1) :: skip fi;
#ifdef M_KILL_LOCKED
    lock(1, domain_lock);
#endif
    timer_kill(1);
#ifdef M_KILL_LOCKED
    unlock(domain_lock);
#endif
    freed = 1;
#endif
    done = 1;
end_guest:
    do
    :: work_flush[1] -> work_flush[1] = 0
    :: armed[1] -> armed[1] = 0
    :: work_timer[1] -> work_timer[1] = 0
    od
}

proctype monitor()
{
end_monitor:
    timeout -> assert(done); assert(!in_heap)
}

init
{
    atomic {
#ifndef SET
        in_heap = 1; armed[0] = 1;
#endif
        run cpu0(); run cpu1(); run monitor()
    }
}
