/* SPDX-License-Identifier: MIT */
/*
 * Shows: each MSR that a guest may ask for either has a value or is #GP for the guest, and none
 * ends it. Those that the kernel has for itself keep what is written. What must not be written
 * (SVM's bit of EFER, bits that are not there, a local APIC elsewhere) is #GP, and nothing changed.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-msr";

#define MSR_TSC         0x10u
#define MSR_SYSENTER_CS 0x174u
#define MSR_MCG_CAP     0x179u
#define MSR_PAT         0x277u
#define MSR_CSTAR       0xc0000083u
#define MSR_FS_BASE     0xc0000100u
#define MSR_KERNEL_GS   0xc0000102u
#define MSR_VM_CR       0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u
#define EFER_LME        (1ul << 8)
#define EFER_LMA        (1ul << 10)
#define EFER_SVME       (1ul << 12)
#define EFER_KNOWN      0xd01ul /* SCE LME LMA NXE */
#define BASE_X2APIC     (1ul << 10)

static uint64_t value;

static void do_read(void *msr)
{
    value = rdmsr((uint32_t)(uintptr_t)msr);
}

static void do_write(void *msr)
{
    wrmsr((uint32_t)(uintptr_t)msr, value);
}

static bool can_read(uint32_t msr)
{
    int vector = probe_call(do_read, (void *)(uintptr_t)msr, NULL);

    if (vector != -1 && vector != TRAP_GP)
        test_failure("reading MSR %x is exception %d", msr, vector);
    return vector == -1;
}

static int write(uint32_t msr, uint64_t v)
{
    value = v;
    return probe_call(do_write, (void *)(uintptr_t)msr, NULL);
}

static unsigned int read_range(uint32_t first, uint32_t step, uint32_t count)
{
    unsigned int known = 0;

    for (uint32_t i = 0; i < count; i++)
        known += can_read(first + i * step);
    return known;
}

static void all_are_read(void)
{
    unsigned int known = read_range(0, 1, 0x2000) + read_range(0xc0000000, 1, 0x2000) +
                         read_range(0xc0010000, 1, 0x2000);

    printf("%u MSRs can be read\n", known);
    CHECK(known >= 20 && known < 40, "of the three ranges with MSRs few can be read");
    CHECK_EQ(read_range(0x2000, 0x00fffff1, 0xbf), 0, "beside them none");
    CHECK_EQ(read_range(MSR_X2APIC, 1, 0x100), 0, "none of x2APIC");
    CHECK(!can_read(MSR_VM_CR) && !can_read(MSR_VM_HSAVE_PA), "none of SVM");
}

static void known_ones(void)
{
    uint64_t before = rdmsr(MSR_TSC);

    CHECK(rdtsc() > before, "MSR 10h is the TSC");
    CHECK_EQ(rdmsr(MSR_MCG_CAP), 0, "no banks of machine checks");
    CHECK_EQ(rdmsr(MSR_PAT), 0x0007040600070406, "PAT as after reset");
    CHECK_EQ(rdmsr(MSR_EFER), EFER_KNOWN, "EFER is what the kernel wrote, and LMA");
    CHECK_EQ(rdmsr(MSR_APIC_BASE) & ~0xffful, LAPIC_PADDR, "the local APIC is where it always is");
}

static void are_kept(void)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } own[] = {{MSR_SYSENTER_CS, 8},
               {MSR_SYSENTER_CS + 1, 0xffff800012345678},
               {MSR_SYSENTER_CS + 2, 0xffff8000abcdef00},
               {MSR_CSTAR, 0xffff800087654321},
               {MSR_FS_BASE, 0x0000712345678000},
               {MSR_KERNEL_GS, 0xffff900012345000}};

    for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
        CHECK_EQ(write(own[i].msr, own[i].value), -1, "an MSR of the guest's own is written");
    for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
        CHECK_EQ(rdmsr(own[i].msr), own[i].value, "and has what was written");
    CHECK_EQ(write(MSR_PAT, 0x0007010600070106), -1, "PAT with write combining");
    CHECK_EQ(rdmsr(MSR_PAT), 0x0007010600070106, "is PAT with write combining");
    CHECK_EQ(write(MSR_PAT, 0x0007040600070406), -1, "and back");
}

static void must_not_be(void)
{
    uint64_t efer = rdmsr(MSR_EFER), base = rdmsr(MSR_APIC_BASE);

    CHECK_EQ(write(MSR_EFER, efer | EFER_SVME), TRAP_GP, "SVM is not switched on");
    for (unsigned int bit = 1; bit < 64; bit++)
        if (!(1ul << bit & EFER_KNOWN))
            CHECK_EQ(write(MSR_EFER, efer | 1ul << bit), TRAP_GP, "a bit that EFER has not");
    CHECK_EQ(write(MSR_EFER, efer & ~EFER_LME), TRAP_GP, "long mode is not left while paging");
    CHECK_EQ(write(MSR_EFER, efer & ~EFER_LMA), -1, "LMA is not the guest's to write");
    CHECK_EQ(rdmsr(MSR_EFER), efer, "and EFER is as it was");
    CHECK_EQ(write(MSR_PAT, 2), TRAP_GP, "a memory type that there is not");
    CHECK_EQ(write(MSR_APIC_BASE, base + 0x1000), TRAP_GP, "the local APIC stays where it is");
    CHECK_EQ(write(MSR_APIC_BASE, base | BASE_X2APIC), TRAP_GP, "and is no x2APIC");
    CHECK_EQ(write(MSR_APIC_BASE, base | 1), TRAP_GP, "nor has it reserved bits");
    CHECK_EQ(rdmsr(MSR_APIC_BASE), base, "it is as it was");
    CHECK_EQ(write(MSR_VM_HSAVE_PA, 0), TRAP_GP, "the host's save area is not the guest's");
    CHECK_EQ(write(MSR_MCG_CAP, 1), TRAP_GP, "what can only be read is not written");
}

void test_main(void)
{
    all_are_read();
    known_ones();
    are_kept();
    must_not_be();
}
