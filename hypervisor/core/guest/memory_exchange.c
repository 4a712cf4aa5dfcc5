/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: frames for other frames, as many of them, but in other extents: contiguous, or
 * below an address.
 *
 * That is how the control domain gets memory that a device can reach. The work goes in chunks: the
 * least number of input extents that make up whole output extents. For each chunk: get the new
 * frames, take the old ones from the domain (only frames that nobody uses: no type, one reference),
 * and only then let the old ones go; when anything fails before that, the chunk is as it was. It is
 * also when clearing the new ones takes too long for one turn: they go back, part of them clear.
 * nr_exchanged, which the guest sees, says how far it came; a pre-empted call goes on from there.
 *
 * XSA-29, XSA-212: the lists are reached by checked guest accesses alone, each element at its own
 * computed and checked address; where to go on is a number that the guest could change, and is
 * checked like any other.
 */
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <port/guest_access.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/memory.h>

struct exchange {
    struct domain *d;
    struct xen_memory_exchange x;
    unsigned int in_order, out_order; /* log2 of extents a chunk */
    struct page_list in, out;         /* extents in flight, by their first frames: nobody's */
    unsigned int budget;              /* frames that may still be cleared before giving way */
};

static int check(const struct xen_memory_exchange *x)
{
    const struct xen_memory_reservation *in = &x->in, *out = &x->out;

    if (in->extent_order > MEMOP_MOST_ORDER || out->extent_order > MEMOP_MOST_ORDER)
        return refused(-XEN_EPERM, "extents of order %u for %u", in->extent_order,
                       out->extent_order);
    if (x->nr_exchanged > in->nr_extents)
        return refused(-XEN_EINVAL, "nr_exchanged %lu of %lu", x->nr_exchanged, in->nr_extents);
    if (in->domid != out->domid)
        return refused(-XEN_EINVAL, "two domains");
    if (in->nr_extents > MEMOP_MOST_EXTENTS >> MEMOP_MOST_ORDER ||
        out->nr_extents > MEMOP_MOST_EXTENTS >> MEMOP_MOST_ORDER ||
        in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
        return refused(-XEN_EINVAL, "%lu extents of order %u for %lu of order %u", in->nr_extents,
                       in->extent_order, out->nr_extents, out->extent_order);
    return 0;
}

/* Frames that were the domain's go to the heap. A guest's extent need not be aligned. */
static void let_go(struct page_info *pg, unsigned int order)
{
    uint64_t n = 1ull << order, step = page_to_mfn(pg).n & (n - 1) ? 1 : n;

    for (uint64_t k = 0; k < n; k++)
        set_m2p(page_to_mfn(&pg[k]), INVALID_M2P_ENTRY);
    for (uint64_t k = 0; k < n; k += step)
        free_frames(&pg[k], step == 1 ? 0 : order);
}

/* Gives n frames from pg on back to the domain, or to the heap when it may not have them any more
 * (XSA-159). */
static void give_back(struct exchange *e, struct page_info *pg, uint64_t n)
{
    while (n--)
        if (domain_assign_frames(e->d, &pg[n], 0))
            let_go(&pg[n], 0);
}

/* The chunk is as it was before. */
static void return_frames(struct exchange *e)
{
    struct page_info *pg;

    /* XSA-241: with its type a frame has lost the time until when TLBs may know it as writable; the
     * domain could make a table of it next. */
    if (page_list_first(&e->in))
        flush_tlb_domain(e->d);
    while ((pg = page_list_first(&e->in)) != NULL) {
        page_list_del(&e->in, pg);
        give_back(e, pg, 1ull << e->x.in.extent_order);
    }
    while ((pg = page_list_first(&e->out)) != NULL) {
        page_list_del(&e->out, pg);
        free_unused_frames(pg, e->x.out.extent_order);
    }
}

static int take_frame(struct exchange *e, uint64_t mfn)
{
    struct page_info *pg;
    int rc;

    if (!mfn_valid(MFN(mfn)))
        return refused(-XEN_EINVAL, "frame %#lx is not RAM", mfn);
    pg = mfn_to_page(MFN(mfn));
    rc = steal_page(e->d, pg);
    return rc ? refused(rc, "frame %#lx is not the domain's, or in use (%lx, %lx)", mfn,
                        pg->count_info, pg->type_info)
              : 0;
}

static int take_extent(struct exchange *e, uint64_t mfn)
{
    for (uint64_t k = 0; k < 1ull << e->x.in.extent_order; k++) {
        int rc = take_frame(e, mfn + k);

        if (rc) {
            flush_tlb_domain(e->d);
            give_back(e, mfn_to_page(MFN(mfn)), k);
            return rc;
        }
    }
    page_list_add(&e->in, mfn_to_page(MFN(mfn)));
    return 0;
}

static int take_inputs(struct exchange *e, uint64_t first)
{
    for (uint64_t i = 0; i < 1ull << e->in_order; i++) {
        xen_pfn_t mfn;
        gva_t at;
        int rc;

        if (!guest_index(e->x.in.extent_start, first + i, sizeof(mfn), &at) ||
            copy_from_guest(&mfn, at, sizeof(mfn)))
            return -XEN_EFAULT;
        rc = take_extent(e, mfn);
        if (rc)
            return rc;
    }
    return 0;
}

/* All outputs of a chunk, in one piece when there is one: far less work than one by one. */
static int get_outputs(struct exchange *e)
{
    unsigned int order = e->x.out.extent_order, bits = XENMEMF_get_address_bits(e->x.out.mem_flags);
    struct page_info *all = alloc_frames_within(order + e->out_order, bits, false, &e->budget);

    for (uint64_t i = 0; all && i < 1ull << e->out_order; i++)
        page_list_add(&e->out, &all[i << order]);
    for (uint64_t i = 0; !all && i < 1ull << e->out_order; i++) {
        struct page_info *pg = alloc_frames_within(order, bits, false, &e->budget);

        if (!pg && !e->budget)
            return -XEN_ERESTART;
        if (!pg)
            return refused(-XEN_ENOMEM, "no extent of order %u below 2^%u", order, bits);
        page_list_add(&e->out, pg);
    }
    return 0;
}

/* From here on nothing fails for the chunk but writing to the guest's list, which is said at the
 * end. */
static int commit(struct exchange *e, uint64_t first_out)
{
    struct page_info *pg;
    int rc = 0;

    while ((pg = page_list_first(&e->in)) != NULL) {
        page_list_del(&e->in, pg);
        let_go(pg, e->x.in.extent_order);
    }
    for (uint64_t i = first_out; (pg = page_list_first(&e->out)) != NULL; i++) {
        xen_pfn_t gpfn = 0, mfn = page_to_mfn(pg).n;
        gva_t at;

        page_list_del(&e->out, pg);
        if (domain_assign_frames(e->d, pg, e->x.out.extent_order)) {
            free_frames(pg, e->x.out.extent_order);
            rc = -XEN_EINVAL; /* XSA-159: it is dying */
            continue;
        }
        if (!guest_index(e->x.out.extent_start, i, sizeof(gpfn), &at) ||
            copy_from_guest(&gpfn, at, sizeof(gpfn)) || copy_to_guest(at, &mfn, sizeof(mfn))) {
            rc = -XEN_EFAULT;
            continue;
        }
        for (uint64_t k = 0; k < 1ull << e->x.out.extent_order; k++)
            set_m2p(MFN(mfn + k), gpfn + k);
    }
    return rc;
}

static int exchange_chunk(struct exchange *e, uint64_t chunk)
{
    int rc = get_outputs(e);

    /* A turn that had to clear many frames has done enough. */
    if (!rc && e->budget < MEMOP_CLEAR_BUDGET / 2)
        rc = -XEN_ERESTART;
    if (!rc)
        rc = take_inputs(e, chunk << e->in_order);
    if (rc)
        return_frames(e);
    else
        rc = commit(e, chunk << e->out_order);
    return rc;
}

static long exchange_all(struct exchange *e, gva_t arg)
{
    uint64_t chunk = e->x.nr_exchanged >> e->in_order, first = chunk;
    uint64_t n = e->x.in.nr_extents >> e->in_order;
    long rc = 0;

    for (; chunk < n; chunk++) {
        rc = chunk != first && hypercall_preempt_check() ? -XEN_ERESTART : exchange_chunk(e, chunk);
        if (rc)
            break;
    }
    e->x.nr_exchanged = chunk << e->in_order;
    if (copy_to_guest(arg + offsetof(struct xen_memory_exchange, nr_exchanged), &e->x.nr_exchanged,
                      sizeof(e->x.nr_exchanged)))
        return -XEN_EFAULT;
    return rc == -XEN_ERESTART ? memory_op_again(XENMEM_exchange, 0, arg) : rc;
}

long memory_exchange(gva_t arg)
{
    struct exchange e = {.budget = MEMOP_CLEAR_BUDGET};
    long rc;

    if (copy_from_guest(&e.x, arg, sizeof(e.x)))
        return -XEN_EFAULT;
    rc = check(&e.x);
    if (!rc)
        rc = memory_op_domain(e.x.in.domid, &e.d);
    if (rc)
        return rc;
    if (e.x.in.extent_order <= e.x.out.extent_order)
        e.in_order = e.x.out.extent_order - e.x.in.extent_order;
    else
        e.out_order = e.x.in.extent_order - e.x.out.extent_order;
    page_list_init(&e.in);
    page_list_init(&e.out);
    rc = exchange_all(&e, arg);
    put_domain(e.d);
    return rc;
}
