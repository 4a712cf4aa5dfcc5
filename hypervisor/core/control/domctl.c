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
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <port/atomic.h>

struct domctl_row {
    domctl_fn_t *fn;
    uint8_t copy_back;
};

/* clang-format off */
static const struct domctl_row rows[] = {
    [XEN_DOMCTL_createdomain]      = {domctl_createdomain, 1},
    [XEN_DOMCTL_destroydomain]     = {domctl_destroydomain, 0},
    [XEN_DOMCTL_pausedomain]       = {domctl_pausedomain, 0},
    [XEN_DOMCTL_unpausedomain]     = {domctl_unpausedomain, 0},
    [XEN_DOMCTL_resumedomain]      = {domctl_resumedomain, 0},
    [XEN_DOMCTL_getdomaininfo]     = {domctl_getdomaininfo, 1},
    [XEN_DOMCTL_max_mem]           = {domctl_max_mem, 0},
    [XEN_DOMCTL_max_vcpus]         = {domctl_max_vcpus, 0},
    [XEN_DOMCTL_setdomainhandle]   = {domctl_setdomainhandle, 0},
    [XEN_DOMCTL_settimeoffset]     = {domctl_settimeoffset, 0},
    [XEN_DOMCTL_setvcpucontext]    = {domctl_setvcpucontext, 0},
    [XEN_DOMCTL_getvcpucontext]    = {domctl_getvcpucontext, 0},
    [XEN_DOMCTL_getvcpuinfo]       = {domctl_getvcpuinfo, 1},
    [XEN_DOMCTL_setvcpuaffinity]   = {domctl_setvcpuaffinity, 0},
    [XEN_DOMCTL_getvcpuaffinity]   = {domctl_getvcpuaffinity, 0},
    [XEN_DOMCTL_setnodeaffinity]   = {domctl_setnodeaffinity, 0},
    [XEN_DOMCTL_getnodeaffinity]   = {domctl_getnodeaffinity, 0},
    [XEN_DOMCTL_scheduler_op]      = {domctl_scheduler_op, 1},
    [XEN_DOMCTL_getpageframeinfo3] = {domctl_getpageframeinfo3, 0},
    [XEN_DOMCTL_hypercall_init]    = {domctl_hypercall_init, 0},
    [XEN_DOMCTL_set_address_size]  = {domctl_set_address_size, 0},
    [XEN_DOMCTL_get_address_size]  = {domctl_get_address_size, 1},
    [XEN_DOMCTL_shadow_op]         = {domctl_shadow_op, 0},
    [XEN_DOMCTL_settscinfo]        = {domctl_settscinfo, 0},
    [XEN_DOMCTL_gettscinfo]        = {domctl_gettscinfo, 1},
};
/* clang-format on */

static int run(const struct domctl_row *row, struct xen_domctl *op)
{
    struct domain *d = NULL;
    int rc;

    if (op->cmd != XEN_DOMCTL_createdomain) {
        d = get_domain_by_id(op->domain);
        if (!d)
            return -XEN_ESRCH;
        if (xchg(&d->domctl_busy, true)) {
            put_domain(d);
            return -XEN_ERESTART;
        }
    }
    rc = row->fn(d, op);
    if (d) {
        __atomic_store_n(&d->domctl_busy, false, __ATOMIC_RELEASE);
        put_domain(d);
    }
    return rc;
}

long do_domctl(gva_t arg)
{
    struct xen_domctl op;
    const struct domctl_row *row;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return refused(-XEN_EACCES, "domctl: interface version %#x, this is %#x",
                       op.interface_version, XEN_DOMCTL_INTERFACE_VERSION);
    if (op.cmd >= ARRAY_SIZE(rows) || !rows[op.cmd].fn)
        return refused(-XEN_EOPNOTSUPP, "domctl: operation %u is not offered", op.cmd);
    row = &rows[op.cmd];
    /* A result that cannot be written is found before anything is done. */
    if (row->copy_back && copy_to_guest(arg, &op, sizeof(op)))
        return -XEN_EFAULT;
    rc = run(row, &op);
    if (row->copy_back && !rc && copy_to_guest(arg, &op, sizeof(op)))
        return -XEN_EFAULT;
    return rc;
}
