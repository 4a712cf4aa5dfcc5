/* SPDX-License-Identifier: MIT */
/*
 * The operations of sysctl, between core/control/sysctl.c and the files that have them: each gets
 * the hypervisor's copy of the request.
 */
#ifndef HV_SYSCTL_H
#define HV_SYSCTL_H

#include <xen/sysctl.h>

typedef int sysctl_fn_t(struct xen_sysctl *op);

/* sysctl_machine.c */
sysctl_fn_t sysctl_physinfo, sysctl_sched_id, sysctl_getcpuinfo, sysctl_availheap,
    sysctl_cputopoinfo, sysctl_numainfo, sysctl_pcitopoinfo, sysctl_cpupool_op, sysctl_scheduler_op,
    sysctl_livepatch, sysctl_speculation;
/* sysctl_domains.c */
sysctl_fn_t sysctl_readconsole, sysctl_getdomaininfolist, sysctl_debug_keys;
/* cpu_policy_op.c */
sysctl_fn_t sysctl_get_cpu_policy, sysctl_get_cpu_featureset;

#endif
