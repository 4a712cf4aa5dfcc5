/* SPDX-License-Identifier: MIT */
/*
 * sysctl: what the control domain asks about the whole machine. The interface is Xen 4.17's
 * (version 0x15).
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/control/sysctl.h>
#include <core/domain/guest_memory.h>

struct sysctl_row {
    sysctl_fn_t *fn;
    uint8_t copy_back;
};

/* clang-format off */
static const struct sysctl_row rows[] = {
    [XEN_SYSCTL_readconsole]       = {sysctl_readconsole, 1},
    [XEN_SYSCTL_physinfo]          = {sysctl_physinfo, 1},
    [XEN_SYSCTL_sched_id]          = {sysctl_sched_id, 1},
    [XEN_SYSCTL_getdomaininfolist] = {sysctl_getdomaininfolist, 1},
    [XEN_SYSCTL_getcpuinfo]        = {sysctl_getcpuinfo, 1},
    [XEN_SYSCTL_availheap]         = {sysctl_availheap, 1},
    [XEN_SYSCTL_cputopoinfo]       = {sysctl_cputopoinfo, 1},
    [XEN_SYSCTL_numainfo]          = {sysctl_numainfo, 1},
    [XEN_SYSCTL_cpupool_op]        = {sysctl_cpupool_op, 1},
    [XEN_SYSCTL_debug_keys]        = {sysctl_debug_keys, 0},
};
/* clang-format on */

long do_sysctl(gva_t arg)
{
    const struct sysctl_row *row;
    struct xen_sysctl op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return refused(-XEN_EACCES, "sysctl: interface version %#x, this is %#x",
                       op.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
    if (op.cmd >= ARRAY_SIZE(rows) || !rows[op.cmd].fn)
        return refused(-XEN_EOPNOTSUPP, "sysctl: operation %u is not offered", op.cmd);
    row = &rows[op.cmd];
    if (row->copy_back && copy_to_guest(arg, &op, sizeof(op)))
        return -XEN_EFAULT;
    rc = row->fn(&op);
    if (row->copy_back && !rc && copy_to_guest(arg, &op, sizeof(op)))
        return -XEN_EFAULT;
    return rc;
}
