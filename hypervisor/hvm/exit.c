/* SPDX-License-Identifier: MIT */
/*
 * Why a guest does not run any more, and what is done about it: a table by exit code. What is in
 * the table does exit (hvm_set_intercepts()).
 *
 * Trust: all that is read here of registers and memory is the guest's. What an instruction is the
 * exit code says; it is skipped by what the CPU says (next RIP), or by its length without prefixes,
 * which nobody gives it: a process that gives CPUID some goes on inside of it, with the same rights
 * and at an address that it could have gone to itself.
 *
 * #DB and #AC are intercepted to be passed on: with the guest's handler on an address that makes
 * another, the CPU would deliver them for ever (XSA-156). #MC is the machine's.
 */
#include <core/base/count.h>
#include <core/life/life.h>
#include <core/sched/sched.h>
#include <hv/x86_bits.h>
#include <hvm/cpu.h>
#include <hvm/hvm.h>
#include <port/machine.h>

static void machine_or_window(struct vcpu *v __unused)
{
    /* An interrupt of the machine was taken behind STGI; a window is looked at before each entry.
     */
}

static void invalid_opcode(struct vcpu *v)
{
    hvm_inject_exception(v, TRAP_invalid_op, NO_CODE);
}

static void protection_fault(struct vcpu *v)
{
    hvm_inject_exception(v, TRAP_gp_fault, 0);
}

/* The IRET of an NMI's handler is a step, or is none any more: hvm/inject.c. All that it may fault
 * with exits meanwhile, since TF is not the guest's, which sees it in the frame of a fault. */
static void make_step(struct vcpu *v, bool on)
{
    for (unsigned int i = TRAP_invalid_tss; i <= TRAP_page_fault; i++)
        vmcb_intercept(vmcb_of(v), EXIT_EXCEPTION + i, on);
}

static bool is_step(const struct vcpu *v)
{
    return vmcb_intercepts(vmcb_of(v), EXIT_EXCEPTION + TRAP_page_fault);
}

static void debug(struct vcpu *v)
{
    if (is_step(v)) { /* the IRET is done */
        make_step(v, false);
        v->nmi_masked = false;
        vmcb_of(v)->save.dr6 &= ~X86_DR6_BS;
        return;
    }
    hvm_inject_exception(v, TRAP_debug, NO_CODE);
}

/* Of that IRET, which is then not done; or of what interrupted it, where TF is clear. */
static void fault(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);
    unsigned int vector = (unsigned int)b->control.exit_code - EXIT_EXCEPTION;

    if (is_step(v) && v->regs.rflags & X86_EFLAGS_TF) {
        v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF;
        make_step(v, false);
        vmcb_intercept(b, EXIT_IRET, true);
    }
    if (vector == TRAP_page_fault)
        b->save.cr2 = b->control.exit_info2;
    hvm_inject_exception(v, vector, (uint32_t)b->control.exit_info1);
}

static void machine_check(struct vcpu *v __unused)
{
    panic("machine check while a guest ran");
}

static void cpuid_exit(struct vcpu *v)
{
    uint32_t out[4];

    hvm_cpuid(v, (uint32_t)v->regs.rax, (uint32_t)v->regs.rcx, out);
    v->regs.rax = out[0];
    v->regs.rbx = out[1];
    v->regs.rcx = out[2];
    v->regs.rdx = out[3];
    hvm_skip(v, 2);
}

static void msr(struct vcpu *v)
{
    uint32_t which = (uint32_t)v->regs.rcx;
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;
    bool write = vmcb_of(v)->control.exit_info1 & 1;

    if (!(write ? hvm_wrmsr(v, which, value) : hvm_rdmsr(v, which, &value))) {
        protection_fault(v);
        return;
    }
    if (!write) {
        v->regs.rax = (uint32_t)value;
        v->regs.rdx = value >> 32;
    }
    hvm_skip(v, 2);
}

static void halt(struct vcpu *v)
{
    hvm_skip(v, 1);
    v->arch.hvm.halted = true;
}

/* It spins. What it waits for may be a vCPU that waits for this CPU. */
static void pause(struct vcpu *v)
{
    hvm_skip(v, 2);
    vcpu_yield();
}

static void invalidate_caches(struct vcpu *v)
{
    hvm_skip(v, 2); /* nothing that a guest has reaches past the caches */
}

static void xsetbv(struct vcpu *v)
{
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;

    if (vmcb_of(v)->save.cpl || (uint32_t)v->regs.rcx || !machine_xsetbv_safe(value)) {
        protection_fault(v);
        return;
    }
    v->arch.xcr0 = value;
    hvm_skip(v, 3);
}

/* Of an NMI's handler: it is to be done before the next NMI, so it becomes a step. (If its handler
 * makes steps itself, one instruction too early is early enough.) */
static void iret(struct vcpu *v)
{
    vmcb_intercept(vmcb_of(v), EXIT_IRET, false);
    if (!v->nmi_masked || is_step(v)) /* of another handler */
        return;
    v->nmi_masked = !(v->regs.rflags & X86_EFLAGS_TF);
    make_step(v, v->nmi_masked);
    v->regs.rflags |= X86_EFLAGS_TF;
}

/* The CPU will not run what the VMCB says: with QEMU also when CR3 gets a bit that it has not. And
 * QEMU writes the machine's own registers to the VMCB when it was VMRUN that found it out: they are
 * told by RIP, and no guest has them. */
static void invalid(struct vcpu *v)
{
    uint64_t rip = v->regs.rip;
    bool machine = rip >= HYPERVISOR_VIRT_START && rip < HYPERVISOR_VIRT_END;
    uint8_t code[X86_INSN_MAX];

    hvm_forget_translations(v); /* it did not come as far as the flush that was asked for */
    if (!machine && hvm_fetch(v, code) >= 2 && code[0] == 0x0f && code[1] == 0x22) {
        protection_fault(v);
        return;
    }
    domain_crash(v->domain, "d%uv%u: its state cannot be run", v->domain->domain_id, v->vcpu_id);
}

static void (*const exits[0x90])(struct vcpu *v) = {
    [EXIT_CR4_READ] = hvm_exit_cr4_read,
    [EXIT_CR4_WRITE] = hvm_exit_cr_write,
    [EXIT_CR8_WRITE] = hvm_exit_cr_write,
    [EXIT_DR_WRITE + 0 ... EXIT_DR_WRITE + 3] = hvm_exit_dr,
    [EXIT_DR_WRITE + 5] = hvm_exit_dr,
    [EXIT_DR_WRITE + 7] = hvm_exit_dr,
    [EXIT_EXCEPTION + TRAP_debug] = debug,
    [EXIT_EXCEPTION + TRAP_invalid_tss... EXIT_EXCEPTION + TRAP_page_fault] = fault,
    [EXIT_EXCEPTION + TRAP_alignment_check] = fault,
    [EXIT_EXCEPTION + TRAP_machine_check] = machine_check,
    [EXIT_INTR... EXIT_VINTR] = machine_or_window, /* and NMI, SMI, INIT */
    [EXIT_RDPMC] = protection_fault,
    [EXIT_CPUID] = cpuid_exit,
    [EXIT_IRET] = iret,
    [EXIT_INVD] = invalidate_caches,
    [EXIT_WBINVD] = invalidate_caches,
    [EXIT_PAUSE] = pause,
    [EXIT_HLT] = halt,
    [EXIT_IOIO] = hvm_exit_port,
    [EXIT_MSR] = msr,
    [EXIT_SHUTDOWN] = hvm_triple_fault,
    [EXIT_VMMCALL] = hvm_exit_vmmcall,
    [EXIT_XSETBV] = xsetbv,
    /* What a guest is never given */
    [EXIT_VMRUN] = invalid_opcode,
    [EXIT_VMLOAD... EXIT_SKINIT] = invalid_opcode, /* VMSAVE, STGI, CLGI */
    [EXIT_INVLPGA] = invalid_opcode,
    [EXIT_MONITOR... EXIT_MWAIT_IF] = invalid_opcode, /* MWAIT */
    [EXIT_RDPRU] = invalid_opcode,
};

/* But what is asked for from case to case; PAUSE of who has several vCPUs, and waits for another of
 * them, which may not run. */
void hvm_set_intercepts(struct vcpu *v)
{
    for (unsigned int code = 0; code < ARRAY_SIZE(exits); code++)
        if (exits[code] && code != EXIT_VINTR && code != EXIT_IRET)
            vmcb_intercept(vmcb_of(v), code, code != EXIT_PAUSE || v->domain->max_vcpus > 1);
    make_step(v, false);
}

/* From exit_other on, which those have that have none of their own. */
static const uint8_t counter_of[ARRAY_SIZE(exits)] = {
#define X(name, code) [code] = COUNTER_##name - COUNTER_exit_other,
    COUNTERS_OF_EXITS(X)
#undef X
};

static void count_exit(struct vcpu *v, uint64_t code)
{
    if (likely(code < ARRAY_SIZE(counter_of)))
        count_event(v, COUNTER_exit_other + counter_of[code]);
    else
        count_event(v, code == EXIT_NPF ? COUNTER_exit_npt_fault : COUNTER_exit_other);
}

static void by_code(struct vcpu *v, uint64_t code)
{
    if (code < ARRAY_SIZE(exits) && exits[code])
        exits[code](v);
    else if (code == EXIT_NPF)
        hvm_exit_npf(v);
    else if ((uint32_t)code == EXIT_INVALID)
        invalid(v);
    else
        domain_crash(v->domain, "d%uv%u: exit %#lx, which nobody asked for", v->domain->domain_id,
                     v->vcpu_id, code);
}

/* XSETBV may have gone by without an exit (QEMU). */
static void take_xcr0(struct vcpu *v)
{
    uint64_t xcr0 = hvm_cpu_xcr0();

    if (likely(xcr0 == v->arch.xcr0) || !xcr0)
        return;
    if (machine_xsetbv_safe(xcr0))
        v->arch.xcr0 = xcr0;
    else
        domain_crash(v->domain, "d%uv%u: XCR0 %#lx has bits that it was not offered",
                     v->domain->domain_id, v->vcpu_id, xcr0);
}

/* A CPU has #GP for CR0.NW without CD. QEMU takes it, refuses to run it, and then the VMCB has the
 * machine's own state for the guest's. */
static bool has_bad_cr0(const struct vcpu *v)
{
    return (vmcb_of(v)->save.cr0 & (X86_CR0_NW | X86_CR0_CD)) == X86_CR0_NW;
}

/* Between STI and HLT no interrupt is taken, but the next entry may forget that (QEMU): so HLT is
 * carried out here. */
static bool halts_behind_sti(struct vcpu *v)
{
    uint8_t code[X86_INSN_MAX];

    return (vmcb_of(v)->control.int_state & INT_STATE_SHADOW) && hvm_fetch(v, code) &&
           code[0] == 0xf4 && !vmcb_of(v)->save.cpl;
}

void hvm_after_exit(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);
    uint64_t code = b->control.exit_code;

    v->regs.rax = b->save.rax;
    v->regs.rsp = b->save.rsp;
    v->regs.rip = b->save.rip;
    v->regs.rflags = b->save.rflags;
    v->regs.cs = b->save.cs.selector;
    v->regs.ss = b->save.ss.selector;
    v->regs.entry_vector = 0;
    count_exit(v, code);
    b->control.event_inj = 0;
    b->control.tlb_control = TLB_CONTROL_NOTHING;
    hvm_keep_event(v);
    take_xcr0(v);
    if (unlikely(has_bad_cr0(v)))
        domain_crash(v->domain, "d%uv%u: its state cannot be run", v->domain->domain_id,
                     v->vcpu_id);
    else if ((code == EXIT_INTR || code == EXIT_NMI || code == EXIT_VINTR) && halts_behind_sti(v))
        halt(v);
    else
        by_code(v, code);
}
