/* SPDX-License-Identifier: MIT */
/*
 * SCHEDOP_poll: a vCPU waits for a port or for a time; senders end its wait, as the timer does, each on a CPU of its own.
 *
 * The vCPU polls OPS times. Shown: it does not wait for a port that is pending, and who has waited for a time goes on. Mutants: see
 * runs.py.
 */
bool port;                          /* pending */
bool poll_port, poll_mask, polling; /* v->poll_port is the port; v's bit in d->poll_mask; VPF_polling */
bool poll_lock;
bool timer;                         /* v->poll_timer is set */
bool timed;                         /* this poll has a time */
bool waits;                         /* left its CPU: not runnable */

#define lock() atomic { !poll_lock -> poll_lock = 1 }
#define unlock() poll_lock = 0

/* ---- core/sched/pause.c ---- */

inline vcpu_poll_begin()
{
    lock();                         /* model: vcpu_poll_begin.lock */
    poll_port = 1;
    poll_mask = 1;
    polling = 1;                    /* model: vcpu_poll_begin.flag */
    if :: timed -> timer = 1 :: else fi;        /* model: vcpu_poll_begin.timer */
    unlock()
}

inline end_poll()
{
#ifndef M_NO_LOCK
    lock();                         /* model: end_poll.lock */
#endif
    if
    :: poll_port ->
        timer = 0;                  /* model: end_poll.timer */
        poll_port = 0;
        poll_mask = 0;
        polling = 0                 /* model: end_poll.flag */
    :: else
    fi;
#ifndef M_NO_LOCK
    unlock()
#endif
}

inline vcpu_unblock()
{
    if
    :: polling -> end_poll();       /* model: vcpu_unblock.poll */
    :: else
    fi
}

/* ---- core/guest/sched_op.c ---- */

inline wait_for_ports()
{
    if :: timed = 1 :: timed = 0 fi;
#ifdef M_LOOK_FIRST
    found = port;
    vcpu_poll_begin();
#else
    vcpu_poll_begin();              /* model: wait_for_ports.begin */
    found = port;                   /* model: wait_for_ports.look */
#endif
    if
    :: found -> vcpu_unblock()
    :: else ->
end_waits:
        !polling                    /* model: wait_for_ports.sleep */
    fi;
    found = 0
}

proctype vcpu()
{
    byte n;
    bool found;
    do
    :: n < OPS -> n++; wait_for_ports(); if :: port = 0 :: skip fi      /* it takes the event, or looks at something else */
    :: else -> break
    od;
    timed = 0
}

proctype sender()
{
    byte n;
    bool was;
    do
    :: n < 2 ->
        n++;
        atomic { was = port; port = 1 };        /* model: raise.port */
        if
        :: !was && poll_mask ->                 /* model: became_pending.pollers */
            if :: poll_port -> vcpu_unblock() :: else fi        /* model: wake_pollers.who */
        :: else
        fi
    :: else -> break
    od
}

proctype timer_cpu()
{
end_timer:
    do
    :: atomic { timer -> timer = 0 }; vcpu_unblock()        /* model: poll_expired.end */
    od
}

proctype monitor()
{
end_monitor:
    timeout ->
    assert(!(polling && (port || timed)));
    assert(polling == poll_port && polling == poll_mask)
}

init { atomic { run vcpu(); run sender(); run sender(); run timer_cpu(); run monitor() } }
