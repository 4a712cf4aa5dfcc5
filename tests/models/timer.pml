/* SPDX-License-Identifier: MIT */
/*
 * Timers, and their end. Each CPU has a queue; the one timer is in the queue of the CPU that set it last, but stays where it is while
 * its callback runs. CPUs 0 and 1 set it and call what is due; CPU 2 sets it, then ends it and frees what the callback uses. All
 * deadlines are past, so a timer that is set goes off.
 *
 * Shown: a CPU arms its own interrupt alone; the callback never runs on two CPUs; no callback runs after timer_kill(), which comes to
 * an end; a timer that is set goes off.
 *
 * SET: no end, CPU 2 only sets it. FLUSH: the callback asks CPU 2 for a flush. NO_COUNT: callbacks on two CPUs are let pass. Mutants:
 * see runs.py.
 */
#define NONE 255
byte owner;                         /* t->queue: changes under the lock of the queue that it names */
bool in_heap;                       /* the owner's lock: it is set */
bool dead;                          /* the owner's lock: timer_kill() was called */
bool running[3];                    /* the queue's lock: timer_queue.running is this timer */
byte queue_lock[3] = NONE;
byte domain_lock = NONE;            /* a lock that the callback takes */
bool armed[3];                      /* this CPU's timer interrupt */
bool work_flush[3];
byte callbacks;                     /* that run now */
bool freed;
byte done;

#ifdef M_NO_SERVE
#define OR_SPIN_WAIT(c)
#else
#define OR_SPIN_WAIT(c) :: work_flush[c] -> work_flush[c] = 0
#endif
inline lock(c, l) { do :: atomic { l == NONE -> l = c } -> break OR_SPIN_WAIT(c) od }
inline unlock(l) { l = NONE }

inline lock_queue_of(c)
{
    do
    :: q = owner;
        lock(c, queue_lock[q]);                         /* model: lock_queue_of.lock */
#ifdef M_NO_LOOK_AGAIN
        break
#else
        if :: owner == q -> break :: else -> unlock(queue_lock[q]) fi   /* model: lock_queue_of.look */
#endif
    od
}

inline timer_set(c)
{
    do
    :: lock_queue_of(c);
        if
        :: q == c -> break
#ifndef M_NO_DEAD
        :: dead -> break
#endif
#ifndef M_MOVE_RUNNING
        :: q != c && running[q] -> break                /* model: bring_here.running */
#endif
        :: else ->
            in_heap = 0; owner = c;                     /* model: bring_here.move */
            unlock(queue_lock[q])
        fi
    od;
#ifdef M_NO_DEAD
    if :: true ->
#else
    if :: dead -> skip
    :: else ->                                          /* model: timer_set.dead */
#endif
        in_heap = 1;
        if
        :: running[q] -> skip                           /* who runs it arms at the end */
        :: else -> assert(q == c); armed[c] = 1         /* model: timer_set.arm */
        fi
    fi;
    unlock(queue_lock[q]);
    q = 0
}

inline timer_set_again(c)
{
    lock_queue_of(c);
    if :: !in_heap && !dead -> in_heap = 1 :: else fi;  /* model: timer_set_again.unset */
    unlock(queue_lock[q]);
    q = 0
}

inline timers_run(c)
{
    lock(c, queue_lock[c]);                             /* model: timers_run.lock */
    do
    :: in_heap && owner == c ->
        in_heap = 0; running[c] = 1;                    /* model: timers_run.running */
        unlock(queue_lock[c]);
        assert(!freed); callbacks++;
#ifndef NO_COUNT
        assert(callbacks == 1);
#endif
        lock(c, domain_lock); unlock(domain_lock);
#ifdef FLUSH
        work_flush[2] = 1; do :: !work_flush[2] -> break OR_SPIN_WAIT(c) od;
#endif
        if :: again -> again = 0; timer_set_again(c) :: else fi;    /* a periodic one */
        assert(!freed); callbacks--;
        lock(c, queue_lock[c]);
        running[c] = 0                                  /* model: timers_run.done */
    :: in_heap && owner == c -> break                   /* set for later, or enough at once */
    :: else -> break
    od;
#ifndef M_NO_REARM
    if :: in_heap && owner == c -> armed[c] = 1 :: else fi;         /* model: timers_run.arm */
#endif
    unlock(queue_lock[c])
}

inline timer_kill(c)
{
    lock_queue_of(c);
    dead = 1;                                           /* model: timer_kill.dead */
    in_heap = 0;
#ifndef M_NO_WAIT
    do
    :: !running[q] -> break
    :: running[q] ->                                    /* model: timer_kill.wait */
        unlock(queue_lock[q]);
        do :: !running[q] -> break OR_SPIN_WAIT(c) od;
        lock(c, queue_lock[q])
    od;
#endif
    unlock(queue_lock[q])
}

proctype cpu(byte me)
{
    byte q;
    bool again = 1;

    timer_set(me);
    done++;
end_guest:
    do
    :: work_flush[me] -> work_flush[me] = 0
    :: armed[me] -> armed[me] = 0; timers_run(me)
    od
}

proctype killer()
{
    byte q;
    bool again = 0;

    if :: timer_set(2) :: skip fi;
#ifndef SET
#ifdef M_KILL_LOCKED
    lock(2, domain_lock);
#endif
    timer_kill(2);
#ifdef M_KILL_LOCKED
    unlock(domain_lock);
#endif
    freed = 1;
#endif
    done++;
end_guest:
    do
    :: work_flush[2] -> work_flush[2] = 0
    :: armed[2] -> armed[2] = 0; timers_run(2)
    od
}

proctype monitor()
{
end_monitor:
    timeout -> assert(done == 3); assert(!in_heap)
}

init
{
    atomic { run cpu(0); run cpu(1); run killer(); run monitor() }
}
