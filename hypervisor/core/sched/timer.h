/* SPDX-License-Identifier: MIT */
/*
 * Software timers: a heap of deadlines a CPU, run on the exit path after the timer interrupt. A
 * timer is embedded in what it serves, so setting one allocates nothing. Any CPU may do anything
 * with any timer.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>
#include <port/lock.h>

struct timer_queue;

struct timer {
    struct timer_queue *queue; /* of the CPU that set it last */
    s_time_t deadline;
    void (*fn)(void *data); /* called without the queue's lock */
    void *data;
    struct timer *left, *right, *parent; /* in the heap */
    uint32_t rank;                       /* 0 when not set */
    bool dead;
};

struct timer_queue {
    spinlock_t lock;       /* guards all below, and each timer whose queue this is */
    struct timer *first;   /* the earliest, or NULL */
    struct timer *running; /* whose callback is running, or NULL */
};

void timer_queue_init(struct timer_queue *q);
void timer_init(struct timer *t, void (*fn)(void *), void *data);
/* It will go off on this CPU. Moves it if it is set already; nothing when it is dead. */
void timer_set(struct timer *t, s_time_t deadline);
/* The same by its own callback, unless somebody has set it meanwhile. */
void timer_set_again(struct timer *t, s_time_t deadline);
/* It is set to, at that time or before; or its callback is to come. */
bool timer_goes_off_here(const struct timer *t, s_time_t at);
void timer_stop(struct timer *t); /* its callback may still be running on another CPU */
/* Stops it for good: when this returns its callback does not run, and never will. Not for
 * callbacks, and with no lock held that a callback takes. */
void timer_kill(struct timer *t);
void timers_run(void); /* this CPU: runs what is due, arms the machine's timer for the next */

#endif
