/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the x86 architecture that pv/ and x86/ share: control registers, RFLAGS, exceptions,
 * error codes (Intel SDM volume 3, AMD APM volume 2). What the machine alone needs is in
 * x86/regs.h.
 */
#ifndef HV_X86_BITS_H
#define HV_X86_BITS_H

#define X86_EFLAGS_TF     (1ul << 8)
#define X86_EFLAGS_IF     (1ul << 9)
#define X86_EFLAGS_DF     (1ul << 10)
#define X86_EFLAGS_IOPL   (3ul << 12)
#define X86_EFLAGS_NT     (1ul << 14)
#define X86_EFLAGS_RF     (1ul << 16)
#define X86_EFLAGS_VM     (1ul << 17)
#define X86_EFLAGS_AC     (1ul << 18)
#define X86_EFLAGS_ALWAYS 2ul

#define X86_CR0_PE (1ul << 0)
#define X86_CR0_MP (1ul << 1)
#define X86_CR0_TS (1ul << 3)
#define X86_CR0_ET (1ul << 4)
#define X86_CR0_NE (1ul << 5)
#define X86_CR0_WP (1ul << 16)
#define X86_CR0_AM (1ul << 18)
#define X86_CR0_NW (1ul << 29)
#define X86_CR0_CD (1ul << 30)
#define X86_CR0_PG (1ul << 31)

#define X86_CR4_TSD        (1ul << 2)
#define X86_CR4_DE         (1ul << 3)
#define X86_CR4_PSE        (1ul << 4)
#define X86_CR4_PAE        (1ul << 5)
#define X86_CR4_MCE        (1ul << 6)
#define X86_CR4_PGE        (1ul << 7)
#define X86_CR4_OSFXSR     (1ul << 9)
#define X86_CR4_OSXMMEXCPT (1ul << 10)
#define X86_CR4_UMIP       (1ul << 11)
#define X86_CR4_OSXSAVE    (1ul << 18)
#define X86_CR4_SMEP       (1ul << 20)
#define X86_CR4_SMAP       (1ul << 21)

#define X86_DR6_DEFAULT 0xffff0ff0ul
#define X86_DR6_BS      (1ul << 14) /* single step */
#define X86_DR7_DEFAULT 0x400ul
#define DR7_ACTIVE      0xfful /* one of the four breaks */

#define MSR_TSC            0x10
#define MSR_APIC_BASE      0x1b
#define MSR_SPEC_CTRL      0x48
#define MSR_PRED_CMD       0x49
#define MSR_UCODE_REV      0x8b
#define MSR_MCG_CAP        0x179
#define MSR_PAT            0x277
#define MSR_EFER           0xc0000080
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE (1ul << 0)
#define EFER_LME (1ul << 8)
#define EFER_LMA (1ul << 10)
#define EFER_NXE (1ul << 11)

/* Entries of page tables. */
#define PTE_PRESENT    (1ull << 0)
#define PTE_RW         (1ull << 1)
#define PTE_USER       (1ull << 2)
#define PTE_PWT        (1ull << 3)
#define PTE_PCD        (1ull << 4)
#define PTE_ACCESSED   (1ull << 5)
#define PTE_DIRTY      (1ull << 6)
#define PTE_PSE        (1ull << 7)
#define PTE_PAT        (1ull << 7)
#define PTE_GLOBAL     (1ull << 8)
#define PTE_AVAIL      (7ull << 9)
#define PTE_NX         (1ull << 63)
#define PTE_FRAME_MASK 0x000ffffffffff000ull

#define TRAP_debug           1
#define TRAP_nmi             2
#define TRAP_int3            3
#define TRAP_overflow        4
#define TRAP_invalid_op      6
#define TRAP_no_device       7
#define TRAP_double_fault    8
#define TRAP_invalid_tss     10
#define TRAP_no_segment      11
#define TRAP_stack_error     12
#define TRAP_gp_fault        13
#define TRAP_page_fault      14
#define TRAP_alignment_check 17
#define TRAP_machine_check   18
#define TRAP_simd_error      19

#define PFEC_PRESENT  1u
#define PFEC_WRITE    2u
#define PFEC_USER     4u
#define PFEC_RESERVED 8u
#define PFEC_INSN     16u

#define SEL_ERROR_IDT 2u /* bit of a selector error code: it speaks of the IDT */

#endif
