/* SPDX-License-Identifier: MIT */
/*
 * What a dying domain undoes of its page tables.
 *
 * First what its vCPUs hold: base tables, descriptor tables. Then, of each frame
 * (core/life/relinquish.c): the pin, and a check that was left half done. As types refer downwards
 * only, all page tables come undone when the last pin and base table are gone, whatever the guest
 * built; there are no circles to break.
 *
 * Each step is repeatable: where undoing a table is pre-empted, the frame keeps the progress
 * (page_type.c). The domain's vCPUs do not run any more, and no CPU has their page tables loaded.
 */
#include <core/base/hypercall.h>
#include <core/domain/domain_pages.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>
#include <pv/pv_ops.h>

/* Gives up one of v's tables; a half-undone one is met again among the domain's frames. */
static int drop_base_table(struct domain *d, mfn_t *slot)
{
    mfn_t mfn = *slot;

    if (!mfn.n)
        return 0;
    *slot = MFN(0);
    return put_page_and_type_preemptible(mfn_to_page(mfn), d);
}

static int relinquish_vcpu(struct vcpu *v)
{
    struct domain *d = v->domain;
    int rc;

    pv_destroy_gdt(v);
    pv_invalidate_ldt(v);
    rc = drop_base_table(d, &v->arch.pv.guest_table);
    if (!rc)
        rc = drop_base_table(d, &v->arch.pv.guest_table_user);
    /* Another domain's frame, when this one was a builder: finished here, as nobody else will. */
    return rc ? rc : pv_finish_old_table(v);
}

int pv_relinquish_vcpus(struct domain *d)
{
    struct vcpu *v;
    int rc;

    for_each_vcpu (d, v) {
        /* Each page of a descriptor table may be the last that holds its frame. */
        bool had = v->arch.pv.gdt_ents || v->arch.pv.ldt_mapped;

        rc = relinquish_vcpu(v);
        if (!rc && had && hypercall_preempt_check())
            rc = -XEN_ERESTART;
        if (rc)
            return rc;
    }
    return 0;
}

/* Undoes the pin and what was left half done. XSA-310: the state `partial` owns its references, so
 * this order and repetition are both safe. */
int pv_undo_frame(struct page_info *pg, struct domain *d)
{
    int rc = drop_pin(pg, d);

    return rc ? rc : resume_demotion(pg, d);
}
