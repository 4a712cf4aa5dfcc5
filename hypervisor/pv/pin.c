/* SPDX-License-Identifier: MIT */
/*
 * Pins: a guest holds a table's type although nothing uses it at the moment, so that it is not
 * checked again each time it is loaded.
 *
 * A pin is the bit PGT_pinned and with it one type reference and one general reference. The bit
 * says whose they are: who clears it gives them back, exactly once (XSA-58).
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <pv/pv_mm.h>

static bool clear_pinned(struct page_info *pg)
{
    return __atomic_fetch_and(&pg->type_info, ~PGT_pinned, __ATOMIC_SEQ_CST) & PGT_pinned;
}

int drop_pin(struct page_info *pg, struct domain *d)
{
    return clear_pinned(pg) ? put_page_and_type_preemptible(pg, d) : 0;
}

/* A pin on a frame of a dying domain would be found by nobody. */
static void unpin_if_dying(struct page_info *pg, struct domain *d)
{
    bool dying;

    /* Race: teardown takes this lock for each frame after `dying` was set. */
    spin_lock(&d->page_alloc_lock);
    dying = READ_ONCE(d->dying);
    spin_unlock(&d->page_alloc_lock);
    if (unlikely(dying) && drop_pin(pg, d))
        defer_demotion(pg, d);
}

int pv_pin_table(struct domain *d, mfn_t mfn, uint64_t type)
{
    struct page_info *pg;
    int rc;

    /* It writes its frames whatever their type. */
    if (unlikely(is_translated(d)))
        return refused(-XEN_EOPNOTSUPP, "pin: d%u has no page tables here", d->domain_id);
    pg = get_page_from_mfn(mfn, d);
    if (unlikely(!pg))
        return refused(-XEN_EINVAL, "pin: %#lx is not a frame of d%u", mfn.n, d->domain_id);
    rc = get_page_type(pg, type, d);
    if (unlikely(rc)) {
        put_page(pg);
        return rc == -XEN_ERESTART
                   ? rc
                   : refused(rc, "pin: frame %#lx is no L%u table", mfn.n, table_level(type));
    }
    if (likely(!(__atomic_fetch_or(&pg->type_info, PGT_pinned, __ATOMIC_SEQ_CST) & PGT_pinned))) {
        unpin_if_dying(pg, d);
        return 0;
    }
    /* The pin that is there holds the type too, unless another CPU drops it at this moment. */
    put_table(d, mfn);
    return refused(-XEN_EINVAL, "pin: frame %#lx is pinned already", mfn.n);
}

int pv_unpin_table(struct domain *d, mfn_t mfn)
{
    struct page_info *pg = get_page_from_mfn(mfn, d);
    int rc = 0;

    if (unlikely(!pg))
        return refused(-XEN_EINVAL, "unpin: %#lx is not a frame of d%u", mfn.n, d->domain_id);
    if (unlikely(!(READ_ONCE(pg->type_info) & PGT_pinned)))
        rc = refused(-XEN_EINVAL, "unpin: frame %#lx is not pinned", mfn.n);
    else if (unlikely(drop_pin(pg, d)))
        defer_demotion(pg, d);
    put_page(pg);
    return rc;
}
