/* SPDX-License-Identifier: MIT */
/*
 * Memory of a PV guest: frames, the two translations, and allocators.
 *
 *   pfn   guest-physical ("pseudo-physical") frame number: 0, 1, 2 ... nr_pages - 1
 *   mfn   machine frame number: what page tables and hypercalls speak of
 *
 * p2m (pfn -> mfn) is an array that the builder placed in the guest's memory; m2p (mfn -> pfn)
 * is an array of the hypervisor, mapped read-only in every guest. A fully virtualized kernel has
 * neither: the hypervisor translates behind its back, and its two numbers of a frame are one.
 *
 * The kernel maps all its memory once, at VIRT_BASE + pfn * 4096 ("linear map"), so that
 * pfn_to_virt() is an addition. Only the part that the builder mapped is there at the start;
 * memory_init() extends it. At most LINEAR_MAX bytes are used; a guest with more leaves the
 * rest alone.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <guest/kind.h>
#include <xen/xen.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define VIRT_BASE   0xffffffff80000000ul
#define LINEAR_MAX  0x40000000ul             /* 1 GiB: up to the mapping area */
#define MAP_BASE    (VIRT_BASE + LINEAR_MAX) /* page tables: map_frames() */
#define INVALID_MFN (~0ul)

extern unsigned long *p2m;           /* indexed by pfn */
extern unsigned long nr_pfns;        /* frames that the domain started with */
extern unsigned long builder_mapped; /* frames of the linear map that the builder mapped */

/* boot_end: where what is in use ends; all memory from there on is the allocator's. */
void memory_init(const start_info_t *si, unsigned long boot_end);

static inline void *pfn_to_virt(unsigned long pfn)
{
    return (void *)(VIRT_BASE + (pfn << PAGE_SHIFT));
}

static inline unsigned long virt_to_pfn(const void *va)
{
    return ((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT;
}

static inline unsigned long pfn_to_mfn(unsigned long pfn)
{
    if (pfn >= nr_pfns)
        return INVALID_MFN;
    return is_pv() ? p2m[pfn] : pfn;
}

static inline unsigned long virt_to_mfn(const void *va)
{
    return pfn_to_mfn(virt_to_pfn(va));
}

/* Asks the m2p. The answer is checked against the p2m: INVALID_MFN for a foreign frame. */
unsigned long mfn_to_pfn(unsigned long mfn);

/* A page that start_info names: of the linear map, or, where it lies elsewhere, mapped. NULL */
void *shared_page(unsigned long mfn);

/* Pages of the linear map; contents are undefined unless said. NULL when memory is out. */
void *pages_alloc(unsigned int count);
void pages_free(void *va, unsigned int count);
void *page_alloc(void);
void *page_alloc_zeroed(void);
void page_free(void *va);
unsigned long pages_available(void);

#endif
