/* SPDX-License-Identifier: MIT */
/*
 * A small paravirtual guest for the tests of direct paging, on the machine of tests/host.
 *
 * mm_guest_init() gives a domain MM_FRAMES frames and builds page tables in them by hand, pins the
 * L4 and loads it: frame[MM_L4] .. frame[MM_L1]   the four tables, mapped read-only the rest plain
 * memory, mapped writable Frame i is mapped at MM_VA + i pages, by entry i of the L1. MM_SPARE and
 * up are nobody's table: tests use them as they like.
 *
 * mm_call() makes a hypercall as the guest does, re-issues included, and after each the whole
 * machine is recounted (host_recount()): a test cannot go on with a wrong reference.
 */
#ifndef TESTS_PV_MM_SUPPORT_H
#define TESTS_PV_MM_SUPPORT_H

#include "host.h"

#include <pv/pv_mm.h>
#include <xen/xen.h>

#define MM_FRAMES 48u
#define MM_VA     0x40000000ull /* L4 entry 0, L3 entry 1, L2 entry 0 */

enum { MM_L4, MM_L3, MM_L2, MM_L1, MM_SPARE };

#define MM_RW (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define MM_RO (PTE_PRESENT | PTE_USER | PTE_ACCESSED)

struct mm_guest {
    struct domain *d;
    struct vcpu *v;
    mfn_t frame[MM_FRAMES];
};

/* Starts the machine: frames of RAM in all, paravirtual guests. */
void mm_init(uint64_t frames);
void mm_guest_init(struct mm_guest *g, domid_t id, bool control);
void mm_guest_init_vcpus(struct mm_guest *g, domid_t id, bool control, unsigned int vcpus);
/* Destroys it before the end of the test; or the test has done so itself. */
void mm_guest_gone(struct mm_guest *g);
void mm_forget(struct mm_guest *g);
/* Ends it; checks that every frame came back. Call once for all guests of the test. */
void mm_fini(void);

static inline gva_t mm_va(unsigned int i)
{
    return MM_VA + i * PAGE_SIZE;
}

static inline uint64_t mm_pte(mfn_t mfn, uint64_t flags)
{
    return mfn.n << PAGE_SHIFT | flags;
}

static inline uint64_t *mm_words(const struct mm_guest *g, unsigned int i)
{
    return map_frame(g->frame[i]);
}

static inline uint64_t mm_entry_addr(const struct mm_guest *g, unsigned int table,
                                     unsigned int entry)
{
    return g->frame[table].n << PAGE_SHIFT | entry * 8;
}

static inline struct page_info *mm_page(const struct mm_guest *g, unsigned int i)
{
    return mfn_to_page(g->frame[i]);
}

long mm_call(struct mm_guest *g, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
             uint64_t a3);
/* Whether each hypercall is told at every check that it must give way; how often the last one was
 * issued. */
extern bool mm_preempt;
extern unsigned int mm_issues;
/* Whether each hypercall is followed by a recount (its memory comes from the heap, which may flush
 * the TLB). mm_init() sets it. */
extern bool mm_recount;

/* One request each. */
long mm_update(struct mm_guest *g, uint64_t ptr, uint64_t val);
long mm_update_foreign(struct mm_guest *g, uint64_t ptr, uint64_t val, unsigned int foreigndom);
long mm_update_va(struct mm_guest *g, gva_t va, uint64_t val, uint64_t flags);
long mm_ext(struct mm_guest *g, unsigned int cmd, uint64_t arg1, uint64_t arg2);
long mm_ext_foreign(struct mm_guest *g, unsigned int cmd, uint64_t arg1, uint64_t arg2,
                    unsigned int dom);
/* Makes frame i read-only in the guest, clears it. It may be filled and made a table. */
void mm_make_table(struct mm_guest *g, unsigned int i);
/* Gives the writable mapping back (frame i is no table any more). */
long mm_make_plain(struct mm_guest *g, unsigned int i);

/* type of frame i: PGT_*, and its count. */
uint64_t mm_type(const struct mm_guest *g, unsigned int i);
uint64_t mm_type_count(const struct mm_guest *g, unsigned int i);
uint64_t mm_refs(const struct mm_guest *g, unsigned int i);

#endif
