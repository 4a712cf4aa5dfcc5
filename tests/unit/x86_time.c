/* SPDX-License-Identifier: MIT */
/*
 * Which TSC is trusted (x86/features.c, x86/time.c): one that CPUID calls invariant, which no
 * machine of these tests has; that of QEMU's emulation; one that parvis.cfg calls stable; and no
 * other. And that all who count from a stamp, guests by pvclock's rule, agree with the hypervisor
 * to the nanosecond. CPUID is a table here, the TSC counts at 3 GHz where nothing else is said, and
 * the reference is a PM timer.
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
#include <port/machine.h>
#include <x86/acpi.h>
#include <x86/x86.h>

#define PM_TIMER  0x608
#define BIT(n)    (1u << (n))
#define INVARIANT BIT(8)
#define ALL_ONES  ~0u

static struct cpu_block block;
static uint64_t now; /* ns */
static uint64_t tsc_mhz;
static struct {
    uint32_t max, max_extended, power; /* EDX of leaf 0x80000007 */
    bool is_guest;
    const char *hypervisor; /* 12 characters */
} machine;

struct acpi_info acpi = {.pm_timer = PM_TIMER};
int32_t smap_sites_start[1], smap_sites_end[1];

/* ---- the machine ---- */

void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    uint32_t max = leaf >> 31 ? machine.max_extended : machine.max;

    (void)sub;
    /* Of a leaf that it has not, a CPU says anything. */
    memset(out, leaf > max && leaf >> 28 != 4 ? 0xff : 0, 4 * sizeof(*out));
    switch (leaf) {
    case 0:
    case 0x80000000:
        out[0] = max;
        break;
    case 1:
        out[2] = machine.is_guest ? BIT(31) : 0;
        out[3] = BIT(9) | BIT(13) | BIT(16); /* APIC, global pages, PAT */
        break;
    case 0x40000000:
        memcpy(&out[1], machine.hypervisor, 12);
        break;
    case 0x80000001:
        out[3] = BIT(11) | BIT(20); /* SYSCALL, NX */
        break;
    case 0x80000007:
        if (leaf <= max)
            out[3] = machine.power;
        break;
    }
}

uint64_t rdtsc(void)
{
    now += 10;
    return now * tsc_mhz / 1000;
}

uint32_t inl(uint16_t port)
{
    assert_int_equal(port, PM_TIMER);
    now += 1000; /* devices are slow */
    return (uint32_t)(now * 3579545 / SECONDS(1)) & 0xffffff;
}

uint8_t inb(uint16_t port)
{
    fail_msg("port %#x is read", port);
    return 0;
}

void outb(uint16_t port, uint8_t value)
{
    fail_msg("%#x is written to port %#x", value, port);
}

void wrmsr(uint32_t msr, uint64_t value)
{
    fail_msg("%#lx is written to MSR %#x", (unsigned long)value, msr);
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
    fail_msg("MSR %#x is read to %p", msr, (void *)value);
    return false;
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
    wrmsr(msr, value);
    return false;
}

void write_cr4(uint64_t value)
{
    fail_msg("CR4 is written: %#lx", (unsigned long)value);
}

void *map_physical(paddr_t start, uint64_t size, unsigned int flags)
{
    fail_msg("%#lx, %#lx bytes, is mapped (%u)", (unsigned long)start, (unsigned long)size, flags);
    return NULL;
}

uint64_t rtc_read_ns(bool at_tick)
{
    assert_false(at_tick);
    return SECONDS(1000);
}

struct cpu_block *fake_this_block(void)
{
    return &block;
}

struct cpu_block *fake_cpu_block(unsigned int number)
{
    fail_msg("the block of CPU %u is asked for", number);
    return NULL;
}

void panic(const char *fmt, ...)
{
    fail_msg("panic: %s", fmt);
    __builtin_unreachable();
}

/* ---- the tests ---- */

static int setup(void **state)
{
    (void)state;
    tsc_mhz = 3000;
    block.cpu.arch.tsc_base = 0;
    machine.max = 1;
    machine.max_extended = 0x80000008;
    machine.power = 0;
    machine.is_guest = false;
    machine.hypervisor = "            ";
    return 0;
}

/* It starts, and says this of its TSC; whether guests are told that time is stable. */
static bool starts(bool by_config, const char *says)
{
    said[0] = 0;
    memset(&cpu_has, 0, sizeof(cpu_has));
    detect_features();
    init_time(false, by_config);
    assert_in_range(clock_khz(), tsc_mhz * 999, tsc_mhz * 1001);
    assert_non_null(strstr(said, " MHz by PM timer, "));
    assert_string_equal(strstr(said, "timer, ") + strlen("timer, "), says);
    return clock_stable();
}

static void cpuid_says_invariant(void **state)
{
    (void)state;
    machine.power = INVARIANT;
    assert_true(starts(false, "invariant\n"));
    assert_true(cpu_has.invariant_tsc);
    /* the last leaf that there is */
    machine.max_extended = 0x80000007;
    assert_true(starts(false, "invariant\n"));
}

static void nothing_says_so(void **state)
{
    (void)state;
    assert_false(starts(false, "not known to be stable\n"));
    assert_false(cpu_has.invariant_tsc);
    machine.power = ALL_ONES & ~INVARIANT;
    assert_false(starts(false, "not known to be stable\n"));
    /* a CPU without such a leaf */
    machine.max_extended = 0x80000006;
    machine.power = INVARIANT;
    assert_false(starts(false, "not known to be stable\n"));
}

static void qemus_emulation(void **state)
{
    (void)state;
    machine.is_guest = true;
    machine.hypervisor = "TCGTCGTCGTCG";
    assert_true(starts(false, "emulated\n"));
    machine.hypervisor = "KVMKVMKVM\0\0";
    assert_false(starts(false, "not known to be stable\n"));
    /* a machine may have anything there */
    machine.is_guest = false;
    machine.hypervisor = "TCGTCGTCGTCG";
    assert_false(starts(false, "not known to be stable\n"));
}

static void parvis_cfg_says_so(void **state)
{
    (void)state;
    assert_true(starts(true, "stable by parvis.cfg\n"));
    machine.power = INVARIANT;
    assert_true(starts(true, "invariant\n"));
}

/* Whatever said so: CPUs that differ show that it is not. */
static void not_when_cpus_differ(void **state)
{
    (void)state;
    machine.power = INVARIANT;
    assert_true(starts(true, "invariant\n"));
    assert_int_not_equal(clock_told_holds, 0);
    tsc_differs();
    assert_false(clock_stable());
    assert_int_equal(clock_told_holds, 0);
}

/* A CPU whose TSC is not invariant, beside a boot CPU whose is, is left out. */
static void all_have_it(void **state)
{
    (void)state;
    machine.power = INVARIANT;
    detect_features();
    assert_null(missing_feature());
    machine.power = 0;
    assert_string_equal(missing_feature(), "invariant_tsc");
}

/* What a guest reads at this TSC, by pvclock's rule. */
static s_time_t guest_reads(uint64_t tsc, uint64_t stamp)
{
    uint64_t ticks = tsc - stamp;
    uint32_t mul;
    int8_t shift;

    clock_scale(&mul, &shift);
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return clock_at(stamp) + (s_time_t)(((unsigned __int128)ticks * mul) >> 32);
}

static void whoever_counts_from_a_stamp_agrees(void **state)
{
    static const uint64_t rates[] = {3000, 2893, 1000, 700, 412, 5200}; /* MHz */

    (void)state;
    for (unsigned int rate = 0; rate < ARRAY_SIZE(rates); rate++) {
        tsc_mhz = rates[rate];
        starts(false, "not known to be stable\n");
        for (unsigned int i = 0; i < 2000; i++) {
            uint64_t stamp, tsc;

            block.cpu.arch.tsc_base = i % 2 ? rdtsc() - 12345 * i : 0;
            now += MILLISECS(30) + 7919 * i;
            stamp = clock_stamp();
            tsc = rdtsc();
            assert_in_range(tsc - stamp, 0, clock_khz() * 50);
            for (unsigned int k = 0; k < 50; k++, tsc += 1 + k * k)
                assert_int_equal(guest_reads(tsc, stamp), clock_at(tsc));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cpuid_says_invariant, setup),
        cmocka_unit_test_setup(nothing_says_so, setup),
        cmocka_unit_test_setup(qemus_emulation, setup),
        cmocka_unit_test_setup(parvis_cfg_says_so, setup),
        cmocka_unit_test_setup(all_have_it, setup),
        cmocka_unit_test_setup(not_when_cpus_differ, setup),
        cmocka_unit_test_setup(whoever_counts_from_a_stamp_agrees, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
