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

static uint64_t frame_info(struct domain *d, gfn_t gfn)
{
    struct page_info *pg = get_page_from_gfn(gfn, d);
    uint64_t info;

    if (!pg)
        return XEN_DOMCTL_PFINFO_XTAB;
    info = d->ops->frame_info(pg);
    put_page(pg);
    return info;
}

int domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_getpageframeinfo3 *a = &op->u.getpageframeinfo3;
    uint64_t word;

    if (a->num > MAX_FRAMES_ASKED)
        return refused(-XEN_E2BIG, "%lu frames; %u at once", (unsigned long)a->num,
                       MAX_FRAMES_ASKED);
    for (uint64_t i = 0; i < a->num; i++) {
        gva_t at = a->array + i * sizeof(word);

        if (copy_from_guest(&word, at, sizeof(word)))
            return -XEN_EFAULT;
        word = frame_info(d, GFN(word));
        if (copy_to_guest(at, &word, sizeof(word)))
            return -XEN_EFAULT;
    }
    return 0;
}

int domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
    struct page_info *pg;
    void *page;

    if (!d->ops->fill_hypercall_page)
        return refused(-XEN_EOPNOTSUPP, "d%u has no hypercall page", d->domain_id);
    pg = get_writable_from_gfn(GFN(op->u.hypercall_init.gmfn), d);
    if (!pg)
        return refused(-XEN_EACCES, "%#lx is not a frame that d%u may write",
                       (unsigned long)op->u.hypercall_init.gmfn, d->domain_id);
    page = map_guest_frame(d, page_to_mfn(pg));
    d->ops->fill_hypercall_page(page);
    unmap_guest_frame(d, page);
    d->ops->put_writable(pg);
    return 0;
}

int domctl_set_address_size(struct domain *d __unused, struct xen_domctl *op)
{
    return op->u.address_size.size == 64
               ? 0
               : refused(-XEN_EINVAL, "%u; guests have 64 bits", op->u.address_size.size);
}

int domctl_get_address_size(struct domain *d __unused, struct xen_domctl *op)
{
    op->u.address_size.size = 64;
    return 0;
}

/* ABI: turning off what is not on is -XEN_EINVAL; tools expect it of a domain that was never saved.
 */
int domctl_shadow_op(struct domain *d __unused, struct xen_domctl *op)
{
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
    d->tsc_mode = t->tsc_mode;
    return 0;
}

int domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_tsc_info *t = &op->u.tsc_info;

    t->tsc_mode = d->tsc_mode;
    t->gtsc_khz = (uint32_t)clock_khz();
    t->incarnation = 0;
    t->pad = 0;
    t->elapsed_nsec = (uint64_t)clock_now();
    return 0;
}
