/* SPDX-License-Identifier: MIT */
/*
 * The kind of a guest: all that core asks of it, and then the machine. pv/ and hvm/ are a kind
 * each; core and x86/ know neither.
 */
#ifndef HV_GUEST_OPS_H
#define HV_GUEST_OPS_H

#include <hv/types.h>
#include <xen/event_channel.h>

struct domain;
struct vcpu;
struct vcpu_guest_context;
struct page_info;
struct xen_add_to_physmap;

/* What a boot-time domain is made of. The files lie in memory that stays while the domain is built.
 */
struct build_args {
    const void *kernel, *ramdisk; /* ramdisk: NULL when there is none */
    uint64_t kernel_size, ramdisk_size;
    const char *cmdline;
    uint64_t nr_pages;
    evtchn_port_t store_port, console_port;
};

struct hypercall_set;

struct guest_ops {
    const struct hypercall_set *hypercalls;
    /* How the control domain asks for this kind: XEN_DOMCTL_CDF_hvm and hap, XEN_X86_EMU_* */
    uint32_t create_flags, emulation;
    /* XEN_SYSCTL_PHYSCAP_* that the machine has for it. NULL: it needs none */
    uint32_t (*capabilities)(void);
    int __must_check (*domain_init)(struct domain *d);
    void (*domain_free)(struct domain *d); /* the last step: its frames are gone already */
    int __must_check (*vcpu_init)(struct vcpu *v);
    /* At the end of the domain, and again when its struct goes. */
    void (*vcpu_free)(struct vcpu *v);
    /* setvcpucontext / VCPUOP_initialise: checks and takes the whole context, or changes nothing.
     * -XEN_ERESTART: again. */
    int __must_check (*set_context)(struct vcpu *v, const struct vcpu_guest_context *ctxt);
    void (*get_context)(struct vcpu *v, struct vcpu_guest_context *ctxt);
    /* Gives a fresh domain its memory, loads the kernel and readies vCPU 0. *store and *console:
     * the frames of its rings, or INVALID_GFN. Boot only: it may take long. What was taken on
     * failure is given back by domain_kill(). */
    int __must_check (*build)(struct domain *d, const struct build_args *args, gfn_t *store,
                              gfn_t *console);
    /* Teardown, step 1: gives back what the vCPUs hold (page tables, descriptor tables).
     * -XEN_ERESTART: again. */
    int __must_check (*relinquish_vcpus)(struct domain *d);
    /* Teardown, step 2, of each frame: undoes what d did with it. -XEN_ERESTART: again. */
    int __must_check (*undo_frame)(struct page_info *pg, struct domain *d);
    /* The frame that d means by this number in a hypercall, at this moment: not looked at, and no
     * reference is taken. get_page_from_gfn() is what there is for others. */
    mfn_t (*gfn_to_mfn)(const struct domain *d, gfn_t gfn);
    /* Takes this frame out of where d has it, as decrease_reservation does: 0, -XEN_E* (it may be
     * another that is there by now). NULL: d's frames lie nowhere but in its own page tables
     * (is_translated()). */
    int __must_check (*take_out)(struct domain *d, gfn_t gfn, mfn_t mfn);
    /* With take_out: 2^order frames of d, from mfn on, are at gfn and what follows from now on, or
     * none is. */
    int __must_check (*put_in)(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order);
    /* HVMOP_get_param and set_param; set_evtchn_upcall_vector. NULL: d's kind has none */
    int __must_check (*param)(struct domain *d, bool set, uint32_t index, uint64_t *value);
    int __must_check (*set_upcall_vector)(struct vcpu *v, uint8_t vector);
    void (*press_power_button)(struct domain *d); /* NULL: d's machine has none */
    int __must_check (*add_to_physmap)(struct domain *d, const struct xen_add_to_physmap *a);
    /* Copies between the hypervisor (hv) and an address of v, whose registers this CPU has: 0,
     * -XEN_EFAULT after a part. NULL: what v's page tables map is mapped for the hypervisor too. */
    int __must_check (*copy)(const struct vcpu *v, void *hv, gva_t va, size_t n, bool write);
    /* What CPUID tells of a domain of this kind that has no policy, but for what is a vCPU's own.
     * NULL: it cannot be given one. */
    void (*cpuid)(uint32_t leaf, uint32_t sub, uint32_t out[4]);
    /* What the control domain is told of a frame: XEN_DOMCTL_PFINFO_*. */
    uint64_t (*frame_info)(const struct page_info *pg);
    /* A general reference on a frame of d and, where its frames have types, one of the writable
     * type, if it may have them; and back. */
    bool __must_check (*get_writable)(struct page_info *pg, struct domain *d);
    void (*put_writable)(struct page_info *pg);
    /* GNTTABOP_map/unmap_grant_ref into the current domain's page tables (host_addr is a virtual
     * address, or with GNTMAP_contains_pte the machine address of the entry). References of the
     * frame are the caller's. 0 or GNTST_*. new_addr: GNTTABOP_unmap_and_replace. NULL, both: such
     * a guest maps none. */
    int __must_check (*grant_map)(uint64_t host_addr, mfn_t frame, unsigned int flags);
    int __must_check (*grant_unmap)(uint64_t host_addr, mfn_t frame, unsigned int flags,
                                    uint64_t new_addr);
    /* PHYSDEVOP_set_iopl (0 to 3) and set_iobitmap (of nr_ports bits): which port accesses fault.
     * NULL, both: none do by these. */
    void (*set_iopl)(struct vcpu *v, unsigned int level);
    void (*set_iobitmap)(struct vcpu *v, gva_t bitmap, unsigned int nr_ports);
    void (*fill_hypercall_page)(void *page);      /* XEN_DOMCTL_hypercall_init */
    uint32_t (*features)(const struct domain *d); /* XENFEAT_* that d has by its kind, bit each */
    /* Something that ends a wait can be delivered now: an event, or an NMI */
    bool (*event_pending)(const struct vcpu *v);
    /* evtchn_upcall_pending was set; v is woken and kicked behind that. NULL: it is on its way to
     * the guest that v finds it. Any CPU, with locks up to RANK_EVTCHN */
    void (*upcall)(struct vcpu *v);
    /* The current vCPU, whose domain crashed: to the log */
    void (*show_vcpu)(const struct vcpu *v);

    /* --- what the machine asks --- */
    /* v comes onto this CPU, or goes: what of it is in registers then, beside the general ones and
     * the FPU's. Another's page table is loaded when it comes, its own when it goes. */
    void (*load)(struct vcpu *v);
    void (*save)(struct vcpu *v);
    /* Code and no function, it does not return: enters v, which is rbx, while rsp = this_cpu()
     * (x86/entry.asm). */
    void (*enter)(void);
    /* Exceptions of the running vCPU in ring 3, not NMI, #DF, #MC: vector and error code are in
     * v->regs. dr6: what it collected, of a debug exception. */
    void (*page_fault)(struct vcpu *v, uint64_t cr2);
    void (*exception)(struct vcpu *v, uint64_t dr6);
    /* The hypervisor faulted at an address that v's kind maps when it is touched: true when it is
     * there now. */
    bool (*bring_in)(struct vcpu *v, uint64_t at);
};

#endif
