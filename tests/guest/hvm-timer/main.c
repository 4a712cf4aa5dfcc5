/* SPDX-License-Identifier: MIT */
/*
 * Shows: the local APIC's timer expires when it should and not before: at a value of the TSC, once,
 * or again and again; what has passed expires at once, 0 stops it, and a masked one is silent. Two
 * clocks agree on how long that took: the TSC and the power-management timer.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-timer";

#define VECTOR       0x50
#define LVT_MASKED   0x10000u
#define LVT_PERIODIC 0x20000u
#define LVT_TSC      0x40000u
#define PM_TIMER     0x608
#define PM_HZ        3579545u
#define MICROSECOND  1000u

static volatile unsigned int taken;
static volatile uint64_t taken_at;

static bool interrupt(struct trap_regs *regs)
{
    (void)regs;
    taken_at = rdtsc();
    taken++;
    lapic_eoi();
    return true;
}

static uint64_t ticks_per_ms;

static uint32_t pm_ticks(void)
{
    return inl(PM_TIMER);
}

static void pm_wait(uint32_t us)
{
    uint32_t begin = pm_ticks();

    while (pm_ticks() - begin < us * (uint64_t)PM_HZ / 1000000)
        cpu_relax();
}

static void clocks(void)
{
    uint64_t begin = rdtsc();
    uint32_t first = pm_ticks();

    pm_wait(10000);
    ticks_per_ms = (rdtsc() - begin) * PM_HZ / 1000 / (pm_ticks() - first);
    printf("about %lu MHz\n", ticks_per_ms / 1000);
    CHECK(ticks_per_ms > 100000 && ticks_per_ms < 20000000, "the TSC's rate is one that there is");
}

static void wait_for(unsigned int n)
{
    cli();
    while (taken < n) {
        sti_hlt();
        cli();
    }
}

/* Takes what is pending; nothing is from here on. */
static void drain(void)
{
    sti();
    __asm__ volatile("nop");
    cli();
    taken = 0;
}

static void set_deadline(bool on)
{
    wrmsr(MSR_TSC_DEADLINE, on ? rdtsc() + 2 * ticks_per_ms : 0);
}

static void set_count(bool on)
{
    lapic_write(LAPIC_TIMER_INITIAL, on ? 2000 * MICROSECOND : 0);
}

/* Set for 2 ms and stopped before: again, when the machine was too slow to stop it in time. */
static bool can_be_stopped(void (*set)(bool on))
{
    uint64_t begin;

    cli();
    do {
        drain();
        begin = rdtsc();
        set(true);
        set(false);
    } while (rdtsc() - begin > ticks_per_ms);
    sti();
    pm_wait(4000);
    return !taken;
}

static void by_tsc(void)
{
    lapic_write(LAPIC_LVT_TIMER, LVT_TSC | VECTOR);
    for (unsigned int i = 1; i <= 20; i++) {
        uint64_t deadline = rdtsc() + i * ticks_per_ms / 10;

        wrmsr(MSR_TSC_DEADLINE, deadline);
        CHECK(rdmsr(MSR_TSC_DEADLINE) == deadline || rdtsc() >= deadline,
              "the deadline can be read while it is to come");
        wait_for(i);
        CHECK(taken_at >= deadline, "it does not come before its time");
        CHECK_EQ(rdmsr(MSR_TSC_DEADLINE), 0, "and is none when it has come");
    }
    wrmsr(MSR_TSC_DEADLINE, 1);
    wait_for(21);
    CHECK_EQ(taken, 21, "what has passed comes at once");
    CHECK(can_be_stopped(set_deadline), "0 stops it");
    wrmsr(MSR_TSC_DEADLINE, ~0ul);
    pm_wait(1000);
    CHECK_EQ(taken, 0, "the latest that can be said does not come");
    lapic_write(LAPIC_TIMER_INITIAL, 1000);
    CHECK_EQ(lapic_read(LAPIC_TIMER_CURRENT), 0, "nothing is counted meanwhile");
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    CHECK_EQ(rdmsr(MSR_TSC_DEADLINE), 0, "another mode stops it");
    wrmsr(MSR_TSC_DEADLINE, 1);
    CHECK_EQ(taken, 0, "in which there are no deadlines");
}

static void once(void)
{
    uint64_t begin;
    uint32_t count;

    cli();
    drain();
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_TIMER_INITIAL, ~0u);
    count = lapic_read(LAPIC_TIMER_CURRENT);
    CHECK(count && count < ~0u, "it counts down");
    pm_wait(300);
    CHECK(lapic_read(LAPIC_TIMER_CURRENT) < count, "further");
    lapic_write(LAPIC_LVT_TIMER, VECTOR);
    begin = rdtsc();
    lapic_write(LAPIC_TIMER_INITIAL, 5000 * MICROSECOND);
    wait_for(1);
    CHECK(taken_at - begin >= ticks_per_ms * 45 / 10, "5 ms, by a rate that was measured");
    CHECK_EQ(lapic_read(LAPIC_TIMER_CURRENT), 0, "down to 0");
    CHECK(can_be_stopped(set_count), "a count of 0 stops it");
    lapic_write(LAPIC_TIMER_DIVIDE, 0xa); /* by 128 */
    begin = rdtsc();
    lapic_write(LAPIC_TIMER_INITIAL, 40 * MICROSECOND);
    wait_for(1);
    CHECK(taken_at - begin >= ticks_per_ms * 45 / 10, "divided by 128 it takes so much longer");
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
}

static void again_and_again(void)
{
    uint64_t begin;

    drain();
    begin = rdtsc();
    lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, 500 * MICROSECOND);
    wait_for(10);
    CHECK(taken_at - begin >= ticks_per_ms * 40 / 10, "ten periods of half a millisecond are 5 ms");
    lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | LVT_MASKED | VECTOR);
    drain();
    sti();
    pm_wait(3000);
    CHECK_EQ(taken, 0, "masked it is silent");
    CHECK(lapic_read(LAPIC_TIMER_CURRENT), "but goes on");
    lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, 1);
    while (taken < 3)
        cpu_relax(); /* the shortest period comes, and leaves time for others */
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    cli();
}

static void tsc_goes_on(void)
{
    uint64_t last = rdtsc();
    uint32_t out[4], backwards = 0;

    for (unsigned int i = 0; i < 2000; i++) {
        uint64_t now = i % 3 ? rdtsc() : rdmsr(0x10);

        backwards += now < last;
        last = now;
        if (i % 5 == 0)
            cpuid(0, 0, out);
    }
    CHECK_EQ(backwards, 0, "the TSC never goes back, by RDTSC or as an MSR, over exits");
}

void test_main(void)
{
    trap_set_handler(VECTOR, interrupt);
    cli();
    clocks();
    tsc_goes_on();
    by_tsc();
    once();
    again_and_again();
}
