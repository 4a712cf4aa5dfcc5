/* SPDX-License-Identifier: MIT */
/*
 * A kind of guest that is memory alone: a domain with nested page tables, for tests of what of
 * hvm/ needs no CPU; and a recount of the references that its tables hold.
 */
#ifndef TESTS_HVM_GUEST_H
#define TESTS_HVM_GUEST_H

#include <hvm/npt.h>

#include "host.h"

/* A machine with that many frames, whose domains are of this kind. */
void hvm_guest_init(uint64_t frames);

/* What was found in the tables of d. */
struct hvm_tables {
    uint64_t tables, small, large; /* with the top; entries that map */
};

/* Counts from scratch. Each frame of d has the references that entries hold, that of being
 * allocated, and held[mfn] (NULL: none); M2P says where each mapped one is; npt_lookup() finds it
 * there; no table is anybody's memory. Aborts where this is not so. */
struct hvm_tables hvm_recount(const struct domain *d, const uint8_t *held);

/* Whatever is there now is taken out. */
static inline int hvm_unmap(struct domain *d, gfn_t gfn)
{
    return npt_unmap(d, gfn, npt_lookup(d, gfn));
}

/* Takes all free frames but so many; and back. */
void hvm_hoard_all_but(uint64_t spare);
void hvm_give_hoard_back(void);

#endif
