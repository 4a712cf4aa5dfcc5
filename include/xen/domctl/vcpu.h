/* SPDX-License-Identifier: MIT */
/*
 * domctl: vCPUs of a domain.
 *
 * What a builder sets, what a saver reads and a restorer writes (all of it with the domain
 * paused), where vCPUs may run, what CPU the guest sees, and what a debugger asks.
 *
 * The state of a vCPU is in five pieces, in the order in which a restorer gives them:
 * vcpucontext (registers, tables, callbacks), ext_vcpucontext (32-bit entry points, machine
 * check), vcpuextstate (FPU beyond FXSAVE), vcpu_msrs, tsc_info of the domain.
 *
 * A vCPU that does not exist: -XEN_ESRCH or -XEN_EINVAL, as noted.
 */
#ifndef XEN_DOMCTL_VCPU_H
#define XEN_DOMCTL_VCPU_H

#include <xen/xen.h>

/*
 * setvcpucontext: with a null handle, takes the state away (the vCPU must not be in use).
 * -XEN_EINVAL no such vCPU, or a value that the guest could not have set itself.
 * getvcpucontext: -XEN_ESRCH no such vCPU, -XEN_ENODATA it has no state.
 */
struct xen_domctl_vcpucontext {
    uint32_t vcpu;           /* in */
    xen_guest_handle_t ctxt; /* in or out: vcpu_guest_context_t */
};

/* getvcpuinfo: -XEN_ESRCH no such vCPU. */
struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;             /* in */
    uint8_t online;            /* out: not down */
    uint8_t blocked;           /* out */
    uint8_t running;           /* out: on a CPU */
    uint64_aligned_t cpu_time; /* out: ns */
    uint32_t cpu;              /* out: physical CPU that it is on or was last */
};

/* setnodeaffinity, getnodeaffinity: NUMA nodes for the domain's memory. Node 0 is the only one. */
struct xen_domctl_nodeaffinity {
    struct xenctl_bitmap nodemap;
};

/*
 * setvcpuaffinity, getvcpuaffinity: physical CPUs where it may run (hard) and better run (soft).
 * set: the bitmaps named in flags are read, and receive what is in effect. -XEN_ESRCH no such
 * vCPU; -XEN_EINVAL an empty set, or no flag.
 */
#define _XEN_VCPUAFFINITY_HARD 0
#define XEN_VCPUAFFINITY_HARD (1U << _XEN_VCPUAFFINITY_HARD)
#define _XEN_VCPUAFFINITY_SOFT 1
#define XEN_VCPUAFFINITY_SOFT (1U << _XEN_VCPUAFFINITY_SOFT)
#define _XEN_VCPUAFFINITY_FORCE 2
#define XEN_VCPUAFFINITY_FORCE (1U << _XEN_VCPUAFFINITY_FORCE) /* over a pin_override */
struct xen_domctl_vcpuaffinity {
    uint32_t vcpu;  /* in */
    uint32_t flags; /* in */
    struct xenctl_bitmap cpumap_hard;
    struct xenctl_bitmap cpumap_soft;
};

/* Machine-check state of a vCPU, as it is saved. All zero here. */
struct hvm_vmce_vcpu {
    uint64_t caps;
    uint64_t mci_ctl2_bank0;
    uint64_t mci_ctl2_bank1;
    uint64_t mcg_ext_ctl;
};

/*
 * set_ext_vcpucontext, get_ext_vcpucontext: entry points for 32-bit user programs, and
 * machine-check state. size: bytes that the caller knows of; what is beyond is left alone.
 * -XEN_EINVAL a non-canonical address; -XEN_ESRCH no such vCPU.
 */
struct xen_domctl_ext_vcpucontext {
    uint32_t vcpu; /* in */
    uint32_t size; /* set: in; get: out */
    uint64_aligned_t syscall32_callback_eip;
    uint64_aligned_t sysenter_callback_eip;
    uint16_t syscall32_callback_cs;
    uint16_t sysenter_callback_cs;
    uint8_t syscall32_disables_events;
    uint8_t sysenter_disables_events;
    union {
        uint64_aligned_t mcg_cap;
        struct hvm_vmce_vcpu vmce;
    };
};

/*
 * get_cpu_policy, set_cpu_policy: CPUID leaves and MSRs as the guest sees them. nr_*: in room or
 * number; out number. With null handles get tells the greatest numbers. -XEN_ENOBUFS no
 * room. set: only before the first instruction (-XEN_EEXIST), and nothing that the host has not:
 * -XEN_EINVAL, with the offender in err_* (all ones: none).
 */
#define XEN_CPUID_INPUT_UNUSED 0xFFFFFFFF
struct xen_domctl_cpu_policy {
    uint32_t nr_leaves;
    uint32_t nr_msrs;
    xen_guest_handle_t leaves; /* xen_cpuid_leaf_t[] */
    xen_guest_handle_t msrs;   /* xen_msr_entry_t[] */
    uint32_t err_leaf, err_subleaf, err_msr;
};
typedef struct xen_domctl_cpu_policy xen_domctl_cpu_policy_t;

/*
 * setvcpuextstate, getvcpuextstate: XSAVE state: xcr0, the greatest xcr0 used, then the XSAVE area.
 * get with a null handle tells size and mask. size 0: the machine has no XSAVE. -XEN_EINVAL.
 */
struct xen_domctl_vcpuextstate {
    uint32_t vcpu;                  /* in */
    uint64_aligned_t xfeature_mask; /* in set, out get */
    uint64_aligned_t size;          /* in, out */
    xen_guest_handle_t buffer;      /* uint64_t[size / 8] */
};

/*
 * get_vcpu_msrs, set_vcpu_msrs: MSRs of a vCPU that are not elsewhere, those not 0. get with a null
 * handle tells the number. -XEN_ENOBUFS no room; -XEN_EINVAL one that guests cannot have.
 */
struct xen_domctl_vcpu_msr {
    uint32_t index;
    uint32_t reserved;
    uint64_aligned_t value;
};
typedef struct xen_domctl_vcpu_msr xen_domctl_vcpu_msr_t;
struct xen_domctl_vcpu_msrs {
    uint32_t vcpu;           /* in */
    uint32_t msr_count;      /* in, out */
    xen_guest_handle_t msrs; /* xen_domctl_vcpu_msr_t[] */
};

/*
 * gettscinfo, settscinfo: what RDTSC is in the guest. Mode 0 (default) and 2 (never emulate):
 * the CPU's own. Mode 1 (always emulate): -XEN_EOPNOTSUPP. elapsed_nsec: system time that the
 * domain has seen, so that it goes on after a restore.
 */
struct xen_domctl_tsc_info {
    uint32_t tsc_mode;
    uint32_t gtsc_khz;
    uint32_t incarnation; /* times restored */
    uint32_t pad;
    uint64_aligned_t elapsed_nsec;
};

/* debug_op: single-stepping by the hypervisor: fully virtualized guests only, -XEN_EOPNOTSUPP. */
#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF 0
#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON 1
struct xen_domctl_debug_op {
    uint32_t op;
    uint32_t vcpu;
};

/*
 * gdbsx_guestmemio: reads or writes memory of a domain by virtual address, for a debugger.
 * remain: bytes not done. -XEN_EFAULT when not all was.
 */
struct xen_domctl_gdbsx_memio {
    uint64_aligned_t pgd3val; /* page table to use; 0: that of vCPU 0 */
    uint64_aligned_t gva;     /* in the guest */
    uint64_aligned_t uva;     /* in the caller */
    uint32_t len;
    uint8_t gwr;     /* 1: write to the guest */
    uint32_t remain; /* out */
};

/* gdbsx_pausevcpu, gdbsx_unpausevcpu: one vCPU of a paused domain. -XEN_EBUSY, -XEN_EINVAL. */
struct xen_domctl_gdbsx_pauseunp_vcpu {
    uint32_t vcpu;
};

/* gdbsx_domstatus: is it stopped, and which vCPU stopped it. */
struct xen_domctl_gdbsx_domstatus {
    uint8_t paused;   /* out */
    uint32_t vcpu_id; /* out; all ones: none */
    uint32_t vcpu_ev; /* out: what it was */
};

#endif /* XEN_DOMCTL_VCPU_H */
