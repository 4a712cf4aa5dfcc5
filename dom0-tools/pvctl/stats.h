/* SPDX-License-Identifier: MIT */
/*
 * pvctl stats: event counters as they are at a moment (stats.c), and shown (stats_print.c).
 */
#ifndef PVCTL_STATS_H
#define PVCTL_STATS_H

#include "pvctl.h"

struct vcpu_sample {
    size_t domain; /* its place in samples.domains */
    uint32_t vcpu;
    uint64_t cpu_time_ns;
    uint64_t counter[NR_COUNTERS]; /* parvis/counters.h */
};

/* The vCPUs of a domain stand next to each other. */
struct samples {
    struct live_domain *domains;
    size_t nr_domains, nr_vcpus;
    struct vcpu_sample *vcpus;
    uint64_t at_ns;
};

/* Since each vCPU was made; or (before not NULL) the difference between the two, a second. */
void stats_print(const struct call *c, const struct samples *now, const struct samples *before);

/* stats_print.c: of a counter; those without a name have a number. */
const char *stats_event_name(unsigned int counter);
bool stats_has_name(unsigned int counter);
/* prometheus.c. An exit status. */
int __must_check stats_print_prometheus(const struct call *c, const struct samples *s);

#endif
