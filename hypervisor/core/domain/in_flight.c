/* SPDX-License-Identifier: MIT */
/*
 * Frames in flight: what an exchange has taken out of its domain, and what the domain gets instead.
 *
 * An exchange of large extents is too much for one turn, so what it has in its hands is kept with
 * the domain (d->in_flight) when it gives way. Frames that were taken have no reference and no
 * owner: nobody can find them. They come from a fixed number of frames for each domain, an extent
 * of the largest order, so a guest that never goes on with an exchange has no more than that beyond
 * its limit.
 *
 *     taking, getting     all can be undone: the domain has its frames again
 *     committed           the rest of the new frames go to the domain, the old ones to the heap
 *
 * `busy` (atomic) is the right to all of it: one CPU at a time; who does not get it gives way.
 */
#include <core/base/hypercall.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/domain/in_flight.h>
#include <core/frame/m2p.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>

int in_flight_take(struct domain *d, gfn_t gfn)
{
    mfn_t mfn = d->ops->gfn_to_mfn(d, gfn);
    int rc;

    if (!mfn_valid(mfn))
        return -XEN_EINVAL;
    rc = steal_page(d, mfn_to_page(mfn));
    if (!rc)
        page_list_add(&d->in_flight.taken, mfn_to_page(mfn));
    return rc;
}

/* Each frame of the list goes that way. 0 or -XEN_ERESTART. */
static int empty(struct domain *d, struct page_list *l,
                 void (*way)(struct domain *d, struct page_info *pg))
{
    struct page_info *pg;

    for (unsigned int n = 1; (pg = page_list_first(l)) != NULL; n++) {
        page_list_del(l, pg);
        way(d, pg);
        if (n % IN_FLIGHT_PER_CHECK == 0 && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}

static void free_taken(struct domain *d __unused, struct page_info *pg)
{
    set_gpfn(page_to_mfn(pg), 0, INVALID_GPFN);
    free_frames(pg, 0);
}

static void return_taken(struct domain *d, struct page_info *pg)
{
    if (domain_assign_frames(d, pg, 0))
        free_taken(d, pg);
}

static void free_got(struct domain *d, struct page_info *pg)
{
    free_frames_as(pg, d->in_flight.got_order, PGC_clear);
}

int in_flight_return(struct domain *d)
{
    struct in_flight *f = &d->in_flight;
    int rc;

    /* XSA-241: with its type a frame has lost the time until when TLBs may know it as writable; the
     * domain could make a table of it next. */
    if (page_list_first(&f->taken))
        flush_tlb_domain(d, ALL_CPUS);
    rc = empty(d, &f->taken, return_taken);
    return rc ? rc : empty(d, &f->got, free_got);
}

int in_flight_free(struct domain *d)
{
    return empty(d, &d->in_flight.taken, free_taken);
}

int in_flight_end(struct domain *d)
{
    int rc;

    /* Race: the control domain, on another CPU. Who sets it looks at `dying` then. */
    if (__atomic_load_n(&d->in_flight.busy, __ATOMIC_ACQUIRE))
        return -XEN_ERESTART;
    rc = empty(d, &d->in_flight.got, free_got);
    return rc ? rc : in_flight_free(d);
}
