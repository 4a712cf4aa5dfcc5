/* SPDX-License-Identifier: MIT */
/*
 * Reservations: a domain gets frames, or gives some back, in extents of 2^order frames.
 *
 * ABI: the result is how many extents are done. Whatever stops the rest (no memory, a bad address,
 * the domain's limit, no such domain) shows only in the count. populate_physmap takes a list of
 * guest frame numbers, makes M2P say them and puts the machine frame numbers into the same list;
 * increase_reservation only fills in machine frame numbers; decrease_reservation takes them.
 *
 * How far it came is kept in extents, and, for decrease_reservation, in frames of the extent: what
 * was given back cannot be given twice. The others do an extent at once.
 *
 * A frame given back leaves the domain's hands when nobody maps it any more: here it loses the
 * allocation reference alone. A pinned page table stays pinned and owned (XSA-252). The
 * hypervisor's shared pages are not the domain's to give (XSA-507).
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/frame/m2p.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>
#include <xen/memory.h>

#define INSIDE_MASK      ((1u << MEMOP_INSIDE_BITS) - 1)
#define MOST_EXTENTS     (MEMOP_MOST_EXTENTS >> MEMOP_INSIDE_BITS)
#define FRAMES_PER_CHECK 64u

struct batch {
    struct domain *d;
    gva_t list;  /* 0: none */
    bool placed; /* the list says where the guest will have them: populate_physmap */
    unsigned int order, addr_bits;
    unsigned int inside; /* frames of the extent that are done */
    unsigned int budget; /* frames that may still be cleared before giving way */
};

/* Whether one extent is done. */
enum outcome { DONE, REFUSED, AGAIN };

/* Race: if the domain ended meanwhile the frame may be another's. */
static void take_back(struct domain *d, struct page_info *pg)
{
    if (!get_page(pg, d))
        return;
    (void)clear_allocated(pg);
    put_page(pg);
}

/* New frames come to where the guest has them. ABI: then its list stays as it is. */
static enum outcome put_in(struct batch *b, uint64_t gfn, struct page_info *pg)
{
    int rc = b->d->ops->put_in(b->d, GFN(gfn), page_to_mfn(pg), b->order);

    if (!rc)
        return DONE;
    refused(rc, "an extent of order %u for d%u at %#lx", b->order, b->d->domain_id, gfn);
    for (unsigned int i = 0; i < 1u << b->order; i++)
        take_back(b->d, &pg[i]);
    return REFUSED;
}

static enum outcome increase_one(struct batch *b, uint64_t i)
{
    xen_pfn_t gpfn = INVALID_GPFN;
    struct page_info *pg;

    /* Both before there is anything to undo. */
    if (b->list && (!frame_list_get(b->list, i, &gpfn) || !frame_list_put(b->list, i, gpfn)))
        return REFUSED;
    pg = alloc_domain_frames(b->d, b->order, b->addr_bits, b->placed ? gpfn : INVALID_GPFN,
                             &b->budget);
    if (!pg && !b->budget)
        return AGAIN;
    if (!pg) {
        refused(-XEN_ENOMEM, "no extent of order %u for d%u (it has %lu of %lu pages)", b->order,
                b->d->domain_id, READ_ONCE(b->d->tot_pages), READ_ONCE(b->d->max_pages));
        return REFUSED;
    }
    if (is_translated(b->d))
        return put_in(b, gpfn, pg);
    return !b->list || frame_list_put(b->list, i, page_to_mfn(pg).n) ? DONE : REFUSED;
}

static bool give_back(struct domain *d, gfn_t gfn)
{
    struct page_info *pg = get_page_from_gfn(gfn, d);
    bool ok;

    if (!pg)
        return refused(-XEN_EINVAL, "frame %#lx is not d%u's", (unsigned long)gfn.n,
                       d->domain_id) == 0;
    ok = !(READ_ONCE(pg->count_info) & PGC_xenheap) &&
         (!is_translated(d) || !d->ops->take_out(d, gfn, page_to_mfn(pg))) && clear_allocated(pg);
    /* Race: take_out has said it, under its lock; another CPU may put the frame elsewhere since. */
    if (ok && !is_translated(d))
        set_gpfn(page_to_mfn(pg), 0, INVALID_GPFN);
    put_page(pg);
    return ok;
}

static enum outcome decrease_one(struct batch *b, uint64_t i)
{
    unsigned int first = b->inside;
    xen_pfn_t gfn;

    if (!frame_list_get(b->list, i, &gfn))
        return REFUSED;
    for (; b->inside < 1u << b->order; b->inside++) {
        if (b->inside % FRAMES_PER_CHECK == 0 && b->inside != first && hypercall_preempt_check())
            return AGAIN;
        if (!give_back(b->d, GFN(gfn + b->inside)))
            return REFUSED;
    }
    b->inside = 0;
    return DONE;
}

static long run(enum outcome (*one)(struct batch *, uint64_t), struct batch *b, unsigned int cmd,
                uint64_t start, uint64_t n, gva_t arg)
{
    for (uint64_t i = start; i < n; i++) {
        enum outcome o = i != start && hypercall_preempt_check() ? AGAIN : one(b, i);

        if (o == AGAIN)
            return memory_op_again(cmd, i << MEMOP_INSIDE_BITS | b->inside, arg);
        if (o == REFUSED)
            return (long)i;
    }
    return (long)n;
}

/* May a reservation of this kind be tried at all? */
static bool acceptable(const struct xen_memory_reservation *r, unsigned int cmd, uint64_t start)
{
    unsigned int bits = XENMEMF_get_address_bits(r->mem_flags);

    if (r->nr_extents > MOST_EXTENTS || start > r->nr_extents)
        return false;
    if (r->extent_order > MEMOP_MOST_ORDER)
        return refused(-XEN_EPERM, "extents of order %u", r->extent_order) == 0;
    if (r->mem_flags & XENMEMF_populate_on_demand)
        return refused(-XEN_EINVAL, "populate on demand is left out") == 0;
    if (bits && bits <= PAGE_SHIFT)
        return refused(-XEN_EINVAL, "%u address bits", bits) == 0;
    if (bits && !memory_op_limit_permitted(bits))
        return false;
    return r->extent_start || cmd == XENMEM_increase_reservation;
}

long memory_reservation(unsigned int cmd, uint64_t progress, gva_t arg)
{
    uint64_t start = progress >> MEMOP_INSIDE_BITS;
    struct xen_memory_reservation r __uninitialized;
    struct batch b __uninitialized;
    long rc;

    if (copy_from_guest(&r, arg, sizeof(r)))
        return (long)start;
    if (!acceptable(&r, cmd, start) || get_domain_permitted(r.domid, &b.d))
        return (long)start;
    if (is_translated(b.d) && cmd == XENMEM_increase_reservation) {
        put_domain(b.d);
        (void)refused(-XEN_EOPNOTSUPP, "d%u has frames at places alone", r.domid);
        return (long)start;
    }
    b.list = r.extent_start;
    b.placed = cmd == XENMEM_populate_physmap;
    b.order = r.extent_order;
    b.addr_bits = XENMEMF_get_address_bits(r.mem_flags);
    b.inside = (unsigned int)progress & INSIDE_MASK;
    b.budget = MEMOP_CLEAR_BUDGET;
    rc = run(cmd == XENMEM_decrease_reservation ? decrease_one : increase_one, &b, cmd, start,
             r.nr_extents, arg);
    put_domain(b.d);
    return rc;
}
