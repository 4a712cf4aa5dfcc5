/* SPDX-License-Identifier: MIT */
/*
 * Finding the L1 entry that maps an address, in the kernel page tables of a vCPU.
 *
 * The tables are read through the direct map. They may change while they are read (another vCPU of
 * the guest): then a frame that is found may be a table no more, which is why each step makes sure
 * that it stays in RAM, and why whoever changes the entry takes the page_lock of what is found
 * here, which fails unless it is a validated table of the domain.
 *
 * Kernels change entries of one L1 table one after the other, so a vCPU remembers the last one that
 * it found: it is found again as long as the base table is the same, and no frame of the domain
 * became a table of a higher level, nor an entry of one has changed (note_tables_changed()).
 *
 * In a header, because update_va_mapping is little else.
 */
#ifndef PV_PAGE_WALK_H
#define PV_PAGE_WALK_H

#include <pv/pv_mm.h>

/* All addresses that one L1 table maps become the same. */
#define L1_SPAN     (TABLE_ENTRIES * PAGE_SIZE)
#define SPAN_OF(va) ((va) | (L1_SPAN - 1))

/* The L1 table, by all steps, or NULL. v is the current one: it remembers. */
struct page_info *pv_walk(struct vcpu *v, gva_t va); /* page_walk.c */

/* The L1 table that maps va, or NULL. No reference is taken: page_lock() it before an entry is
 * changed. */
static inline struct page_info *find_l1(struct vcpu *v, gva_t va)
{
    const struct pv_walked *w = &v->arch.pv.walked;

    return likely(w->span == SPAN_OF(va) && mfn_eq(w->base, v->arch.pv.guest_table) &&
                  w->when == READ_ONCE(v->domain->arch.pv.tables_changed))
               ? w->table
               : pv_walk(v, va);
}

static inline unsigned int l1_index(gva_t va)
{
    return (unsigned int)(va >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
}

/* The entry's value, 0 when there is none. */
static inline uint64_t walk_l1e(struct vcpu *v, gva_t va)
{
    const struct page_info *table = find_l1(v, va);

    return table ? READ_ONCE(*table_entry(table, l1_index(va))) : 0;
}

#endif
