/* SPDX-License-Identifier: MIT */
/*
 * What each exit does to a fully virtualized guest: its registers, where it goes on, which fault it
 * has, whether it ends.
 */
#include "hvm_whole.h"

#include <core/life/life.h>
#include <xen/sched.h>

/* --- where it goes on --- */

static void skipped_by_length_or_as_the_cpu_says(void **state)
{
    static const struct {
        uint64_t code;
        unsigned int length;
    } given[] = {{EXIT_CPUID, 2}, {EXIT_WBINVD, 2}, {EXIT_INVD, 2}, {EXIT_HLT, 1}, {EXIT_PAUSE, 2}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(given); i++) {
        v->regs.rip = CODE;
        b->control.next_rip = 0;
        b->control.int_state = INT_STATE_SHADOW;
        whole_exit(given[i].code, 0, 0);
        assert_int_equal(v->regs.rip, CODE + given[i].length);
        assert_int_equal(b->control.int_state, 0); /* the shadow is of one instruction */
        b->control.next_rip = CODE + 7;
        whole_exit(given[i].code, 0, 0);
        assert_int_equal(v->regs.rip, CODE + 7);
    }
    assert_int_equal(whole_exception(), -1);
}

/* A step is one, whoever carries the instruction out; what is not carried out is none. */
static void single_steps(void **state)
{
    (void)state;
    v->regs.rflags |= X86_EFLAGS_TF;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal(v->regs.rip, CODE + 2);
    assert_int_equal(whole_exception(), TRAP_debug);
    assert_true(b->save.dr6 & X86_DR6_BS);
    b->save.dr6 = X86_DR6_DEFAULT;
    whole_exit(EXIT_RDPMC, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_int_equal(b->save.dr6, X86_DR6_DEFAULT);
}

/* QEMU carries out what a CPU refuses, and then has the machine's state in the VMCB. */
static void cr0_that_cannot_be(void **state)
{
    (void)state;
    b->save.cr0 |= X86_CR0_NW | X86_CR0_CD;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal(whole_end(), -1);
    b->save.cr0 &= ~X86_CR0_CD;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

/* 32-bit code ends at 4 GiB, 64-bit code does not. */
static void rip_wraps(void **state)
{
    (void)state;
    v->regs.rip = 0xfffffffe;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal(v->regs.rip, 0);
    whole_long_mode();
    v->regs.rip = 0xfffffffe;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal(v->regs.rip, 0x100000000);
}

static void cpuid_fills_halves(void **state)
{
    (void)state;
    v->regs.rax = ~0ull << 32;
    v->regs.rbx = v->regs.rcx = v->regs.rdx = ~0ull;
    whole_exit(EXIT_CPUID, 0, 0);
    assert_int_equal((v->regs.rax | v->regs.rbx | v->regs.rcx | v->regs.rdx) >> 32, 0);
}

/* --- what it is not given --- */

static void undefined_instructions(void **state)
{
    static const uint64_t codes[] = {EXIT_VMRUN,   EXIT_VMMCALL, EXIT_VMLOAD, EXIT_VMSAVE,
                                     EXIT_STGI,    EXIT_CLGI,    EXIT_SKINIT, EXIT_INVLPGA,
                                     EXIT_MONITOR, EXIT_MWAIT,   EXIT_RDPRU,  EXIT_MWAIT_IF};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++) {
        b->control.next_rip = CODE + 3;
        whole_exit(codes[i], 0, 0);
        assert_int_equal(whole_exception(), TRAP_invalid_op);
        assert_false(b->control.event_inj & EVENT_HAS_CODE);
        assert_int_equal(v->regs.rip, CODE); /* a fault: at the instruction */
    }
    whole_exit(EXIT_RDPMC, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_true(b->control.event_inj & EVENT_HAS_CODE);
}

/* mov drN, edx (23h), crN, edx (22h), edx, crN (20h) */
static void put_mov(uint8_t opcode, uint64_t n)
{
    const uint8_t code[] = {0x44, 0x0f, opcode, (uint8_t)(0xc2 | (n & 7) << 3)};

    whole_code(code + (n < 8), sizeof(code) - (n < 8));
    v->regs.rip = CODE;
}

/* Each exit that is asked for has a handler that the guest lives on with. */
static void intercepts_and_handlers_agree(void **state)
{
    static const unsigned int first[] = {0, 0x20, 0x40, 0x60, 0x80};

    (void)state;
    whole_long_mode();
    for (unsigned int word = 0; word < 5; word++)
        for (unsigned int bit = 0; bit < 32; bit++) {
            uint64_t code = first[word] + bit;

            if (!(b->control.intercept[word] >> bit & 1) || code == EXIT_EXCEPTION + 18)
                continue;
            if (word < 2)
                put_mov(word ? 0x23 : bit < 16 ? 0x20 : 0x22, code % 16);
            v->regs.rip = CODE;
            whole_exit(code, code == EXIT_IOIO ? 1u << 4 : 0, 0);
            assert_int_equal(whole_end(), code < EXIT_SHUTDOWN ? -1 : SHUTDOWN_reboot);
        }
}

/* Whatever a guest may not do behind the hypervisor's back; what holds its CPU for ever (XSA-156);
 * all ports and MSRs, but for the maps; and the machine's own. */
static void what_must_exit(void **state)
{
    static const uint64_t codes[] = {EXIT_INTR,
                                     EXIT_NMI,
                                     EXIT_SMI,
                                     EXIT_INIT,
                                     EXIT_RDPMC,
                                     EXIT_CPUID,
                                     EXIT_INVD,
                                     EXIT_HLT,
                                     EXIT_INVLPGA,
                                     EXIT_IOIO,
                                     EXIT_MSR,
                                     EXIT_VMRUN,
                                     EXIT_VMMCALL,
                                     EXIT_VMLOAD,
                                     EXIT_VMSAVE,
                                     EXIT_STGI,
                                     EXIT_CLGI,
                                     EXIT_SKINIT,
                                     EXIT_WBINVD,
                                     EXIT_MONITOR,
                                     EXIT_MWAIT,
                                     EXIT_XSETBV,
                                     EXIT_RDPRU,
                                     EXIT_CR4_READ,
                                     EXIT_CR4_WRITE,
                                     EXIT_SHUTDOWN,
                                     EXIT_EXCEPTION + TRAP_debug,
                                     EXIT_EXCEPTION + TRAP_alignment_check,
                                     EXIT_EXCEPTION + TRAP_machine_check};

    (void)state;
    hvm_reset_vcpu(v);
    for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++)
        if (!(b->control.intercept[codes[i] / 32] >> codes[i] % 32 & 1))
            fail_msg("exit %#lx", (unsigned long)codes[i]);
    assert_int_equal(b->control.vintr, VINTR_INTR_MASKING); /* its RFLAGS.IF is not the machine's */
    assert_true(b->control.iopm && b->control.msrpm && b->control.asid);
    assert_int_equal(b->control.nested, 1);
}

static void an_exit_that_nobody_asked_for(void **state)
{
    (void)state;
    whole_exit(0x8f, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
    whole_exit(0x401, 0, 0); /* and once more, on its way out */
}

static void passed_on(void **state)
{
    (void)state;
    whole_exit(EXIT_EXCEPTION + TRAP_debug, 0, 0);
    assert_int_equal(whole_exception(), TRAP_debug);
    whole_exit(EXIT_EXCEPTION + TRAP_alignment_check, 0, 0);
    assert_int_equal(whole_exception(), TRAP_alignment_check);
    assert_int_equal(b->control.event_inj >> 32, 0);
    assert_true(b->control.event_inj & EVENT_HAS_CODE);
}

static void triple_fault(void **state)
{
    (void)state;
    whole_exit(EXIT_SHUTDOWN, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_reboot);
}

/* MOV to CR4 with a bit that the CPU has not: #GP; what else cannot be run: the end. In either case
 * the flush that was asked for is not known to be done. */
static void a_state_that_cannot_be_run(void **state)
{
    (void)state;
    assert_true(hvm_before_entry(v));
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.tlb_control, TLB_CONTROL_NOTHING);
    whole_code("\x0f\x22\xe0", 3);
    whole_exit(~0ull, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    whole_exit(~0u, 0, 0); /* QEMU's */
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.tlb_control, TLB_CONTROL_ALL);
    assert_int_equal(whole_end(), -1);
    whole_code("\x0f\x20\xe0", 3);
    whole_exit(EXIT_INVALID, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

/* QEMU wrote what the machine itself had: no fault of the guest's, whatever is at that address. */
static void a_state_that_is_the_machines(void **state)
{
    (void)state;
    whole_code("\x0f\x22\xe0", 3);
    v->regs.rip = 0xffff82d000000000 + CODE; /* 32-bit code has it at CODE */
    b->control.vintr = 0;
    whole_exit(EXIT_INVALID, 0, 0);
    assert_int_equal(whole_exception(), -1);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

/* --- debug registers --- */

static int dr_written(uint64_t n, uint64_t value)
{
    put_mov(0x23, n);
    v->regs.rdx = value;
    b->control.event_inj = 0;
    whole_exit(EXIT_DR_WRITE + n, 0, 0);
    assert_int_equal(v->regs.rip, whole_exception() < 0 ? CODE + 3 : CODE);
    return whole_exception();
}

/* The CPU that the guest is on sets no breakpoint when it is written, but by the next VMRUN. */
static void debug_registers(void **state)
{
    (void)state;
    assert_int_equal(b->control.intercept[1], 0xaf0000);
    for (unsigned int n = 0; n < 4; n++) {
        assert_int_equal(dr_written(n, ~0ull - n), -1);
        assert_int_equal(host_hvm_debugreg[n], 0xffffffff - n); /* 32-bit code */
    }
    assert_int_equal(dr_written(7, 0xffffffff), -1);
    assert_int_equal(b->save.dr7, 0xffff27ff);
    assert_int_equal(dr_written(5, 0), -1); /* its other name */
    assert_int_equal(b->save.dr7, 0x400);
    b->save.cr4 |= X86_CR4_DE;
    assert_int_equal(dr_written(5, 1), TRAP_invalid_op);
    whole_long_mode();
    assert_int_equal(dr_written(3, 1ull << 47), -1);
    assert_int_equal(host_hvm_debugreg[3], 1ull << 47);
    assert_int_equal(dr_written(7, 1ull << 32), TRAP_gp_fault);
    assert_int_equal(b->save.dr7, 0x400);
    whole_code("\x0f\x21\xfa", 3); /* another CPU changed the code */
    whole_exit(EXIT_DR_WRITE + 7, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

/* --- MSRs --- */

static void msr_halves(void **state)
{
    (void)state;
    v->regs.rcx = 0xdead000000000277; /* PAT, by ECX alone */
    v->regs.rax = 0xffffffff01010101;
    v->regs.rdx = 0xffffffff04040404;
    whole_exit(EXIT_MSR, 1, 0);
    assert_int_equal(v->arch.hvm.pat, 0x0404040401010101);
    v->regs.rax = v->regs.rdx = ~0ull;
    whole_exit(EXIT_MSR, 0, 0);
    assert_int_equal(v->regs.rax, 0x01010101);
    assert_int_equal(v->regs.rdx, 0x04040404);
    assert_int_equal(v->regs.rip, CODE + 4);
    v->regs.rcx = 0xc0010000;
    whole_exit(EXIT_MSR, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_int_equal(v->regs.rip, CODE + 4);
    assert_int_equal(v->regs.rax, 0x01010101);
}

/* --- XCR0 --- */

static void xsetbv(void **state)
{
    (void)state;
    host_full_cpu = true;
    v->regs.rcx = 1ull << 32; /* ECX is 0 */
    v->regs.rax = 7;
    v->regs.rdx = 1ull << 32;
    whole_exit(EXIT_XSETBV, 0, 0);
    assert_int_equal(v->arch.xcr0, 7);
    assert_int_equal(v->regs.rip, CODE + 3);
    v->regs.rdx = 1;
    whole_exit(EXIT_XSETBV, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    v->regs.rdx = 0;
    b->save.cpl = 3;
    whole_exit(EXIT_XSETBV, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    b->save.cpl = 0;
    v->regs.rcx = 1;
    whole_exit(EXIT_XSETBV, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_int_equal(v->arch.xcr0, 7);
}

/* Where XSETBV makes no exit: what it was offered is taken over, what not is the end. */
static void xcr0_behind_our_back(void **state)
{
    (void)state;
    host_full_cpu = true;
    host_hvm_xcr0 = 3;
    whole_exit(EXIT_INTR, 0, 0);
    assert_int_equal(v->arch.xcr0, 3);
    host_hvm_xcr0 = 0x203;
    whole_exit(EXIT_INTR, 0, 0);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
    assert_int_equal(v->arch.xcr0, 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(skipped_by_length_or_as_the_cpu_says),
        T(single_steps),
        T(cr0_that_cannot_be),
        T(rip_wraps),
        T(cpuid_fills_halves),
        T(undefined_instructions),
        T(intercepts_and_handlers_agree),
        T(what_must_exit),
        T(an_exit_that_nobody_asked_for),
        T(passed_on),
        T(triple_fault),
        T(a_state_that_cannot_be_run),
        T(a_state_that_is_the_machines),
        T(debug_registers),
        T(msr_halves),
        T(xsetbv),
        T(xcr0_behind_our_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
