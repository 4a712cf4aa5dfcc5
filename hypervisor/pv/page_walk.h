/* SPDX-License-Identifier: MIT */
/*
 * Finding the L1 entry that maps an address, in the kernel page tables of a vCPU.
 *
 * The tables are read through the direct map. They may change while they are read (another vCPU of
 * the guest): then a frame that is found may be a table no more, which is why each step makes sure
 * that it stays in RAM, and why whoever changes the entry takes the page_lock of what is found
 * here, which fails unless it is a validated table of the domain.
 *
 * In a header, because update_va_mapping is little else.
 */
#ifndef PV_PAGE_WALK_H
#define PV_PAGE_WALK_H

#include <pv/pv_mm.h>

/* The frame of the table one level down, at the entry for va. */
static inline bool next_table(mfn_t *table, gva_t va, unsigned int shift)
{
    const uint64_t *entries = read_frame(*table);
    uint64_t e = READ_ONCE(entries[va >> shift & (TABLE_ENTRIES - 1)]);

    *table = pte_mfn(e);
    return likely((e & (PTE_PRESENT | PTE_PSE)) == PTE_PRESENT && mfn_valid(*table));
}

/* The table and the index of the entry. No reference is taken: page_lock() *table before the entry
 * is changed. false: there is none. */
static inline bool find_l1e(const struct vcpu *v, gva_t va, struct page_info **table,
                            unsigned int *index)
{
    mfn_t mfn = v->arch.pv.guest_table;

    /* XSA-64: the hypervisor's slots are not walked on a guest's behalf. */
    if (unlikely(!pv_addr_ok(va) || !mfn.n) || !next_table(&mfn, va, 39) ||
        !next_table(&mfn, va, 30) || !next_table(&mfn, va, 21))
        return false;
    *table = mfn_to_page(mfn);
    *index = (unsigned int)(va >> PAGE_SHIFT) & (TABLE_ENTRIES - 1);
    return true;
}

/* The entry's value, 0 when there is none. */
static inline uint64_t walk_l1e(const struct vcpu *v, gva_t va)
{
    struct page_info *table;
    unsigned int index;

    return find_l1e(v, va, &table, &index) ? READ_ONCE(*table_entry(table, index)) : 0;
}

#endif
