/* SPDX-License-Identifier: MIT */
/*
 * sysctl: the machine's CPUs: where they sit, how they are grouped, what they can do. Included by
 * sysctl.h, which says how a call is made.
 *
 * CPUs are named by the hypervisor's own numbers, 0 to max_cpu_id of physinfo, not by their APIC or
 * ACPI ids (those are platform.h's). Not every number need be a CPU that runs.
 *
 * A toolstack asks for these when it starts and keeps the answers: they change only when the
 * machine is started anew.
 */
#ifndef XEN_SYSCTL_CPU_H
#define XEN_SYSCTL_CPU_H

#include <xen/physdev.h>
#include <xen/xen.h>

/*
 * cputopoinfo: core, socket and node of each physical CPU, by its number.
 *
 * Two CPUs with the same core and socket are threads of one core. With a null handle
 * num_cpus is the number of entries there would be. An entry for a CPU that is not
 * there has the INVALID numbers.
 */
#define XEN_SYSCTL_cputopoinfo 16
#define XEN_INVALID_CORE_ID    (~0U)
#define XEN_INVALID_SOCKET_ID  (~0U)
#define XEN_INVALID_NODE_ID    (~0U)
struct xen_sysctl_cputopo {
    uint32_t core;
    uint32_t socket;
    uint32_t node;
};
typedef struct xen_sysctl_cputopo xen_sysctl_cputopo_t;
struct xen_sysctl_cputopoinfo {
    uint32_t num_cpus; /* in, out */
    /* out: xen_sysctl_cputopo_t[] */
    xen_guest_handle_t cputopo;
};

/*
 * numainfo: memory of each node, and the distances between them (10: itself). One node
 * here.
 *
 * distance is a square, row by row: from node i to node j. One node has one entry, 10.
 * A tool that gives room for more finds num_nodes 1.
 */
#define XEN_SYSCTL_numainfo   17
#define XEN_INVALID_MEM_SZ    (~0U)
#define XEN_INVALID_NODE_DIST (~0U)
struct xen_sysctl_meminfo {
    uint64_t memsize; /* bytes */
    uint64_t memfree;
};
typedef struct xen_sysctl_meminfo xen_sysctl_meminfo_t;
struct xen_sysctl_numainfo {
    uint32_t num_nodes; /* in, out */
    /* out: xen_sysctl_meminfo_t[num_nodes] */
    xen_guest_handle_t meminfo;
    /* out: uint32_t[num_nodes][num_nodes] */
    xen_guest_handle_t distance;
};

/*
 * cpupool_op: groups of physical CPUs. There is one, number 0, with all CPUs: INFO describes it
 * (-XEN_ENOENT beyond), FREEINFO gives the empty set; to change something: -XEN_EOPNOTSUPP.
 *
 * Where there are several pools each has CPUs and a scheduler of its own, and a domain
 * runs in one. With one pool a tool that lists them finds all CPUs and all domains in
 * number 0, and needs no case of its own. CREATE, DESTROY, ADDCPU, RMCPU and
 * MOVEDOMAIN would change that.
 */
#define XEN_SYSCTL_cpupool_op            18
#define XEN_SYSCTL_CPUPOOL_OP_CREATE     1
#define XEN_SYSCTL_CPUPOOL_OP_DESTROY    2
#define XEN_SYSCTL_CPUPOOL_OP_INFO       3
#define XEN_SYSCTL_CPUPOOL_OP_ADDCPU     4
#define XEN_SYSCTL_CPUPOOL_OP_RMCPU      5
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO   7
#define XEN_SYSCTL_CPUPOOL_PAR_ANY       0xFFFFFFFF
struct xen_sysctl_cpupool_op {
    /* in: XEN_SYSCTL_CPUPOOL_OP_* */
    uint32_t op;
    /* in: this or the next above; out */
    uint32_t cpupool_id;
    uint32_t sched_id;           /* out */
    uint32_t domid;              /* in: MOVEDOMAIN */
    uint32_t cpu;                /* in: ADDCPU, RMCPU */
    uint32_t n_dom;              /* out: domains in it */
    struct xenctl_bitmap cpumap; /* out */
};

/*
 * scheduler_op: parameters of the scheduler itself. ratelimit: least time on a CPU.
 *
 * Parameters of one domain are domctl's (domctl/sched.h). Those of the scheduler
 * itself are fixed here: getinfo says ratelimit 0, and putinfo takes nothing else
 * (-XEN_EINVAL). -XEN_ESRCH another pool.
 */
#define XEN_SYSCTL_scheduler_op          19
#define XEN_SYSCTL_SCHED_RATELIMIT_MAX   500000
#define XEN_SYSCTL_SCHED_RATELIMIT_MIN   100
#define XEN_SYSCTL_CSCHED_TSLICE_MAX     1000
#define XEN_SYSCTL_CSCHED_TSLICE_MIN     1
#define XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US (100 * 1000)
#define XEN_SYSCTL_SCHEDOP_putinfo       0
#define XEN_SYSCTL_SCHEDOP_getinfo       1
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
    /* in: that of the scheduler, else -XEN_EINVAL */
    uint32_t sched_id;
    /* in: XEN_SYSCTL_SCHEDOP_* */
    uint32_t cmd;
    union {
        struct xen_sysctl_sched_arinc653 {
            xen_guest_handle_t schedule;
        } sched_arinc653;
        struct xen_sysctl_credit_schedule sched_credit;
        struct xen_sysctl_credit2_schedule sched_credit2;
    } u;
};

/*
 * Counts of executed lines, from a build made for it.
 */
#define XEN_SYSCTL_coverage_op 20 /* -XEN_EOPNOTSUPP */
#define XEN_SYSCTL_psr_cmt_op  21 /* -XEN_EOPNOTSUPP */

/*
 * pcitopoinfo: node of PCI functions; XEN_INVALID_DEV for one that is not there.
 *
 * num_devs says how many were done, which may be fewer than were given: the tool goes on
 * behind them. -XEN_EINVAL without both arrays.
 */
#define XEN_SYSCTL_pcitopoinfo 22
#define XEN_INVALID_DEV        (XEN_INVALID_NODE_ID - 1)
struct xen_sysctl_pcitopoinfo {
    uint32_t num_devs; /* in, out */
    /* in: physdev_pci_device_t[] */
    xen_guest_handle_t devs;
    xen_guest_handle_t nodes; /* out: uint32_t[] */
};

#define XEN_SYSCTL_psr_alloc 23 /* -XEN_EOPNOTSUPP */

/*
 * get_cpu_levelling_caps: which CPUID leaves the hardware lets us change for guests.
 *
 * Levelling is to show a guest the features of the weakest machine that it may be
 * moved to. Whether an answer of CPUID can be changed for a guest that executes the
 * instruction depends on the CPU; a PV guest asks by XEN_CPUID (arch-x86/xen.h), which
 * needs none of these.
 */
#define XEN_SYSCTL_get_cpu_levelling_caps   25
#define XEN_SYSCTL_CPU_LEVELCAP_faulting    (1ul << 0) /* all of them: CPUID faults */
#define XEN_SYSCTL_CPU_LEVELCAP_ecx         (1ul << 1)
#define XEN_SYSCTL_CPU_LEVELCAP_edx         (1ul << 2)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_ecx    (1ul << 3)
#define XEN_SYSCTL_CPU_LEVELCAP_extd_edx    (1ul << 4)
#define XEN_SYSCTL_CPU_LEVELCAP_xsave_eax   (1ul << 5)
#define XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx (1ul << 6)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax    (1ul << 7)
#define XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx    (1ul << 8)
struct xen_sysctl_cpu_levelling_caps {
    uint32_t caps; /* out */
};

/*
 * get_cpu_featureset: CPUID feature words, ordered as arch-x86/cpufeatureset.h.
 * -XEN_ENOBUFS.
 *
 * raw: as the CPU says. host: what the hypervisor itself uses. pv, pv_max: what a PV
 * guest gets, and the most it could be given. A toolstack compares the sets of two
 * machines before it moves a guest.
 */
#define XEN_SYSCTL_get_cpu_featureset     26
#define XEN_SYSCTL_cpu_featureset_raw     0
#define XEN_SYSCTL_cpu_featureset_host    1
#define XEN_SYSCTL_cpu_featureset_pv      2
#define XEN_SYSCTL_cpu_featureset_hvm     3
#define XEN_SYSCTL_cpu_featureset_pv_max  4
#define XEN_SYSCTL_cpu_featureset_hvm_max 5
struct xen_sysctl_cpu_featureset {
    /* in: XEN_SYSCTL_cpu_featureset_*; hvm: -XEN_EOPNOTSUPP */
    uint32_t index;
    uint32_t nr_features;        /* in, out: words */
    xen_guest_handle_t features; /* out: uint32_t[] */
};

/*
 * livepatch_op: exchanging parts of the hypervisor while it runs. A fixed hypervisor is
 * started anew here, so there is never a patch: LIST answers 0, and no patches left
 * (nr); the other commands -XEN_EOPNOTSUPP; -XEN_EINVAL a reserved field that is not 0.
 *
 * A tool asks for the list to tell its operator what runs. nr is how many entries its
 * arrays have; of none, they are not looked at.
 */
#define XEN_SYSCTL_livepatch_op     27
#define XEN_SYSCTL_LIVEPATCH_UPLOAD 0
#define XEN_SYSCTL_LIVEPATCH_GET    1
#define XEN_SYSCTL_LIVEPATCH_LIST   2
#define XEN_SYSCTL_LIVEPATCH_ACTION 3
struct xen_sysctl_livepatch_list {
    /* out: another one where the list has changed since */
    uint32_t version;
    uint32_t idx; /* in: the first to be told of */
    uint32_t nr;  /* in, out: entries; left */
    uint32_t pad; /* 0 */
    /* out: bytes of all names, and of what else is known */
    uint32_t name_total_size;
    uint32_t metadata_total_size;
    xen_guest_handle_t status;       /* out: state and result of each */
    xen_guest_handle_t name;         /* out: char[] */
    xen_guest_handle_t len;          /* out: uint32_t[] */
    xen_guest_handle_t metadata;     /* out: char[] */
    xen_guest_handle_t metadata_len; /* out: uint32_t[] */
};
struct xen_sysctl_livepatch_op {
    uint32_t cmd; /* in: XEN_SYSCTL_LIVEPATCH_* */
    uint32_t pad; /* 0 */
    union {
        struct xen_sysctl_livepatch_list list;
    } u;
};

/*
 * get_cpu_policy: as in domctl, of the machine (raw, host) and of kinds of guests.
 * -XEN_ENOBUFS.
 *
 * A policy is a featureset and everything else that CPUID and MSRs tell, as lists
 * (arch-x86/xen.h). A toolstack takes pv_default, changes it as the configuration
 * says, and gives it to the new domain by XEN_DOMCTL_set_cpu_policy. With null handles
 * the call tells how long the lists can be.
 */
#define XEN_SYSCTL_get_cpu_policy         29
#define XEN_SYSCTL_cpu_policy_raw         0
#define XEN_SYSCTL_cpu_policy_host        1
#define XEN_SYSCTL_cpu_policy_pv_max      2
#define XEN_SYSCTL_cpu_policy_hvm_max     3
#define XEN_SYSCTL_cpu_policy_pv_default  4
#define XEN_SYSCTL_cpu_policy_hvm_default 5
struct xen_sysctl_cpu_policy {
    /* in: XEN_SYSCTL_cpu_policy_*; hvm: -XEN_EOPNOTSUPP */
    uint32_t index;
    uint32_t nr_leaves;
    uint32_t nr_msrs;
    uint32_t _rsvd; /* 0 */
    /* out: xen_cpuid_leaf_t[] */
    xen_guest_handle_t leaves;
    /* out: xen_msr_entry_t[] */
    xen_guest_handle_t msrs;
};
typedef struct xen_sysctl_cpu_policy xen_sysctl_cpu_policy_t;

#endif /* XEN_SYSCTL_CPU_H */
