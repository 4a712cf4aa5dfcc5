/* SPDX-License-Identifier: MIT */
/*
 * Performance counters for guests: xenpmu_op(cmd, struct xen_pmu_params *).
 *
 * Not offered: all commands answer -XEN_ENOSYS, and a stock Linux, which tries `init` at start on
 * each vCPU, goes without counters. Numbers and arguments are here so that what is asked can be
 * named; the pages that guest and hypervisor would share are left out.
 *
 * Why not: the counters are the CPU's, and while the hypervisor switches guests they
 * would count for all of them, unless each switch saved and loaded them. Who wants to
 * know where time goes measures with the machine's emulator, or counts in the guest.
 *
 * What a kernel sees: CPUID does not tell of counters, and the whole call is refused
 * before its argument is looked at, so no memory needs to be set aside for it.
 */
#ifndef XEN_PMU_H
#define XEN_PMU_H

#include <xen/xen.h>

#define XENPMU_VER_MAJ 0
#define XENPMU_VER_MIN 1

#define XENPMU_mode_get    0 /* control domain; val: XENPMU_MODE_* */
#define XENPMU_mode_set    1 /* control domain */
#define XENPMU_feature_get 2 /* control domain; val: XENPMU_FEATURE_* */
#define XENPMU_feature_set 3 /* control domain */
#define XENPMU_init        4 /* vcpu; val: frame of its shared page */
#define XENPMU_finish      5 /* vcpu */
#define XENPMU_lvtpc_set   6
#define XENPMU_flush       7

/*
 * val is read or written as the command says: a mode, a set of features, or the mfn of
 * the page that the guest shares for one vCPU. The version is told by the caller, and
 * the hypervisor's comes back.
 */
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

/*
 * The modes say whose work would be counted; one of them would hold for the whole
 * machine. Features restrict which counters a guest may choose: only those that cannot
 * show another domain's work.
 */
#define XENPMU_MODE_OFF  0
#define XENPMU_MODE_SELF (1 << 0) /* guests sample themselves */
#define XENPMU_MODE_HV   (1 << 1) /* the control domain samples the hypervisor as well */
#define XENPMU_MODE_ALL  (1 << 2) /* the control domain samples everybody */

#define XENPMU_FEATURE_INTEL_BTS (1 << 0)
#define XENPMU_FEATURE_IPC_ONLY  (1 << 1)
#define XENPMU_FEATURE_ARCH_ONLY (1 << 2)

#endif /* XEN_PMU_H */
