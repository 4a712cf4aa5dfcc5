/* SPDX-License-Identifier: MIT */
/*
 * Shows: what CPUID tells a fully virtualized guest is what there is. No hypervisor is told of, nor
 * anything that would fault or reach past the guest when used (SVM, MONITOR, x2APIC, performance
 * counters); what the kernel needs is there; the answer follows the registers that it must follow
 * (CR4.OSXSAVE, the APIC's base), and it is the same whatever else is in the registers.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-cpuid";

enum { EAX, EBX, ECX, EDX };

#define CR4_OSXSAVE  (1ul << 18)
#define BASE_ENABLED (1ul << 11)

static uint32_t ask(uint32_t leaf, uint32_t sub, unsigned int reg)
{
    uint32_t out[4];

    cpuid(leaf, sub, out);
    return out[reg];
}

static bool is_set(uint32_t leaf, unsigned int reg, unsigned int bit)
{
    return ask(leaf, 0, reg) >> bit & 1;
}

static void leaves_end(void)
{
    CHECK(ask(0, 0, EAX) >= 1 && ask(0, 0, EAX) <= 0xd, "basic leaves end at D or before");
    CHECK(ask(0x80000000, 0, EAX) >= 0x80000001 && ask(0x80000000, 0, EAX) <= 0x80000021,
          "extended leaves end at 80000021 or before");
    for (uint32_t leaf = 0x80000009; leaf < 0x80000021; leaf++)
        CHECK(!(ask(leaf, 0, EAX) | ask(leaf, 0, EBX) | ask(leaf, 0, ECX) | ask(leaf, 0, EDX)),
              "there are none from 80000009 to 80000020");
    for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100)
        CHECK(!(ask(leaf, 0, EAX) | ask(leaf, 0, EBX) | ask(leaf, 0, ECX) | ask(leaf, 0, EDX)),
              "there are no leaves of a hypervisor");
}

static void features(void)
{
    CHECK(!is_set(1, ECX, 31), "no hypervisor");
    CHECK(!is_set(1, ECX, 3), "no MONITOR");
    CHECK(!is_set(1, ECX, 21), "no x2APIC");
    CHECK(!is_set(1, EDX, 12), "no MTRRs");
    CHECK(!is_set(0x80000001, ECX, 2), "no SVM");
    CHECK(!is_set(0x80000001, EDX, 27), "no RDTSCP");
    CHECK(is_set(1, EDX, 9), "a local APIC");
    CHECK(is_set(1, EDX, 4) && is_set(1, EDX, 5) && is_set(1, EDX, 6), "TSC, MSRs, PAE");
    CHECK(is_set(1, ECX, 24), "its timer has TSC deadlines");
    CHECK(is_set(6, EAX, 2), "and never stops");
    CHECK(is_set(0x80000001, EDX, 29) && is_set(0x80000001, EDX, 20), "long mode, no-execute");
    CHECK_EQ(ask(1, 0, EBX) >> 24, lapic_read(LAPIC_ID) >> 24, "the APIC's id is the CPU's");
}

static void follows_the_apic(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    wrmsr(MSR_APIC_BASE, base & ~BASE_ENABLED);
    CHECK(!is_set(1, EDX, 9), "an APIC that is off is not there");
    wrmsr(MSR_APIC_BASE, base);
    CHECK(is_set(1, EDX, 9), "and is there again when it is on");
}

static void follows_cr4(void)
{
    if (!is_set(1, ECX, 26)) {
        CHECK(!is_set(1, ECX, 27) && !is_set(1, ECX, 28), "without XSAVE neither OSXSAVE nor AVX");
        return;
    }
    CHECK(!is_set(1, ECX, 27), "OSXSAVE is clear while CR4's bit is");
    write_cr4(read_cr4() | CR4_OSXSAVE);
    CHECK(is_set(1, ECX, 27), "and set when that is");
    CHECK(ask(0xd, 0, ECX) >= 576, "leaf D has the size of the area");
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

/* Bits 63 to 32 of leaf and subleaf do not count, and those of the answer are 0. */
static void upper_halves(void)
{
    uint64_t rax = 0xdeadbeef00000001, rbx = ~0ul, rcx = 0xdeadbeef00000000, rdx = ~0ul;

    __asm__ volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
    CHECK_EQ(rax, ask(1, 0, EAX), "leaf 1 by its lower half");
    CHECK(!((rbx | rcx | rdx) >> 32), "the upper halves of the answer are 0");
}

void test_main(void)
{
    leaves_end();
    features();
    follows_the_apic();
    follows_cr4();
    upper_halves();
}
