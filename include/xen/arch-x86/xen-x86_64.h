/* SPDX-License-Identifier: MIT */
/*
 * The 64-bit side: flat selectors, the hypervisor's hole in the address space, registers, iret
 * and segment bases.
 *
 * Both the guest's kernel and its user programs run in ring 3; the hypervisor keeps which of the
 * two it is. The selectors below are in every GDT (in the hypervisor's part), so that a guest
 * needs no segments of its own to start.
 *
 * The hole: 0xffff800000000000 to 0xffff87ffffffffff (L4 slots 256 to 271) is the hypervisor's in
 * every page table of every guest; entries there are ignored or refused. All else is the guest's.
 * The one part of the hole that a guest kernel can read is the machine-to-physical table (M2P): the
 * pfn of each mfn, 8 bytes each, from MACH2PHYS_VIRT_START on; a table that is loaded for user
 * mode does not have it. Entries for frames that the guest
 * does not own say nothing reliable; reading beyond the end of RAM faults.
 *
 * Two page tables: a kernel that wants its memory out of its programs' sight keeps two
 * level-4 tables, one for each mode, and tells both (MMUEXT_NEW_BASEPTR,
 * MMUEXT_NEW_USER_BASEPTR). The hypervisor loads the one that belongs to the mode it
 * goes to. For the CPU both modes are ring 3, so the hypervisor sets the user bit in
 * every entry that it writes; what keeps programs out of the kernel's pages is that
 * their table does not have them.
 *
 * syscall in user mode enters the kernel at its syscall callback with rcx and r11 as
 * on hardware; the kernel goes back by iret with VGCF_in_syscall set in the frame's
 * `flags`.
 */
#ifndef XEN_ARCH_X86_XEN_X86_64_H
#define XEN_ARCH_X86_XEN_X86_64_H

#include <xen/types.h>

/*
 * Ring-3 flat segments. The 64-bit data segment is the null selector.
 *
 * A selector is index * 8 + table + privilege. A kernel that loads a GDT of its own
 * may go on using these, since the upper part of every GDT is the hypervisor's and
 * holds them.
 */
#define FLAT_RING3_CS32 0xe023
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_DS32 0xe02b
#define FLAT_RING3_DS64 0x0000
#define FLAT_RING3_SS32 0xe02b
#define FLAT_RING3_SS64 0xe02b

#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_DS   FLAT_KERNEL_DS64
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_CS   FLAT_KERNEL_CS64
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_SS   FLAT_KERNEL_SS64

#define FLAT_USER_DS64 FLAT_RING3_DS64
#define FLAT_USER_DS32 FLAT_RING3_DS32
#define FLAT_USER_DS   FLAT_USER_DS64
#define FLAT_USER_CS64 FLAT_RING3_CS64
#define FLAT_USER_CS32 FLAT_RING3_CS32
#define FLAT_USER_CS   FLAT_USER_CS64
#define FLAT_USER_SS64 FLAT_RING3_SS64
#define FLAT_USER_SS32 FLAT_RING3_SS32
#define FLAT_USER_SS   FLAT_USER_SS64

/*
 * Reading the M2P: pfn = machine_to_phys_mapping[mfn]. It is only a hint about frames
 * of others: check that p2m[pfn] == mfn before it is believed.
 */
#define HYPERVISOR_VIRT_START   0xFFFF800000000000UL
#define HYPERVISOR_VIRT_END     0xFFFF880000000000UL
#define MACH2PHYS_VIRT_START    0xFFFF800000000000UL
#define MACH2PHYS_VIRT_END      0xFFFF804000000000UL
#define MACH2PHYS_NR_ENTRIES    ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)
#define machine_to_phys_mapping ((unsigned long *)HYPERVISOR_VIRT_START)

/* The same numbers without suffix, for use in assembly. */
#define __HYPERVISOR_VIRT_START 0xFFFF800000000000
#define __HYPERVISOR_VIRT_END   0xFFFF880000000000
#define __MACH2PHYS_VIRT_START  0xFFFF800000000000
#define __MACH2PHYS_VIRT_END    0xFFFF804000000000

/*
 * set_segment_base(which, unsigned long value): FS base, GS base of user mode, GS base of kernel
 * mode, or (GS_USER_SEL) load the user-mode GS selector. Returns 0; -XEN_EINVAL for a
 * non-canonical address or an unknown `which`.
 *
 * A kernel that has FSGSBASE may use WRFSBASE and WRGSBASE itself: the hypervisor
 * saves what it finds. The GS base of the other mode is exchanged by SWAPGS on
 * hardware; here the hypervisor does it when it enters the kernel and when it leaves
 * it, so kernel code never executes SWAPGS.
 */
#define SEGBASE_FS          0
#define SEGBASE_GS_USER     1
#define SEGBASE_GS_KERNEL   2
#define SEGBASE_GS_USER_SEL 3

/*
 * iret: takes struct iret_context from the top of the guest's kernel stack and goes there. When
 * bit VGCF_in_syscall is set in `flags`, the way back is that of sysret: rcx and r11 are not
 * restored. When cs has requested privilege 3, the target is user mode, and the page table is
 * switched to the user one; kernel frames carry a cs with privilege 0 (or 1). Events are masked or
 * not as bit 9 (IF) of the new rflags says. Does not return; a frame that cannot be read kills the
 * domain.
 */
#define _VGCF_in_syscall 8
#define VGCF_in_syscall  (1 << _VGCF_in_syscall)
#define VGCF_IN_SYSCALL  VGCF_in_syscall

/*
 * How to fill it: push ss, rsp, rflags, cs, rip as for the instruction IRETQ, then
 * flags (0), rcx, r11 and rax, and make the call with rsp at rax. All other registers
 * are as they are at the call.
 */
struct iret_context {
    /* rax at the stack pointer */
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/*
 * The registers of a vCPU, in contexts and in debug interfaces. Selectors are shown as the guest
 * uses them; bases of fs and gs are apart, in vcpu_guest_context. In rflags, IOPL is as the guest
 * set it by PHYSDEVOP_set_iopl, not what the CPU has. Only the 64-bit names exist here, not
 * Xen's narrower ones (eax, al).
 *
 * The order is that in which the hypervisor saves them, so a debugger can show a whole
 * frame at once.
 */
struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    /* of the last trap; private to the hypervisor */
    uint32_t error_code;
    /* how the hypervisor was entered; private */
    uint32_t entry_vector;
    uint64_t rip;
    uint16_t cs, _pad0[1];
    /* evtchn_upcall_mask when the frame was made */
    uint8_t saved_upcall_mask;
    uint8_t _pad1[3];
    /* IF here is the inverse of saved_upcall_mask */
    uint64_t rflags;
    uint64_t rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    /* selector; the base is apart */
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};
typedef struct cpu_user_regs cpu_user_regs_t;

/* CR3 in a vcpu_guest_context is the mfn of the table times 4096. */
#define xen_pfn_to_cr3(pfn) ((unsigned long)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((unsigned long)(cr3) >> 12)

struct arch_vcpu_info {
    /* address of the last page fault that was given to the guest */
    unsigned long cr2;
    unsigned long pad;
};
typedef struct arch_vcpu_info arch_vcpu_info_t;

#endif /* XEN_ARCH_X86_XEN_X86_64_H */
