/* SPDX-License-Identifier: MIT */
/*
 * domctl: what the control domain does to one domain. This file is the table and the way in and
 * out; each family of operations has its own file. The interface is Xen 4.17's (version 0x15);
 * another version is told apart by -XEN_EACCES.
 *
 * One operation a domain at a time: d->domctl_busy is taken without waiting; who does not get it is
 * issued again. Operations on different domains do not hold each other up (XSA-492).
 */
#include <core/base/hypercall.h>
#include <core/control/domctl.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <port/atomic.h>

/* clang-format off */
#define OPS(OP)                                                                                   \
    OP(XEN_DOMCTL_createdomain,        domctl_createdomain,       struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_destroydomain,       domctl_destroydomain,      struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_pausedomain,         domctl_pausedomain,        struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_unpausedomain,       domctl_unpausedomain,      struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_resumedomain,        domctl_resumedomain,       struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_getdomaininfo,       domctl_getdomaininfo,      struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_max_mem,             domctl_max_mem,            struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_max_vcpus,           domctl_max_vcpus,          struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_setdomainhandle,     domctl_setdomainhandle,    struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_settimeoffset,       domctl_settimeoffset,      struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_setvcpucontext,      domctl_setvcpucontext,     struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_getvcpucontext,      domctl_getvcpucontext,     struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_getvcpuinfo,         domctl_getvcpuinfo,        struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_setvcpuaffinity,     domctl_setvcpuaffinity,    struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_getvcpuaffinity,     domctl_getvcpuaffinity,    struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_setnodeaffinity,     domctl_setnodeaffinity,    struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_getnodeaffinity,     domctl_getnodeaffinity,    struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_scheduler_op,        domctl_scheduler_op,       struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_getpageframeinfo3,   domctl_getpageframeinfo3,  struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_hypercall_init,      domctl_hypercall_init,     struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_sendtrigger,         domctl_sendtrigger,        struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_set_address_size,    domctl_set_address_size,   struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_get_address_size,    domctl_get_address_size,   struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_shadow_op,           domctl_shadow_op,          struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_settscinfo,          domctl_settscinfo,         struct xen_domctl, SUBOP_IN)    \
    OP(XEN_DOMCTL_gettscinfo,          domctl_gettscinfo,         struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_get_cpu_policy,      domctl_get_cpu_policy,     struct xen_domctl, SUBOP_INOUT) \
    OP(XEN_DOMCTL_set_cpu_policy,      domctl_set_cpu_policy,     struct xen_domctl, SUBOP_INOUT | SUBOP_ALWAYS) \
    OP(PARVIS_DOMCTL_counters,         domctl_counters,           struct xen_domctl, SUBOP_INOUT)
SUBOPS_OF(operations, OPS, -XEN_EOPNOTSUPP, .version = XEN_DOMCTL_INTERFACE_VERSION, .size = sizeof(struct xen_domctl))
/* clang-format on */

/* ABI: getdomaininfo is of the domain with this id, or else of the next above. */
static int find_domain(const struct xen_domctl *op, struct domain **d)
{
    bool or_next = op->cmd == XEN_DOMCTL_getdomaininfo;

    if (or_next && op->domain >= DOMID_FIRST_RESERVED)
        return -XEN_EINVAL;
    *d = or_next ? get_domain_from(op->domain) : get_domain_by_id(op->domain);
    return *d ? 0 : -XEN_ESRCH;
}

long do_domctl(gva_t arg)
{
    const struct subop *row;
    struct domain *d = NULL;
    struct xen_domctl op;
    long rc = subop_read_control(&operations, arg, &op, &row);

    if (rc)
        return rc;
    if (op.cmd != XEN_DOMCTL_createdomain) {
        rc = find_domain(&op, &d);
        if (rc)
            return rc;
        if (xchg(&d->domctl_busy, true)) {
            put_domain(d);
            return -XEN_ERESTART;
        }
    }
    rc = subop_finish(row, arg, &op, d);
    if (d) {
        __atomic_store_n(&d->domctl_busy, false, __ATOMIC_RELEASE);
        put_domain(d);
    }
    return rc;
}
