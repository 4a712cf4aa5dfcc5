/* SPDX-License-Identifier: MIT */
/*
 * struct vcpu_info moves to another place while events are sent: by the vCPU itself, or (OTHER) by another vCPU while it is down and a
 * third brings it up. Who sends holds a lock of its own domain alone.
 *
 * One word of ports with one port in it; the vCPU takes the upcall, then the selector, then the port, and blocks when there is nothing.
 * Shown: at rest no event is left that the vCPU does not know of. Mutants: see runs.py.
 *
 * QUEUE: no events; a vCPU that is queued goes down and comes up while its vcpu_info is moved, and a CPU takes whom it finds in the queue.
 * Shown: nobody runs it, and writes its time, meanwhile.
 */
bool port;                          /* pending, in shared_info */
bool sel[2], upcall[2];             /* of either place: evtchn_pending_sel, evtchn_upcall_pending */
byte place;                         /* v->vcpu_info */
bool blocked, moved;
#ifdef OTHER
bool down = 1;
#else
bool down;
#endif
bool d_lock;
bool queued, on_cpu, moving;        /* QUEUE */
#ifdef QUEUE
#define OTHER
#define may_move (down && !on_cpu)
#else
#define may_move down
#endif

/* ---- core/event/evtchn.c ---- */

inline vcpu_mark_events_pending()
{
    at = place;
    atomic { was = upcall[at]; upcall[at] = 1 };                /* model: vcpu_mark_events_pending.set */
    if :: !was -> blocked = 0 :: else fi                        /* model: vcpu_mark_events_pending.unblock */
}

inline select_word()
{
#ifndef M_PLACE_FIRST
    now = place;                                                /* model: select_word.place */
#endif
    do
    :: info = now;
       atomic { was = sel[info]; sel[info] = 1 };               /* model: select_word.set */
       if :: !was -> vcpu_mark_events_pending() :: else fi;     /* model: select_word.tell */
#if defined(M_NO_SECOND_LOOK) || defined(M_PLACE_FIRST)
       break
#else
       now = place;                                             /* model: select_word.look */
       if :: now == info -> break :: else fi
#endif
    od
}

proctype sender()
{
    byte n, info, now, at;
    bool was;
    do
    :: n < SENDS ->
        n++;
#ifdef M_PLACE_FIRST
        now = place;
#endif
        atomic { was = port; port = 1 };                        /* model: raise.port */
        if :: !was -> select_word() :: else fi                  /* model: became_pending.select */
    :: else -> break
    od
}

/* ---- core/life/vcpu_info.c ---- */

inline move_to()
{
    a = sel[0]; b = upcall[0];
    sel[1] = a; upcall[1] = b;
    place = 1;                                                  /* model: move_to.place */
#ifndef M_NO_TELL
    sel[1] = 1;                                                 /* model: move_to.sel */
    upcall[1] = 1                                               /* model: move_to.upcall */
#endif
}

#ifdef OTHER
proctype mover()
{
    bool a, b;
#ifdef M_NO_LOCK
    if :: may_move -> move_to() :: else fi
#else
    atomic { !d_lock -> d_lock = 1 };                           /* model: vcpu_info_register.lock */
    if :: may_move -> moving = 1; move_to(); moving = 0 :: else fi;     /* model: vcpu_info_register.move */
    d_lock = 0
#endif
}

proctype upper()
{
    atomic { !d_lock -> d_lock = 1 };
    down = 0;                                                   /* model: up.down */
    d_lock = 0;
#ifdef QUEUE
    atomic { if :: !on_cpu && !down -> queued = 1 :: else fi }  /* vcpu_wake() */
#endif
}
#endif

#ifdef QUEUE
/* vcpu_sleep() takes who is down out of the queue; from a CPU it goes by itself. */
#define vcpu_sleep() atomic { if :: down -> queued = 0 :: else fi }

proctype downer()
{
    atomic { !d_lock -> d_lock = 1 };
    down = 1;
#ifdef M_SLEEP_LATE
    d_lock = 0;
    vcpu_sleep()
#else
    vcpu_sleep();                                               /* model: down.sleep */
    d_lock = 0
#endif
}

/* A CPU chooses who is queued, without a look at why it should not run. */
proctype chooser()
{
end_idle:
    do
    :: atomic { queued -> queued = 0; on_cpu = 1 };
       assert(!moving);
       atomic { on_cpu = 0; queued = !down }                    /* context_saved() */
    od
}
#endif

/* ---- the guest, and its block ---- */

proctype vcpu()
{
    bool s, a, b;
    byte mine;                      /* the place that the guest reads */
    !down;
end_guest:
    do
    :: mine = place;
       if
       :: upcall[mine] ->
            upcall[mine] = 0;
            atomic { s = sel[mine]; sel[mine] = 0 };
            if :: s && port -> port = 0 :: else fi
#ifndef OTHER
       :: !moved -> moved = 1; move_to()
#endif
       :: !upcall[mine] ->
            blocked = 1;                                        /* model: vcpu_block.flag */
            if
            :: upcall[place] -> blocked = 0                     /* model: vcpu_block.look */
            :: else
            fi;
end_blocked:
            !blocked
       fi
    od
}

proctype monitor()
{
end_monitor:
    timeout -> assert(!port)
}

init
{
    atomic {
#ifdef QUEUE
        down = 0; queued = 1;
        run downer(); run chooser();
#else
        run sender(); run sender(); run vcpu(); run monitor();
#endif
#ifdef OTHER
        run mover(); run upper()
#endif
    }
}
