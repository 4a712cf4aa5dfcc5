/* SPDX-License-Identifier: MIT */
/*
 * What a dying domain gives back of its memory.
 *
 * First what its vCPUs hold: base tables, descriptor tables. Then, frame by frame: the pin, a check
 * that was left half done, the allocation reference. As types refer downwards only, all page tables
 * come undone when the last pin and base table are gone, whatever the guest built; there are no
 * circles to break. A frame that others still map stays with the dead domain, on its list of frames
 * set aside, until they let go.
 *
 * Each step is repeatable: where undoing a table is pre-empted, the frame keeps the progress
 * (page_type.c) and is still the first of the list when teardown is called again. The domain's
 * vCPUs do not run any more, and no CPU has their page tables loaded.
 */
#include <core/base/hypercall.h>
#include <core/domain/domain_pages.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>
#include <pv/pv_ops.h>

#define FRAMES_PER_CHECK 64u

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

/* Undoes the pin and what was left half done. The caller holds a reference. */
static int relinquish_types(struct page_info *pg, struct domain *d)
{
    /* XSA-310: the state `partial` owns its references, so this order and repetition are both safe.
     */
    int rc = drop_pin(pg, d);

    return rc ? rc : resume_demotion(pg, d);
}

static int relinquish_frame(struct page_info *pg, struct domain *d)
{
    int rc = relinquish_types(pg, d);

    if (rc)
        return rc;
    spin_lock(&d->page_alloc_lock);
    domain_page_set_aside(d, pg);
    spin_unlock(&d->page_alloc_lock);
    clear_allocated(pg);
    return 0;
}

int pv_relinquish_memory(struct domain *d)
{
    unsigned int n = 0;
    int rc;

    for (;;) {
        struct page_info *pg;
        bool held, table;

        spin_lock(&d->page_alloc_lock);
        pg = page_list_first(&d->pages);
        held = pg && get_page(pg, d);
        if (pg && !held) /* on its way to the heap, by whoever dropped the last reference */
            domain_page_set_aside(d, pg);
        spin_unlock(&d->page_alloc_lock);
        if (!pg)
            return 0;
        table = held &&
                is_table_type(READ_ONCE(pg->type_info)); /* as much work as hundreds of others */
        if (held) {
            rc = relinquish_frame(pg, d);
            put_page(pg);
            if (rc)
                return rc;
        }
        if ((++n % FRAMES_PER_CHECK == 0 || table) && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
}
