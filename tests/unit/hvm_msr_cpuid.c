/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized guest is told by CPUID and may read and write of MSRs: on a machine that
 * has everything nothing beyond the lists, on one that has nothing only what the hypervisor itself
 * makes.
 */
#include "hvm_whole.h"

#include <core/life/life.h>
#include <core/state/guest_ops.h>

#define BIT(n) (1u << (n))

static uint32_t out[4];

static const uint32_t *cpuid(uint32_t leaf, uint32_t sub)
{
    memset(out, 0x5a, sizeof(out));
    hvm_cpuid(v, leaf, sub, out);
    return out;
}

static void assert_nothing(uint32_t leaf, uint32_t sub)
{
    cpuid(leaf, sub);
    if (out[0] | out[1] | out[2] | out[3])
        fail_msg("leaf %#x.%u: %#x %#x %#x %#x", leaf, sub, out[0], out[1], out[2], out[3]);
}

static const uint32_t known[] = {0,          1,          2,          4,          6,
                                 7,          0xd,        0x80000000, 0x80000001, 0x80000002,
                                 0x80000003, 0x80000004, 0x80000005, 0x80000006, 0x80000007,
                                 0x80000008, 0x80000021};

static bool is_known(uint32_t leaf)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
        if (known[i] == leaf)
            return true;
    return false;
}

static int of_everything(void **state)
{
    static int yes = 1;

    whole_setup(state);
    *state = &yes;
    return 0;
}

static void leaves_that_there_are(void **state)
{
    static const uint32_t from[] = {0, 0x40000000, 0x40000100, 0x80000000, 0x8000000a, 0xfffffff0};

    (void)state;
    host_full_cpu = true;
    assert_int_equal(cpuid(0, 0)[0], 0xd);
    assert_int_equal(cpuid(0x80000000, 0)[0], 0x80000021);
    for (unsigned int i = 0; i < ARRAY_SIZE(from); i++)
        for (uint32_t leaf = from[i]; leaf - from[i] < 0x40 && leaf >= from[i]; leaf++)
            for (uint32_t sub = 0; sub < 4; sub++)
                if (!is_known(leaf))
                    assert_nothing(leaf, sub);
    for (uint32_t sub = 1; sub < 40; sub++)
        assert_nothing(7, sub);
    for (uint32_t sub = 3; sub < 70; sub++)
        assert_nothing(0xd, sub);
}

static void a_machine_that_has_everything(void **state)
{
    (void)state;
    host_full_cpu = true;
    cpuid(1, 0);
    /* MONITOR, VMX, PDCM, x2APIC, OSXSAVE, a hypervisor */
    assert_int_equal(out[2] & (BIT(3) | BIT(5) | BIT(15) | BIT(21) | BIT(27) | BIT(31)), 0);
    assert_int_equal(out[3] & (BIT(10) | BIT(12) | BIT(18) | BIT(21)), 0); /* MTRR */
    cpuid(7, 0);
    /* TSC_ADJUST, HLE, RTM, MPX, AVX-512, Processor Trace; PKU, LA57, RDPID; all of EDX */
    assert_int_equal(
        out[1] & (BIT(1) | BIT(4) | BIT(11) | BIT(14) | BIT(16) | BIT(17) | BIT(25) | BIT(30)), 0);
    assert_int_equal(out[2] & ~BIT(2), 0);
    assert_int_equal(out[0] | out[3], 0);
    cpuid(0x80000001, 0);
    assert_int_equal(out[2] & (BIT(2) | BIT(3) | BIT(10) | BIT(12) | BIT(15) | BIT(29)), 0);
    assert_int_equal(out[3] & (BIT(25) | BIT(27)), 0); /* FFXSR, a bit of EFER; RDTSCP */
    assert_int_equal(cpuid(0x80000008, 0)[0], 40 | 48 << 8);
    assert_int_equal(out[1], BIT(12)); /* IBPB */
    assert_int_equal(out[3], 0);
    assert_int_equal(cpuid(4, 0)[0] >> 14, 0); /* who shares a cache, and its cores */
    cpuid(0x80000007, 0);
    assert_int_equal(out[0] | out[1] | out[2], 0);
}

/* One package, whatever the machine has. */
static void its_vcpus_are_cores(void **state)
{
    static const struct {
        uint32_t cores, bits;
    } of[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {64, 6}};

    (void)state;
    host_full_cpu = *state;
    for (unsigned int i = 0; i < ARRAY_SIZE(of); i++) {
        uint32_t several = of[i].cores > 1;

        d->max_vcpus = of[i].cores;
        assert_int_equal(cpuid(1, 0)[1] >> 16, of[i].cores); /* and its number: 0 */
        assert_int_equal(out[3] >> 28 & 1, several);
        assert_int_equal(cpuid(0x80000001, 0)[2] >> 1 & 1, several);
        assert_int_equal(cpuid(0x80000008, 0)[2], (of[i].cores - 1) | of[i].bits << 12);
    }
    d->max_vcpus = 2;
    hvm_cpuid(d->vcpu[1], 1, 0, out);
    assert_int_equal(out[1] >> 16, 0x102);
}

static void a_machine_that_has_nothing(void **state)
{
    (void)state;
    host_clock_stable = false;
    cpuid(1, 0);
    assert_int_equal(out[2], BIT(24)); /* the deadline of the timer, and the local APIC: ours */
    assert_int_equal(out[3], BIT(9) | BIT(28));
    for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
        for (uint32_t sub = 0; sub < 3; sub++)
            if (known[i] != 1 && known[i] != 6 && known[i] != 0x80000001 && known[i] != 0x80000008)
                assert_nothing(known[i], sub);
    assert_int_equal(cpuid(6, 0)[0], BIT(2)); /* ARAT */
    assert_int_equal(out[1] | out[2] | out[3], 0);
}

static void what_follows_its_state(void **state)
{
    uint64_t base;

    (void)state;
    host_full_cpu = true;
    assert_true(cpuid(1, 0)[2] & BIT(26));
    b->save.cr4 |= X86_CR4_OSXSAVE;
    assert_true(cpuid(1, 0)[2] & BIT(27));
    assert_int_equal(cpuid(0xd, 0)[0], 7);
    assert_int_equal(out[1], 576);
    assert_int_equal(out[2], 832);
    v->arch.xcr0 = 7;
    assert_int_equal(cpuid(0xd, 0)[1], 832);
    assert_int_equal(cpuid(0xd, 1)[0], 1); /* XSAVEOPT alone */
    assert_true(hvm_rdmsr(v, 0x1b, &base) && hvm_wrmsr(v, 0x1b, base & ~0x800ull));
    assert_false(cpuid(1, 0)[3] & BIT(9));
}

/* The hypervisor knows whether the TSC is one clock, and not only by the machine's CPUID. */
static void an_invariant_tsc(void **state)
{
    for (unsigned int stable = 0; stable < 2; stable++) {
        host_full_cpu = *state;
        host_clock_stable = stable;
        assert_int_equal(cpuid(0x80000007, 0)[3], stable ? BIT(8) : 0);
    }
    host_clock_stable = false;
}

/* --- MSRs --- */

static const uint32_t msrs[] = {0x10,  0x1b,  0x48,       0x8b,       0x179,      0x17a,     0x1d9,
                                0x277, 0x6e0, 0xc0000080, 0xc0010015, 0xc001001f, 0xc0010055};

static bool is_msr(uint32_t msr)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++)
        if (msrs[i] == msr)
            return true;
    return false;
}

static void msrs_that_there_are(void **state)
{
    static const uint32_t from[] = {0, 0x40000000, 0xc0000000, 0xc0010000, 0xffffe000};
    uint64_t value;

    (void)state;
    host_full_cpu = true;
    for (unsigned int i = 0; i < ARRAY_SIZE(from); i++)
        for (uint32_t n = 0; n < 0x2000; n++) {
            uint32_t msr = from[i] + n;

            if (hvm_rdmsr(v, msr, &value) != is_msr(msr))
                fail_msg("MSR %#x", msr);
            if (!is_msr(msr) && msr != MSR_PRED_CMD) /* which can be written alone */
                assert_false(hvm_wrmsr(v, msr, 0));
        }
}

static void efer(void **state)
{
    uint64_t value, svme = 1ull << 12;

    (void)state;
    b->save.cr4 |= X86_CR4_PAE;
    for (unsigned int bit = 0; bit < 64; bit++) {
        bool may = bit == 0 || bit == 8 || bit == 10 || bit == 11;

        assert_int_equal(hvm_wrmsr(v, MSR_EFER, 1ull << bit), may);
        assert_int_equal(b->save.efer & ~(EFER_SCE | EFER_LME | EFER_NXE), svme); /* it stays on */
        assert_true(hvm_rdmsr(v, MSR_EFER, &value));
        assert_int_equal(value, may && bit != 10 ? 1ull << bit
                                : bit < 8        ? EFER_SCE
                                : bit < 10       ? EFER_LME
                                : bit == 10      ? 0
                                                 : EFER_NXE);
    }
    b->save.cr0 |= X86_CR0_PG;
    assert_false(hvm_wrmsr(v, MSR_EFER, EFER_LME | EFER_NXE)); /* not while it pages */
    assert_true(hvm_wrmsr(v, MSR_EFER, EFER_SCE));
    b->save.efer |= EFER_LME | EFER_LMA;
    v->arch.hvm.lme = true;
    assert_true(hvm_wrmsr(v, MSR_EFER, EFER_LME)); /* LMA is not its to write */
    assert_int_equal(b->save.efer, EFER_LME | EFER_LMA | svme);
}

/* Of EFER translations are made: what the CPU knows goes. */
static void translations_go(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(hvm_before_entry(v));
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.tlb_control, TLB_CONTROL_NOTHING);
    assert_true(hvm_rdmsr(v, MSR_EFER, &value) && hvm_wrmsr(v, MSR_EFER, value));
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.tlb_control, TLB_CONTROL_ALL);
}

static void pat(void **state)
{
    static const uint8_t good[] = {0, 1, 4, 5, 6, 7};
    uint64_t value;

    (void)state;
    for (unsigned int i = 0; i < 8; i++)
        for (unsigned int type = 0; type < 256; type++)
            assert_int_equal(hvm_wrmsr(v, 0x277, (uint64_t)type << 8 * i),
                             memchr(good, (int)type, sizeof(good)) != NULL);
    assert_true(hvm_rdmsr(v, 0x277, &value));
    assert_int_equal(value, 7ull << 56);
}

/* What it reads is what it wrote; what the CPU has is write-back, from the start and after INIT. */
static void its_memory_is_write_back(void **state)
{
    uint64_t value, all = 0x0606060606060606;

    (void)state;
    assert_true(hvm_rdmsr(v, 0x277, &value));
    assert_int_equal(value, 0x0007040600070406);
    assert_int_equal(b->save.pat, all);
    assert_true(hvm_wrmsr(v, 0x277, 0x0001040500010405) && hvm_rdmsr(v, 0x277, &value));
    assert_int_equal(value, 0x0001040500010405);
    assert_int_equal(b->save.pat, all);
    hvm_reset_vcpu(v);
    assert_true(hvm_rdmsr(v, 0x277, &value));
    assert_int_equal(value, 0x0007040600070406);
    assert_int_equal(b->save.pat, all);
}

/* --- CR4 --- */

static bool write_cr4(uint64_t value)
{
    v->regs.rip = CODE;
    v->regs.rdx = value;
    b->control.event_inj = 0;
    whole_code("\x0f\x22\xe2", 3);
    whole_exit(EXIT_CR4_WRITE, 0, 0);
    assert_int_equal(whole_exception(), v->regs.rip == CODE ? TRAP_gp_fault : -1);
    return whole_exception() < 0 && v->regs.rip == CODE + 3 && hvm_cr4(v) == (uint32_t)value;
}

/* What CPUID shows it may have, and no more: a machine that has everything, one that has nothing.
 */
static void cr4_is_what_cpuid_shows(void **state)
{
    const uint64_t always = 0x7ff, by_cpuid = 0x350800;

    (void)state;
    for (unsigned int full = 0; full < 2; full++)
        for (unsigned int bit = 0; bit < 32; bit++) {
            host_full_cpu = full;
            assert_int_equal(write_cr4(1ull << bit), (always | (full ? by_cpuid : 0)) >> bit & 1);
        }
    assert_int_equal(whole_end(), -1);
}

static void cr4_in_long_mode(void **state)
{
    (void)state;
    host_full_cpu = true;
    whole_long_mode();
    assert_false(write_cr4(0)); /* not without PAE */
    assert_false(write_cr4(1ull << 32 | X86_CR4_PAE));
    b->save.cr3 |= 1;
    assert_false(write_cr4(1ul << 17 | X86_CR4_PAE));
    b->save.cr3 &= ~1ull;
    assert_true(write_cr4(1ul << 17 | X86_CR4_PAE));
    v->regs.rip = CODE;
    v->regs.r9 = X86_CR4_PAE | X86_CR4_PGE;
    whole_code("\x41\x0f\x22\xe1", 4); /* R9 */
    whole_exit(EXIT_CR4_WRITE, 0, 0);
    assert_int_equal(hvm_cr4(v), X86_CR4_PAE | X86_CR4_PGE);
    assert_int_equal(v->regs.rip, CODE + 4);
    whole_code("\x90\x90\x90", 3); /* another CPU changed the code */
    v->regs.rip = CODE;
    whole_exit(EXIT_CR4_WRITE, 0, 0);
    assert_true(whole_end() >= 0);
}

/* A machine check must reach the hypervisor: the CPU has MCE, what the guest reads is its own. */
static void mce_is_the_machines(void **state)
{
    struct vcpu_guest_context c;

    (void)state;
    whole_long_mode();
    for (unsigned int on = 0; on < 2; on++) {
        uint64_t cr4 = X86_CR4_PAE | (on ? X86_CR4_MCE : 0);

        assert_true(write_cr4(cr4));
        assert_int_equal(b->save.cr4, X86_CR4_PAE | X86_CR4_MCE);
        v->regs.rip = CODE;
        v->regs.r9 = ~0ull;
        whole_code("\x41\x0f\x20\xe1", 4); /* R9, CR4 */
        whole_exit(EXIT_CR4_READ, 0, 0);
        assert_int_equal(v->regs.r9, cr4);
        assert_int_equal(v->regs.rip, CODE + 4);
        d->ops->get_context(v, &c);
        assert_int_equal(c.ctrlreg[4], cr4);
    }
    hvm_reset_vcpu(v);
    assert_int_equal(b->save.cr4, X86_CR4_MCE);
    assert_int_equal(hvm_cr4(v), 0);
    whole_code("\x0f\x22\xe1", 3); /* another CPU changed the code: a write */
    v->regs.rip = CODE;
    whole_exit(EXIT_CR4_READ, 0, 0);
    assert_true(whole_end() >= 0);
}

static void cr8_has_four_bits(void **state)
{
    (void)state;
    whole_long_mode();
    v->regs.r9 = 0x10;
    whole_code("\x45\x0f\x22\xc1", 4); /* CR8, R9 */
    whole_exit(EXIT_CR8_WRITE, 0, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_int_equal(v->regs.rip, CODE);
    b->control.event_inj = 0;
    v->regs.r9 = 0xf;
    whole_exit(EXIT_CR8_WRITE, 0, 0);
    assert_int_equal(lapic_cr8(v), 0xf);
    v->regs.rip = CODE;
    whole_code("\x41\x0f\x22\xe1", 4); /* CR4, R9 */
    whole_exit(EXIT_CR8_WRITE, 0, 0);
    assert_true(whole_end() >= 0);
}

/* The CPU never runs with LME and neither PG nor PAE; the guest reads what it wrote. */
static void lme_waits_for_pae(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(hvm_wrmsr(v, MSR_EFER, EFER_LME));
    assert_false(b->save.efer & EFER_LME);
    assert_true(hvm_rdmsr(v, MSR_EFER, &value));
    assert_int_equal(value, EFER_LME);
    assert_true(write_cr4(X86_CR4_PAE));
    assert_true(b->save.efer & EFER_LME);
    assert_true(write_cr4(0));
    assert_false(b->save.efer & EFER_LME);
}

static void fixed_ones(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(hvm_wrmsr(v, 0x10, 5));
    assert_true(hvm_rdmsr(v, 0x10, &value));
    assert_true(value != 5);
    assert_true(hvm_wrmsr(v, 0x17a, 0) && !hvm_wrmsr(v, 0x17a, 1));
    assert_true(hvm_wrmsr(v, 0x1d9, 0) && !hvm_wrmsr(v, 0x1d9, 1)); /* no branch records */
    for (unsigned int has = 0; has < 2; has++) {
        host_full_cpu = has;
        host_barriers = 0;
        assert_int_equal(hvm_wrmsr(v, MSR_PRED_CMD, 1), has);
        assert_int_equal(host_barriers, has);
        assert_false(hvm_wrmsr(v, MSR_PRED_CMD, 2));
        assert_int_equal(cpuid(0x80000008, 0)[1], has ? BIT(12) : 0);
        assert_int_equal(cpuid(0x80000021, 0)[0], has ? BIT(5) : 0); /* VERW clears */
        assert_int_equal(cpuid(0x80000021, 0)[2], has ? 6 : 0);      /* no TSA */
        assert_int_equal(cpuid(0x80000021, 0)[1] | cpuid(0x80000021, 0)[3], 0);
        assert_int_equal(hvm_wrmsr(v, 0x48, 4), has); /* SPEC_CTRL, SSBD */
        assert_int_equal(hvm_rdmsr(v, 0x48, &value), has);
        assert_true(!has || value == 4);
        assert_false(hvm_wrmsr(v, 0x48, 1));
    }
    assert_false(hvm_wrmsr(v, 0x179, 0));
    assert_false(hvm_wrmsr(v, 0xc0010055, 0));
    assert_true(hvm_rdmsr(v, 0xc0010015, &value));
    assert_int_equal(value, BIT(24));
    assert_false(hvm_wrmsr(v, 0xc0010015, 0));
    assert_true(hvm_rdmsr(v, 0x179, &value));
    assert_int_equal(value, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(leaves_that_there_are),
        T(a_machine_that_has_everything),
        T(a_machine_that_has_nothing),
        T(its_vcpus_are_cores),
        cmocka_unit_test_setup_teardown(its_vcpus_are_cores, of_everything, whole_teardown),
        T(an_invariant_tsc),
        cmocka_unit_test_setup_teardown(an_invariant_tsc, of_everything, whole_teardown),
        T(what_follows_its_state),
        T(msrs_that_there_are),
        T(efer),
        T(translations_go),
        T(pat),
        T(its_memory_is_write_back),
        T(cr4_is_what_cpuid_shows),
        T(cr4_in_long_mode),
        T(mce_is_the_machines),
        T(cr8_has_four_bits),
        T(lme_waits_for_pae),
        T(fixed_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
