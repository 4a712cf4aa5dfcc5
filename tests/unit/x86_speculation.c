/* SPDX-License-Identifier: MIT */
/*
 * What this machine's CPUs set against speculation (x86/speculation.c): what CPUID says becomes
 * what is chosen and told, and the registers that a CPU has for it get their bits; and the barrier
 * comes whenever a CPU goes to another vCPU than ran there last, or to one that was elsewhere
 * since, and then alone. CPUID is a table here, and MSRs are noted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86_log.h"
#include "x86_names.h"
#include <core/base/log.h>
#include <core/state/domain.h>
#include <parvis/boot_info.h>
#include <port/current.h>
#include <port/machine.h>
#include <x86/regs.h>
#include <x86/speculation.h>
#include <x86/x86.h>

#define CPUS 2

static struct cpu cpus[CPUS];
static struct cpu *me = cpus;
static struct vcpu a, b;
static unsigned int barriers, fills;
static uint64_t ctrls[CPUS], ucode; /* each CPU's SPEC_CTRL */
static bool has_sbpb;
static unsigned int probes, spec_ctrl_writes;
static uint32_t signature, l7_edx, e8_ebx, e21_eax, e21_ecx;
static char vendor[13]; /* EBX, EDX, ECX */

struct cpu_features cpu_has = {.phys_bits = 36};
struct spec_site spec_sites_start[1]; /* none */
extern struct spec_site spec_sites_end[1] __attribute__((alias("spec_sites_start")));

/* ---- the machine ---- */

struct cpu *this_cpu(void)
{
    return me;
}

void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    switch (leaf) {
    case 0:
        out[0] = 7;
        memcpy(&out[1], vendor, 4);
        memcpy(&out[3], vendor + 4, 4);
        memcpy(&out[2], vendor + 8, 4);
        break;
    case 1:
        out[0] = signature;
        break;
    case 7:
        out[1] = sub ? 0 : 1 << 7; /* SMEP */
        out[3] = sub ? 0 : l7_edx;
        break;
    case 0x80000000:
        out[0] = 0x80000021;
        break;
    case 0x80000008:
        out[1] = e8_ebx;
        break;
    case 0x80000021:
        out[0] = e21_eax;
        out[2] = e21_ecx;
        break;
    }
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == MSR_SPEC_CTRL) {
        ctrls[me->id] = value;
        spec_ctrl_writes++;
        return;
    }
    assert_int_equal(msr, MSR_PRED_CMD);
    assert_int_equal(value, PRED_CMD_IBPB);
    barriers++;
}

uint64_t rdmsr(uint32_t msr)
{
    fail_msg("MSR %#x is read", msr);
    return 0;
}

/* Reads as 1; the bits of AMD's that were added. Another is not there. */
static uint64_t de_cfg, fp_cfg, bp_cfg, mcu_opt;
static bool not_there;
static uint64_t arch_caps;

static uint64_t *amds(uint32_t msr)
{
    return msr == 0xc0011029   ? &de_cfg
           : msr == 0xc0011028 ? &fp_cfg
           : msr == 0xc001102e ? &bp_cfg
                               : NULL;
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
    if (msr == MSR_UCODE_REV) {
        assert_false(cpu_has.below_hypervisor);
        *value = ucode;
        return true;
    }
    if (msr == MSR_ARCH_CAPABILITIES || msr == 0x123) {
        *value = msr == 0x123 ? mcu_opt : arch_caps;
        return true;
    }
    assert_non_null(amds(msr));
    *value = 1;
    return !not_there;
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
    assert_false(not_there);
    if (msr == MSR_PRED_CMD && value == PRED_CMD_SBPB) {
        assert_false(cpu_has.below_hypervisor);
        probes++;
        return has_sbpb;
    }
    if (msr == MSR_PRED_CMD || msr == MSR_SPEC_CTRL) {
        wrmsr(msr, value);
        return true;
    }
    if (msr == 0x123) {
        mcu_opt = value;
        return true;
    }
    assert_int_equal(value & 1, 1);
    *amds(msr) = value ^ 1;
    return true;
}

/* The image: a return by the thunk, which comes next. */
__asm__(".pushsection .data\n"
        ".globl image_start, __x86_return_thunk, text_end\n"
        "image_start: .byte 0xe9; .long __x86_return_thunk - . - 4\n"
        "__x86_return_thunk: .byte 0xc3\n"
        "text_end: .popsection");
static const uint8_t jump[5] = {0xe9}, at_once[5] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc};

void fill_return_stack(void);
void fill_return_stack(void)
{
    fills++;
}

/* ---- the tests ---- */

static void start(const char *name, uint32_t leaf_1, uint32_t leaf_7, uint32_t off, uint32_t on)
{
    struct boot_info bi = {.spec_off = off, .spec_on = on};

    strcpy(vendor, name);
    signature = leaf_1;
    l7_edx = leaf_7;
    absent_frame_bits = 0;
    de_cfg = fp_cfg = bp_cfg = 0;
    memset(ctrls, 0, sizeof(ctrls));
    memcpy(image_start, jump, sizeof(jump));
    memset(cpus, 0, sizeof(cpus));
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    spec_ctrl_writes = 0;
    cpus[1].id = 1;
    me = cpus;
    init_speculation(&bi);
    barriers = fills = 0;
}

#define HASWELL   0x306c3
#define SKYLAKE   0x506e3
#define MICROCODE (1u << 10 | 1u << 26 | 1u << 31)

static uint32_t measures(void)
{
    struct parvis_sysctl_speculation s;

    machine_speculation(&s);
    return s.measures;
}

static void what_cpuid_says(void **state)
{
    struct parvis_sysctl_speculation s;

    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, 0, 0);
    machine_speculation(&s);
    assert_int_equal(s.measures, MEASURE(RETPOLINE) | MEASURE(IBPB) | MEASURE(VERW) | MEASURE(PTI) |
                                     MEASURE(L1TF) | MEASURE(LOCK));
    assert_true(isolating);
    assert_int_equal(s.affected & HOLE(MELTDOWN), HOLE(MELTDOWN));
    assert_int_equal(s.open, HOLE(SSB) | HOLE(SRBDS));
    assert_int_equal(absent_frame_bits, 0xffffff000);
    assert_int_equal(ctrls[me->id], 0);
    start("GenuineIntel", SKYLAKE, MICROCODE, 0, MEASURE(SSBD));
    machine_speculation(&s);
    assert_int_equal(s.off, 0);
    assert_int_equal(s.on, MEASURE(SSBD));
    assert_int_equal(ctrls[me->id], SPEC_CTRL_IBRS | SPEC_CTRL_SSBD);
    start("AuthenticAMD", 0x800f12, 0, 0, 0); /* Zen 1 */
    assert_int_equal(measures(), MEASURE(RETPOLINE) | MEASURE(RSB_FILL) | MEASURE(DIV_SCRUB) |
                                     MEASURE(FP_DIV) | MEASURE(LOCK));
    assert_int_equal(absent_frame_bits, 0);
    start("HygonGenuine", 0x900f01, 0, 0, 0);
    assert_int_equal(measures() & MEASURE(DIV_SCRUB), MEASURE(DIV_SCRUB));
    start("GenuineIntel", HASWELL, MICROCODE, ~0u, 0);
    assert_int_equal(measures(), 0);
    assert_int_equal(absent_frame_bits, 0);
}

static void bits_are(uint64_t de, uint64_t fp, uint64_t bp)
{
    assert_int_equal(de_cfg, de);
    assert_int_equal(fp_cfg, fp);
    assert_int_equal(bp_cfg, bp);
}

/* Where AMD's CPUs are to have a bit, it is added, on each CPU; and no other register is touched.
 */
static void bits_of_amds(void **state)
{
    (void)state;
    start("AuthenticAMD", 0x800f12, 0, 0, 0); /* Zen 1 */
    bits_are(0, 1 << 9, 0);
    start("AuthenticAMD", 0x830f10, 0, 0, 0); /* Zen 2 */
    bits_are(1 << 9, 0, 1ull << 33);
    de_cfg = bp_cfg = 0;
    start_speculation();
    bits_are(1 << 9, 0, 1ull << 33);
    start("AuthenticAMD", 0x830f10, 0, MEASURE(OP_CACHE), 0);
    bits_are(1 << 9, 0, 0);
    start("AuthenticAMD", 0xa00f11, 0, 0, 0); /* Zen 3 */
    bits_are(0, 0, 0);
    e21_eax = 3u << 30;
    start("AuthenticAMD", 0xb00f21, 0, 0, 0); /* Zen 5 */
    bits_are(0, 0, 1 << 4);
    e21_eax = 0;
    not_there = true; /* in a virtual machine */
    start("AuthenticAMD", 0x830f10, 0, 0, 0);
    not_there = false;
}

/* What the microcode does is left on, or switched on, and what else the register has stays. */
static void switches_of_intels(void **state)
{
    (void)state;
    arch_caps = 1u << 25; /* GDS_CTRL */
    mcu_opt = 0x111;      /* both off, and another bit */
    start("GenuineIntel", SKYLAKE, MICROCODE | 1u << 9 | 1u << 29, 0, 0);
    assert_int_equal(mcu_opt, 0x100);
    mcu_opt = 0x111;
    start_speculation();
    assert_int_equal(mcu_opt, 0x100);
    mcu_opt = 0x111;
    start("GenuineIntel", SKYLAKE, MICROCODE | 1u << 9 | 1u << 29, MEASURE(GDS_MIT), 0);
    assert_int_equal(mcu_opt, 0x110);
    arch_caps = 0;
    mcu_opt = 0x111;
    start("GenuineIntel", SKYLAKE, MICROCODE, 0, 0);
    assert_int_equal(mcu_opt, 0x111);
}

/* Jumps to the thunk stay jumps where that is a measure, and nowhere else. */
static void how_functions_return(void **state)
{
    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, 0, 0);
    assert_memory_equal(image_start, at_once, sizeof(at_once));
    start("GenuineIntel", HASWELL, MICROCODE, 0, MEASURE(ITS));
    assert_memory_equal(image_start, RETURN_THUNKS ? jump : at_once, sizeof(jump));
}

/* A CPU that cannot do what the boot CPU does. */
static void what_another_cpu_lacks(void **state)
{
    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, 0, 0);
    assert_null(missing_measure());
    l7_edx = 0;
    assert_non_null(missing_measure());
    start("GenuineIntel", HASWELL, 0, 0, MEASURE(IBPB));
    assert_null(missing_measure());
}

/* Second threads are a hole that no measure closes, where there are CPUs at all. */
static void threads_of_a_core(void **state)
{
    struct parvis_sysctl_speculation s;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        cpu_has.tcg = i & 1;
        start("GenuineIntel", HASWELL, MICROCODE, 0, 0);
        said[0] = 0;
        threads_run(i & 2, i);
        machine_speculation(&s);
        assert_int_equal(s.second_threads, i & 2);
        assert_int_equal(s.threads_left_alone, i);
        assert_int_equal(!!(s.affected & HOLE(THREADS)), i == 2);
        assert_int_equal(!!(s.open & HOLE(THREADS)), i == 2);
        assert_int_equal(!!strstr(said, "2 CPUs are second threads of a core"), i == 2);
    }
    cpu_has.tcg = false;
}

static void is_after(unsigned int wanted, struct vcpu *v)
{
    spec_switch(v);
    assert_int_equal(barriers, wanted);
    assert_int_equal(fills, wanted);
}

static void a_barrier_between_vcpus(void **state)
{
    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, 0, 0);
    is_after(1, &a);
    is_after(1, &a); /* the same after the CPU idled */
    is_after(2, &b);
    is_after(2, &b);
    is_after(3, &a);
    me = &cpus[1]; /* each CPU has its own */
    is_after(4, &a);
    is_after(4, &a);
    me = &cpus[0]; /* XSA-479: its kernel's own barriers were elsewhere */
    is_after(5, &a);
    is_after(5, &a);
    me = &cpus[1];
    is_after(6, &b);
    me = &cpus[0];
    is_after(6, &a);
    memset(&a, 0, sizeof(a)); /* it died, and another one lies there */
    is_after(7, &a);
    is_after(7, &a);
}

/* A guest's own: the command is carried out where CPUs have it, and no other is. */
static void a_guests_barrier(void **state)
{
    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, ~0u, 0); /* whatever is done here */
    assert_true(machine_pred_cmd(0));
    assert_int_equal(barriers, 0);
    assert_true(machine_pred_cmd(PRED_CMD_IBPB));
    assert_int_equal(barriers, 1);
    assert_false(machine_pred_cmd(2) || machine_pred_cmd(3) || machine_pred_cmd(1ull << 32 | 1));
    start("GenuineIntel", HASWELL, 0, 0, 0);
    assert_false(machine_pred_cmd(0) || machine_pred_cmd(PRED_CMD_IBPB));
    assert_int_equal(barriers, 0);
}

static void runs(struct vcpu *v, uint32_t wanted, unsigned int writes)
{
    spec_switch(v);
    assert_int_equal(ctrls[me->id], wanted);
    assert_int_equal(spec_ctrl_writes, writes);
}

/* SSBD is a vCPU's own: while it runs, beside what the hypervisor has there, and no longer; and the
 * register is written when that changes alone. */
static void a_guests_ssbd(void **state)
{
    const uint32_t off = MEASURE(IBPB);

    (void)state;
    for (uint32_t always = 0; always < 2; always++) {
        uint32_t own = always ? SPEC_CTRL_IBRS : 0;

        start("GenuineIntel", always ? SKYLAKE : HASWELL, MICROCODE, off, 0);
        assert_true(machine_has_ssbd());
        spec_ctrl_writes = 0;
        assert_true(machine_spec_ctrl(&a, 0));
        runs(&a, own, 0);
        assert_true(machine_spec_ctrl(&a, 4));
        runs(&a, own | 4, 1);
        assert_false(machine_spec_ctrl(&a, 1) || machine_spec_ctrl(&a, 2) ||
                     machine_spec_ctrl(&a, 1ull << 34));
        assert_int_equal(a.arch.spec_ctrl, 4);
        runs(&b, own, 2);
        runs(&b, own, 2);
        runs(&a, own | 4, 3);
        me = &cpus[1];
        start_speculation();
        spec_ctrl_writes = 0;
        runs(&b, own, 0);
        runs(&a, own | 4, 1);
        assert_true(machine_spec_ctrl(&a, 0));
        runs(&a, own, 2);
        me = &cpus[0]; /* which was left with it */
        spec_ctrl_writes = 0;
        runs(&a, own, 1);
    }
    start("GenuineIntel", HASWELL, 0, off, 0);
    assert_false(machine_has_ssbd());
    assert_false(machine_spec_ctrl(&a, 0) || machine_spec_ctrl(&a, 4));
}

/* What AMD's microcode does not say in CPUID; guests are shown what is so. */
static void shows(uint32_t e8_ebx_wanted, uint32_t e21_eax_wanted, uint32_t e21_ecx_wanted)
{
    uint32_t out[4] = {~0u, ~0u, ~0u, ~0u};

    machine_cpuid_speculation(0x80000008, out);
    assert_int_equal(out[1], e8_ebx_wanted);
    machine_cpuid_speculation(0x80000021, out);
    assert_int_equal(out[0], e21_eax_wanted);
    assert_int_equal(out[2], e21_ecx_wanted);
    assert_int_equal(out[1] | out[3], 0);
}

/* What AMD's microcode does not say in CPUID; guests are shown what is so. */
static void what_microcode_brought(void **state)
{
    (void)state;
    e8_ebx = 1u << 12 | 1u << 14 | 1u << 24 | 1u << 26 | 1u << 29;
    e21_ecx = ~0u;
    ucode = 0x0a0011d7;
    has_sbpb = true;
    probes = 0;
    start("AuthenticAMD", 0xa00f11, 0, 0, 0); /* Zen 3 */
    assert_int_equal(probes, 1);
    shows(1u << 12 | 1u << 24 | 1u << 26 | 1u << 29, 1u << 5 | 1u << 28, 6);
    has_sbpb = false;
    ucode = 0;
    e8_ebx = 1u << 12;
    start("AuthenticAMD", 0xa00f11, 0, 0, 0);
    shows(1u << 12, 0, 6);
    probes = 0;
    cpu_has.below_hypervisor = true;
    start("AuthenticAMD", 0xa00f11, 0, 0, 0);
    cpu_has.below_hypervisor = false;
    start("AuthenticAMD", 0x830f10, 0, 0, 0); /* Zen 2 has no such barrier */
    assert_int_equal(probes, 0);
    e8_ebx = e21_ecx = 0;
}

static void no_barrier(void **state)
{
    (void)state;
    start("GenuineIntel", HASWELL, MICROCODE, MEASURE(IBPB), 0);
    is_after(0, &a);
    is_after(0, &b);
    start("GenuineIntel", HASWELL, 0, 0, MEASURE(IBPB)); /* it has none */
    is_after(0, &a);
    is_after(0, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cpuid_says),         cmocka_unit_test(bits_of_amds),
        cmocka_unit_test(switches_of_intels),      cmocka_unit_test(how_functions_return),
        cmocka_unit_test(what_another_cpu_lacks),  cmocka_unit_test(threads_of_a_core),
        cmocka_unit_test(a_barrier_between_vcpus), cmocka_unit_test(no_barrier),
        cmocka_unit_test(a_guests_barrier),        cmocka_unit_test(a_guests_ssbd),
        cmocka_unit_test(what_microcode_brought),
    };

    return cmocka_run_group_tests_name("x86_speculation", tests, NULL, NULL);
}
