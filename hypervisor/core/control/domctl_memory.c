/* SPDX-License-Identifier: MIT */
/*
 * A domain's frames as the control domain asks about them, its hypercall page, and the parameters
 * that a 64-bit paravirtual domain has but cannot vary.
 */
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/state/guest_ops.h>
#include <port/machine.h>
#include <xen/errno.h>

#define MAX_FRAMES_ASKED 1024

static uint64_t frame_info(struct domain *d, uint64_t mfn)
{
    struct page_info *pg = get_page_from_mfn(MFN(mfn), d);
    uint64_t type, info;

    if (!pg)
        return XEN_DOMCTL_PFINFO_XTAB;
    type = pg->type_info;
    put_page(pg);
    switch (type & PGT_type_mask) {
    case PGT_l1_page_table:
        info = XEN_DOMCTL_PFINFO_L1TAB;
        break;
    case PGT_l2_page_table:
        info = XEN_DOMCTL_PFINFO_L2TAB;
        break;
    case PGT_l3_page_table:
        info = XEN_DOMCTL_PFINFO_L3TAB;
        break;
    case PGT_l4_page_table:
        info = XEN_DOMCTL_PFINFO_L4TAB;
        break;
    default:
        return XEN_DOMCTL_PFINFO_NOTAB;
    }
    return type & PGT_pinned ? info | XEN_DOMCTL_PFINFO_LPINTAB : info;
}

int domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_getpageframeinfo3 *a = &op->u.getpageframeinfo3;
    uint64_t mfn;

    if (a->num > MAX_FRAMES_ASKED)
        return refused(-XEN_E2BIG, "%lu frames; %u at once", (unsigned long)a->num,
                       MAX_FRAMES_ASKED);
    for (uint64_t i = 0; i < a->num; i++) {
        gva_t at = a->array + i * sizeof(mfn);

        if (copy_from_guest(&mfn, at, sizeof(mfn)))
            return -XEN_EFAULT;
        mfn = frame_info(d, mfn);
        if (copy_to_guest(at, &mfn, sizeof(mfn)))
            return -XEN_EFAULT;
    }
    return 0;
}

int domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
    mfn_t mfn = MFN(op->u.hypercall_init.gmfn);
    struct page_info *pg = mfn_valid(mfn) ? mfn_to_page(mfn) : NULL;
    void *page;

    if (!pg || d->ops->get_writable(pg, d))
        return refused(-XEN_EACCES, "%#lx is not a frame that d%u may write", (unsigned long)mfn.n,
                       d->domain_id);
    page = map_guest_frame(d, mfn);
    d->ops->fill_hypercall_page(page);
    unmap_guest_frame(d, page);
    d->ops->put_writable(pg);
    return 0;
}

int domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    return op->u.address_size.size == 64
               ? 0
               : refused(-XEN_EINVAL, "%u; guests have 64 bits", op->u.address_size.size);
}

int domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    op->u.address_size.size = 64;
    return 0;
}

/* ABI: turning off what is not on is -XEN_EINVAL; tools expect it of a domain that was never saved.
 */
int domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
    (void)d;
    return op->u.shadow_op.op == XEN_DOMCTL_SHADOW_OP_OFF ? -XEN_EINVAL : -XEN_EOPNOTSUPP;
}

#define TSC_MODE_DEFAULT       0
#define TSC_MODE_NEVER_EMULATE 2

/* RDTSC is never emulated: both modes that allow that are the same. */
int domctl_settscinfo(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    if (t->tsc_mode != TSC_MODE_DEFAULT && t->tsc_mode != TSC_MODE_NEVER_EMULATE)
        return refused(-XEN_EOPNOTSUPP, "mode %u needs an emulated TSC", t->tsc_mode);
    d->arch.tsc_mode = t->tsc_mode;
    return 0;
}

int domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    t->tsc_mode = d->arch.tsc_mode;
    t->gtsc_khz = (uint32_t)clock_khz();
    t->incarnation = 0;
    t->pad = 0;
    t->elapsed_nsec = (uint64_t)clock_now();
    return 0;
}
