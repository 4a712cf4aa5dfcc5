/* SPDX-License-Identifier: MIT */
/*
 * What was counted since the last look, of one vCPU: each counter that is named once, each as often
 * as it is named, and no other.
 */
#ifndef TESTS_UNIT_COUNTERS_SEEN_H
#define TESTS_UNIT_COUNTERS_SEEN_H

#include <core/state/domain.h>

static uint64_t counters_seen[NR_COUNTERS];

static inline void counters_look(const struct vcpu *of)
{
    memcpy(counters_seen, of->counter, sizeof(counters_seen));
}

static inline void counters_judge(const struct vcpu *of, const unsigned int *named, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        counters_seen[named[i]]++;
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        if (of->counter[i] != counters_seen[i])
            fail_msg("counter %u is %lu, should be %lu", i, of->counter[i], counters_seen[i]);
    counters_look(of);
}

#define counted(v, ...)                                                                            \
    counters_judge(v, (const unsigned int[]){__VA_ARGS__},                                         \
                   ARRAY_SIZE(((const unsigned int[]){__VA_ARGS__})))
#define HYPERCALL_NR(name) (COUNTER_hypercall + __HYPERVISOR_##name)

#endif
