/* SPDX-License-Identifier: MIT */
/*
 * Performance counters for guests: xenpmu_op(cmd, struct xen_pmu_params *).
 *
 * Not offered: all commands answer -XEN_ENOSYS, and a stock Linux, which tries `init` at start on
 * each vCPU, goes without counters. Numbers and arguments are here so that what is asked can be
 * named; the pages that guest and hypervisor would share are left out.
 */
#ifndef XEN_PMU_H
#define XEN_PMU_H

#include <xen/xen.h>

#define XENPMU_VER_MAJ 0
#define XENPMU_VER_MIN 1

#define XENPMU_mode_get 0    /* control domain; val: XENPMU_MODE_* */
#define XENPMU_mode_set 1    /* control domain */
#define XENPMU_feature_get 2 /* control domain; val: XENPMU_FEATURE_* */
#define XENPMU_feature_set 3 /* control domain */
#define XENPMU_init 4        /* vcpu; val: frame of its shared page */
#define XENPMU_finish 5      /* vcpu */
#define XENPMU_lvtpc_set 6
#define XENPMU_flush 7

struct xen_pmu_params {
    struct {
        uint32_t maj;
        uint32_t min;
    } version;    /* in, out */
    uint64_t val; /* in, out */
    uint32_t vcpu;
    uint32_t pad;
};
typedef struct xen_pmu_params xen_pmu_params_t;

#define XENPMU_MODE_OFF 0
#define XENPMU_MODE_SELF (1 << 0) /* guests sample themselves */
#define XENPMU_MODE_HV (1 << 1)   /* the control domain samples the hypervisor as well */
#define XENPMU_MODE_ALL (1 << 2)  /* the control domain samples everybody */

#define XENPMU_FEATURE_INTEL_BTS (1 << 0)
#define XENPMU_FEATURE_IPC_ONLY (1 << 1)
#define XENPMU_FEATURE_ARCH_ONLY (1 << 2)

#endif /* XEN_PMU_H */
