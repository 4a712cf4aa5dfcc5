/* SPDX-License-Identifier: MIT */
/*
 * A guest whose tables, registers and accesses come from a stream of bytes: the same for the fuzzer
 * and for the fixed run of the unit tests. Each walk is held against the oracle, with all that it
 * changes in memory.
 */
#ifndef TESTS_HVM_WALK_RANDOM_H
#define TESTS_HVM_WALK_RANDOM_H

#include "hvm_guest.h"
#include "hvm_walk_oracle.h"

/* A domain with ORACLE_PAGES pages of memory, on a machine of its own. */
struct domain *walk_guest_init(void);
extern const uint64_t walk_gfns[ORACLE_PAGES];
/* The page at one of these. */
uint8_t *walk_page(const struct domain *d, uint64_t gfn);

/* Aborts when something is wrong. How many walks reached a page. */
unsigned int walk_random_run(struct domain *d, const uint8_t *data, size_t n);

#endif
