/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions of a guest, emulated.
 *
 * A paravirtual kernel makes hypercalls, but a stock one still has some privileged instructions in
 * its drivers and start-up code. They fault in ring 3 (#GP); this file hands the few that a guest
 * may have to their concept: control registers (emulate_cr.c) and debug registers, MSRs
 * (emulate_msr.c), ports (emulate_io.c), CPUID (cpuid.c). Applications may ask where the CPU's
 * tables are, which CR4.UMIP keeps from ring 3. Everything else goes back to the guest as the #GP
 * it is. Only flat code segments are decoded.
 */
#include <core/base/count.h>
#include <core/base/tlb.h>
#include <core/domain/guest_memory.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <xen/errno.h>

#define MSR_TSC_AUX 0xc0000103

enum outcome {
    NOT_OURS, /* the guest's #GP                                                  */
    DONE,     /* it goes on behind the instruction                                */
    NOT_YET,  /* it goes on where v->regs say: at the instruction, or in a fault's handler */
};

static enum outcome done_if(bool ok)
{
    return ok ? DONE : NOT_OURS;
}

/* in, out: 0xe4-0xe7 with an immediate port, 0xec-0xef with DX; but for bytes an operand is at most
 * a word of 4. */
static enum outcome __noinline emulate_port(struct vcpu *v, const struct x86_insn *in)
{
    unsigned int bytes = MIN(in->bytes, 4u);
    unsigned int port = in->opcode & 8 ? v->regs.rdx & 0xffff : in->imm & 0xff;

    if (!pv_io_permitted(v, port, bytes))
        return NOT_OURS;
    if (in->opcode & 2)
        pv_io_write(v, port, bytes, (uint32_t)v->regs.rax);
    else
        x86_set_reg(&v->regs, 0, bytes, pv_io_read(v, port, bytes));
    return DONE;
}

static enum outcome fault_at(struct vcpu *v, gva_t at, uint32_t error_code)
{
    pv_inject_page_fault(v, at, error_code);
    return NOT_YET;
}

/* ins, outs: one element; with a repeat prefix RIP stays until RCX is 0, so nothing is long. */
static enum outcome __noinline emulate_string_port(struct vcpu *v, struct x86_insn *in)
{
    struct cpu_user_regs *r = &v->regs;
    unsigned int bytes = MIN(in->bytes, 4u);
    uint64_t *pointer = in->opcode & 2 ? &r->rsi : &r->rdi;
    uint32_t value = 0;

    if (!pv_io_permitted(v, r->rdx & 0xffff, bytes))
        return NOT_OURS;
    if (in->rep && !r->rcx)
        return DONE;
    if (in->opcode & 2) {
        if (copy_from_guest(&value, *pointer, bytes))
            return fault_at(v, *pointer, 0);
        pv_io_write(v, r->rdx & 0xffff, bytes, value);
    } else {
        /* XSA-67: the destination is tried before the device gives its data up. */
        if (copy_to_guest(*pointer, &value, bytes))
            return fault_at(v, *pointer, PFEC_WRITE);
        value = pv_io_read(v, r->rdx & 0xffff, bytes);
        if (copy_to_guest(*pointer, &value, bytes))
            return NOT_OURS;
    }
    *pointer += r->rflags & X86_EFLAGS_DF ? -(uint64_t)bytes : bytes;
    if (in->rep && --r->rcx)
        in->length = 0; /* again */
    return DONE;
}

/* What shows the CPU's tables: SLDT, STR; SGDT, SIDT; SMSW. */
enum store { STORES_NOTHING, STORES_SELECTOR, STORES_TABLE, STORES_STATUS };

static enum store store_of(const struct x86_insn *in)
{
    unsigned int which = in->modrm >> 3 & 7;

    if (in->opcode == 0x0f00 && which < 2)
        return STORES_SELECTOR;
    if (in->opcode == 0x0f01 && which < 2 && in->has_memory)
        return STORES_TABLE;
    return in->opcode == 0x0f01 && which == 4 ? STORES_STATUS : STORES_NOTHING;
}

/* The guest sees a CPU that has no table and no task loaded, and its own CR0. */
static enum outcome __noinline emulate_store(struct vcpu *v, const struct x86_insn *in,
                                             enum store what)
{
    uint64_t value[2] = {what == STORES_STATUS ? pv_read_cr(v, 0) : 0};
    bool is_64 = pv_cpu_code_is_64((uint16_t)v->regs.cs);
    gva_t at = x86_address(in, &v->regs);

    if (!in->has_memory) {
        x86_set_reg(&v->regs, in->rm, in->bytes, value[0]);
        return DONE;
    }
    if (!is_64) /* where no address is relative to RIP */
        at = (uint32_t)(in->rip_relative ? in->disp : at);
    if (!copy_to_guest(at, value, what != STORES_TABLE ? 2 : is_64 ? 10 : 6))
        return DONE;
    return is_canonical(at) ? fault_at(v, at, PFEC_WRITE) : NOT_OURS;
}

/* mov to and from control and debug registers: 0f 20 to 0f 23. */
static enum outcome __noinline emulate_mov_cr_dr(struct vcpu *v, const struct x86_insn *in)
{
    unsigned int reg = in->reg;
    uint64_t *rm = x86_reg(&v->regs, in->rm);
    int rc;

    if (in->has_memory || reg > 7)
        return NOT_OURS;
    if (in->opcode & 1 && (reg == 4 || reg == 5))
        reg += 2;
    switch (in->opcode) {
    case 0x0f20:
        if (reg != 0 && reg != 2 && reg != 3 && reg != 4)
            return NOT_OURS;
        *rm = pv_read_cr(v, reg);
        return DONE;
    case 0x0f21:
        *rm = v->arch.pv.debugreg[reg];
        return DONE;
    case 0x0f22:
        rc = pv_write_cr(v, reg, *rm);
        return rc == -XEN_ERESTART ? NOT_YET : done_if(!rc);
    default:
        return done_if(!pv_set_debugreg(v, reg, *rm));
    }
}

static bool emulate_msr(struct vcpu *v, bool write)
{
    struct cpu_user_regs *r = &v->regs;
    uint64_t value = r->rdx << 32 | (uint32_t)r->rax;

    if (write)
        return pv_write_msr(v, (uint32_t)r->rcx, value);
    if (!pv_read_msr(v, (uint32_t)r->rcx, &value))
        return false;
    r->rax = (uint32_t)value;
    r->rdx = value >> 32;
    return true;
}

/* CR4.TSD is meant for applications; the guest's kernel, in ring 3 too, still reads the counter. */
static void emulate_rdtsc(struct vcpu *v)
{
    uint64_t ticks = clock_ticks();

    v->regs.rax = (uint32_t)ticks;
    v->regs.rdx = ticks >> 32;
}

static bool emulate_rdtscp(struct vcpu *v)
{
    uint64_t aux;

    if (!machine_rdmsr_safe(MSR_TSC_AUX, &aux))
        return false;
    emulate_rdtsc(v);
    v->regs.rcx = (uint32_t)aux;
    return true;
}

static bool emulate_xsetbv(struct vcpu *v)
{
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;

    if ((uint32_t)v->regs.rcx != 0 || !(v->arch.pv.ctrlreg[4] & X86_CR4_OSXSAVE) ||
        !machine_xsetbv_safe(value))
        return false;
    v->arch.xcr0 = value;
    return true;
}

/* For the guest's kernel alone. */
static enum outcome emulate_kernel(struct vcpu *v, const struct x86_insn *in)
{
    switch (in->opcode) {
    case 0x0f01:
        return done_if(in->modrm == 0xd1   ? emulate_xsetbv(v)
                       : in->modrm == 0xf9 ? emulate_rdtscp(v)
                                           : false);
    case 0x0f06: /* clts */
        return done_if(!pv_write_cr(v, 0, pv_read_cr(v, 0) & ~X86_CR0_TS));
    case 0x0f09: /* wbinvd: only who has device memory can tell */
        if (v->domain->is_control)
            flush_cache_all();
        return DONE;
    case 0x0f20 ... 0x0f23:
        return emulate_mov_cr_dr(v, in);
    case 0x0f31:
        emulate_rdtsc(v);
        return DONE;
    case 0x0f30:
    case 0x0f32:
        return done_if(emulate_msr(v, in->opcode == 0x0f30));
    case 0x0fa2:
        pv_cpuid(v);
        return DONE;
    default:
        return NOT_OURS;
    }
}

/* ABI: allowed by IOPL, without effect on the events' mask. */
static bool is_cli_sti(unsigned int opcode)
{
    return (opcode & ~1u) == 0xfa;
}

static enum outcome emulate_one_byte(struct vcpu *v, struct x86_insn *in)
{
    switch (in->opcode) {
    case 0x6c ... 0x6f:
        return emulate_string_port(v, in);
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
        return emulate_port(v, in);
    default:
        return done_if(is_cli_sti(in->opcode) && pv_iopl_permits(v));
    }
}

static enum outcome emulate(struct vcpu *v, struct x86_insn *in)
{
    if (in->opcode < 0x0f00)
        return emulate_one_byte(v, in);
    if (in->opcode <= 0x0f01) { /* some of them for applications too */
        enum store what = store_of(in);

        if (what != STORES_NOTHING)
            return emulate_store(v, in, what);
    }
    return guest_kernel_mode(v) ? emulate_kernel(v, in) : NOT_OURS;
}

static bool flat_code(const struct vcpu *v)
{
    return v->regs.cs == FLAT_USER_CS64 || v->regs.cs == FLAT_USER_CS32;
}

static bool done_with(struct vcpu *v, unsigned int length)
{
    count_event(v, COUNTER_emulated_instructions);
    pv_insn_done(v, length);
    return true;
}

static __noinline bool emulate_decoded(struct vcpu *v, const uint8_t *code, unsigned int n)
{
    struct x86_insn in __uninitialized;
    enum outcome outcome;

    if (!x86_decode(code, n, &in) || in.segment || in.addr32 || in.lock)
        return false;
    outcome = emulate(v, &in);
    if (outcome == NOT_OURS)
        return false;
    return outcome == NOT_YET || done_with(v, in.length);
}

bool pv_emulate_privileged(struct vcpu *v)
{
    uint8_t code[PV_FETCHED] __uninitialized;
    unsigned int n;

    /* In a guest's own code segment the base is not known to be 0; stock kernels use one like the
     * flat one. */
    if (!flat_code(v) && (v->regs.cs & ~7u) >= FIRST_RESERVED_GDT_BYTE)
        return false;
    n = pv_fetch_code(v, code);
    if (likely(n && is_cli_sti(code[0]))) /* most of what a stock kernel has */
        return pv_iopl_permits(v) && done_with(v, 1);
    return emulate_decoded(v, code, n);
}

/* The forced-emulation prefix: ud2 and "xen" before CPUID, so that a guest sees the hypervisor's
 * answer. Every other invalid instruction is the guest's. */
#define UD2_XE         0x65780b0f /* bytes 0 to 3 */
#define EN_CPUID       0xa20f6e65 /* bytes 3 to 6 */
#define PREFIXED_CPUID 7u

static bool is_prefixed_cpuid(const struct vcpu *v)
{
    return read_guest_u32(v->regs.rip) == UD2_XE && read_guest_u32(v->regs.rip + 3) == EN_CPUID;
}

void pv_invalid_op(struct vcpu *v)
{
    if (!is_prefixed_cpuid(v)) {
        pv_inject_exception(v, TRAP_invalid_op, 0, 0);
        return;
    }
    count_event(v, COUNTER_emulated_instructions);
    pv_cpuid(v);
    pv_insn_done(v, PREFIXED_CPUID);
}
