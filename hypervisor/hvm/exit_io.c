/* SPDX-License-Identifier: MIT */
/*
 * Exits that reach a device: ports, and the page of the local APIC.
 *
 * INS and OUTS do one item an exit: RCX, RSI and RDI are the guest's progress. The segment of OUTS
 * is taken for DS, and addresses to be as wide as the code's: no guest overrides either, and who
 * does has another part of its own memory read or written.
 */
#include <core/life/life.h>
#include <hv/x86_bits.h>
#include <hvm/devices.h>
#include <hvm/guest_walk.h>
#include <hvm/hvm.h>
#include <hvm/lapic.h>
#include <hvm/mmio.h>
#include <hvm/npt.h>
#include <xen/errno.h>

/* The guest has f, or (-XEN_ENXIO) it meant memory where there is none. */
static void failed_copy(struct vcpu *v, int rc, const struct guest_walk_fault *f)
{
    if (rc == -XEN_EFAULT && f->code != GUEST_NOT_CANONICAL)
        hvm_inject_page_fault(v, f->va, f->code);
    else
        hvm_inject_exception(v, TRAP_gp_fault, 0);
}

static uint64_t address_mask(const struct vcpu *v)
{
    unsigned int bits = hvm_code_bits(v);

    return bits == 64 ? ~0ull : (1ull << bits) - 1;
}

static void set_masked(uint64_t *reg, uint64_t mask, uint64_t value)
{
    *reg = mask == 0xffff ? (*reg & ~mask) | (value & mask) : value & mask;
}

/* One item. False: the guest has a fault. */
static bool string_item(struct vcpu *v, unsigned int port, unsigned int bytes, bool in)
{
    struct cpu_user_regs *r = &v->regs;
    const struct vmcb *b = vmcb_of(v);
    uint64_t mask = address_mask(v), *index = in ? &r->rdi : &r->rsi;
    struct guest_paging g = hvm_paging(v);
    struct guest_walk_fault f;
    uint32_t value = in ? hvm_port_read(v, port, bytes) : 0;
    int rc = guest_walk_copy(v->domain, &g, &value,
                             hvm_linear(v, in ? b->save.es.base : b->save.ds.base, *index & mask),
                             bytes, in ? PFEC_WRITE : 0, &f);

    if (rc) {
        failed_copy(v, rc, &f);
        return false;
    }
    if (!in)
        hvm_port_write(v, port, bytes, value);
    set_masked(index, mask, *index + (r->rflags & X86_EFLAGS_DF ? -(uint64_t)bytes : bytes));
    return true;
}

static void string_port(struct vcpu *v, uint64_t info)
{
    uint64_t mask = address_mask(v);
    bool rep = info & IOIO_REP;

    if (!rep || v->regs.rcx & mask) {
        if (!string_item(v, IOIO_PORT(info), IOIO_BYTES(info), info & IOIO_IN))
            return;
        if (rep)
            set_masked(&v->regs.rcx, mask, v->regs.rcx - 1);
    }
    if (!rep || !(v->regs.rcx & mask))
        hvm_go_on_at(v, vmcb_of(v)->control.exit_info2);
}

void hvm_exit_port(struct vcpu *v)
{
    uint64_t info = vmcb_of(v)->control.exit_info1;
    unsigned int port = IOIO_PORT(info), bytes = IOIO_BYTES(info);
    uint64_t mask = bytes == 4 ? ~0ull : (1ull << 8 * bytes) - 1;

    if (info & IOIO_STRING) {
        string_port(v, info);
        return;
    }
    if (info & IOIO_IN)
        v->regs.rax = (v->regs.rax & ~mask) | hvm_port_read(v, port, bytes);
    else
        hvm_port_write(v, port, bytes, (uint32_t)(v->regs.rax & mask));
    hvm_go_on_at(v, vmcb_of(v)->control.exit_info2);
}

/* Where there is neither memory nor a register: all ones; lost. */
static void access(struct vcpu *v, uint64_t gpa, const struct mmio_access *a)
{
    bool apic = gpa >> PAGE_SHIFT == NPT_APIC_GFN;
    uint32_t value = ~0u;

    if (a->write) {
        value = a->immediate ? a->value : (uint32_t)*x86_reg(&v->regs, a->reg);
        if (apic)
            lapic_mmio_write(v, gpa & ~PAGE_MASK, value);
    } else {
        if (apic)
            value = lapic_mmio_read(v, gpa & ~PAGE_MASK);
        x86_set_reg(&v->regs, a->reg, 4, value);
    }
}

/* By the instruction at RIP itself, and not by a walk of the guest's tables or an event on its way.
 */
static bool is_access(const struct vcpu *v)
{
    const struct vmcb *b = vmcb_of(v);

    return (b->control.exit_info1 & NPF_FINAL) && !(b->control.exit_int_info & EVENT_VALID);
}

void hvm_exit_npf(struct vcpu *v)
{
    uint64_t gpa = vmcb_of(v)->control.exit_info2;
    uint8_t code[X86_INSN_MAX];
    struct mmio_access a;

    if (is_access(v) && mmio_decode(code, hvm_fetch(v, code), hvm_code_bits(v), &a)) {
        access(v, gpa, &a);
        hvm_go_on_at(v, v->regs.rip + a.length);
        return;
    }
    domain_crash(v->domain, "d%uv%u: at %#x:%#lx it reaches for %#lx, where it has no memory",
                 v->domain->domain_id, v->vcpu_id, v->regs.cs, v->regs.rip, gpa);
}
