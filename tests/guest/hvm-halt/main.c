/* SPDX-License-Identifier: MIT */
/*
 * Shows: HLT waits, and what it waits for ends it. An interrupt that is pending already is taken
 * between STI and what follows the next instruction: neither before HLT, where it would be lost,
 * nor never. With interrupts off an NMI is taken, and no interrupt is; an NMI waits for the one
 * before.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-halt";

#define VECTOR 0x50
#define NMI    2

static volatile unsigned int taken, nmis, depth, deepest;
static volatile uint64_t taken_at;

static bool interrupt(struct trap_regs *regs)
{
    taken++;
    taken_at = regs->rip;
    lapic_eoi();
    return true;
}

static bool nmi(struct trap_regs *regs)
{
    (void)regs;
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (++nmis == 1)
        lapic_send(0, ICR_NMI | ICR_SELF);
    depth--;
    return true;
}

static void wakes(void)
{
    cli();

    for (unsigned int i = 1; i <= 200; i++) {
        lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
        sti_hlt();
        cli();
        if (taken != i)
            break;
    }
    CHECK_EQ(taken, 200, "an interrupt that was pending ends each of 200 HLTs");
}

/* The address behind HLT, and that behind the instruction that follows STI. */
static void where(void)
{
    uint64_t behind_hlt, behind_nop;

    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
    __asm__ volatile("lea 1f(%%rip), %0; sti; hlt; 1: cli" : "=r"(behind_hlt) : : "memory");
    CHECK_EQ(taken_at, behind_hlt, "it is taken behind HLT");
    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
    __asm__ volatile("lea 1f(%%rip), %0; sti; nop; 1: nop; cli" : "=r"(behind_nop) : : "memory");
    CHECK_EQ(taken, 202, "without HLT it is taken as well");
    CHECK_EQ(taken_at, behind_nop, "behind the instruction that follows STI");
    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
    __asm__ volatile("sti; cli" : : : "memory");
    CHECK_EQ(taken, 202, "STI, CLI lets none in");
    __asm__ volatile("lea 1f(%%rip), %0; sti; mov %%ss, %%ecx; mov %%ecx, %%ss; nop; 1: nop; cli"
                     : "=r"(behind_nop)
                     :
                     : "rcx", "memory");
    CHECK_EQ(taken, 203, "it came a little later");
}

/* A timer that expires while the CPU halts. */
static void timer_wakes(void)
{
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
    lapic_write(LAPIC_LVT_TIMER, VECTOR);
    for (unsigned int i = 0; i < 50; i++) {
        lapic_write(LAPIC_TIMER_INITIAL, 20000 + 7000 * i);
        sti_hlt();
        cli();
    }
    CHECK_EQ(taken, 253, "the timer's interrupt ends each of 50 HLTs");
    CHECK_EQ(lapic_read(LAPIC_TIMER_CURRENT), 0, "and the timer stands");
}

/* The first NMI's handler asks for the second, which waits until the first is done. */
static void nmi_comes_first(void)
{
    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
    lapic_send(0, ICR_NMI | ICR_SELF);
    CHECK_EQ(nmis, 2, "with interrupts off NMIs are taken");
    CHECK_EQ(deepest, 1, "one after another");
    CHECK_EQ(taken, 253, "and the interrupt not");
    sti();
    __asm__ volatile("nop");
    cli();
    CHECK_EQ(taken, 254, "until they are on");
}

void test_main(void)
{
    trap_set_handler(VECTOR, interrupt);
    trap_set_handler(NMI, nmi);
    wakes();
    where();
    timer_wakes();
    nmi_comes_first();
}
