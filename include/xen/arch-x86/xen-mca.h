/* SPDX-License-Identifier: MIT */
/*
 * Machine checks: the hypercall mca(struct xen_mc *), number __HYPERVISOR_mca. Control domain
 * alone (-XEN_EPERM).
 *
 * The CPU reports broken hardware by machine checks; a logger in the control domain reads
 * them (`fetch`) when VIRQ_MCA says so. Parvis stops the machine with a message at a machine
 * check that it cannot survive and does not log the others: `fetch` answers success with
 * XEN_MC_NODATA in the flags, the injecting commands -XEN_EOPNOTSUPP. Linux asks
 * `physcpuinfo` at start and goes without when it is refused.
 * -XEN_EACCES another interface version.
 */
#ifndef XEN_ARCH_X86_XEN_MCA_H
#define XEN_ARCH_X86_XEN_MCA_H

#include <xen/xen.h>

#define __HYPERVISOR_mca __HYPERVISOR_arch_0
#define VIRQ_MCA VIRQ_ARCH_0

#define XEN_MCA_INTERFACE_VERSION 0x01ecc003

/* fetch: flags in, which kind; flags out, how it went. */
#define XEN_MC_fetch 1
#define XEN_MC_NONURGENT 0x0001
#define XEN_MC_URGENT 0x0002
#define XEN_MC_ACK 0x0004 /* this report was dealt with */
#define XEN_MC_OK 0x0
#define XEN_MC_FETCHFAILED 0x1
#define XEN_MC_NODATA 0x2
#define XEN_MC_NOMATCH 0x4
#define XEN_MC_CANNOTHANDLE 0x8
#define XEN_MC_NOTDELIVERED 0x10
#define XEN_MC_VCPUID_INVALID 0xffff
struct xen_mc_fetch {
    uint32_t flags;
    uint32_t _pad0;
    uint64_t fetch_id;       /* in for ACK, out */
    xen_guest_handle_t data; /* out: the report */
};
typedef struct xen_mc_fetch xen_mc_fetch_t;

#define XEN_MC_notifydomain 2 /* -XEN_EOPNOTSUPP */

/* physcpuinfo: what each physical CPU is. With a null handle, their number alone. */
#define XEN_MC_physcpuinfo 3
#define __MC_MSR_ARRAYSIZE 8
#define MC_NCAPS 7
#define MC_CAPS_STD_EDX 0 /* CPUID 1 edx */
#define MC_CAPS_AMD_EDX 1 /* CPUID 0x80000001 edx */
#define MC_CAPS_TM 2
#define MC_CAPS_LINUX 3
#define MC_CAPS_STD_ECX 4 /* CPUID 1 ecx */
#define MC_CAPS_VIA 5
#define MC_CAPS_AMD_ECX 6 /* CPUID 0x80000001 ecx */
struct mcinfo_msr {
    uint64_t reg;
    uint64_t value;
};
typedef struct mcinfo_msr xen_mcinfo_msr_t;
struct mcinfo_logical_cpu {
    uint32_t mc_cpunr;
    uint32_t mc_chipid;
    uint16_t mc_coreid;
    uint16_t mc_threadid;
    uint32_t mc_apicid;
    uint32_t mc_clusterid;
    uint32_t mc_ncores;
    uint32_t mc_ncores_active;
    uint32_t mc_nthreads;
    int32_t mc_cpuid_level;
    uint32_t mc_family;
    uint32_t mc_vendor;
    uint32_t mc_model;
    uint32_t mc_step;
    char mc_vendorid[16];
    char mc_brandid[64];
    uint32_t mc_cpu_caps[MC_NCAPS];
    uint32_t mc_cache_size;
    uint32_t mc_cache_alignment;
    int32_t mc_nmsrvals;
    xen_mcinfo_msr_t mc_msrvalues[__MC_MSR_ARRAYSIZE];
};
typedef struct mcinfo_logical_cpu xen_mc_logical_cpu_t;
struct xen_mc_physcpuinfo {
    uint32_t ncpus; /* in: room; out: number */
    uint32_t _pad0;
    xen_guest_handle_t info; /* out: xen_mc_logical_cpu_t[] */
};
typedef struct xen_mc_physcpuinfo xen_mc_physcpuinfo_t;

/* Injection, for testing: -XEN_EOPNOTSUPP. */
#define XEN_MC_msrinject 4
#define XEN_MC_mceinject 5
#define XEN_MC_inject_v2 6
#define MC_MSRINJ_MAXMSRS 8
struct xen_mc_msrinject {
    uint32_t mcinj_cpunr;
    uint32_t mcinj_flags;
    uint32_t mcinj_count;
    domid_t mcinj_domid;
    uint16_t _pad0;
    xen_mcinfo_msr_t mcinj_msr[MC_MSRINJ_MAXMSRS];
};
typedef struct xen_mc_msrinject xen_mc_msrinject_t;

struct xen_mc {
    uint32_t cmd;               /* XEN_MC_* */
    uint32_t interface_version; /* XEN_MCA_INTERFACE_VERSION */
    union {
        xen_mc_fetch_t mc_fetch;
        xen_mc_physcpuinfo_t mc_physcpuinfo;
        xen_mc_msrinject_t mc_msrinject; /* the largest */
    } u;
};
typedef struct xen_mc xen_mc_t;

#endif /* XEN_ARCH_X86_XEN_MCA_H */
