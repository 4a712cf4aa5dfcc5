/* SPDX-License-Identifier: MIT */
/*
 * The walk from a vCPU's base table down to the L1 table of an address: page_walk.h.
 */
#include <pv/page_walk.h>

/* The frame of the table one level down, at the entry for va. */
static inline bool next_table(mfn_t *table, gva_t va, unsigned int shift)
{
    const uint64_t *entries = read_frame(*table);
    uint64_t e = READ_ONCE(entries[va >> shift & (TABLE_ENTRIES - 1)]);

    *table = pte_mfn(e);
    return likely((e & (PTE_PRESENT | PTE_PSE)) == PTE_PRESENT && mfn_valid(*table));
}

struct page_info *pv_walk(struct vcpu *v, gva_t va)
{
    /* Race: before the first entry is read. What changes meanwhile is seen, or told then. */
    uint64_t when = __atomic_load_n(&v->domain->arch.pv.tables_changed, __ATOMIC_ACQUIRE);
    mfn_t base = v->arch.pv.guest_table, mfn = base;

    /* XSA-64: the hypervisor's slots are not walked on a guest's behalf. */
    if (unlikely(!pv_addr_ok(va) || !mfn.n) || !next_table(&mfn, va, 39) ||
        !next_table(&mfn, va, 30) || !next_table(&mfn, va, 21))
        return NULL;
    v->arch.pv.walked = (struct pv_walked){SPAN_OF(va), base, when, mfn_to_page(mfn)};
    return v->arch.pv.walked.table;
}
