/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_acquire_resource: frames of the hypervisor that belong to a domain, for a tool that maps
 * them. Here: its grant table, into which the builder writes the first entries.
 *
 * Asked without a list and for 0 frames, it says how many there can be. The frames are the domain's
 * shared pages; the tool maps them like any foreign frame, with a reference of its own.
 */
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_table.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <xen/errno.h>
#include <xen/memory.h>

static long give_frames(struct domain *d, const struct xen_mem_acquire_resource *r, uint64_t start,
                        gva_t arg)
{
    uint64_t most = grant_table_max_frames(d);

    /* In 64 bits and without a sum that could wrap. */
    if (r->frame >= most || r->nr_frames > most - r->frame)
        return refused(-XEN_EINVAL, "frames %lu and %u more of a grant table of %lu", r->frame,
                       r->nr_frames, most);
    for (uint64_t i = start; i < r->nr_frames; i++) {
        mfn_t mfn;
        int rc;

        if (i != start && hypercall_preempt_check())
            return memory_op_again(XENMEM_acquire_resource, i, arg);
        rc = grant_table_frame(d, (unsigned int)(r->frame + i), &mfn);
        if (rc)
            return rc;
        if (!frame_list_put(r->frame_list, i, mfn.n))
            return -XEN_EFAULT;
    }
    return 0;
}

static long acquire(struct domain *d, struct xen_mem_acquire_resource *r, uint64_t start, gva_t arg)
{
    if (r->type != XENMEM_resource_grant_table)
        return refused(-XEN_EOPNOTSUPP, "resource %u", r->type);
    if (r->id != XENMEM_resource_grant_table_id_shared)
        return refused(-XEN_EINVAL, "part %u of the grant table: version 2 is left out", r->id);
    if (READ_ONCE(d->dying))
        return refused(-XEN_EINVAL, "d%u is dying", d->domain_id);
    if (r->frame_list)
        return give_frames(d, r, start, arg);
    if (r->nr_frames)
        return refused(-XEN_EINVAL, "%u frames without a list", r->nr_frames);
    r->nr_frames = grant_table_max_frames(d);
    return copy_to_guest(arg + offsetof(struct xen_mem_acquire_resource, nr_frames), &r->nr_frames,
                         sizeof(r->nr_frames));
}

long memory_acquire_resource(uint64_t start, gva_t arg)
{
    struct xen_mem_acquire_resource r;
    struct domain *d;
    long rc;

    if (!current->domain->is_control)
        return refused(-XEN_EPERM, "only the control domain maps resources");
    if (copy_from_guest(&r, arg, sizeof(r)))
        return -XEN_EFAULT;
    if (r.pad)
        return refused(-XEN_EINVAL, "pad is %#x", r.pad);
    d = get_domain_by_id(r.domid);
    if (!d)
        return -XEN_ESRCH;
    rc = acquire(d, &r, start, arg);
    put_domain(d); /* XSA-334: on each path */
    return rc;
}
