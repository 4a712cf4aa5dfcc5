/* SPDX-License-Identifier: MIT */
/*
 * Software timers: a heap of deadlines a CPU, run on the exit path after the timer interrupt. A
 * timer is embedded in what it serves, so setting one allocates nothing.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>
#include <port/lock.h>

struct timer {
    s_time_t deadline;
    void (*fn)(void *data); /* called without the queue's lock, on the timer's CPU */
    void *data;
    struct timer *left, *right, *parent; /* in the heap */
    uint32_t rank;                       /* 0 when not set */
    unsigned int cpu;
};

struct timer_queue {
    spinlock_t lock;     /* guards all below, and each timer in it */
    struct timer *first; /* the earliest, or NULL */
};

void timer_queue_init(struct timer_queue *q);
void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
void timer_set(struct timer *t, s_time_t deadline); /* moves it if it is set already */
void timer_stop(struct timer *t);
void timers_run(void); /* this CPU: runs what is due, arms the machine's timer for the next */

#endif
