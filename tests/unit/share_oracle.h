/* SPDX-License-Identifier: MIT */
/* What each domain is due of the CPUs: share_oracle.c. */
#ifndef TESTS_UNIT_SHARE_ORACLE_H
#define TESTS_UNIT_SHARE_ORACLE_H

#include <stdint.h>

#define MOST_DOMAINS 12u
#define MOST_VCPUS   8u /* of one domain */
#define MOST_CPUS    16u

struct want {
    unsigned int weight, cap, vcpus; /* cap: percent of one CPU; 0: none */
    uint64_t affinity[MOST_VCPUS];
    double due; /* in CPUs */
};

struct world {
    unsigned int cpus, domains;
    struct want d[MOST_DOMAINS];
};

/* Fills in what is due to each, when all vCPUs can run all the time. */
void share_oracle(struct world *w);

#endif
