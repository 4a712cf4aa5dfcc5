/* SPDX-License-Identifier: MIT */
/*
 * Numbers that pv/ needs of the x86 architecture (Intel SDM volume 3, AMD APM volume 2), and small
 * predicates.
 */
#ifndef HV_PV_BITS_H
#define HV_PV_BITS_H

#include <hv/domain.h>
#include <hv/types.h>

#define X86_EFLAGS_TF     (1u << 8)
#define X86_EFLAGS_IF     (1u << 9)
#define X86_EFLAGS_DF     (1u << 10)
#define X86_EFLAGS_IOPL   (3u << 12)
#define X86_EFLAGS_NT     (1u << 14)
#define X86_EFLAGS_RF     (1u << 16)
#define X86_EFLAGS_VM     (1u << 17)
#define X86_EFLAGS_AC     (1u << 18)
#define X86_EFLAGS_ALWAYS 2u

#define X86_CR0_PE (1ul << 0)
#define X86_CR0_MP (1ul << 1)
#define X86_CR0_TS (1ul << 3)
#define X86_CR0_ET (1ul << 4)
#define X86_CR0_NE (1ul << 5)
#define X86_CR0_WP (1ul << 16)
#define X86_CR0_AM (1ul << 18)
#define X86_CR0_PG (1ul << 31)

#define X86_CR4_TSD        (1ul << 2)
#define X86_CR4_DE         (1ul << 3)
#define X86_CR4_PAE        (1ul << 5)
#define X86_CR4_MCE        (1ul << 6)
#define X86_CR4_PGE        (1ul << 7)
#define X86_CR4_OSFXSR     (1ul << 9)
#define X86_CR4_OSXMMEXCPT (1ul << 10)
#define X86_CR4_OSXSAVE    (1ul << 18)

#define TRAP_divide_error    0
#define TRAP_debug           1
#define TRAP_nmi             2
#define TRAP_int3            3
#define TRAP_overflow        4
#define TRAP_bounds          5
#define TRAP_invalid_op      6
#define TRAP_no_device       7
#define TRAP_double_fault    8
#define TRAP_invalid_tss     10
#define TRAP_no_segment      11
#define TRAP_stack_error     12
#define TRAP_gp_fault        13
#define TRAP_page_fault      14
#define TRAP_copro_error     16
#define TRAP_alignment_check 17
#define TRAP_machine_check   18
#define TRAP_simd_error      19

#define PFEC_PRESENT  1u
#define PFEC_WRITE    2u
#define PFEC_USER     4u
#define PFEC_RESERVED 8u
#define PFEC_INSN     16u

#define SEL_ERROR_IDT 2u /* bit of a selector error code: it speaks of the IDT */

#define TBF_FAILSAFE       16
#define PV_MAX_FRAME_WORDS 12

static inline bool is_canonical(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

/* pv/emulate*.c: each returns true when the instruction was done (or a fault injected); false: not
 * ours, pass the fault on. */
bool pv_emulate_privileged(struct vcpu *v);
bool pv_emulate_forced(struct vcpu *v); /* ud2; "xen"; cpuid */
void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4]);
bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t value);
bool pv_io_permitted(struct vcpu *v, unsigned int port, unsigned int bytes);
uint32_t pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes);
void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t value);
uint64_t pv_read_cr(struct vcpu *v, unsigned int reg);
/* 0, -XEN_EINVAL (not allowed), -XEN_ERESTART (CR3: issue the instruction again). */
int __must_check pv_write_cr(struct vcpu *v, unsigned int reg, uint64_t value);

/* pv/descriptor.c */
int __must_check pv_set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries);
void pv_destroy_gdt(struct vcpu *v);
void pv_set_ldt(struct vcpu *v, gva_t base, unsigned int entries);
/* Drops what of v's LDT is mapped: its pages are about to change. true when something was. */
bool pv_invalidate_ldt(struct vcpu *v);
/* A touch of v's LDT area at byte offset: brings the page in. false: no such page, the guest gets
 * the fault. */
bool pv_map_ldt_page(struct vcpu *v, unsigned int offset);
/* Whether the descriptor may be loaded by a guest; may set its accessed bit or force DPL 3. */
bool pv_check_descriptor(uint64_t *desc);

/* pv/debugreg.c */
int __must_check pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value);

/* pv/hypercall_page.c: fills a page with the stubs a guest calls. */
void pv_fill_hypercall_page(void *page);

#endif
