/* SPDX-License-Identifier: MIT */
/*
 * Control of the machine, for the control domain's tools: sysctl(struct xen_sysctl *op).
 *
 * As domctl, but about no domain in particular: what machine it is, what is free, who is there,
 * the log. Only the control domain, else -XEN_EPERM; -XEN_EACCES for another interface
 * version; -XEN_EOPNOTSUPP for what does not exist or is not offered (docs/abi-coverage.md).
 *
 * Lists that are copied out: the caller gives room and receives the number; with a null handle
 * it receives the number alone.
 *
 * What a monitor needs in one go: physinfo (CPUs, memory), getdomaininfolist with room for a
 * few hundred (every domain's state, memory, CPU time: one call for all), getcpuinfo (idle time).
 * What a person needs after something was refused: readconsole; for each refused call of a
 * domain the log has a line that names domain, call, field and rule.
 *
 * Pages are of 4 KiB, times in ns, everywhere.
 *
 * Not offered, and so without structures: power states and frequencies, page offlining, lock
 * profiling, coverage, cache allocation, live patching.
 */
#ifndef XEN_SYSCTL_H
#define XEN_SYSCTL_H

#include <xen/domctl.h>
#include <xen/physdev.h>
#include <xen/xen.h>

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

/*
 * readconsole: the log ring. Without `incremental`, from the oldest byte that is kept; with it,
 * from byte `index` of the log on (from the oldest, if that one is gone), and index receives
 * the place to go on from. A follower starts with index 0 and asks again with what it got;
 * VIRQ_CON_RING tells when.
 */
#define XEN_SYSCTL_readconsole 1
struct xen_sysctl_readconsole {
    uint8_t clear;       /* in: forget what was copied */
    uint8_t incremental; /* in */
    uint8_t pad0, pad1;
    uint32_t index;            /* in, out */
    xen_guest_handle_t buffer; /* out: char[count], no NUL */
    uint32_t count;            /* in: room; out: copied */
};

/* tbuf_op: trace buffers. get_info with no buffers: size 0. The rest: -XEN_EOPNOTSUPP. */
#define XEN_SYSCTL_tbuf_op 2
#define XEN_SYSCTL_TBUFOP_get_info 0
#define XEN_SYSCTL_TBUFOP_set_cpu_mask 1
#define XEN_SYSCTL_TBUFOP_set_evt_mask 2
#define XEN_SYSCTL_TBUFOP_set_size 3
#define XEN_SYSCTL_TBUFOP_enable 4
#define XEN_SYSCTL_TBUFOP_disable 5
struct xen_sysctl_tbuf_op {
    uint32_t cmd; /* in */
    struct xenctl_bitmap cpu_mask;
    uint32_t evt_mask;
    uint64_aligned_t buffer_mfn; /* out */
    uint32_t size;               /* in, out: pages or bytes */
};

/*
 * physinfo: the machine in numbers. free_pages + what all domains have + what the hypervisor keeps
 * for itself is total_pages at any time when nothing is being created or destroyed, so a
 * test of leaks compares free_pages before and after, to the page.
 */
#define XEN_SYSCTL_physinfo 3
#define _XEN_SYSCTL_PHYSCAP_hvm 0
#define XEN_SYSCTL_PHYSCAP_hvm (1u << _XEN_SYSCTL_PHYSCAP_hvm)
#define _XEN_SYSCTL_PHYSCAP_pv 1
#define XEN_SYSCTL_PHYSCAP_pv (1u << _XEN_SYSCTL_PHYSCAP_pv) /* set, as is gnttab_v1; no other */
#define _XEN_SYSCTL_PHYSCAP_directio 2
#define XEN_SYSCTL_PHYSCAP_directio (1u << _XEN_SYSCTL_PHYSCAP_directio)
#define _XEN_SYSCTL_PHYSCAP_hap 3
#define XEN_SYSCTL_PHYSCAP_hap (1u << _XEN_SYSCTL_PHYSCAP_hap)
#define _XEN_SYSCTL_PHYSCAP_shadow 4
#define XEN_SYSCTL_PHYSCAP_shadow (1u << _XEN_SYSCTL_PHYSCAP_shadow)
#define _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share 5
#define XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share (1u << _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share)
#define XEN_SYSCTL_PHYSCAP_vmtrace (1u << 6)
#define XEN_SYSCTL_PHYSCAP_vpmu (1u << 7)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1 (1u << 8)
#define XEN_SYSCTL_PHYSCAP_gnttab_v2 (1u << 9)
#define XEN_SYSCTL_PHYSCAP_MAX XEN_SYSCTL_PHYSCAP_gnttab_v2
struct xen_sysctl_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;    /* online */
    uint32_t max_cpu_id; /* greatest possible */
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    uint32_t capabilities;      /* XEN_SYSCTL_PHYSCAP_* */
    uint32_t arch_capabilities; /* 0 */
    uint32_t pad;
    uint64_aligned_t total_pages;       /* RAM that is or was given out by the hypervisor */
    uint64_aligned_t free_pages;        /* scrub_pages among them */
    uint64_aligned_t scrub_pages;       /* free, not yet cleared */
    uint64_aligned_t outstanding_pages; /* free, but claimed */
    uint64_aligned_t max_mfn;
    uint32_t hw_cap[8]; /* CPUID words, for printing */
};

/* sched_id: XEN_SCHEDULER_* of the scheduler that is on. */
#define XEN_SYSCTL_sched_id 4
struct xen_sysctl_sched_id {
    uint32_t sched_id; /* out */
};

/* perfc_op: counters of a profiling build: -XEN_EOPNOTSUPP. */
#define XEN_SYSCTL_perfc_op 5
#define XEN_SYSCTL_PERFCOP_reset 1
#define XEN_SYSCTL_PERFCOP_query 2
struct xen_sysctl_perfc_desc {
    char name[80];
    uint32_t nr_vals;
};
typedef struct xen_sysctl_perfc_desc xen_sysctl_perfc_desc_t;
typedef uint32_t xen_sysctl_perfc_val_t;
struct xen_sysctl_perfc_op {
    uint32_t cmd;            /* in */
    uint32_t nr_counters;    /* out */
    uint32_t nr_vals;        /* out */
    xen_guest_handle_t desc; /* out: xen_sysctl_perfc_desc_t[] */
    xen_guest_handle_t val;  /* out: xen_sysctl_perfc_val_t[] */
};

/*
 * getdomaininfolist: the domains from first_domain on, in order of their numbers. To go on, ask
 * again from the last number + 1; num_domains less than the room: that was all. Domains that are
 * being destroyed are in the list (XEN_DOMINF_dying) until they are gone.
 */
#define XEN_SYSCTL_getdomaininfolist 6
struct xen_sysctl_getdomaininfolist {
    domid_t first_domain;      /* in */
    uint32_t max_domains;      /* in: room */
    xen_guest_handle_t buffer; /* out: xen_domctl_getdomaininfo_t[] */
    uint32_t num_domains;      /* out */
};

/* debug_keys: as if these keys were pressed on the hypervisor's console. Output goes to the log. */
#define XEN_SYSCTL_debug_keys 7
struct xen_sysctl_debug_keys {
    xen_guest_handle_t keys; /* in: char[nr_keys] */
    uint32_t nr_keys;        /* in */
};

/* getcpuinfo: idle time of each physical CPU. */
#define XEN_SYSCTL_getcpuinfo 8
struct xen_sysctl_cpuinfo {
    uint64_aligned_t idletime; /* ns */
};
typedef struct xen_sysctl_cpuinfo xen_sysctl_cpuinfo_t;
struct xen_sysctl_getcpuinfo {
    uint32_t max_cpus;       /* in: room */
    xen_guest_handle_t info; /* out: xen_sysctl_cpuinfo_t[] */
    uint32_t nr_cpus;        /* out */
};

/* availheap: free memory of addresses with a width between the two; 0: no bound; node -1: all. */
#define XEN_SYSCTL_availheap 9
struct xen_sysctl_availheap {
    uint32_t min_bitwidth;        /* in */
    uint32_t max_bitwidth;        /* in */
    int32_t node;                 /* in */
    uint64_aligned_t avail_bytes; /* out */
};

/* Power states and frequencies of CPUs: -XEN_EOPNOTSUPP. */
#define XEN_SYSCTL_get_pmstat 10
#define XEN_SYSCTL_pm_op 12

/* cpu_hotplug: a physical CPU on or off. Not here: -XEN_EOPNOTSUPP. */
#define XEN_SYSCTL_cpu_hotplug 11
#define XEN_SYSCTL_CPU_HOTPLUG_ONLINE 0
#define XEN_SYSCTL_CPU_HOTPLUG_OFFLINE 1
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE 2
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE 3
struct xen_sysctl_cpu_hotplug {
    uint32_t cpu;
    uint32_t op; /* XEN_SYSCTL_CPU_HOTPLUG_* */
};

#define XEN_SYSCTL_page_offline_op 14 /* -XEN_EOPNOTSUPP */
#define XEN_SYSCTL_lockprof_op 15     /* -XEN_EOPNOTSUPP */

/* cputopoinfo: core, socket and node of each physical CPU, by its number. */
#define XEN_SYSCTL_cputopoinfo 16
#define XEN_INVALID_CORE_ID (~0U)
#define XEN_INVALID_SOCKET_ID (~0U)
#define XEN_INVALID_NODE_ID (~0U)
struct xen_sysctl_cputopo {
    uint32_t core;
    uint32_t socket;
    uint32_t node;
};
typedef struct xen_sysctl_cputopo xen_sysctl_cputopo_t;
struct xen_sysctl_cputopoinfo {
    uint32_t num_cpus;          /* in, out */
    xen_guest_handle_t cputopo; /* out: xen_sysctl_cputopo_t[] */
};

/* numainfo: memory of each node, and the distances between them (10: itself). One node here. */
#define XEN_SYSCTL_numainfo 17
#define XEN_INVALID_MEM_SZ (~0U)
#define XEN_INVALID_NODE_DIST (~0U)
struct xen_sysctl_meminfo {
    uint64_t memsize; /* bytes */
    uint64_t memfree;
};
typedef struct xen_sysctl_meminfo xen_sysctl_meminfo_t;
struct xen_sysctl_numainfo {
    uint32_t num_nodes;          /* in, out */
    xen_guest_handle_t meminfo;  /* out: xen_sysctl_meminfo_t[num_nodes] */
    xen_guest_handle_t distance; /* out: uint32_t[num_nodes][num_nodes] */
};

/*
 * cpupool_op: groups of physical CPUs. There is one, number 0, with all CPUs: INFO describes it
 * (-XEN_ENOENT beyond), FREEINFO gives the empty set; to change something: -XEN_EOPNOTSUPP.
 */
#define XEN_SYSCTL_cpupool_op 18
#define XEN_SYSCTL_CPUPOOL_OP_CREATE 1
#define XEN_SYSCTL_CPUPOOL_OP_DESTROY 2
#define XEN_SYSCTL_CPUPOOL_OP_INFO 3
#define XEN_SYSCTL_CPUPOOL_OP_ADDCPU 4
#define XEN_SYSCTL_CPUPOOL_OP_RMCPU 5
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO 7
#define XEN_SYSCTL_CPUPOOL_PAR_ANY 0xFFFFFFFF
struct xen_sysctl_cpupool_op {
    uint32_t op;                 /* in: XEN_SYSCTL_CPUPOOL_OP_* */
    uint32_t cpupool_id;         /* in: this or the next above; out */
    uint32_t sched_id;           /* out */
    uint32_t domid;              /* in: MOVEDOMAIN */
    uint32_t cpu;                /* in: ADDCPU, RMCPU */
    uint32_t n_dom;              /* out: domains in it */
    struct xenctl_bitmap cpumap; /* out */
};

/* scheduler_op: parameters of the scheduler itself. ratelimit: least time on a CPU. */
#define XEN_SYSCTL_scheduler_op 19
#define XEN_SYSCTL_SCHED_RATELIMIT_MAX 500000
#define XEN_SYSCTL_SCHED_RATELIMIT_MIN 100
#define XEN_SYSCTL_CSCHED_TSLICE_MAX 1000
#define XEN_SYSCTL_CSCHED_TSLICE_MIN 1
#define XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US (100 * 1000)
#define XEN_SYSCTL_SCHEDOP_putinfo 0
#define XEN_SYSCTL_SCHEDOP_getinfo 1
struct xen_sysctl_credit_schedule {
    uint32_t tslice_ms;
    uint32_t ratelimit_us;
    uint32_t vcpu_migr_delay_us;
};
struct xen_sysctl_credit2_schedule {
    uint32_t ratelimit_us; /* 0: none */
};
struct xen_sysctl_scheduler_op {
    uint32_t cpupool_id; /* in: 0 */
    uint32_t sched_id;   /* in: that of the scheduler, else -XEN_EINVAL */
    uint32_t cmd;        /* in: XEN_SYSCTL_SCHEDOP_* */
    union {
        struct xen_sysctl_sched_arinc653 {
            xen_guest_handle_t schedule;
        } sched_arinc653;
        struct xen_sysctl_credit_schedule sched_credit;
        struct xen_sysctl_credit2_schedule sched_credit2;
    } u;
};

#define XEN_SYSCTL_coverage_op 20 /* -XEN_EOPNOTSUPP */
#define XEN_SYSCTL_psr_cmt_op 21  /* -XEN_EOPNOTSUPP */

/* pcitopoinfo: node of PCI functions. -XEN_ENODEV for one that is not known. */
#define XEN_SYSCTL_pcitopoinfo 22
#define XEN_INVALID_DEV (XEN_INVALID_NODE_ID - 1)
struct xen_sysctl_pcitopoinfo {
    uint32_t num_devs;        /* in; out: done */
    xen_guest_handle_t devs;  /* in: physdev_pci_device_t[] */
    xen_guest_handle_t nodes; /* out: uint32_t[] */
};

#define XEN_SYSCTL_psr_alloc 23 /* -XEN_EOPNOTSUPP */

/* get_cpu_levelling_caps: which CPUID leaves the hardware lets us change for guests. */
#define XEN_SYSCTL_get_cpu_levelling_caps 25
#define XEN_SYSCTL_CPU_LEVELCAP_faulting (1ul << 0) /* all of them: CPUID faults */
#define XEN_SYSCTL_CPU_LEVELCAP_ecx (1ul << 1)
#define XEN_SYSCTL_CPU_LEVELCAP_edx (1ul << 2)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_ecx (1ul << 3)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_edx (1ul << 4)
#define XEN_SYSCTL_CPU_LEVELCAP_xsave_eax (1ul << 5)
#define XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx (1ul << 6)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax (1ul << 7)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx (1ul << 8)
struct xen_sysctl_cpu_levelling_caps {
    uint32_t caps; /* out */
};

/* get_cpu_featureset: CPUID feature words, ordered as arch-x86/cpufeatureset.h. -XEN_ENOBUFS. */
#define XEN_SYSCTL_get_cpu_featureset 26
#define XEN_SYSCTL_cpu_featureset_raw 0
#define XEN_SYSCTL_cpu_featureset_host 1
#define XEN_SYSCTL_cpu_featureset_pv 2
#define XEN_SYSCTL_cpu_featureset_hvm 3
#define XEN_SYSCTL_cpu_featureset_pv_max 4
#define XEN_SYSCTL_cpu_featureset_hvm_max 5
struct xen_sysctl_cpu_featureset {
    uint32_t index;              /* in: XEN_SYSCTL_cpu_featureset_*; hvm: -XEN_EOPNOTSUPP */
    uint32_t nr_features;        /* in, out: words */
    xen_guest_handle_t features; /* out: uint32_t[] */
};

#define XEN_SYSCTL_livepatch_op 27 /* -XEN_EOPNOTSUPP */

/* get_cpu_policy: as in domctl, of the machine (raw, host) and of kinds of guests. -XEN_ENOBUFS. */
#define XEN_SYSCTL_get_cpu_policy 29
#define XEN_SYSCTL_cpu_policy_raw 0
#define XEN_SYSCTL_cpu_policy_host 1
#define XEN_SYSCTL_cpu_policy_pv_max 2
#define XEN_SYSCTL_cpu_policy_hvm_max 3
#define XEN_SYSCTL_cpu_policy_pv_default 4
#define XEN_SYSCTL_cpu_policy_hvm_default 5
struct xen_sysctl_cpu_policy {
    uint32_t index; /* in: XEN_SYSCTL_cpu_policy_*; hvm: -XEN_EOPNOTSUPP */
    uint32_t nr_leaves;
    uint32_t nr_msrs;
    uint32_t _rsvd;            /* 0 */
    xen_guest_handle_t leaves; /* out: xen_cpuid_leaf_t[] */
    xen_guest_handle_t msrs;   /* out: xen_msr_entry_t[] */
};
typedef struct xen_sysctl_cpu_policy xen_sysctl_cpu_policy_t;

struct xen_sysctl {
    uint32_t cmd;               /* XEN_SYSCTL_* */
    uint32_t interface_version; /* XEN_SYSCTL_INTERFACE_VERSION */
    union {
        struct xen_sysctl_readconsole readconsole;
        struct xen_sysctl_tbuf_op tbuf_op;
        struct xen_sysctl_physinfo physinfo;
        struct xen_sysctl_cputopoinfo cputopoinfo;
        struct xen_sysctl_pcitopoinfo pcitopoinfo;
        struct xen_sysctl_numainfo numainfo;
        struct xen_sysctl_sched_id sched_id;
        struct xen_sysctl_perfc_op perfc_op;
        struct xen_sysctl_getdomaininfolist getdomaininfolist;
        struct xen_sysctl_debug_keys debug_keys;
        struct xen_sysctl_getcpuinfo getcpuinfo;
        struct xen_sysctl_availheap availheap;
        struct xen_sysctl_cpu_hotplug cpu_hotplug;
        struct xen_sysctl_cpupool_op cpupool_op;
        struct xen_sysctl_scheduler_op scheduler_op;
        struct xen_sysctl_cpu_levelling_caps cpu_levelling_caps;
        struct xen_sysctl_cpu_featureset cpu_featureset;
        struct xen_sysctl_cpu_policy cpu_policy;
        uint8_t pad[128];
    } u;
};
typedef struct xen_sysctl xen_sysctl_t;

#endif /* XEN_SYSCTL_H */
