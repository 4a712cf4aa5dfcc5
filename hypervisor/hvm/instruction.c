/* SPDX-License-Identifier: MIT */
/*
 * The guest's instruction: where it is and what its bytes are, what it sees of memory, and going
 * past it when an exit has done what it says.
 *
 * Trust: none. Another of the guest's vCPUs may write the code between the exit and the look at it:
 * who decodes it believes one copy, and checks that it is what the CPU has said.
 */
#include <core/life/life.h>
#include <hv/x86_bits.h>
#include <hvm/guest_walk.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <xen/errno.h>

struct guest_paging hvm_paging(const struct vcpu *v)
{
    const struct vmcb *b = vmcb_of(v);

    return (struct guest_paging){.cr0 = b->save.cr0,
                                 .cr3 = b->save.cr3,
                                 .cr4 = b->save.cr4,
                                 .efer = b->save.efer,
                                 .cpl = b->save.cpl,
                                 .ac = v->regs.rflags & X86_EFLAGS_AC};
}

unsigned int hvm_code_bits(const struct vcpu *v)
{
    const struct vmcb *b = vmcb_of(v);

    if ((b->save.efer & EFER_LMA) && (b->save.cs.attributes & SEGMENT_CODE_LONG))
        return 64;
    return b->save.cs.attributes & SEGMENT_CODE_BIG ? 32 : 16;
}

gva_t hvm_linear(const struct vcpu *v, uint64_t base, uint64_t offset)
{
    return hvm_code_bits(v) == 64 ? offset : (uint32_t)(base + offset);
}

unsigned int hvm_fetch(const struct vcpu *v, uint8_t code[X86_INSN_MAX])
{
    struct guest_paging g = hvm_paging(v);
    struct guest_walk_fault f;

    return guest_walk_fetch(v->domain, &g, hvm_linear(v, vmcb_of(v)->save.cs.base, v->regs.rip),
                            code, &f);
}

/* The hypervisor's own doing: as of the guest's kernel, whatever runs. */
int hvm_copy(const struct vcpu *v, void *hv, gva_t va, size_t n, bool write)
{
    struct guest_paging g = hvm_paging(v);
    struct guest_walk_fault f;

    /* What it has registered as 64-bit code: it may have begun anew since, in real mode. */
    if (!(g.efer & EFER_LMA) && (va + n) >> 32)
        return -XEN_EFAULT;
    g.cpl = 0;
    return guest_walk_copy(v->domain, &g, hv, va, n, write ? PFEC_WRITE : 0, &f) ? -XEN_EFAULT : 0;
}

void hvm_go_on_at(struct vcpu *v, uint64_t rip)
{
    struct vmcb *b = vmcb_of(v);

    v->regs.rip = b->save.cs.attributes & SEGMENT_CODE_LONG ? rip : (uint32_t)rip;
    b->control.int_state &= ~INT_STATE_SHADOW;
    if (unlikely(v->regs.rflags & X86_EFLAGS_TF)) { /* as behind each that the CPU carries out */
        b->save.dr6 |= X86_DR6_BS;
        hvm_inject_exception(v, TRAP_debug, NO_CODE);
    }
}

void hvm_skip(struct vcpu *v, unsigned int bytes)
{
    uint64_t next = vmcb_of(v)->control.next_rip;

    hvm_go_on_at(v, next ? next : v->regs.rip + bytes);
}

unsigned int hvm_mov(struct vcpu *v, uint8_t opcode, unsigned int number, uint64_t *value)
{
    uint8_t code[X86_INSN_MAX] = {0}, rex = 0;
    unsigned int n = hvm_fetch(v, code), i = 0;
    uint64_t *reg;
    bool wide = hvm_code_bits(v) == 64;

    if (wide && (code[0] & 0xf0) == 0x40)
        rex = code[i++];
    if (n < i + 3 || code[i] != 0x0f || code[i + 1] != opcode ||
        ((code[i + 2] >> 3 & 7u) | (rex << 1 & 8u)) != number) {
        domain_crash(v->domain, "d%uv%u: %cR%u is reached in a form that is not known",
                     v->domain->domain_id, v->vcpu_id, opcode == MOV_TO_DR ? 'D' : 'C', number);
        return 0;
    }
    reg = x86_reg(&v->regs, (code[i + 2] & 7u) | (rex & 1u) << 3);
    if (opcode == MOV_FROM_CR)
        *reg = *value;
    else
        *value = wide ? *reg : (uint32_t)*reg;
    return i + 3;
}
