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

/* The L1 table, by all steps. v is the current one: it remembers. */
bool pv_walk(struct vcpu *v, gva_t va, struct page_info **table); /* page_walk.c */

/* The table and the index of the entry. No reference is taken: page_lock() *table before the entry
 * is changed. false: there is none. */
static inline bool find_l1e(struct vcpu *v, gva_t va, struct page_info **table, unsigned int *index)
{
    const struct pv_walked *w = &v->arch.pv.walked;

    *index = (unsigned int)(va >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
    *table = w->table;
    return likely(w->span == SPAN_OF(va) && mfn_eq(w->base, v->arch.pv.guest_table) &&
                  w->when == READ_ONCE(v->domain->arch.pv.tables_changed)) ||
           pv_walk(v, va, table);
}

/* The entry's value, 0 when there is none. */
static inline uint64_t walk_l1e(struct vcpu *v, gva_t va)
{
    struct page_info *table;
    unsigned int index;

    return find_l1e(v, va, &table, &index) ? READ_ONCE(*table_entry(table, index)) : 0;
}

#endif
