/* SPDX-License-Identifier: MIT */
/*
 * The local APIC (x86/apic.c) over registers that only keep what they are told, in both modes:
 * x2APIC, of which no machine of these tests may have any, and registers in memory; and the timer's
 * two kinds, of which QEMU has one. Each test looks at what was written, and in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/base/log.h>
#include <port/current.h>
#include <port/machine.h>
#include <x86/x86.h>

#define APIC_BASE    0xfee00000ull
#define MSR_BASE     0x1b
#define MSR_DEADLINE 0x6e0
#define FENCE        0xfece               /* in place of an address */
#define X2APIC(reg)  (0x800 + (reg) / 16) /* MSR of a register */

static struct cpu cpus[3] = {{.id = 0}, {.id = 1, .arch.apic_id = 7}, {.id = 2}};
static uint32_t page[1024]; /* xAPIC */
static uint64_t base_msr, deadline_msr, x2apic[0x40];
static uint64_t ticks = 1000000;
static unsigned int busy; /* so often the ICR says that it has not sent yet */
static struct {
    uint32_t where; /* an MSR, or an xAPIC register */
    uint64_t value;
} written[64];
static unsigned int nr_written;

struct cpu_features cpu_has;

/* ---- the machine ---- */

static void note(uint32_t where, uint64_t value)
{
    assert_true(nr_written < 64);
    written[nr_written].where = where;
    written[nr_written++].value = value;
}

uint64_t rdmsr(uint32_t msr)
{
    if (msr == MSR_BASE)
        return base_msr;
    assert_in_range(msr, 0x800, 0x83f);
    assert_true(base_msr & 0x400); /* else: #GP */
    return x2apic[msr - 0x800];
}

void wrmsr(uint32_t msr, uint64_t value)
{
    note(msr, value);
    if (msr == MSR_BASE) {
        assert_int_equal(value & 0xc00 & ~0x800ull, value & 0x400);
        assert_true(value & 0x800);                         /* never off */
        assert_false(base_msr & 0x400 && !(value & 0x400)); /* x2APIC ends by being off alone */
        base_msr = value;
    } else if (msr == MSR_DEADLINE) {
        deadline_msr = value;
    } else {
        assert_in_range(msr, 0x800, 0x83f);
        assert_true(base_msr & 0x400);
        x2apic[msr - 0x800] = value;
    }
}

void fake_mfence_lfence(void)
{
    note(FENCE, 0);
}

void outb(uint16_t port, uint8_t value)
{
    (void)port, (void)value;
}

uint32_t mmio_read(const volatile uint32_t *at)
{
    uint32_t reg = (uint32_t)((const uint32_t *)at - page) * 4;

    assert_in_range(reg, 0, 0xffc);
    if (reg == 0x300 && busy) {
        busy--;
        return page[reg / 4] | 0x1000;
    }
    return page[reg / 4];
}

void mmio_write(volatile uint32_t *at, uint32_t value)
{
    uint32_t reg = (uint32_t)((uint32_t *)at - page) * 4;

    assert_in_range(reg, 0, 0xffc);
    assert_int_equal(reg % 16, 0);
    assert_false(reg == 0x300 && busy); /* what is under way is not overwritten */
    page[reg / 4] = value;
    note(reg, value);
}

void *map_physical(paddr_t start, uint64_t size, unsigned int flags)
{
    assert_int_equal(start, APIC_BASE);
    assert_int_equal(size, PAGE_SIZE);
    assert_int_equal(flags, MAP_UNCACHED);
    return page;
}

struct cpu *this_cpu(void)
{
    return &cpus[0];
}

struct cpu *cpu_by_id(unsigned int id)
{
    return &cpus[id];
}

/* A timer that counts one in eight ticks; 2 GHz. */
uint64_t clock_ticks(void)
{
    ticks += 16;
    page[0x390 / 4] -= 2;
    return ticks;
}

uint64_t clock_khz(void)
{
    return 2000000;
}

uint64_t clock_ticks_for(s_time_t ns)
{
    return (uint64_t)ns * 2;
}

s_time_t clock_at(uint64_t at)
{
    return (s_time_t)at / 2;
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

/* ---- the tests ---- */

/* The write number n was this one. */
static void was(unsigned int n, uint32_t where, uint64_t value)
{
    assert_true(n < nr_written);
    assert_int_equal(written[n].where, where);
    assert_int_equal(written[n].value, value);
}

/* What the register was told last; all ones: nothing. */
static uint64_t last(uint32_t where)
{
    for (unsigned int n = nr_written; n-- > 0;)
        if (written[n].where == where)
            return written[n].value;
    return ~0ull;
}

static void sends(uint32_t id, uint32_t what)
{
    nr_written = 0;
    apic_send_ipi(id, what);
}

/* First, as it is while nothing is mapped: there is one mode on a machine. */
static void x2apic_mode(void **state)
{
    (void)state;
    cpu_has.x2apic = true;
    base_msr = APIC_BASE | 0x900;
    init_apic();
    was(0, MSR_BASE, APIC_BASE | 0x900);
    was(1, MSR_BASE, APIC_BASE | 0xd00);
    assert_int_equal(last(X2APIC(0xf0)), 0x100 | VECTOR_SPURIOUS);
    assert_int_equal(last(X2APIC(0x80)), 0);
    assert_int_equal(last(X2APIC(0x360)), 0x400); /* NMI: the boot CPU's */
    x2apic[2] = 300;
    assert_int_equal(apic_id(), 300);
    assert_true(apic_can_reach(300));
}

static void an_id_of_32_bits_goes_with_the_command(void **state)
{
    (void)state;
    sends(0x12345, IPI_NMI);
    assert_int_equal(nr_written, 2);
    was(0, FENCE, 0); /* WRMSR of x2APIC waits for no store of before */
    was(1, X2APIC(0x300), 0x12345ull << 32 | 0x4400);
    sends(300, IPI_STARTUP(0x9f));
    was(1, X2APIC(0x300), 300ull << 32 | 0x469f);
    sends(255, VECTOR_KICK);
    was(1, X2APIC(0x300), 255ull << 32 | 0x4000 | VECTOR_KICK);
    nr_written = 0;
    machine_kick(1);
    was(0, FENCE, 0);
    was(1, X2APIC(0x300), 7ull << 32 | 0x4000 | VECTOR_KICK);
    machine_kick(0); /* itself: nothing */
    assert_int_equal(nr_written, 2);
    apic_eoi();
    was(2, X2APIC(0xb0), 0);
}

static void a_deadline_is_armed_and_disarmed(void **state)
{
    uint64_t now;

    (void)state;
    cpu_has.tsc_deadline = true;
    nr_written = 0;
    apic_timer_init();
    assert_int_equal(last(X2APIC(0x320)), 0x40000 | VECTOR_TIMER);
    assert_int_equal(last(X2APIC(0x380)), ~0ull); /* no count */
    now = ticks;
    machine_arm_timer((s_time_t)now / 2 + 5000);
    assert_in_range(deadline_msr, now + 10000, now + 10064);
    machine_arm_timer(1); /* over: at once */
    assert_in_range(deadline_msr, now, ticks);
    machine_arm_timer(INT64_MAX);
    assert_int_equal(deadline_msr, 0);
    cpu_has.tsc_deadline = false;
}

/* From here on: registers in memory. */
static void xapic_mode(void **state)
{
    (void)state;
    cpu_has.x2apic = false;
    base_msr = APIC_BASE | 0x800; /* not the boot CPU's */
    nr_written = 0;
    init_apic();
    was(0, MSR_BASE, APIC_BASE | 0x800);
    assert_int_equal(last(0xf0), 0x100 | VECTOR_SPURIOUS);
    assert_int_equal(last(0x360), 0x10400);
    assert_int_equal(last(0x350), 0x10000);
    page[0x20 / 4] = 0x17u << 24;
    assert_int_equal(apic_id(), 0x17);
    assert_true(apic_can_reach(254));
    assert_false(apic_can_reach(255)); /* that is all of them */
}

static void the_destination_comes_before_the_command(void **state)
{
    (void)state;
    sends(0x21, IPI_INIT);
    assert_int_equal(nr_written, 2);
    was(0, 0x310, 0x21u << 24);
    was(1, 0x300, 0x4500);
    busy = 3;
    sends(0x22, VECTOR_KICK);
    assert_int_equal(busy, 0);
    was(0, 0x310, 0x22u << 24);
    was(1, 0x300, 0x4000 | VECTOR_KICK);
}

/* The two writes go different ways, which nothing else orders. */
static void a_fence_lies_between_the_mode_and_the_first_deadline(void **state)
{
    (void)state;
    cpu_has.tsc_deadline = true;
    nr_written = 0;
    apic_start_timer();
    machine_arm_timer(1);
    assert_int_equal(nr_written, 4);
    was(1, 0x320, 0x40000 | VECTOR_TIMER);
    was(2, FENCE, 0);
    assert_int_equal(written[3].where, MSR_DEADLINE);
    cpu_has.tsc_deadline = false;
}

static void a_count_is_never_early(void **state)
{
    uint64_t begin;

    (void)state;
    nr_written = 0;
    apic_timer_init(); /* 2 GHz / 8 */
    assert_int_equal(last(0x320), VECTOR_TIMER);
    assert_int_equal(last(0x3e0), 0xb);
    assert_int_equal(last(0x380), 0); /* the measurement is over */
    begin = ticks;
    machine_arm_timer((s_time_t)begin / 2 + 8000); /* 2,000 counts, less the time until then */
    assert_in_range(last(0x380) * 8 + ticks, begin + 16000, begin + 16000 + 200);
    machine_arm_timer(1);
    assert_int_equal(last(0x380), 1);
    machine_arm_timer((s_time_t)ticks / 2 + SECONDS(86400)); /* beyond the counter */
    assert_int_equal(last(0x380), 0xffffffff);
    machine_arm_timer(INT64_MAX);
    assert_int_equal(last(0x380), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x2apic_mode),
        cmocka_unit_test(an_id_of_32_bits_goes_with_the_command),
        cmocka_unit_test(a_deadline_is_armed_and_disarmed),
        cmocka_unit_test(xapic_mode),
        cmocka_unit_test(the_destination_comes_before_the_command),
        cmocka_unit_test(a_fence_lies_between_the_mode_and_the_first_deadline),
        cmocka_unit_test(a_count_is_never_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
