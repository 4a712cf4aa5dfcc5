/* SPDX-License-Identifier: MIT */
/*
 * The L4 tables that a vCPU runs on: one for its kernel, one for its user mode.
 *
 * Each holds a general and an L4-type reference of its frame, so what CR3 is given has been checked
 * to the last entry. A change takes the new table first, loads it, and then gives the old one back;
 * should undoing the old one be long it is put off (page_type.c), never left in use.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

/* Inline below, and straight: a table that has run before has its type. */
__inlined int pv_get_base_table(struct domain *d, mfn_t l4)
{
    struct page_info *pg = mfn_to_page_nospec(l4);

    if (unlikely(!mfn_in_table(l4)) || !get_page_now(pg, d))
        return refused(-XEN_EINVAL, "base table %#lx is not a frame of d%u", l4.n, d->domain_id);
    return likely(take_type(pg, PGT_l4_page_table)) ? 0 : get_upper_type(pg, PGT_l4_page_table, d);
}

int pv_new_kernel_table(struct vcpu *v, mfn_t mfn)
{
    mfn_t old = v->arch.pv.guest_table;
    int rc;

    /* ABI: to load the same table again flushes the TLB. */
    if (!mfn_eq(old, mfn)) {
        rc = pv_get_base_table(v->domain, mfn);
        if (unlikely(rc))
            return rc;
        pv_invalidate_ldt(v);
        pv_show_m2p(v->domain, mfn, true);
        v->arch.pv.guest_table = mfn;
        pv_update_cr3(v);
    }
    count_event(v, COUNTER_cr3_loads);
    load_cr3(v->arch.pv.cr3);
    if (!mfn_eq(old, mfn) && likely(old.n))
        put_table(v->domain, old);
    return 0;
}

int pv_new_user_table(struct vcpu *v, mfn_t mfn)
{
    mfn_t old = v->arch.pv.guest_table_user;
    int rc;

    if (mfn_eq(old, mfn))
        return 0;
    if (mfn.n) {
        rc = pv_get_base_table(v->domain, mfn);
        if (unlikely(rc))
            return rc;
    }
    if (mfn.n && !mfn_eq(mfn, v->arch.pv.guest_table))
        pv_show_m2p(v->domain, mfn, false);
    v->arch.pv.guest_table_user = mfn;
    if (old.n)
        put_table(v->domain, old);
    return 0;
}
