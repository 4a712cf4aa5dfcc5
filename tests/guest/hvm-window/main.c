/* SPDX-License-Identifier: MIT */
/*
 * Shows: an interrupt that comes while it is not taken waits, whatever the guest does meanwhile,
 * and is taken once, at the first moment at which it may: when STI, POPF or IRET let it in, or
 * when the class of TPR, in memory or as CR8, falls below its own, or an interrupt of a higher
 * class has been served. Of several the highest comes first.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-window";

static unsigned int order[32], taken;

static bool interrupt(struct trap_regs *regs)
{
    order[taken++ % ARRAY_SIZE(order)] = (unsigned int)regs->vector;
    lapic_eoi();
    return true;
}

static void raise(unsigned int vector)
{
    lapic_send(0, ICR_FIXED | ICR_SELF | vector);
}

/* Exits of many kinds, none of which may let an interrupt in, or lose it. */
static void be_busy(void)
{
    uint32_t out[4];

    for (unsigned int i = 0; i < 20; i++) {
        cpuid(0, 0, out);
        (void)inb(0x80);
        (void)rdmsr(MSR_APIC_BASE);
        (void)lapic_read(LAPIC_VERSION);
        write_cr4(read_cr4());
    }
}

static void by_flags(void)
{
    raise(0x51);
    be_busy();
    CHECK_EQ(taken, 0, "with interrupts off it waits");
    CHECK_EQ(lapic_read(LAPIC_IRR + 0x20) >> 17 & 1, 1, "in IRR");
    sti();
    be_busy();
    CHECK_EQ(taken, 1, "with interrupts on it is taken, once");
    CHECK_EQ(order[0], 0x51, "it is the one that was sent");
    cli();
    raise(0x51);
    raise(0x51);
    __asm__ volatile("pushfq; orq $0x200, (%%rsp); popfq; nop; cli" : : : "memory", "cc");
    CHECK_EQ(taken, 2, "POPF lets it in; two of a vector are one while it waits");
    raise(0x52);
    __asm__ volatile(
        "movq %%rsp, %%rax; pushq %0; pushq %%rax; pushfq; orq $0x200, (%%rsp); pushq %1;"
        "leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1: nop; cli"
        :
        : "i"(HVM_KERNEL_SS), "i"(HVM_KERNEL_CS)
        : "rax", "memory", "cc");
    CHECK_EQ(taken, 3, "and so does IRET");
}

static void the_highest_first(void)
{
    taken = 0;
    raise(0x61);
    raise(0x91);
    raise(0x81);
    raise(0x82);
    sti();
    __asm__ volatile("nop; nop");
    cli();
    CHECK_EQ(taken, 4, "all four are taken");
    CHECK(order[0] == 0x91 && order[1] == 0x82 && order[2] == 0x81 && order[3] == 0x61,
          "from the highest to the lowest");
}

static void by_priority(void)
{
    taken = 0;
    sti();
    lapic_write(LAPIC_TPR, 0x70);
    raise(0x71);
    raise(0x6f);
    be_busy();
    CHECK_EQ(taken, 0, "TPR holds back its class and those below");
    raise(0x80);
    CHECK_EQ(taken, 1, "a higher one is taken");
    lapic_write(LAPIC_TPR, 0x60);
    CHECK_EQ(taken, 2, "with TPR one lower the next");
    CHECK_EQ(order[1], 0x71, "which is the one of that class");
    write_cr8(5);
    __asm__ volatile("nop");
    CHECK_EQ(taken, 3, "and the last when CR8 is lower still");
    write_cr8(15);
    raise(0xfe);
    be_busy();
    CHECK_EQ(taken, 3, "CR8 of 15 holds back all");
    write_cr8(0);
    __asm__ volatile("nop");
    CHECK_EQ(taken, 4, "until it is 0");
    cli();
}

/* A handler without EOI: those of its class and below wait for it. */
static bool keeps_in_service(struct trap_regs *regs)
{
    order[taken++ % ARRAY_SIZE(order)] = (unsigned int)regs->vector;
    return true;
}

static void by_service(void)
{
    taken = 0;
    trap_set_handler(0x75, keeps_in_service);
    sti();
    raise(0x75);
    CHECK_EQ(taken, 1, "one whose handler tells no end");
    CHECK_EQ(lapic_read(LAPIC_PPR), 0x70, "holds its class");
    CHECK_EQ(lapic_read(LAPIC_ISR + 0x30) >> 21 & 1, 1, "in ISR");
    raise(0x76);
    raise(0x40);
    be_busy();
    CHECK_EQ(taken, 1, "the same class and lower ones wait");
    raise(0x85);
    CHECK_EQ(taken, 2, "a higher one does not, and ends itself");
    lapic_eoi();
    __asm__ volatile("nop");
    CHECK_EQ(taken, 4, "after EOI the others come");
    CHECK(order[2] == 0x76 && order[3] == 0x40, "in their order");
    cli();
}

void test_main(void)
{
    for (unsigned int vector = 0x40; vector < 0xff; vector++)
        trap_set_handler(vector, interrupt);
    cli();
    by_flags();
    the_highest_first();
    by_priority();
    by_service();
}
