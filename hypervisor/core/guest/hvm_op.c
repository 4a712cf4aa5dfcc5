/* SPDX-License-Identifier: MIT */
/*
 * hvm_op: parameters of a domain whose kind has some, numbers by which it and who builds it tell
 * each other where things are. A domain asks about itself, and the control domain for any. Which
 * there are, and who may set them, is for the kind to say. And the vector by which a vCPU of the
 * caller's own is told of events.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>
#include <xen/hvm/hvm_op.h>

static long param(struct xen_hvm_param *p, bool set)
{
    struct domain *d;
    long rc = get_domain_permitted(p->domid, &d);

    if (rc)
        return rc;
    rc = d->ops->param ? d->ops->param(d, set, p->index, &p->value)
                       : refused(-XEN_EINVAL, "d%u is of a kind without parameters", d->domain_id);
    put_domain(d);
    return rc;
}

static long get_param(struct xen_hvm_param *p)
{
    return param(p, false);
}

static long set_param(struct xen_hvm_param *p)
{
    return param(p, true);
}

static long set_upcall_vector(const struct xen_hvm_evtchn_upcall_vector *a)
{
    struct domain *d = current->domain;
    struct vcpu *v = domain_vcpu(d, a->vcpu);

    if (!d->ops->set_upcall_vector)
        return -XEN_EINVAL;
    return v ? d->ops->set_upcall_vector(v, a->vector) : -XEN_ENOENT;
}

/* ABI: for kernels with shadow page tables, of which there are none here. Linux asks by trying, and
 * goes without: not logged. */
static long left_out(const struct nothing *a __unused)
{
    return -XEN_ENOSYS;
}

/* clang-format off */
#define OPS(OP)                                                                                                       \
    OP(HVMOP_set_param,                set_param,         struct xen_hvm_param,                      SUBOP_IN)    \
    OP(HVMOP_get_param,                get_param,         struct xen_hvm_param,                      SUBOP_INOUT) \
    OP(HVMOP_set_evtchn_upcall_vector, set_upcall_vector, const struct xen_hvm_evtchn_upcall_vector, SUBOP_IN)    \
    OP(HVMOP_pagetable_dying,          left_out,          const struct nothing,                      SUBOP_NONE)
SUBOPS(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

long do_hvm_op(unsigned int cmd, gva_t arg)
{
    return subop_run(&operations, cmd, arg, NULL);
}
