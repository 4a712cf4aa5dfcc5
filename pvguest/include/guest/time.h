/* SPDX-License-Identifier: MIT */
/*
 * Time of a PV guest.
 *
 * System time is nanoseconds since the hypervisor started. The hypervisor publishes per vCPU a
 * pair (TSC stamp, system time then) and a scale; the guest reads the TSC and extrapolates.
 * version is odd while the record is being changed, and different after: read, compute, read
 * again. Wall-clock time is the published time of system-time zero, under the same protocol.
 *
 * Timers are one-shot, in absolute system time; each vCPU has one, and it arrives as VIRQ_TIMER.
 */
#ifndef GUEST_TIME_H
#define GUEST_TIME_H

#include <stdint.h>

uint64_t time_system_ns(void);
/* Seconds since 1970, UTC; *ns may be NULL. */
uint64_t time_wall(uint32_t *ns);

struct date {
    unsigned int year, month, day, hour, minute, second;
};

void time_to_date(uint64_t seconds, struct date *date);

/* Binds VIRQ_TIMER of the calling vCPU, so that sleep works; each does so when it starts. */
void time_init(void);
/* Wakes the calling vCPU at that system time; 0 cancels. Returns 0 or -XEN_E*. */
int time_set_deadline(uint64_t deadline_ns);
void time_sleep_ns(uint64_t ns);

/* Not before the instructions in front of it: who has seen another vCPU's time reads a later one.
 */
static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

#endif
