/* SPDX-License-Identifier: MIT */
/*
 * The x86 side of the guest ABI: descriptor tables, traps, FPU, debug registers, and the full
 * state of a vCPU.
 *
 * A PV kernel runs in ring 3 of a 64-bit CPU and has no access to descriptor tables, control
 * registers or the interrupt flag. For each it makes a call instead:
 *
 * set_trap_table(struct trap_info *table)
 *     the guest's IDT: a list that ends with an entry whose address is 0; null removes all
 *     handlers. A vector that is not in the list keeps what it had. Code selectors get privilege
 *     3. A trap without a handler kills the domain, as a triple fault does on hardware.
 *     -XEN_EINVAL: a non-canonical address, or no end within 257 entries; what stood before is
 *     done.
 * set_gdt(unsigned long *frames, unsigned int entries)
 *     the GDT: mfns of up to 14 pages, up to 7168 entries. The hypervisor adds its own entries
 *     from FIRST_RESERVED_GDT_ENTRY on. The pages become of type descriptor table: every entry is
 *     checked and the guest can no longer write to them, so it must have no writable mapping of
 *     them when it calls. 0 entries: none. -XEN_EINVAL for a page that is not its own or has an
 *     entry that is not allowed.
 * update_descriptor(uint64_t machine_address, uint64_t descriptor)
 *     changes one entry, of a GDT or LDT page or of a page that may become one. -XEN_EINVAL for a
 *     system segment (gates, TSS), or a page that is not the guest's.
 * stack_switch(unsigned long ss, unsigned long rsp)
 *     the stack on which the guest's kernel is entered from its user mode. Any values are taken:
 *     a bad stack shows when it is used, and then kills the domain. Kernels call this at each
 *     switch of tasks. Returns 0.
 * fpu_taskswitch(int set)
 *     sets or clears the guest's TS flag: while it is set, the next FPU instruction raises #NM,
 *     so that a kernel can restore FPU state when it is needed. Handing over #NM clears it.
 *     Returns 0.
 * set_debugreg(int reg, unsigned long value), get_debugreg(int reg)
 *     DR0-3, DR6, DR7 of this vCPU; 4 and 5 stand for 6 and 7 unless CR4.DE is set. set:
 *     -XEN_EPERM for a breakpoint in the hypervisor's hole, on I/O, or with general detect;
 *     -XEN_ENODEV for a register that does not exist. Reserved bits are set as hardware has
 *     them. get: the value, or -XEN_ENODEV.
 *
 * Entry into the guest. Trap frame at its kernel stack, from low address to high:
 * rcx, r11, [error code], rip, cs, rflags, rsp, ss: as hardware has it, with rcx and r11 (which
 * sysret destroys) in front. Byte 4 of the slot of cs holds evtchn_upcall_mask as it was. IF
 * in the pushed rflags is the inverse of that mask. cs shows privilege 0 in a frame that comes
 * from the guest's kernel mode and 3 in one from its user mode. On entry the mask is set if the
 * table entry or callback says so.
 *
 * Privileged instructions in guest kernel mode (CR0, CR3, CR4, MSRs, I/O, WBINVD, CLTS, CLI, STI)
 * raise #GP on the CPU; the hypervisor emulates those that make sense and hands over #GP for
 * the others. CLI, STI, PUSHF, POPF that do not fault do nothing useful: a guest uses its mask.
 */
#ifndef XEN_ARCH_X86_XEN_H
#define XEN_ARCH_X86_XEN_H

#include <xen/types.h>
#include <xen/arch-x86/xen-x86_64.h>

#define XEN_HAVE_PV_GUEST_ENTRY 1 /* guests start as start_info.h says */
#define XEN_HAVE_PV_UPCALL_MASK 1 /* vcpu_info has evtchn_upcall_mask */

/* The guest's part of the GDT ends here; selectors above are the hypervisor's. */
#define FIRST_RESERVED_GDT_PAGE  14
#define FIRST_RESERVED_GDT_BYTE  (FIRST_RESERVED_GDT_PAGE * 4096)
#define FIRST_RESERVED_GDT_ENTRY (FIRST_RESERVED_GDT_BYTE / 8)

/* vCPUs that have their vcpu_info in the shared-info page. */
#define XEN_LEGACY_MAX_VCPUS 32

/*
 * The vectors that a kernel must have for itself: 0 to 20 as the CPU numbers them, of
 * which #PF (14), #GP (13) and the others of 8, 10 to 14 and 17 push an error code.
 * CR2 is in vcpu_info.arch.cr2. Software interrupts (INT n) are let through when the
 * caller's privilege is at most the number in bits 0-1 of flags: 3 for vectors that
 * user programs may raise (3, 4, 0x80).
 *
 *     static const struct trap_info traps[] = {
 *         {3, 3, FLAT_KERNEL_CS, (unsigned long)breakpoint},
 *         {14, 0 | 4, FLAT_KERNEL_CS, (unsigned long)page_fault},     (4: events masked)
 *         {0, 0, 0, 0},
 *     };
 *     set_trap_table(traps);
 */
struct trap_info {
    uint8_t vector; /* 0..255 */
    /* bits 0-1: privilege needed to raise it by INT n; bit 2: mask events */
    uint8_t flags;
    /* code selector of the handler */
    uint16_t cs;
    /* its address; 0 ends the table */
    unsigned long address;
};
typedef struct trap_info trap_info_t;

#define TI_GET_DPL(_ti)       ((_ti)->flags & 3)
#define TI_GET_IF(_ti)        ((_ti)->flags & 4)
#define TI_SET_DPL(_ti, _dpl) ((_ti)->flags |= (_dpl))
#define TI_SET_IF(_ti, _if)   ((_ti)->flags |= ((!!(_if)) << 2))

typedef uint64_t tsc_timestamp_t;

/*
 * Everything about a vCPU that a builder sets before its first instruction (VCPUOP_initialise,
 * XEN_DOMCTL_setvcpucontext) and a saver reads (XEN_DOMCTL_getvcpucontext). Every selector,
 * frame and address in it is checked as if set by the call for it.
 *
 * What a caller leaves 0 starts as on hardware after reset, as far as there is such a
 * thing: no LDT, no breakpoints, FPU as after FNINIT. The page table in ctrlreg[3]
 * must be a level-4 table that the domain owns or a page that can become one;
 * ctrlreg[1] may be 0.
 */
#define VGCF_I387_VALID                (1 << 0) /* fpu_ctxt has state, else as after reset */
#define VGCF_IN_KERNEL                 (1 << 2) /* the vCPU is in guest kernel mode */
#define _VGCF_i387_valid               0
#define VGCF_i387_valid                (1 << _VGCF_i387_valid)
#define _VGCF_in_kernel                2
#define VGCF_in_kernel                 (1 << _VGCF_in_kernel)
#define _VGCF_failsafe_disables_events 3
#define VGCF_failsafe_disables_events  (1 << _VGCF_failsafe_disables_events)
#define _VGCF_syscall_disables_events  4
#define VGCF_syscall_disables_events   (1 << _VGCF_syscall_disables_events)
#define _VGCF_online                   5
#define VGCF_online                    (1 << _VGCF_online) /* runs at once, without VCPUOP_up */

struct vcpu_guest_context {
    struct {
        char x[512];
    } fpu_ctxt;          /* FXSAVE image */
    unsigned long flags; /* VGCF_* */
    /* rflags: IOPL and IF are ours, see event mask */
    struct cpu_user_regs user_regs;
    /* entry i is vector i */
    struct trap_info trap_ctxt[256];
    /* virtual address, entries */
    unsigned long ldt_base, ldt_ents;
    unsigned long gdt_frames[16], gdt_ents; /* mfns, entries */
    unsigned long kernel_ss, kernel_sp;     /* as stack_switch */
    /* [0] CR0.TS; [1] user, [3] kernel page table; [4] CR4 */
    unsigned long ctrlreg[8];
    unsigned long debugreg[8]; /* DB0-DB7 */
    /* as CALLBACKTYPE_event */
    unsigned long event_callback_eip;
    /* as CALLBACKTYPE_failsafe */
    unsigned long failsafe_callback_eip;
    /* as CALLBACKTYPE_syscall */
    unsigned long syscall_callback_eip;
    /* bit VMASST_TYPE_*; vCPU 0 alone */
    unsigned long vm_assist;
    uint64_t fs_base;
    uint64_t gs_base_kernel;
    uint64_t gs_base_user;
};
typedef struct vcpu_guest_context vcpu_guest_context_t;

/*
 * The guest's part of shared_info: where its list of frames is, for whoever saves it. Either a
 * tree of three levels of frames (pfn_to_mfn_frame_list_list), or, when p2m_cr3 is not 0, a linear
 * list at p2m_vaddr under that page table; p2m_generation is odd while it changes.
 *
 * A guest that does not fill it in runs as well, but cannot be saved or moved.
 */
struct arch_shared_info {
    unsigned long max_pfn; /* length of the list */
    xen_pfn_t pfn_to_mfn_frame_list_list;
    /* XEN_NMIREASON_* (nmi.h), written by the hypervisor */
    unsigned long nmi_reason;
    unsigned long p2m_cr3;
    unsigned long p2m_vaddr;
    unsigned long p2m_generation;
};
typedef struct arch_shared_info arch_shared_info_t;

/*
 * createdomain's x86 part, and getdomaininfo's. emulation_flags: which devices a fully virtualized
 * guest sees (domctl/lifecycle.h: which sets there are). A PV guest has none, except the
 * hardware-like PIT that the control domain gets: 0 or XEN_X86_EMU_PIT.
 */
#define _XEN_X86_EMU_LAPIC    0
#define XEN_X86_EMU_LAPIC     (1U << _XEN_X86_EMU_LAPIC)
#define _XEN_X86_EMU_HPET     1
#define XEN_X86_EMU_HPET      (1U << _XEN_X86_EMU_HPET)
#define _XEN_X86_EMU_PM       2
#define XEN_X86_EMU_PM        (1U << _XEN_X86_EMU_PM)
#define _XEN_X86_EMU_RTC      3
#define XEN_X86_EMU_RTC       (1U << _XEN_X86_EMU_RTC)
#define _XEN_X86_EMU_IOAPIC   4
#define XEN_X86_EMU_IOAPIC    (1U << _XEN_X86_EMU_IOAPIC)
#define _XEN_X86_EMU_PIC      5
#define XEN_X86_EMU_PIC       (1U << _XEN_X86_EMU_PIC)
#define _XEN_X86_EMU_VGA      6
#define XEN_X86_EMU_VGA       (1U << _XEN_X86_EMU_VGA)
#define _XEN_X86_EMU_IOMMU    7
#define XEN_X86_EMU_IOMMU     (1U << _XEN_X86_EMU_IOMMU)
#define _XEN_X86_EMU_PIT      8
#define XEN_X86_EMU_PIT       (1U << _XEN_X86_EMU_PIT)
#define _XEN_X86_EMU_USE_PIRQ 9
#define XEN_X86_EMU_USE_PIRQ  (1U << _XEN_X86_EMU_USE_PIRQ)
#define _XEN_X86_EMU_VPCI     10
#define XEN_X86_EMU_VPCI      (1U << _XEN_X86_EMU_VPCI)
#define XEN_X86_EMU_ALL       ((1U << (_XEN_X86_EMU_VPCI + 1)) - 1)

struct xen_arch_domainconfig {
    uint32_t emulation_flags; /* XEN_X86_EMU_* */
    /* XEN_X86_MSR_RELAXED: reads of unknown MSRs give 0, not #GP */
    uint32_t misc_flags;
};
#define XEN_X86_MSR_RELAXED    (1u << 0)
#define XEN_X86_MISC_FLAGS_MAX XEN_X86_MSR_RELAXED

/*
 * A CPU policy, as the control interface passes it: a list of CPUID leaves and one of
 * MSRs.
 *
 * A list is in order of leaf and sub-leaf, each once.
 */
#define XEN_CPUID_NO_SUBLEAF 0xffffffffu /* the leaf has no sub-leaves */
typedef struct xen_cpuid_leaf {
    uint32_t leaf, subleaf;
    uint32_t a, b, c, d;
} xen_cpuid_leaf_t;

typedef struct xen_msr_entry {
    uint32_t idx;
    uint32_t flags; /* must be 0 */
    uint64_t val;
} xen_msr_entry_t;

/*
 * CPUID cannot be trapped in ring 3 of older CPUs. Where a guest wants the answer that Parvis
 * gives and not the silicon's, it executes this: an undefined instruction followed by the
 * letters "xen" and then the instruction to emulate.
 */
#define XEN_EMULATE_PREFIX ".byte 0x0f,0x0b,0x78,0x65,0x6e ; "
#define XEN_CPUID          XEN_EMULATE_PREFIX "cpuid"

/* Debug output port of fully virtualized guests. A PV guest has console_io instead. */
#define XEN_HVM_DEBUGCONS_IOPORT 0xe9

#endif /* XEN_ARCH_X86_XEN_H */
