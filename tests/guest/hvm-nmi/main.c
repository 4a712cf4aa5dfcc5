/* SPDX-License-Identifier: MIT */
/*
 * Shows: an NMI comes whatever RFLAGS.IF says, and none comes while the handler of another runs,
 * until its IRET is done: with one that waits at the end of each, a storm of them needs no more
 * stack than one. Exits within the handler let none in. One that waits is one, however often it was
 * sent. Steps behind a handler are those of who makes them; and one whose IRET faults has made
 * none: the flags that the fault's handler sees are its own.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-nmi";

#define NMI   2
#define STORM 500

static volatile unsigned int taken, more, depth, nested, steps;
static volatile uint64_t highest, lowest;

static void send(void)
{
    lapic_send(0, ICR_NMI | ICR_SELF);
}

static bool nmi(struct trap_regs *regs)
{
    uint64_t at = (uint64_t)regs;
    uint32_t out[4];

    nested += depth++ != 0;
    taken++;
    highest = at > highest ? at : highest;
    lowest = !lowest || at < lowest ? at : lowest;
    if (more) {
        more--;
        send();
        send();
    }
    for (unsigned int i = 0; i < 3; i++)
        cpuid(0, 0, out);
    depth--;
    return true;
}

static void storm(bool on)
{
    taken = highest = lowest = 0;
    more = STORM;
    if (on)
        sti();
    send();
    while (taken <= STORM)
        cpu_relax();
    cli();
    CHECK_EQ(taken, STORM + 1, "each that was sent in a handler comes behind it, once");
    CHECK_EQ(nested, 0, "and not within it");
    CHECK(highest - lowest < 256, "nor upon its IRET: all have their frames in one place");
}

static bool step(struct trap_regs *regs)
{
    steps++;
    if (steps == 2)
        send();
    if (steps == 6)
        regs->rflags &= ~0x100ul;
    return true;
}

/* One comes in the midst of single steps: they go on behind it, and its own end is none. */
static void among_steps(void)
{
    taken = steps = 0;
    more = 0;
    trap_set_handler(TRAP_DEBUG, step);
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop; nop; nop; nop"
                     :
                     :
                     : "memory", "cc");
    CHECK_EQ(taken, 1, "an NMI among single steps");
    CHECK_EQ(steps, 6, "of which there are as many as were made");
    trap_set_handler(TRAP_DEBUG, NULL);
}

static volatile uint64_t flags;
static volatile unsigned int faults;

/* Mends the frame that IRET is to take, which is tried again. */
static bool iret_fault(struct trap_regs *regs)
{
    faults++;
    flags = regs->rflags;
    ((uint64_t *)regs->rsp)[1] = HVM_KERNEL_CS;
    return true;
}

static bool nmi_that_returns_nowhere(struct trap_regs *regs)
{
    (void)regs;
    taken++;
    __asm__ volatile("movq %%rsp, %%rax; pushq %0; pushq %%rax; pushfq; pushq $0x7f8;"
                     "leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:"
                     :
                     : "i"(HVM_KERNEL_SS)
                     : "rax", "memory", "cc");
    return true;
}

static void iret_that_faults(void)
{
    taken = 0;
    trap_set_handler(NMI, nmi_that_returns_nowhere);
    trap_set_handler(TRAP_GP, iret_fault);
    send();
    while (!taken)
        cpu_relax();
    CHECK_EQ(faults, 1, "the IRET of an NMI's handler faults");
    CHECK_EQ(flags & RFLAGS_TF, 0, "and is no step to who sees that");
    trap_set_handler(TRAP_GP, NULL);
    trap_set_handler(NMI, nmi);
}

void test_main(void)
{
    cli();
    trap_set_handler(NMI, nmi);
    iret_that_faults();
    storm(false);
    storm(true);
    among_steps();
}
