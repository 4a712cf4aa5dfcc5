/* SPDX-License-Identifier: MIT */
/*
 * A dying domain's frames, one by one: what its kind did with it, then the allocation reference. A
 * frame that others still map stays with the dead domain, on its list of frames set aside, until
 * they let go. Most have no reference but that one, so nothing was done with them that is still to
 * be undone, and nobody can take one any more: these go at once, many together, as they came.
 *
 * Where the kind gives way the frame keeps the progress, and is still the first of the list at the
 * next call.
 *
 * Lock: d->page_alloc_lock for the lists.
 */
#include <core/base/hypercall.h>
#include <core/domain/domain_pages.h>
#include <core/life/relinquish.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>

#define FRAMES_PER_CHECK 64u

/* The first that is left, with a reference. NULL: none, or (*gone) it is on its way to the heap, by
 * whoever dropped the last reference. */
static struct page_info *first_frame(struct domain *d, bool *gone)
{
    struct page_info *pg;

    spin_lock(&d->page_alloc_lock);
    pg = page_list_first(&d->pages);
    *gone = pg && !get_page(pg, d);
    if (*gone)
        domain_page_set_aside(d, pg);
    spin_unlock(&d->page_alloc_lock);
    return *gone ? NULL : pg;
}

static int relinquish_frame(struct domain *d, struct page_info *pg)
{
    int rc = d->ops->undo_frame(pg, d);

    if (rc)
        return rc;
    spin_lock(&d->page_alloc_lock);
    domain_page_set_aside(d, pg);
    spin_unlock(&d->page_alloc_lock);
    clear_allocated(pg);
    return 0;
}

int relinquish_memory(struct domain *d)
{
    for (;;) {
        bool gone = free_plain_pages(d, FRAMES_PER_CHECK);
        struct page_info *pg = gone ? NULL : first_frame(d, &gone);
        int rc = pg ? relinquish_frame(d, pg) : 0;

        if (pg)
            put_page(pg);
        if (rc || (!pg && !gone))
            return rc;
        if (hypercall_preempt_check())
            return -XEN_ERESTART;
    }
}
