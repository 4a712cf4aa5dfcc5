/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a PV guest.
 *
 * A PV guest owns its page tables and reads them like any memory, but writes them only through
 * the hypervisor, which holds each table to one rule: a frame is a page table or writable
 * memory, never both. So before a page becomes a table, every mapping of it must be read-only
 * (protect_page), and entries hold machine frame numbers.
 *
 * pt_walk() finds an entry by reading; update_va_mapping changes the entry of a mapped
 * address; mmu_update changes any entry of any table, by machine address.
 */
#ifndef GUEST_PAGETABLE_H
#define GUEST_PAGETABLE_H

#include <stddef.h>
#include <stdint.h>

#include <guest/memory.h>

typedef uint64_t pte_t;

#define PTE_PRESENT  0x001ul
#define PTE_RW       0x002ul
#define PTE_USER     0x004ul
#define PTE_PWT      0x008ul
#define PTE_PCD      0x010ul
#define PTE_ACCESSED 0x020ul
#define PTE_DIRTY    0x040ul
#define PTE_PSE      0x080ul /* a large page, in an L2 entry; the PAT bit in an L1 entry */
#define PTE_GLOBAL   0x100ul
#define PTE_AVAIL    0xe00ul
#define PTE_NX       (1ul << 63)
#define PTE_MFN_MASK 0x000ffffffffff000ul

#define PTE_KERNEL_RW (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)
#define PTE_KERNEL_RO (PTE_PRESENT | PTE_ACCESSED)
#define PTE_TABLE     (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

static inline pte_t pte_make(unsigned long mfn, unsigned long flags)
{
    return (mfn << PAGE_SHIFT) | flags;
}

static inline unsigned long pte_mfn(pte_t pte)
{
    return (pte & PTE_MFN_MASK) >> PAGE_SHIFT;
}

/* Index of va in a table of this level: 1 (entries are pages) to 4 (the root). */
static inline unsigned int pt_index(unsigned long va, unsigned int level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

/* The kernel's root table. */
extern pte_t *pt_root;

/* The entry of va in the table of that level, to read; NULL when a level above is absent. */
const pte_t *pt_walk(const pte_t *root, unsigned long va, unsigned int level);

/* Machine address of an entry (of a table in the linear map), as mmu_update wants it. */
static inline uint64_t pt_maddr(const pte_t *entry)
{
    return ((uint64_t)virt_to_mfn(entry) << PAGE_SHIFT) | ((unsigned long)entry & ~PAGE_MASK);
}

/* mmu_update of one entry. 0 or -XEN_E*. */
int pt_write(const pte_t *entry, pte_t value);

/* Sets the L1 entry of va, making tables on the way. 0 or -XEN_E*. */
int pt_map(unsigned long va, pte_t pte);
int pt_unmap(unsigned long va);
/* The same in any table, by mmu_update; flushing the TLB is left to the caller. */
int pt_map_in(const pte_t *root, unsigned long va, pte_t pte);

/* Changes the flags of a mapped page of the kernel, keeping its frame. */
int pt_protect(const void *va, unsigned long flags);

/*
 * Map count frames (for example from a grant or a start_info field) at a free place above
 * MAP_BASE. NULL when an entry is refused. unmap_frames() gives the place back.
 */
void *map_frames(const unsigned long *mfns, unsigned int count, unsigned long flags);
void unmap_frames(void *va, unsigned int count);

/* Reserve addresses only: for a hypercall that fills the entries itself (grant map). */
unsigned long map_area_alloc(unsigned int count);
void map_area_free(unsigned long va, unsigned int count);

#endif
