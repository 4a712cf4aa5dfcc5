/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest of kind pvh can have its local APIC in MSRs: each that there is can be read, or
 * written, and no other; reserved bits and what memory has alone (DFR, the upper half of ICR) are
 * #GP. ICR is written at once, SELF IPI has a register, the logical id follows from the APIC's. The
 * way back to memory is by being off.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "pvh-x2apic";

#define VECTOR      0x50
#define BASE_ON     (1ul << 11)
#define BASE_X2APIC (1ul << 10)
#define MSRS        0x100u /* from 800h on */
#define LVT_MASKED  0x10000u

enum { ID = 2, TPR = 8, EOI = 0xb, LDR = 0xd, SVR = 0xf, ESR = 0x28, ICR = 0x30, SELF_IPI = 0x3f };

static unsigned int taken;
static uint64_t value;

static bool interrupt(struct trap_regs *regs)
{
    (void)regs;
    taken++;
    lapic_eoi();
    return true;
}

static void do_read(void *msr)
{
    value = rdmsr((uint32_t)(uintptr_t)msr);
}

static void do_write(void *msr)
{
    wrmsr((uint32_t)(uintptr_t)msr, value);
}

static int read(unsigned int i)
{
    return probe_call(do_read, (void *)(uintptr_t)(MSR_X2APIC + i), NULL);
}

static int write(unsigned int i, uint64_t v)
{
    value = v;
    return probe_call(do_write, (void *)(uintptr_t)(MSR_X2APIC + i), NULL);
}

static bool is_read(unsigned int i)
{
    static const uint8_t some[] = {ID, 3, TPR, 0xa, LDR, SVR, ESR, ICR, 0x39, 0x3e};

    for (unsigned int k = 0; k < ARRAY_SIZE(some); k++)
        if (i == some[k])
            return true;
    return (i >= 0x10 && i < 0x28) || (i >= 0x32 && i <= 0x38);
}

static bool is_written(unsigned int i)
{
    static const uint8_t some[] = {TPR, EOI, SVR, ESR, ICR, 0x3e, SELF_IPI};

    for (unsigned int k = 0; k < ARRAY_SIZE(some); k++)
        if (i == some[k])
            return true;
    return i >= 0x32 && i <= 0x38;
}

static void every_one(void)
{
    for (unsigned int i = 0; i < MSRS; i++) {
        if (read(i) != (is_read(i) ? -1 : TRAP_GP))
            test_failure("MSR %x: %s", MSR_X2APIC + i, is_read(i) ? "not read" : "read");
        if (write(i, i == SVR                 ? 0x1ff
                     : i >= 0x32 && i <= 0x37 ? LVT_MASKED
                                              : 0) != (is_written(i) ? -1 : TRAP_GP))
            test_failure("MSR %x: %s", MSR_X2APIC + i, is_written(i) ? "not written" : "written");
    }
    CHECK_EQ(write(ESR, 0), -1, "what was sent with vector 0 is an error, and forgotten");
}

static void reserved_bits(void)
{
    static const uint8_t of_32[] = {TPR, SVR, 0x32, 0x35, 0x36, 0x37, 0x38, 0x3e};

    for (unsigned int k = 0; k < ARRAY_SIZE(of_32); k++)
        CHECK_EQ(write(of_32[k], 1ul << 32 | (of_32[k] == SVR ? 0x1ff : 0)), TRAP_GP,
                 "a register of 32 bits");
    CHECK_EQ(write(TPR, 0x100), TRAP_GP, "TPR has eight");
    CHECK_EQ(write(EOI, 1), TRAP_GP, "EOI has none");
    CHECK_EQ(write(ESR, 1), TRAP_GP, "nor has ESR, to write");
    CHECK_EQ(write(SELF_IPI, 0x100 | VECTOR), TRAP_GP, "SELF IPI is a vector");
    CHECK_EQ(write(0x32, 1u << 31 | LVT_MASKED), TRAP_GP, "a reserved bit of the timer's entry");
    CHECK_EQ(write(0x37, 1u << 20 | LVT_MASKED), TRAP_GP, "and of that for errors");
}

static void interrupts(void)
{
    CHECK_EQ(read(LDR), -1, "the logical id");
    CHECK_EQ(value, 1ul << (lapic_read(LAPIC_ID) & 15) | lapic_read(LAPIC_ID) >> 4 << 16,
             "follows from the APIC's");
    sti();
    CHECK_EQ(write(SELF_IPI, VECTOR), -1, "SELF IPI");
    __asm__ volatile("nop");
    CHECK_EQ(taken, 1, "arrives");
    lapic_send(lapic_read(LAPIC_ID), ICR_FIXED | VECTOR);
    __asm__ volatile("nop");
    CHECK_EQ(taken, 2, "by ICR too, with the whole id in its upper half");
    lapic_send(0x7f000000, ICR_FIXED | VECTOR);
    __asm__ volatile("nop");
    CHECK_EQ(taken, 2, "not to an id that nobody has");
    cli();
}

static void there_and_back(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    value = base & ~BASE_X2APIC;
    CHECK_EQ(probe_call(do_write, (void *)(uintptr_t)MSR_APIC_BASE, NULL), TRAP_GP,
             "not from MSRs to memory");
    value = base & ~BASE_ON;
    CHECK_EQ(probe_call(do_write, (void *)(uintptr_t)MSR_APIC_BASE, NULL), TRAP_GP,
             "nor is it in MSRs, and off");
    wrmsr(MSR_APIC_BASE, base & ~(BASE_ON | BASE_X2APIC));
    CHECK_EQ(read(TPR), TRAP_GP, "off, it has no MSRs");
    wrmsr(MSR_APIC_BASE, (base & ~BASE_X2APIC) | BASE_ON);
    CHECK_EQ(read(TPR), TRAP_GP, "nor has it in memory");
    CHECK_EQ(lapic_read(LAPIC_VERSION) & 0xff, 0x14, "where it is again");
}

void test_main(void)
{
    cli();
    trap_set_handler(VECTOR, interrupt);
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_X2APIC);
    every_one();
    lapic_write(LAPIC_SVR, 0x1ff);
    reserved_bits();
    interrupts();
    there_and_back();
}
