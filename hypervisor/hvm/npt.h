/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: which machine frame (mfn) a fully virtualized domain has at each of its frame
 * numbers (gfn). The idea is in hvm/npt.c.
 */
#ifndef HVM_NPT_H
#define HVM_NPT_H

#include <hv/types.h>

struct domain;

/* Physical addresses of a guest: CPUID says so to it. */
#define NPT_ADDRESS_BITS 40
#define NPT_GFNS         (1ull << (NPT_ADDRESS_BITS - PAGE_SHIFT))
/* The local APICs: never memory, so that touching them faults. */
#define NPT_APIC_GFN 0xfee00ull

int __must_check npt_init(struct domain *d); /* 0, -XEN_ENOMEM */
void npt_free(struct domain *d);             /* after npt_relinquish(), or npt_init() alone */

/* Puts 2^order frames of d, from mfn on, at first and what follows, and takes a reference of each.
 * All or nothing: -XEN_EINVAL: there is no such place, a frame is not d's, or d is dying;
 * -XEN_EEXIST: there is something; -XEN_EBUSY: a frame is elsewhere in d's memory; -XEN_ENOMEM.
 * What it does is in proportion to the frames. */
int __must_check npt_map(struct domain *d, gfn_t first, mfn_t mfn, unsigned int order);
/* Takes this frame out of gfn: when it returns no CPU reaches it there, and its reference is gone.
 * -XEN_ENOENT: it is not there (any more); -XEN_ENOMEM: it is still there. */
int __must_check npt_unmap(struct domain *d, gfn_t gfn, mfn_t mfn);
/* The frame at gfn at this moment, without a reference; or INVALID_MFN. No lock. */
mfn_t npt_lookup(const struct domain *d, gfn_t gfn);

/* Teardown, while d runs nowhere: takes all out. -XEN_ERESTART: again. */
int __must_check npt_relinquish(struct domain *d);

#endif
