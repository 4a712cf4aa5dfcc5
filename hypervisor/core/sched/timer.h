/* SPDX-License-Identifier: MIT */
/*
 * Software timers: a binary heap per CPU, keyed by deadline, run on the exit path after the timer
 * interrupt. A timer is embedded in what it serves, so setting one allocates nothing; the heap
 * array grows when a vCPU is created, never later.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>
#include <port/lock.h>

struct timer {
    s_time_t deadline;
    void (*fn)(void *data); /* called without the queue's lock, on the timer's CPU */
    void *data;
    unsigned int cpu;
    uint32_t slot; /* 1-based place in the heap; 0 when not set */
};

struct timer_queue {
    spinlock_t lock; /* guards all below, and slot and deadline of each timer in it */
    struct timer **heap;
    uint32_t used, size; /* timers set; places */
    uint32_t reserved;   /* timers there are    */
};

int __must_check timer_queue_init(struct timer_queue *q);
/* Makes room for n more timers that may be set at once (called when they are created). 0 or
 * -XEN_ENOMEM. */
int __must_check timer_reserve(unsigned int cpu, unsigned int n);
void timer_unreserve(unsigned int cpu, unsigned int n);
void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
void timer_set(struct timer *t, s_time_t deadline); /* moves it if it is set already */
void timer_stop(struct timer *t);
void timers_run(void); /* this CPU: runs what is due, arms the machine's timer for the next */

#endif
