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
 *
 * Pauses are counted because several may want one at a time: a debugger, a saver and
 * an operator who pause and unpause the same domain do not wake it under each other. A
 * domain that is made starts with one such pause; its builder takes it back by
 * unpausedomain.
 *
 * A domain that has shut down (by itself or by crash) is not gone: it keeps its memory
 * until destroydomain, so that its console can be drained, its core be dumped, and the
 * reason be read. VIRQ_DOM_EXC tells the control domain that there is something to
 * look at; it then lists all.
 */
#ifndef XEN_DOMCTL_LIFECYCLE_H
#define XEN_DOMCTL_LIFECYCLE_H

#include <xen/arch-x86/xen.h>
#include <xen/event_channel.h>

/*
 * createdomain: `domain` of the envelope is the wish, DOMID 0 or one out of range for any free;
 * out: the number. -XEN_EEXIST taken; -XEN_EINVAL flags or limits that no kind of guest has,
 * max_vcpus 0 or too large; -XEN_EOPNOTSUPP the machine cannot run that kind (sysctl.h:
 * physinfo); -XEN_ENOMEM.
 *
 * For a paravirtual guest flags is 0 (or xs_domain). For a fully virtualized one it is hvm and
 * hap, and arch.emulation_flags says which: LAPIC, PM, RTC and PIC is a guest that knows of no
 * hypervisor. XEN_X86_EMU_PIT may be there with any. Each stands for a device that there is, or
 * is not; no other set is offered. max_vcpus is 1 to 64.
 * max_grant_frames and max_maptrack_frames limit what the domain can make the
 * hypervisor allocate in its name: 64 and 1024 are what the tools give. arch:
 * misc_flags 0 or XEN_X86_MSR_RELAXED.
 *
 * The handle is the domain's UUID as 16 bytes in printing order. The hypervisor keeps
 * it and does not look at it: uniqueness is the tools' business.
 */
#define _XEN_DOMCTL_CDF_hvm          0
#define XEN_DOMCTL_CDF_hvm           (1U << _XEN_DOMCTL_CDF_hvm) /* fully virtualized */
#define _XEN_DOMCTL_CDF_hap          1
#define XEN_DOMCTL_CDF_hap           (1U << _XEN_DOMCTL_CDF_hap) /* by nested paging: with hvm */
#define _XEN_DOMCTL_CDF_s3_integrity 2
#define XEN_DOMCTL_CDF_s3_integrity  (1U << _XEN_DOMCTL_CDF_s3_integrity) /* no effect */
#define _XEN_DOMCTL_CDF_oos_off      3
#define XEN_DOMCTL_CDF_oos_off       (1U << _XEN_DOMCTL_CDF_oos_off) /* shadows: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_xs_domain    4
#define XEN_DOMCTL_CDF_xs_domain     (1U << _XEN_DOMCTL_CDF_xs_domain) /* runs xenstored */
#define _XEN_DOMCTL_CDF_iommu        5
#define XEN_DOMCTL_CDF_iommu         (1U << _XEN_DOMCTL_CDF_iommu) /* devices: -XEN_EINVAL */
#define _XEN_DOMCTL_CDF_nested_virt  6
#define XEN_DOMCTL_CDF_nested_virt   (1U << _XEN_DOMCTL_CDF_nested_virt) /* -XEN_EINVAL */
#define XEN_DOMCTL_CDF_vpmu          (1U << 7) /* performance counters: -XEN_EINVAL */
#define XEN_DOMCTL_CDF_MAX           XEN_DOMCTL_CDF_vpmu

#define _XEN_DOMCTL_IOMMU_no_sharept 0
#define XEN_DOMCTL_IOMMU_no_sharept  (1U << _XEN_DOMCTL_IOMMU_no_sharept)
#define XEN_DOMCTL_IOMMU_MAX         XEN_DOMCTL_IOMMU_no_sharept

/* Greatest grant-table version the guest may choose: 0 for none, 1; 2 is served as 1. */
#define XEN_DOMCTL_GRANT_version_mask 0xf
#define XEN_DOMCTL_GRANT_version(v)   ((v)&XEN_DOMCTL_GRANT_version_mask)

struct xen_domctl_createdomain {
    /* label of a security module; kept, not used */
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t flags; /* XEN_DOMCTL_CDF_* */
    /* XEN_DOMCTL_IOMMU_*; 0 */
    uint32_t iommu_opts;
    /* the domain can have vCPUs 0 to this - 1 */
    uint32_t max_vcpus;
    /* greatest port it may have */
    uint32_t max_evtchn_port;
    int32_t max_grant_frames; /* -1: the default */
    /* frames of mapping handles; -1: the default */
    int32_t max_maptrack_frames;
    /* XEN_DOMCTL_GRANT_version() */
    uint32_t grant_opts;
    uint32_t vmtrace_size; /* 0 */
    uint32_t cpupool_id;   /* 0: the one pool */
    struct xen_arch_domainconfig arch;
};

/*
 * getdomaininfo: the domain with this number or, where there is none, the next above it; `domain`
 * tells which, so that a walk asks for that plus one, and who means one domain compares.
 * -XEN_ESRCH none from here on; -XEN_EINVAL a number that no domain can have.
 *
 * How to read the flags: dying and shutdown are ends; paused, blocked, running are
 * what the vCPUs do now. None of these three: some vCPU wants a CPU and has none at
 * this moment.
 */
#define _XEN_DOMINF_dying     0
#define XEN_DOMINF_dying      (1U << _XEN_DOMINF_dying) /* being destroyed */
#define _XEN_DOMINF_hvm_guest 1
#define XEN_DOMINF_hvm_guest  (1U << _XEN_DOMINF_hvm_guest) /* fully virtualized */
#define _XEN_DOMINF_shutdown  2
#define XEN_DOMINF_shutdown   (1U << _XEN_DOMINF_shutdown) /* has shut down, reason below */
#define _XEN_DOMINF_paused    3
#define XEN_DOMINF_paused     (1U << _XEN_DOMINF_paused) /* by a tool */
#define _XEN_DOMINF_blocked   4
#define XEN_DOMINF_blocked    (1U << _XEN_DOMINF_blocked) /* all vCPUs wait for events */
#define _XEN_DOMINF_running   5
#define XEN_DOMINF_running    (1U << _XEN_DOMINF_running) /* some vCPU is on a CPU now */
#define _XEN_DOMINF_debugged  6
#define XEN_DOMINF_debugged   (1U << _XEN_DOMINF_debugged) /* stopped for a debugger */
#define _XEN_DOMINF_xs_domain 7
#define XEN_DOMINF_xs_domain  (1U << _XEN_DOMINF_xs_domain)
#define _XEN_DOMINF_hap       8
#define XEN_DOMINF_hap        (1U << _XEN_DOMINF_hap) /* by nested paging */
/* SHUTDOWN_* reason: (flags >> shift) & mask. */
#define XEN_DOMINF_shutdownmask  255
#define XEN_DOMINF_shutdownshift 16

#define XEN_INVALID_MAX_VCPU_ID (~0U)

/*
 * tot_pages of a dying domain goes down while it is freed. shared_info_frame is for
 * tools that map the page to look at the guest's time and events. cpu_time is the sum
 * over all vCPUs, in ns, the slice that is running included.
 */
struct xen_domctl_getdomaininfo {
    domid_t domain; /* out */
    uint16_t pad1;
    uint32_t flags;             /* XEN_DOMINF_* */
    uint64_aligned_t tot_pages; /* has */
    uint64_aligned_t max_pages; /* may have */
    /* claimed, not yet allocated */
    uint64_aligned_t outstanding_pages;
    uint64_aligned_t shr_pages;   /* 0 */
    uint64_aligned_t paged_pages; /* 0 */
    /* mfn; of a domain that names frames by its own numbers, this, or all ones */
    uint64_aligned_t shared_info_frame;
    uint64_aligned_t cpu_time; /* ns, all vCPUs */
    uint32_t nr_online_vcpus;
    /* greatest that exists, or XEN_INVALID_MAX_VCPU_ID */
    uint32_t max_vcpu_id;
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t cpupool;
    /* 0: means nothing for PV */
    uint8_t gpaddr_bits;
    uint8_t pad2[7];
    struct xen_arch_domainconfig arch_config;
};
typedef struct xen_domctl_getdomaininfo xen_domctl_getdomaininfo_t;

/* max_mem: the greatest size. May be below the present one: then it cannot grow. */
struct xen_domctl_max_mem {
    /* KiB; all ones: no limit */
    uint64_aligned_t max_memkb;
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

/*
 * sendtrigger: an NMI to a vCPU, or a button of the guest's machine is pressed.
 *
 * POWER is ACPI's power button, by which a guest is asked to switch itself off: what it makes of
 * that is its own business. A paravirtual guest has none: -XEN_EINVAL. What else there is, is for
 * fully virtualized guests, and is not offered: -XEN_ENOSYS. The vCPU must be one of the domain's
 * whatever is pressed.
 */
#define XEN_DOMCTL_SENDTRIGGER_NMI   0
#define XEN_DOMCTL_SENDTRIGGER_RESET 1
#define XEN_DOMCTL_SENDTRIGGER_INIT  2
#define XEN_DOMCTL_SENDTRIGGER_POWER 3
#define XEN_DOMCTL_SENDTRIGGER_SLEEP 4
struct xen_domctl_sendtrigger {
    uint32_t trigger;
    /* -XEN_ESRCH: no such */
    uint32_t vcpu;
};

/*
 * set_target: the domain may from now on do to `target` what the control domain may.
 *
 * Meant for a helper domain that emulates devices for one guest. Not answered: nobody
 * but the control domain controls others.
 */
struct xen_domctl_set_target {
    domid_t target;
};

/*
 * subscribe: an event at each suspend of the domain; 0 ends it.
 *
 * A saver would be told without listing domains. Not answered; VIRQ_DOM_EXC tells of
 * every end and of every suspend.
 */
struct xen_domctl_subscribe {
    uint32_t port;
};

/*
 * set_virq_handler: this domain gets a global virq instead of the control domain.
 * -XEN_EINVAL.
 *
 * Global virtual interrupts (console, domain ends, log) go to the control domain.
 */
struct xen_domctl_set_virq_handler {
    uint32_t virq;
};

#endif /* XEN_DOMCTL_LIFECYCLE_H */
