/* SPDX-License-Identifier: MIT */
/*
 * sysctl: what the control domain asks about the whole machine. The interface is Xen 4.17's
 * (version 0x15).
 */
#include <core/base/hypercall.h>
#include <core/control/sysctl.h>
#include <core/domain/subop.h>
#include <parvis/speculation.h>

/* clang-format off */
#define OPS(OP)                                                                                 \
    OP(XEN_SYSCTL_readconsole,        sysctl_readconsole,       struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_physinfo,           sysctl_physinfo,          struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_sched_id,           sysctl_sched_id,          struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_getdomaininfolist,  sysctl_getdomaininfolist, struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_getcpuinfo,         sysctl_getcpuinfo,        struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_availheap,          sysctl_availheap,         struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_cputopoinfo,        sysctl_cputopoinfo,       struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_numainfo,           sysctl_numainfo,          struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_cpupool_op,         sysctl_cpupool_op,        struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_scheduler_op,       sysctl_scheduler_op,      struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_pcitopoinfo,        sysctl_pcitopoinfo,       struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_livepatch_op,       sysctl_livepatch,         struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_get_cpu_policy,     sysctl_get_cpu_policy,    struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_get_cpu_featureset, sysctl_get_cpu_featureset, struct xen_sysctl, SUBOP_INOUT) \
    OP(XEN_SYSCTL_debug_keys,         sysctl_debug_keys,        struct xen_sysctl, SUBOP_INOUT) \
    OP(PARVIS_SYSCTL_speculation,     sysctl_speculation,       struct xen_sysctl, SUBOP_INOUT)
SUBOPS(operations, OPS, -XEN_EOPNOTSUPP, .version = XEN_SYSCTL_INTERFACE_VERSION, .size = sizeof(struct xen_sysctl))
/* clang-format on */

long do_sysctl(gva_t arg)
{
    return subop_run_control(&operations, arg);
}
