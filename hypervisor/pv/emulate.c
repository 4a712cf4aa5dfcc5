/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions of a guest, emulated.
 *
 * A paravirtual kernel makes hypercalls, but a stock one still has some privileged instructions in
 * its drivers and start-up code. They fault in ring 3 (#GP); this file decodes the few that a guest
 * may have and hands them to their concept: control registers and debug registers, MSRs
 * (emulate_msr.c), ports (emulate_io.c), CPUID (cpuid.c). Everything else goes back to the guest as
 * the #GP it is.
 *
 * The instruction is fetched once, through the guest's page tables; the guest may change it at any
 * time, which decides only what it gets done for itself (XSA-202): nothing is executed but this
 * code. Only flat code segments are decoded.
 */
#include <parvis/string.h>
#include <port/guest_access.h>
#include <port/machine.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <xen/errno.h>

#define MAX_INSN    15
#define MSR_TSC_AUX 0xc0000103

struct insn {
    uint8_t bytes[MAX_INSN];
    unsigned int got; /* bytes that could be fetched */
    unsigned int at;  /* next byte to decode         */
    bool rep, opsize;
    uint8_t rex;
};

static bool fetch(struct vcpu *v, struct insn *in)
{
    unsigned int first = (unsigned int)MIN(MAX_INSN, PAGE_SIZE - (v->regs.rip & ~PAGE_MASK));

    memset(in, 0, sizeof(*in));
    if (copy_from_guest(in->bytes, v->regs.rip, first))
        return false;
    in->got = first;
    if (first < MAX_INSN &&
        !copy_from_guest(in->bytes + first, v->regs.rip + first, MAX_INSN - first))
        in->got = MAX_INSN;
    return true;
}

static int next_byte(struct insn *in)
{
    return in->at < in->got ? in->bytes[in->at++] : -1;
}

/* Prefixes that matter; returns the opcode, -1 when there is none that can be ours. */
static int decode_opcode(struct insn *in)
{
    for (;;) {
        int b = next_byte(in);

        if (b == 0x66)
            in->opsize = true;
        else if (b == 0xf2 || b == 0xf3)
            in->rep = true;
        else if (b >= 0x40 && b <= 0x4f)
            in->rex = (uint8_t)b;
        else
            return b;
        if (b >= 0x40 && b <= 0x4f) /* REX stands right before the opcode */
            return next_byte(in);
    }
}

static uint64_t *gpr(struct cpu_user_regs *r, unsigned int n)
{
    uint64_t *const map[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
                               &r->rsi, &r->rdi, &r->r8,  &r->r9,  &r->r10, &r->r11,
                               &r->r12, &r->r13, &r->r14, &r->r15};
    return map[n & 15];
}

static void set_low(uint64_t *reg, uint64_t value, unsigned int bytes)
{
    if (bytes == 4)
        *reg = (uint32_t)value; /* a 32-bit write clears the upper half */
    else if (bytes == 2)
        *reg = (*reg & ~0xffffull) | (value & 0xffff);
    else
        *reg = (*reg & ~0xffull) | (value & 0xff);
}

/* in, out: 0xe4-0xe7 with an immediate port, 0xec-0xef with DX. */
static bool emulate_port(struct vcpu *v, struct insn *in, unsigned int opcode)
{
    unsigned int bytes = !(opcode & 1) ? 1 : in->opsize ? 2 : 4;
    int imm = opcode & 8 ? 0 : next_byte(in);
    unsigned int port = opcode & 8 ? v->regs.rdx & 0xffff : (unsigned int)imm;

    if (imm < 0 || !pv_io_permitted(v, port, bytes))
        return false;
    if (opcode & 2)
        pv_io_write(v, port, bytes, (uint32_t)v->regs.rax);
    else
        set_low(&v->regs.rax, pv_io_read(v, port, bytes), bytes);
    return true;
}

/* ins, outs: one element; with a repeat prefix RIP stays until RCX is 0, so nothing is long. */
static bool emulate_string_port(struct vcpu *v, struct insn *in, unsigned int opcode)
{
    struct cpu_user_regs *r = &v->regs;
    unsigned int bytes = !(opcode & 1) ? 1 : in->opsize ? 2 : 4;
    int64_t step = r->rflags & X86_EFLAGS_DF ? -(int64_t)bytes : (int64_t)bytes;
    uint64_t *pointer = opcode & 2 ? &r->rsi : &r->rdi;
    uint32_t value = 0;

    if (!pv_io_permitted(v, r->rdx & 0xffff, bytes))
        return false;
    if (in->rep && !r->rcx)
        return true;
    if (opcode & 2) {
        if (copy_from_guest(&value, *pointer, bytes)) {
            pv_inject_page_fault(v, *pointer, 0);
            in->at = 0;
            return true;
        }
        pv_io_write(v, r->rdx & 0xffff, bytes, value);
    } else {
        /* XSA-67: the destination is tried before the device gives its data up. */
        if (copy_to_guest(*pointer, &value, bytes)) {
            pv_inject_page_fault(v, *pointer, PFEC_WRITE);
            in->at = 0;
            return true;
        }
        value = pv_io_read(v, r->rdx & 0xffff, bytes);
        if (copy_to_guest(*pointer, &value, bytes))
            return false;
    }
    *pointer += (uint64_t)step;
    if (in->rep && --r->rcx)
        in->at = 0; /* again */
    return true;
}

/* mov to and from control and debug registers: 0f 20 to 0f 23. */
static bool emulate_mov_cr_dr(struct vcpu *v, struct insn *in, unsigned int opcode)
{
    int modrm = next_byte(in);
    unsigned int reg = (modrm >> 3 & 7) | (in->rex & 4 ? 8 : 0);
    uint64_t *rm = gpr(&v->regs, (modrm & 7) | (in->rex & 1 ? 8 : 0));

    int rc;

    if (modrm < 0xc0 || reg > 7)
        return false;
    switch (opcode) {
    case 0x20:
        if (reg != 0 && reg != 2 && reg != 3 && reg != 4)
            return false;
        *rm = pv_read_cr(v, reg);
        return true;
    case 0x21:
        *rm = v->arch.debugreg[reg == 4 || reg == 5 ? reg + 2 : reg];
        return true;
    case 0x22:
        rc = pv_write_cr(v, reg, *rm);
        if (rc == -XEN_ERESTART)
            in->at = 0; /* again */
        return !rc || rc == -XEN_ERESTART;
    default:
        return !pv_set_debugreg(v, reg == 4 || reg == 5 ? reg + 2 : reg, *rm);
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

static void emulate_cpuid(struct vcpu *v)
{
    uint32_t out[4];

    pv_cpuid(v, (uint32_t)v->regs.rax, (uint32_t)v->regs.rcx, out);
    v->regs.rax = out[0];
    v->regs.rbx = out[1];
    v->regs.rcx = out[2];
    v->regs.rdx = out[3];
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

    if ((uint32_t)v->regs.rcx != 0 || !(v->arch.ctrlreg[4] & X86_CR4_OSXSAVE) ||
        !machine_xsetbv_safe(value))
        return false;
    v->arch.xcr0 = value;
    return true;
}

/* Two-byte opcodes, for the guest's kernel alone. */
static bool emulate_0f(struct vcpu *v, struct insn *in)
{
    int opcode = next_byte(in);

    if (!guest_kernel_mode(v))
        return false;
    switch (opcode) {
    case 0x01:
        opcode = next_byte(in);
        return opcode == 0xd1 ? emulate_xsetbv(v) : opcode == 0xf9 && emulate_rdtscp(v);
    case 0x06: /* clts */
        return !pv_write_cr(v, 0, pv_read_cr(v, 0) & ~X86_CR0_TS);
    case 0x09: /* wbinvd: only who has device memory can tell */
        if (v->domain->is_control)
            flush_cache_all();
        return true;
    case 0x20 ... 0x23:
        return emulate_mov_cr_dr(v, in, (unsigned int)opcode);
    case 0x31:
        emulate_rdtsc(v);
        return true;
    case 0x30:
    case 0x32:
        return emulate_msr(v, opcode == 0x30);
    case 0xa2:
        emulate_cpuid(v);
        return true;
    default:
        return false;
    }
}

static bool flat_code(const struct vcpu *v)
{
    return v->regs.cs == FLAT_USER_CS64 || v->regs.cs == FLAT_USER_CS32;
}

bool pv_emulate_privileged(struct vcpu *v)
{
    struct insn in;
    int opcode;
    bool done;

    /* In a guest's own code segment the base is not known to be 0; stock kernels use one like the
     * flat one. */
    if ((v->regs.cs & ~7u) >= FIRST_RESERVED_GDT_BYTE && !flat_code(v))
        return false;
    if (!fetch(v, &in))
        return false;
    opcode = decode_opcode(&in);
    switch (opcode) {
    case 0x6c ... 0x6f:
        done = emulate_string_port(v, &in, (unsigned int)opcode);
        break;
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
        done = emulate_port(v, &in, (unsigned int)opcode);
        break;
    case 0xfa: /* cli, sti: ABI: allowed by IOPL, without effect on the events' mask */
    case 0xfb:
        done = pv_iopl_permits(v);
        break;
    case 0x0f:
        done = emulate_0f(v, &in);
        break;
    default:
        done = false;
    }
    if (done) {
        v->regs.rip += in.at;
        v->arch.flags &= ~(uint32_t)VF_IN_SYSCALL;
    }
    return done;
}

/* The forced-emulation prefix: ud2 and "xen" before CPUID, so that a guest sees the hypervisor's
 * answer. */
bool pv_emulate_forced(struct vcpu *v)
{
    static const uint8_t prefixed_cpuid[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    uint8_t bytes[sizeof(prefixed_cpuid)];

    if (copy_from_guest(bytes, v->regs.rip, sizeof(bytes)) ||
        memcmp(bytes, prefixed_cpuid, sizeof(bytes)))
        return false;
    emulate_cpuid(v);
    v->regs.rip += sizeof(bytes);
    return true;
}
