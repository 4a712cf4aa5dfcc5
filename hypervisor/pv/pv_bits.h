/* SPDX-License-Identifier: MIT */
/*
 * What the files of pv/ that stand for instructions and exceptions offer to each other, with the
 * numbers and small predicates that they need.
 */
#ifndef PV_BITS_H
#define PV_BITS_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <hv/x86_bits.h>
#include <hv/x86_insn.h>
#include <port/guest_access.h>
#include <pv/pv.h>
#include <xen/xen.h>

/* The bits of CR4 that a guest sets as it likes, and sees so; which of them become real is the
 * machine's affair. */
#define CR4_GUEST_CHOOSES (X86_CR4_TSD | X86_CR4_DE | X86_CR4_OSXSAVE)

static inline bool is_canonical(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

/* pv/insn.c */
#define PV_FETCHED 16u /* an instruction has 15 bytes; two words are copied sooner */
unsigned int pv_fetch_in_page(gva_t rip, uint8_t *code);
/* How much there is. */
static inline unsigned int pv_fetch_code(const struct vcpu *v, uint8_t code[PV_FETCHED])
{
    if (unlikely(copy_from_guest(code, v->regs.rip, PV_FETCHED)))
        return pv_fetch_in_page(v->regs.rip, code);
    return PV_FETCHED;
}

void pv_single_step(struct vcpu *v); /* into the guest's #DB */

/* It was carried out: the guest goes on behind it. */
static inline void pv_insn_done(struct vcpu *v, unsigned int length)
{
    v->regs.rip += length;
    v->regs.rflags &= ~X86_EFLAGS_RF;
    if (unlikely(v->regs.rflags & X86_EFLAGS_TF))
        pv_single_step(v);
}

/* pv/emulate*.c: each returns true when the instruction was done (or a fault injected); false: not
 * ours, pass the fault on. */
bool pv_emulate_privileged(struct vcpu *v);
void pv_invalid_op(struct vcpu *v); /* ud2; "xen"; cpuid, or the guest's fault */
void pv_cpuid(struct vcpu *v);      /* the instruction, with v's registers */
void pv_cpuid_of_kind(uint32_t leaf, uint32_t sub, uint32_t out[4]);
bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t value);
/* CLI, STI, and all ports. The guest's kernel runs in ring 3, and so that it needs a level at all:
 * 1, as long as the guest did not ask for an IOPL as on hardware (ABI). */
static inline bool pv_iopl_permits(const struct vcpu *v)
{
    bool architectural = READ_ONCE(v->domain->vm_assist) & (1u << VMASST_TYPE_architectural_iopl);
    unsigned int needed = !guest_kernel_mode(v) ? 3 : architectural ? 0 : 1;

    return v->arch.pv.iopl >= needed;
}
bool pv_io_permitted(struct vcpu *v, unsigned int port, unsigned int bytes);
uint32_t pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes);
void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t value);
uint64_t pv_read_cr(struct vcpu *v, unsigned int reg);
/* 0, -XEN_EINVAL (not allowed), -XEN_ERESTART (CR3: issue the instruction again). */
int __must_check pv_write_cr(struct vcpu *v, unsigned int reg, uint64_t value);

/* pv/descriptor.c */
extern mfn_t pv_zero_page; /* what an empty slot of a GDT maps (pv/domain_ops.c) */
/* 0, -XEN_EINVAL, -XEN_ERESTART: again, nothing was changed. */
int __must_check pv_set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries);
void pv_init_gdt(struct vcpu *v); /* of a new one: all slots show the page of zeros */
void pv_destroy_gdt(struct vcpu *v);
void pv_set_ldt(struct vcpu *v, gva_t base, unsigned int entries);
/* Drops what of v's LDT is mapped: its pages are about to change. Or leaves the flush to the
 * caller: of which CPUs. */
void pv_invalidate_ldt(struct vcpu *v);
uint64_t __must_check pv_take_ldt(struct vcpu *v);
/* A touch of v's LDT area at byte offset: brings the page in. false: there is none, and the guest
 * gets the fault. */
bool pv_map_ldt_page(struct vcpu *v, unsigned int offset);
/* Whether the descriptor may be loaded by a guest; may set its accessed bit or force DPL 3. */
bool pv_check_descriptor(uint64_t *desc);

/* pv/debugreg.c */
long __must_check pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value);

/* pv/hypercall_page.c: fills a page with the stubs a guest calls. */
void pv_fill_hypercall_page(void *page);

#endif
