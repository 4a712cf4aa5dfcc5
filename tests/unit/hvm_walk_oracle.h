/* SPDX-License-Identifier: MIT */
/*
 * What a walk through a guest's page tables has to say, from the manuals anew, over memory of its
 * own: a few pages, wherever they lie in the guest's physical memory.
 */
#ifndef TESTS_HVM_WALK_ORACLE_H
#define TESTS_HVM_WALK_ORACLE_H

#include <hvm/guest_walk.h>

#define ORACLE_PAGES 18

struct oracle_memory {
    uint64_t gfn[ORACLE_PAGES];
    uint8_t page[ORACLE_PAGES][4096];
};

/* As guest_walk(); accessed and dirty bits are set in m. */
bool oracle_walk(struct oracle_memory *m, const struct guest_paging *g, uint64_t va, bool write,
                 bool fetch, uint64_t *gpa, struct guest_walk_fault *f);

#endif
