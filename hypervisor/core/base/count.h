/* SPDX-License-Identifier: MIT */
/*
 * Counting what happens to vCPUs (parvis/counters.h). It must cost next to nothing: one addition to
 * memory that no other CPU writes.
 *
 * Race: only the CPU that v is on counts, and the run queue's lock lies between it and the next
 * one. So no lock and no locked instruction. Who reads may do so at any time, and sees a counter
 * before or after an addition: it is one word, and aligned. The sanitizers do not know that, and
 * look away. What may happen to v on any CPU is for count_event_anywhere().
 */
#ifndef CORE_COUNT_H
#define CORE_COUNT_H

#include <core/state/domain.h>
#include <port/sanitize.h>

static inline __no_sanitize void count_events(struct vcpu *v, unsigned int counter, unsigned int n)
{
    v->counter[counter] += n;
}

static inline void count_event(struct vcpu *v, unsigned int counter)
{
    count_events(v, counter, 1);
}

static inline void count_event_anywhere(struct vcpu *v, unsigned int counter)
{
    __atomic_fetch_add(&v->counter[counter], 1, __ATOMIC_RELAXED);
}

#endif
