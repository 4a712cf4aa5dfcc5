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
 *
 * What a machine check is: the CPU, its caches or its memory controller find an error
 * and either raise an exception, for what cannot be corrected, or leave a record in a
 * bank of registers, for what was. Linux's mcelog driver on the control domain makes
 * three calls:
 *
 *     physcpuinfo with a null handle    how many CPUs
 *     physcpuinfo with room for them    their models, for decoding
 *     fetch, NONURGENT and URGENT, each time VIRQ_MCA came, until there is no more data; then the
 *     same with ACK for each report that it has taken over
 *
 * With no report ever, the first fetch ends it. A driver that polls costs a call for
 * each poll.
 *
 * What becomes of a machine check here: the exception stops the machine with the
 * hypervisor's report of an unexpected fault. Corrected errors stay in their banks,
 * for firmware.
 */
#ifndef XEN_ARCH_X86_XEN_MCA_H
#define XEN_ARCH_X86_XEN_MCA_H

#include <xen/xen.h>

#define __HYPERVISOR_mca __HYPERVISOR_arch_0
#define VIRQ_MCA         VIRQ_ARCH_0

#define XEN_MCA_INTERFACE_VERSION 0x01ecc003

/*
 * fetch: flags in, which kind; flags out, how it went.
 *
 * flags in say which queue is meant, and whether the report fetch_id is being
 * acknowledged; flags out are a status, of which NODATA is the one that is seen here.
 * `data` would receive a report of variable length, of records with a type and a size
 * each; no record is ever written, so the layouts of the records are left out.
 */
#define XEN_MC_fetch          1
#define XEN_MC_NONURGENT      0x0001
#define XEN_MC_URGENT         0x0002
#define XEN_MC_ACK            0x0004 /* this report was dealt with */
#define XEN_MC_OK             0x0
#define XEN_MC_FETCHFAILED    0x1
#define XEN_MC_NODATA         0x2
#define XEN_MC_NOMATCH        0x4
#define XEN_MC_CANNOTHANDLE   0x8
#define XEN_MC_NOTDELIVERED   0x10
#define XEN_MC_VCPUID_INVALID 0xffff
struct xen_mc_fetch {
    uint32_t flags;
    uint32_t _pad0;
    uint64_t fetch_id;       /* in for ACK, out */
    xen_guest_handle_t data; /* out: the report */
};
typedef struct xen_mc_fetch xen_mc_fetch_t;

#define XEN_MC_notifydomain 2 /* -XEN_EOPNOTSUPP */

/*
 * physcpuinfo: what each physical CPU is. With a null handle, their number alone.
 *
 * Called twice: first with a null handle, to learn ncpus; then with an array of that
 * many. The hypervisor fills in what CPUID says of each CPU that it found; what it
 * does not know is 0.
 */
#define XEN_MC_physcpuinfo 3

/*
 * The words of mc_cpu_caps are CPUID's, in the order that the indices below give: a
 * decoder tells by them which banks mean what. mc_msrvalues would hold the capability
 * register of machine checks; mc_nmsrvals says how many of the eight places are
 * filled.
 */
#define __MC_MSR_ARRAYSIZE 8
#define MC_NCAPS           7
#define MC_CAPS_STD_EDX    0 /* CPUID 1 edx */
#define MC_CAPS_AMD_EDX    1 /* CPUID 0x80000001 edx */
#define MC_CAPS_TM         2
#define MC_CAPS_LINUX      3
#define MC_CAPS_STD_ECX    4 /* CPUID 1 ecx */
#define MC_CAPS_VIA        5
#define MC_CAPS_AMD_ECX    6 /* CPUID 0x80000001 ecx */

/*
 * One register and its value.
 */
struct mcinfo_msr {
    uint64_t reg;
    uint64_t value;
};
typedef struct mcinfo_msr xen_mcinfo_msr_t;

/*
 * A CPU as the machine has it, not as a vCPU: mc_cpunr counts them; chip, core and
 * thread say where it sits; family, model and step as CPUID's signature has them put
 * together; vendor and brand are text with a 0 at the end; caches in KiB and bytes.
 */
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

/*
 * ncpus larger than the machine is cut to what there is.
 */
struct xen_mc_physcpuinfo {
    /* in: room; out: number */
    uint32_t ncpus;
    uint32_t _pad0;
    /* out: xen_mc_logical_cpu_t[] */
    xen_guest_handle_t info;
};
typedef struct xen_mc_physcpuinfo xen_mc_physcpuinfo_t;

/*
 * Injection, for testing: -XEN_EOPNOTSUPP.
 *
 * Testers of a logging daemon write made-up values into banks, or raise the exception
 * on chosen CPUs. The first changes registers and the second may stop the machine:
 * neither is offered.
 */
#define XEN_MC_msrinject  4
#define XEN_MC_mceinject  5
#define XEN_MC_inject_v2  6
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

/*
 * The envelope: command and version first, as in the other control calls; the union's
 * size is that of the injection's argument.
 */
struct xen_mc {
    uint32_t cmd; /* XEN_MC_* */
    /* XEN_MCA_INTERFACE_VERSION */
    uint32_t interface_version;
    union {
        xen_mc_fetch_t mc_fetch;
        xen_mc_physcpuinfo_t mc_physcpuinfo;
        xen_mc_msrinject_t mc_msrinject; /* the largest */
    } u;
};
typedef struct xen_mc xen_mc_t;

#endif /* XEN_ARCH_X86_XEN_MCA_H */
