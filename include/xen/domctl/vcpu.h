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
 *
 * A vCPU has a number from 0 to max_vcpus - 1 for the whole life of its domain. It
 * exists from max_vcpus on, has no state until setvcpucontext or VCPUOP_initialise,
 * and is online when it is not down. What is asked of a running vCPU is what it was at
 * some moment during the call.
 */
#ifndef XEN_DOMCTL_VCPU_H
#define XEN_DOMCTL_VCPU_H

#include <xen/xen.h>

/*
 * setvcpucontext: with a null handle, takes the state away (the vCPU must not be in use).
 * -XEN_EINVAL no such vCPU, or a value that the guest could not have set itself.
 * getvcpucontext: -XEN_ESRCH no such vCPU, -XEN_ENODATA it has no state.
 *
 * The structure is of 5168 bytes and is described with the guest's side
 * (arch-x86/xen.h). The same checks hold as if the guest had set each part by its own
 * call: selectors, addresses that are canonical, frames that are its own and fit to be
 * descriptor tables and page tables. A builder sets it once, with the domain paused;
 * XEN_DOMCTL_getvcpucontext of a vCPU that runs is refused by nothing, but shows
 * registers that are old already.
 *
 * A fully virtualized domain begins by PVH (arch-x86/hvm/start_info.h), so of the context of
 * vCPU 0 count rip and rbx, and cr0 and cr4 say that it is meant so; -XEN_EINVAL else. Its
 * console must be known by then (hvm/params.h). That it is given once, and that the guest starts
 * the others: -XEN_EOPNOTSUPP.
 */
struct xen_domctl_vcpucontext {
    uint32_t vcpu; /* in */
    /* in or out: vcpu_guest_context_t */
    xen_guest_handle_t ctxt;
};

/*
 * getvcpuinfo: -XEN_ESRCH no such vCPU.
 *
 * What `xl vcpu-list` and `pvctl dominfo` print. A vCPU that waits for an event is
 * blocked; one that is online and neither blocked nor running wants a CPU.
 */
struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;             /* in */
    uint8_t online;            /* out: not down */
    uint8_t blocked;           /* out */
    uint8_t running;           /* out: on a CPU */
    uint64_aligned_t cpu_time; /* out: ns */
    /* out: physical CPU that it is on or was last */
    uint32_t cpu;
};

/* setnodeaffinity, getnodeaffinity: NUMA nodes for the domain's memory. Node 0 is the only one. */
struct xen_domctl_nodeaffinity {
    struct xenctl_bitmap nodemap;
};

/*
 * setvcpuaffinity, getvcpuaffinity: physical CPUs where it may run (hard) and better run (soft).
 * set: the bitmaps named in flags are read, and receive what is in effect. -XEN_ESRCH no such
 * vCPU; -XEN_EINVAL an empty set, or no flag; -XEN_EBUSY it has pinned itself, and FORCE is not
 * given.
 *
 * Bits beyond the machine's CPUs are ignored, so all ones stands for "anywhere". What
 * comes back in the bitmaps is what holds after the call, cut to the caller's room; of the
 * soft set, what is in the hard one. The soft set is kept and shown, and no more: with one
 * run queue for all CPUs the scheduler has nothing to prefer.
 */
#define _XEN_VCPUAFFINITY_HARD  0
#define XEN_VCPUAFFINITY_HARD   (1U << _XEN_VCPUAFFINITY_HARD)
#define _XEN_VCPUAFFINITY_SOFT  1
#define XEN_VCPUAFFINITY_SOFT   (1U << _XEN_VCPUAFFINITY_SOFT)
#define _XEN_VCPUAFFINITY_FORCE 2
#define XEN_VCPUAFFINITY_FORCE  (1U << _XEN_VCPUAFFINITY_FORCE) /* over a pin_override */
struct xen_domctl_vcpuaffinity {
    uint32_t vcpu;  /* in */
    uint32_t flags; /* in */
    struct xenctl_bitmap cpumap_hard;
    struct xenctl_bitmap cpumap_soft;
};

/*
 * Machine-check state of a vCPU, as it is saved. All zero here.
 *
 * A virtual machine-check bank: none is shown to guests, so all of it is 0 when it is
 * read and must be 0 when it is written.
 */
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
 * -XEN_EINVAL, with the offender in err_* (all ones: none), which are written on failure too.
 * -XEN_ERANGE a leaf or MSR that no policy has; -XEN_E2BIG more than the greatest numbers.
 *
 * set changes the leaves that are given; the others stay. Leaves come in any order. A
 * feature that is not given any more is not shown to the guest's XEN_CPUID; name, model and caches
 * are shown as given. What is a vCPU's own (its APIC's number, whether it turned XSAVE on) or tells
 * of threads and cores is not the policy's, whatever stands there.
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
 *
 * The area is in the CPU's standard form, legacy region, header, and the parts of
 * xfeature_mask at the places that CPUID leaf 0xd gives. A restorer on a CPU without
 * one of the parts is refused.
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
 *
 * Registers that a guest may write and that a switch of vCPUs exchanges; those that
 * can be set by a call of their own (segment bases, syscall entry) are in the context
 * and not in the list.
 */
struct xen_domctl_vcpu_msr {
    uint32_t index;
    uint32_t reserved;
    uint64_aligned_t value;
};
typedef struct xen_domctl_vcpu_msr xen_domctl_vcpu_msr_t;
struct xen_domctl_vcpu_msrs {
    uint32_t vcpu;      /* in */
    uint32_t msr_count; /* in, out */
    /* xen_domctl_vcpu_msr_t[] */
    xen_guest_handle_t msrs;
};

/*
 * gettscinfo, settscinfo: what RDTSC is in the guest. Mode 0 (default) and 2 (never emulate):
 * the CPU's own. Mode 1 (always emulate): -XEN_EOPNOTSUPP. elapsed_nsec: system time that the
 * domain has seen, so that it goes on after a restore.
 *
 * A guest whose TSC would be emulated would see one clock on every machine, and pay
 * for each reading with a trap; Parvis leaves the instruction to the CPU and refuses
 * the mode that needs it.
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
#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON  1
struct xen_domctl_debug_op {
    uint32_t op;
    uint32_t vcpu;
};

/*
 * gdbsx_guestmemio: reads or writes memory of a domain by virtual address, for a debugger.
 * remain: bytes not done. -XEN_EFAULT when not all was.
 *
 * The protocol of a debugger that runs in the control domain beside the guest: pause,
 * read and write by the guest's own addresses, step by breakpoints, go on.
 */
struct xen_domctl_gdbsx_memio {
    /* page table to use; 0: that of vCPU 0 */
    uint64_aligned_t pgd3val;
    uint64_aligned_t gva; /* in the guest */
    uint64_aligned_t uva; /* in the caller */
    uint32_t len;
    /* 1: write to the guest */
    uint8_t gwr;
    uint32_t remain; /* out */
};

/* gdbsx_pausevcpu, gdbsx_unpausevcpu: one vCPU of a paused domain. -XEN_EBUSY, -XEN_EINVAL. */
struct xen_domctl_gdbsx_pauseunp_vcpu {
    uint32_t vcpu;
};

/* gdbsx_domstatus: is it stopped, and which vCPU stopped it. */
struct xen_domctl_gdbsx_domstatus {
    uint8_t paused; /* out */
    /* out; all ones: none */
    uint32_t vcpu_id;
    uint32_t vcpu_ev; /* out: what it was */
};

#endif /* XEN_DOMCTL_VCPU_H */
