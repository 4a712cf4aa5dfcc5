/* SPDX-License-Identifier: MIT */
/*
 * Frames that the guest has put where it wants them (XENMEM_add_to_physmap): what the hypervisor
 * shares with it, and frames of its own that move.
 *
 * A frame is at one place. So it leaves the one where it is; and what is where it goes is taken
 * out: a frame of the guest's own is given back, as by decrease_reservation. Each step stands by
 * itself, and takes out the frame that was found, or fails: a guest that does several at once on
 * one place, or names a place where no memory can be, has fewer frames in the end.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/frame/m2p.h>
#include <core/grant/grant_table.h>
#include <core/state/domain.h>
#include <hvm/hvm_ops.h>
#include <hvm/npt.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/memory.h>

/* The frame that is meant. 0, -XEN_E*. */
static int find(struct domain *d, const struct xen_add_to_physmap *a, mfn_t *mfn)
{
    switch (a->space) {
    case XENMAPSPACE_shared_info:
        *mfn = frame_of(d->shared_info);
        return a->idx ? -XEN_EINVAL : 0;
    case XENMAPSPACE_grant_table:
        if (a->idx >= grant_table_max_frames(d))
            return -XEN_EINVAL;
        return grant_table_frame(d, (unsigned int)a->idx, mfn);
    case XENMAPSPACE_gmfn:
        *mfn = npt_lookup(d, GFN(a->idx));
        return 0;
    default:
        return -XEN_EOPNOTSUPP;
    }
}

/* What is at gfn is there no more. */
static int evict(struct domain *d, gfn_t gfn)
{
    struct page_info *pg = get_page_from_gfn(gfn, d);
    int rc;

    if (!pg)
        return 0;
    rc = npt_unmap(d, gfn, page_to_mfn(pg));
    if (!rc && !(READ_ONCE(pg->count_info) & PGC_xenheap))
        (void)clear_allocated(pg);
    put_page(pg);
    return rc;
}

static int move(struct domain *d, mfn_t mfn, gfn_t to)
{
    int rc;

    if (mfn_eq(npt_lookup(d, to), mfn))
        return 0;
    rc = npt_unmap(d, GFN(READ_ONCE(machine_to_phys[mfn.n])), mfn);
    if (!rc || rc == -XEN_ENOENT) /* or it was nowhere */
        rc = evict(d, to);
    return rc ? rc : npt_map(d, to, mfn, 0);
}

int hvm_add_to_physmap(struct domain *d, const struct xen_add_to_physmap *a)
{
    mfn_t mfn __uninitialized;
    struct page_info *pg;
    int rc = find(d, a, &mfn);

    if (rc)
        return refused(rc, "index %#lx of space %u", a->idx, a->space);
    pg = get_page_from_mfn(mfn, d);
    if (!pg)
        return -XEN_EINVAL;
    rc = move(d, mfn, GFN(a->gpfn));
    put_page(pg);
    return rc ? refused(rc, "frame %#lx cannot be at %#lx", mfn.n, a->gpfn) : 0;
}
