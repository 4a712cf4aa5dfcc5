/* SPDX-License-Identifier: MIT */
/*
 * domctl: from creation to the grave.
 *
 * The course of a domain, as a builder drives it: createdomain (it exists, paused, with no memory),
 * max_mem, max_vcpus are limits; populate_physmap gives memory; the builder writes kernel and
 * page tables through foreign mappings; hypercall_init, setvcpucontext; unpausedomain. At the end
 * destroydomain: its memory is freed in slices, and the domain is gone when the last reference
 * to one of its pages is.
 *
 * Commands without argument:
 *   destroydomain    marks it dying and frees. -XEN_EINVAL for the caller itself. Re-issued by the
 *                    hypervisor until done.
 *   pausedomain      stops all its vCPUs and waits until they are off their CPUs. -XEN_EINVAL for
 *                    the caller itself. Counted (pauses by tools are one counter).
 *   unpausedomain    takes one such pause back. -XEN_EINVAL when there is none.
 *   resumedomain     a domain shut down for suspend goes on as if it had not been. 0.
 *   soft_reset       ports, grants and vcpu_info are taken away, memory stays: for a kernel that
 *                    was started by another. -XEN_EOPNOTSUPP for PV guests.
 */
#ifndef XEN_DOMCTL_LIFECYCLE_H
#define XEN_DOMCTL_LIFECYCLE_H

#include <xen/arch-x86/xen.h>
#include <xen/event_channel.h>

/*
 * createdomain: `domain` of the envelope is the wish, DOMID 0 or one out of range for any free;
 * out: the number. -XEN_EEXIST taken; -XEN_EINVAL flags or limits that PV guests cannot have,
 * max_vcpus 0 or too large; -XEN_ENOMEM.
 */
#define _XEN_DOMCTL_CDF_hvm 0
#define XEN_DOMCTL_CDF_hvm (1U << _XEN_DOMCTL_CDF_hvm) /* fully virtualized: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_hap 1
#define XEN_DOMCTL_CDF_hap (1U << _XEN_DOMCTL_CDF_hap) /* nested paging: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_s3_integrity 2
#define XEN_DOMCTL_CDF_s3_integrity (1U << _XEN_DOMCTL_CDF_s3_integrity) /* no effect */
#define _XEN_DOMCTL_CDF_oos_off 3
#define XEN_DOMCTL_CDF_oos_off (1U << _XEN_DOMCTL_CDF_oos_off) /* shadow paging: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_xs_domain 4
#define XEN_DOMCTL_CDF_xs_domain (1U << _XEN_DOMCTL_CDF_xs_domain) /* runs xenstored */
#define _XEN_DOMCTL_CDF_iommu 5
#define XEN_DOMCTL_CDF_iommu (1U << _XEN_DOMCTL_CDF_iommu) /* may get devices: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_nested_virt 6
#define XEN_DOMCTL_CDF_nested_virt (1U << _XEN_DOMCTL_CDF_nested_virt) /* -XEN_EINVAL */
#define XEN_DOMCTL_CDF_vpmu (1U << 7) /* performance counters: -XEN_EINVAL */
#define XEN_DOMCTL_CDF_MAX XEN_DOMCTL_CDF_vpmu

#define _XEN_DOMCTL_IOMMU_no_sharept 0
#define XEN_DOMCTL_IOMMU_no_sharept (1U << _XEN_DOMCTL_IOMMU_no_sharept)
#define XEN_DOMCTL_IOMMU_MAX XEN_DOMCTL_IOMMU_no_sharept

/* Greatest grant-table version the guest may choose: 0 for none, 1; 2 is served as 1. */
#define XEN_DOMCTL_GRANT_version_mask 0xf
#define XEN_DOMCTL_GRANT_version(v) ((v)&XEN_DOMCTL_GRANT_version_mask)

struct xen_domctl_createdomain {
    uint32_t ssidref; /* label of a security module; kept, not used */
    xen_domain_handle_t handle;
    uint32_t flags;              /* XEN_DOMCTL_CDF_* */
    uint32_t iommu_opts;         /* XEN_DOMCTL_IOMMU_*; 0 */
    uint32_t max_vcpus;          /* the domain can have vCPUs 0 to this - 1 */
    uint32_t max_evtchn_port;    /* greatest port it may have */
    int32_t max_grant_frames;    /* -1: the default */
    int32_t max_maptrack_frames; /* frames of mapping handles; -1: the default */
    uint32_t grant_opts;         /* XEN_DOMCTL_GRANT_version() */
    uint32_t vmtrace_size;       /* 0 */
    uint32_t cpupool_id;         /* 0: the one pool */
    struct xen_arch_domainconfig arch;
};

/*
 * getdomaininfo: the domain with this number or, in the list form (sysctl), the next above it;
 * `domain` tells which. -XEN_ESRCH.
 */
#define _XEN_DOMINF_dying 0
#define XEN_DOMINF_dying (1U << _XEN_DOMINF_dying) /* being destroyed */
#define _XEN_DOMINF_hvm_guest 1
#define XEN_DOMINF_hvm_guest (1U << _XEN_DOMINF_hvm_guest) /* never */
#define _XEN_DOMINF_shutdown 2
#define XEN_DOMINF_shutdown (1U << _XEN_DOMINF_shutdown) /* has shut down, reason below */
#define _XEN_DOMINF_paused 3
#define XEN_DOMINF_paused (1U << _XEN_DOMINF_paused) /* by a tool */
#define _XEN_DOMINF_blocked 4
#define XEN_DOMINF_blocked (1U << _XEN_DOMINF_blocked) /* all vCPUs wait for events */
#define _XEN_DOMINF_running 5
#define XEN_DOMINF_running (1U << _XEN_DOMINF_running) /* some vCPU is on a CPU now */
#define _XEN_DOMINF_debugged 6
#define XEN_DOMINF_debugged (1U << _XEN_DOMINF_debugged) /* stopped for a debugger */
#define _XEN_DOMINF_xs_domain 7
#define XEN_DOMINF_xs_domain (1U << _XEN_DOMINF_xs_domain)
#define _XEN_DOMINF_hap 8
#define XEN_DOMINF_hap (1U << _XEN_DOMINF_hap) /* never */
/* SHUTDOWN_* reason: (flags >> shift) & mask. */
#define XEN_DOMINF_shutdownmask 255
#define XEN_DOMINF_shutdownshift 16

#define XEN_INVALID_MAX_VCPU_ID (~0U)

struct xen_domctl_getdomaininfo {
    domid_t domain; /* out */
    uint16_t pad1;
    uint32_t flags;                     /* XEN_DOMINF_* */
    uint64_aligned_t tot_pages;         /* has */
    uint64_aligned_t max_pages;         /* may have */
    uint64_aligned_t outstanding_pages; /* claimed, not yet allocated */
    uint64_aligned_t shr_pages;         /* 0 */
    uint64_aligned_t paged_pages;       /* 0 */
    uint64_aligned_t shared_info_frame; /* mfn */
    uint64_aligned_t cpu_time;          /* ns, all vCPUs */
    uint32_t nr_online_vcpus;
    uint32_t max_vcpu_id; /* greatest that exists, or XEN_INVALID_MAX_VCPU_ID */
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t cpupool;
    uint8_t gpaddr_bits; /* 0: means nothing for PV */
    uint8_t pad2[7];
    struct xen_arch_domainconfig arch_config;
};
typedef struct xen_domctl_getdomaininfo xen_domctl_getdomaininfo_t;

/* max_mem: the greatest size. May be below the present one: then it cannot grow. */
struct xen_domctl_max_mem {
    uint64_aligned_t max_memkb; /* KiB; all ones: no limit */
};

/* max_vcpus: makes vCPUs 0 to max - 1. -XEN_EINVAL not createdomain's number, or done already. */
struct xen_domctl_max_vcpus {
    uint32_t max;
};

/* setdomainhandle: the UUID. */
struct xen_domctl_setdomainhandle {
    xen_domain_handle_t handle;
};

/* setdebugging: traps that mean a breakpoint stop the domain instead of going to it. */
struct xen_domctl_setdebugging {
    uint8_t enable;
};

/* hypercall_init: fills one page of the domain with hypercall stubs. -XEN_EACCES not its page. */
struct xen_domctl_hypercall_init {
    uint64_aligned_t gmfn; /* mfn */
};

/* settimeoffset: its wall clock against the machine's. */
struct xen_domctl_settimeoffset {
    int64_aligned_t time_offset_seconds;
};

/* set_address_size, get_address_size: bits of the kernel, 64. 32: -XEN_EINVAL. */
struct xen_domctl_address_size {
    uint32_t size;
};

/* sendtrigger: NMI to a vCPU; the rest is for fully virtualized guests: -XEN_ENOSYS. */
#define XEN_DOMCTL_SENDTRIGGER_NMI 0
#define XEN_DOMCTL_SENDTRIGGER_RESET 1
#define XEN_DOMCTL_SENDTRIGGER_INIT 2
#define XEN_DOMCTL_SENDTRIGGER_POWER 3
#define XEN_DOMCTL_SENDTRIGGER_SLEEP 4
struct xen_domctl_sendtrigger {
    uint32_t trigger;
    uint32_t vcpu; /* -XEN_ESRCH: no such */
};

/* set_target: the domain may from now on do to `target` what the control domain may. */
struct xen_domctl_set_target {
    domid_t target;
};

/* subscribe: an event at each suspend of the domain; 0 ends it. */
struct xen_domctl_subscribe {
    uint32_t port;
};

/* set_virq_handler: this domain gets a global virq instead of the control domain. -XEN_EINVAL. */
struct xen_domctl_set_virq_handler {
    uint32_t virq;
};

#endif /* XEN_DOMCTL_LIFECYCLE_H */
