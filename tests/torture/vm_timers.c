/* SPDX-License-Identifier: MIT */
/*
 * Timers of fully virtualized domains: those of local APICs, once, periodic and at a value of the
 * TSC, set, masked, read and stopped; the PIT, and the serial port's, which any vCPU may touch.
 *
 * A vCPU that sleeps has no other way to wake than its APIC's timer.
 */
#include "vm.h"

#include <hv/x86_bits.h>

static void nothing(struct guest *g)
{
    (void)g;
}

static void sleep_for_a_while(struct guest *g)
{
    vm_sleep(g, chance(g, 1000) * 1000);
}

static uint32_t any_entry(struct guest *g)
{
    static const uint32_t modes[] = {0, TIMER_PERIOD, TIMER_TSC, LVT_MASKED};

    return VM_TIMER | modes[chance(g, ARRAY_SIZE(modes))];
}

static void set_count(struct guest *g)
{
    vm_apic_write(g, LAPIC_TIMER_INITIAL, chance(g, 4) ? chance(g, 1000) * 1000 : 0);
}

static void set_entry(struct guest *g)
{
    vm_apic_write(g, LAPIC_LVT_TIMER, any_entry(g));
    if (chance(g, 3))
        g->next = set_count;
}

static void set_deadline(struct guest *g)
{
    vm_wrmsr(g, MSR_TSC_DEADLINE, chance(g, 4) ? clock_ticks() + chance(g, 1000) * 2000 : 0);
}

static void divide(struct guest *g)
{
    vm_apic_write(g, LAPIC_TIMER_DIVIDE, chance(g, 16) & 0xb);
}

static void read_count(struct guest *g)
{
    vm_apic_read(g, LAPIC_TIMER_CURRENT);
}

static void pit_high(struct guest *g)
{
    vm_out(g, 0x40, 1, 1 + chance(g, 8));
}

static void pit_low(struct guest *g)
{
    vm_out(g, 0x40, 1, chance(g, 256));
    g->next = pit_high;
}

/* Once, or periodic: channel 0 interrupts vCPU 0 by the PIC. */
static void set_pit(struct guest *g)
{
    vm_out(g, 0x43, 1, chance(g, 2) ? 0x30 : 0x34);
    g->next = pit_low;
}

static void read_pit(struct guest *g)
{
    vm_in(g, 0x40, 1);
}

/* The other end of the line, which nobody is at, is told later. */
static void write_serial(struct guest *g)
{
    vm_out(g, 0x3f8 + (chance(g, 4) ? 0 : 1 + chance(g, 4)), 1, chance(g, 256));
}

static void operation(struct guest *g)
{
    static step_fn *const any[] = {
        set_count, set_entry,         set_deadline, divide,        read_count,
        vm_cpuid,  read_pit,          write_serial, guest_compute, sleep_for_a_while,
        set_pit,   sleep_for_a_while, vm_apic_off};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

static void stop_pit(struct guest *g)
{
    vm_out(g, 0x43, 1, 0x30); /* it waits for a count */
    g->next = vm_halt;
}

static void rest(struct guest *g)
{
    vm_apic_write(g, LAPIC_LVT_TIMER, LVT_MASKED);
    g->next = stop_pit;
}

const struct vm_program torture_vm_timers = {
    .start = nothing, .operation = operation, .rest = rest};
