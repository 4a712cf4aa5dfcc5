/* SPDX-License-Identifier: MIT */
/*
 * The clock: nanoseconds since the start, from the TSC.
 *
 * The TSC's rate is measured once against a timer whose rate is known: HPET, ACPI PM timer, or
 * channel 2 of the 8254, the first that the machine has; channel 0 is not touched. A reading of the
 * reference is bracketed by two of the TSC and the tightest bracket of a few is taken, so that a
 * pause of the machine (an SMI, a host that schedules) does not spoil it.
 *
 * ns = ((ticks << shift) * mul) >> 32 is also what guests compute from pvclock, from the same
 * numbers, so that they and the hypervisor agree. Each CPU counts from its own base, which is the
 * same number where the TSCs are one clock (tsc_compare.c).
 */
#include <core/base/log.h>
#include <port/machine.h>

#include "acpi.h"
#include "insn.h"
#include "percpu.h"
#include "x86.h"

#define PM_TIMER_HZ  3579545ull
#define PIT_HZ       1193182ull
#define FEMTOSECONDS 1000000000000000ull
#define WINDOW_MS    30
#define SCALE_ZEROS  8 /* low bits of scale_mul: 0.06 ppm */
/* Longer ones are cut: a timer that comes early is set again. */
#define MAX_INTERVAL SECONDS(86400)

static uint64_t tsc_khz;
static uint32_t scale_mul;
static int8_t scale_shift;
static uint64_t wall_at_zero;
static bool stable;
s_time_t clock_told_holds = SECONDS(1);

static volatile uint32_t *hpet; /* registers as 32-bit words */

struct reference {
    const char *name;
    uint64_t hz, mask;
    uint64_t (*read)(void);
};

static uint64_t scale(uint64_t ticks)
{
    ticks = scale_shift >= 0 ? ticks << scale_shift : ticks >> -scale_shift;
    return (uint64_t)(((unsigned __int128)ticks * scale_mul) >> 32);
}

s_time_t clock_at(uint64_t ticks)
{
    return (s_time_t)scale(ticks - this_block()->cpu.arch.tsc_base);
}

s_time_t clock_now(void)
{
    return clock_at(rdtsc());
}

uint64_t clock_ticks(void)
{
    return rdtsc();
}

uint64_t clock_stamp(void)
{
    uint64_t base = this_block()->cpu.arch.tsc_base;
    uint64_t unit = (1ull << (32 - SCALE_ZEROS)) << MAX(-scale_shift, 0);

    return base + ((rdtsc() - base) & ~(unit - 1));
}

void clock_scale(uint32_t *mul, int8_t *shift)
{
    *mul = scale_mul;
    *shift = scale_shift;
}

uint64_t clock_khz(void)
{
    return tsc_khz;
}

bool clock_stable(void)
{
    return stable;
}

void tsc_differs(void)
{
    stable = false;
    clock_told_holds = 0;
}

uint64_t clock_wall_at_zero(void)
{
    return wall_at_zero;
}

uint64_t clock_ticks_for(s_time_t ns)
{
    return mul_div((uint64_t)MIN(ns, MAX_INTERVAL), tsc_khz, 1000000);
}

static uint64_t read_hpet(void)
{
    return hpet[0xf0 / 4];
}

static uint64_t read_pm_timer(void)
{
    return inl(acpi.pm_timer) & 0xffffff;
}

/* Channel 2 counts down from 65536; its gate is bit 0 of port 0x61. */
static uint64_t read_pit(void)
{
    uint8_t low, high;

    outb(0x43, 0x80);
    low = inb(0x42);
    high = inb(0x42);
    return 0xffffu - (uint64_t)(high << 8 | low);
}

static void start_pit(void)
{
    outb(0x61, (uint8_t)((inb(0x61) & ~2) | 1));
    outb(0x43, 0xb4); /* channel 2, both bytes, rate generator */
    outb(0x42, 0xff);
    outb(0x42, 0xff);
}

static bool have_hpet(struct reference *r)
{
    uint32_t period;

    if (!acpi.hpet_address)
        return false;
    hpet = map_physical(acpi.hpet_address, PAGE_SIZE, MAP_UNCACHED);
    if (!hpet)
        return false;
    period = hpet[1];
    if (period < 100000 || period > 100000000) /* femtoseconds: 10 MHz to 10 GHz */
        return false;
    hpet[0x10 / 4] |= 1;
    *r = (struct reference){"HPET", FEMTOSECONDS / period, 0xffffffff, read_hpet};
    return true;
}

static struct reference choose_reference(void)
{
    struct reference r;

    if (have_hpet(&r))
        return r;
    if (acpi.pm_timer)
        return (struct reference){"PM timer", PM_TIMER_HZ, 0xffffff, read_pm_timer};
    start_pit();
    return (struct reference){"8254", PIT_HZ, 0xffff, read_pit};
}

/* A reading of the reference, and of the TSC as close to it as can be had. */
static uint64_t read_pair(const struct reference *r, uint64_t *tsc)
{
    uint64_t best = ~0ull, value = 0;

    for (unsigned int i = 0; i < 8; i++) {
        uint64_t before = rdtsc(), v = r->read(), after = rdtsc();

        if (after - before < best) {
            best = after - before;
            value = v;
            *tsc = before + best / 2;
        }
    }
    return value;
}

static uint64_t measure_tsc_hz(const struct reference *r)
{
    uint64_t tsc0, tsc1, start = read_pair(r, &tsc0), passed = 0;
    uint64_t window = r->hz * WINDOW_MS / 1000, tsc_limit = tsc0 + (1ull << 36);

    while (passed < window) {
        passed = (read_pair(r, &tsc1) - start) & r->mask;
        if (tsc1 > tsc_limit)
            panic("the %s does not count", r->name);
    }
    return mul_div(tsc1 - tsc0, r->hz, passed);
}

/* mul has its top bit set, for the best precision: 2^31 <= mul < 2^32. */
static void set_scale(uint64_t hz)
{
    uint64_t rate = hz;

    scale_shift = 0;
    while (rate > 2000000000ull) {
        rate >>= 1;
        scale_shift--;
    }
    while (rate <= 1000000000ull) {
        rate <<= 1;
        scale_shift++;
    }
    scale_mul = (uint32_t)((1000000000ull << 32) / rate) & ~((1u << SCALE_ZEROS) - 1);
}

void init_time(bool exact_wall_clock, bool tsc_stable)
{
    struct reference r = choose_reference();
    uint64_t hz = measure_tsc_hz(&r), wall;

    tsc_khz = hz / 1000;
    this_block()->cpu.arch.tsc_base = rdtsc();
    set_scale(hz);
    stable = cpu_has.invariant_tsc || cpu_has.tcg || tsc_stable;
    wall = rtc_read_ns(exact_wall_clock);
    wall_at_zero = wall - (uint64_t)clock_now();
    log_info("TSC %lu.%03lu MHz by %s%s", tsc_khz / 1000, tsc_khz % 1000, r.name,
             cpu_has.invariant_tsc ? ", invariant"
             : cpu_has.tcg         ? ", emulated"
             : tsc_stable          ? ", stable by parvis.cfg"
                                   : ", not known to be stable");
}
