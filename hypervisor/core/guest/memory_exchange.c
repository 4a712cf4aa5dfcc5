/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: frames for other frames, as many of them, but in other extents: contiguous, or
 * below an address.
 *
 * That is how the control domain gets memory that a device can reach. The work goes in chunks: the
 * least number of input extents that make up whole output extents. For each chunk: take the old
 * frames from the domain (only frames that nobody uses: no type, one reference), get the new ones,
 * and only then give the new ones and let the old ones go; when anything fails before that, the
 * chunk is as it was. Each of the four gives way in between: what the chunk has in its hands stays
 * with the domain (core/domain/in_flight.c), and the re-issued call finds it there. nr_exchanged,
 * which the guest sees, says how many extents are done.
 *
 * There is one exchange of a domain at a time. Who finds another's half done waits until that is
 * done, or has not been gone on with for a while, and then undoes it: were it undone at once, two
 * callers would undo each other's for ever. The control domain does not wait for the guest, which
 * could begin exchanges without end. What is committed cannot be undone: when nobody goes on with
 * that, all others are refused.
 *
 * XSA-29, XSA-212: the lists are reached by checked guest accesses alone, each element at its own
 * computed and checked address; where to go on is a number that the guest could change, and is
 * checked like any other.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/in_flight.h>
#include <core/frame/m2p.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/memory.h>

#define PATIENCE MILLISECS(10) /* with an exchange that is not gone on with */

struct exchange {
    struct domain *d;
    struct in_flight *f;
    struct xen_memory_exchange x;
    unsigned int in_order, out_order; /* log2 of extents a chunk */
    unsigned int budget;              /* frames that may still be cleared before giving way */
};

static int check(const struct xen_memory_exchange *x)
{
    const struct xen_memory_reservation *in = &x->in, *out = &x->out;

    if (in->extent_order > MEMOP_MOST_ORDER || out->extent_order > MEMOP_MOST_ORDER)
        return refused(-XEN_EPERM, "extents of order %u for %u", in->extent_order,
                       out->extent_order);
    if (!memory_op_limit_permitted(XENMEMF_get_address_bits(out->mem_flags)))
        return -XEN_EPERM;
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

/* Time to give way, after n of many? Each turn does some. */
static bool turn_over(uint64_t n, uint64_t first)
{
    return n != first && n % IN_FLIGHT_PER_CHECK == 0 && hypercall_preempt_check();
}

static int take_inputs(struct exchange *e, uint64_t first)
{
    unsigned int order = e->x.in.extent_order;
    uint64_t begin = e->f->taken.count, n;
    xen_pfn_t gfn = 0;

    while ((n = e->f->taken.count) < 1ull << (order + e->in_order)) {
        uint64_t inside = n & ((1ull << order) - 1);
        int rc;

        if (turn_over(n, begin))
            return -XEN_ERESTART;
        if ((n == begin || inside == 0) &&
            !frame_list_get(e->x.in.extent_start, first + (n >> order), &gfn))
            return -XEN_EFAULT;
        rc = in_flight_take(e->d, GFN(gfn + inside));
        if (rc)
            return refused(rc, "frame %#lx is no RAM, not the domain's, or in use", gfn + inside);
    }
    return 0;
}

/* All outputs of a chunk, in one piece when there is one: far less work than one by one. */
static void get_in_one_piece(struct exchange *e, unsigned int bits)
{
    unsigned int order = e->x.out.extent_order;
    struct page_info *all = alloc_frames_within(order + e->out_order, bits, false, &e->budget);

    for (uint64_t i = 0; all && i < 1ull << e->out_order; i++)
        page_list_add(&e->f->got, &all[i << order]);
}

static int get_outputs(struct exchange *e)
{
    unsigned int order = e->x.out.extent_order, bits = XENMEMF_get_address_bits(e->x.out.mem_flags);
    uint64_t begin = e->f->got.count;

    if (e->out_order && !begin)
        get_in_one_piece(e, bits);
    while (e->f->got.count < 1ull << e->out_order) {
        struct page_info *pg;

        if (!e->budget || turn_over(e->f->got.count, begin))
            return -XEN_ERESTART;
        pg = alloc_frames_within(order, bits, false, &e->budget);
        if (pg)
            page_list_add(&e->f->got, pg);
        else if (e->budget)
            return refused(-XEN_ENOMEM, "no extent of order %u below 2^%u", order, bits);
    }
    return 0;
}

/* Gives one extent to the domain, says so in the guest's list. 0, -XEN_EINVAL, -XEN_EFAULT. */
static int give_output(struct exchange *e, struct page_info *pg, uint64_t i)
{
    unsigned int order = e->x.out.extent_order;
    xen_pfn_t gpfn = 0, mfn = page_to_mfn(pg).n;
    bool ok = frame_list_get(e->x.out.extent_start, i, &gpfn);

    set_gpfn(MFN(mfn), order, ok ? gpfn : INVALID_GPFN);
    if (domain_assign_frames(e->d, pg, order)) {
        free_frames(pg, order);
        return -XEN_EINVAL; /* XSA-159: it is dying */
    }
    return ok && frame_list_put(e->x.out.extent_start, i, mfn) ? 0 : -XEN_EFAULT;
}

/* Nothing fails for the chunk any more but writing to the guest's list, which is said at its end.
 */
static int commit(struct exchange *e, uint64_t first_out)
{
    struct page_info *pg;
    int rc;

    e->f->committed = true;
    for (uint64_t n = 0; (pg = page_list_first(&e->f->got)) != NULL; n++) {
        if (turn_over(n, 0))
            return -XEN_ERESTART;
        page_list_del(&e->f->got, pg);
        rc = give_output(e, pg, first_out + (1ull << e->out_order) - e->f->got.count - 1);
        if (rc)
            e->f->error = rc;
    }
    rc = in_flight_free(e->d);
    if (rc)
        return rc;
    e->f->committed = false;
    rc = e->f->error;
    e->f->error = 0;
    return rc;
}

/* Takes back what the chunk did, in as many turns as it needs, and says why. */
static int undo(struct exchange *e, int why)
{
    e->f->error = why;
    if (in_flight_return(e->d))
        return -XEN_ERESTART;
    e->f->error = 0;
    return why;
}

static int exchange_chunk(struct exchange *e, uint64_t chunk)
{
    int rc = 0;

    e->f->chunk = chunk;
    if (!e->f->committed) {
        rc = e->f->error ? e->f->error : take_inputs(e, chunk << e->in_order);
        if (!rc)
            rc = get_outputs(e);
        if (rc && rc != -XEN_ERESTART)
            return undo(e, rc);
    }
    return rc ? rc : commit(e, chunk << e->out_order);
}

/* What an earlier call left: the chunk where this one goes on, or another's: which is waited for,
 * or undone. */
static int adopt(struct exchange *e, gva_t arg)
{
    struct in_flight *f = e->f;
    domid_t by = current->domain->domain_id;
    bool mine = f->by == by && f->arg == arg;
    bool same = mine && f->chunk == e->x.nr_exchanged >> e->in_order &&
                f->got_order == e->x.out.extent_order;

    if (!mine && clock_now() < f->wait_until &&
        (f->committed || f->by == by || !current->domain->is_control))
        return -XEN_ERESTART;
    if (!same && f->committed)
        return refused(-XEN_EBUSY, "another exchange of the domain is not finished");
    f->by = by;
    f->arg = arg;
    f->wait_until = clock_now() + PATIENCE;
    if (!same) {
        f->chunk = ~0ull; /* from here on nobody's: half undone, nobody may go on with it */
        if (in_flight_return(e->d))
            return -XEN_ERESTART;
        f->error = 0;
    }
    f->got_order = e->x.out.extent_order;
    return 0;
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
    return rc;
}

static long run(struct exchange *e, gva_t arg)
{
    long rc;

    /* Another CPU is at it. */
    if (cmpxchg(&e->f->busy, false, true))
        return -XEN_ERESTART;
    rc = READ_ONCE(e->d->dying) ? -XEN_EINVAL : adopt(e, arg);
    if (!rc)
        rc = exchange_all(e, arg);
    if (rc != -XEN_ERESTART)
        e->f->wait_until = 0;
    __atomic_store_n(&e->f->busy, false, __ATOMIC_RELEASE);
    return rc;
}

long memory_exchange(const gva_t *at)
{
    gva_t arg = *at;
    struct exchange e = {.budget = MEMOP_CLEAR_BUDGET};
    long rc;

    if (copy_from_guest(&e.x, arg, sizeof(e.x)))
        return -XEN_EFAULT;
    rc = check(&e.x);
    if (!rc)
        rc = get_domain_permitted(e.x.in.domid, &e.d);
    if (rc)
        return rc;
    e.in_order = MAX(e.x.in.extent_order, e.x.out.extent_order) - e.x.in.extent_order;
    e.out_order = MAX(e.x.in.extent_order, e.x.out.extent_order) - e.x.out.extent_order;
    e.f = &e.d->in_flight;
    rc = is_translated(e.d) ? -XEN_EOPNOTSUPP : run(&e, arg);
    put_domain(e.d);
    return rc;
}
