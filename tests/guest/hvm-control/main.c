/* SPDX-License-Identifier: MIT */
/*
 * Shows: what must not be in a control register is #GP in the guest, and not the guest's end:
 * reserved bits of CR3, CR4, DR7 and XCR0, long mode without PAE. What may be there is.
 * Instructions that a guest of this kind has not (SVM's, MONITOR) are #UD, and RDPMC is #GP; WBINVD
 * does nothing that can be seen.
 *
 * QEMU drops reserved bits of CR0 and CR8, where a CPU has #GP; what it does not check at all is in
 * hvm-hostile.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-control";

#define CR4_DE      (1ul << 3)
#define CR4_PAE     (1ul << 5)
#define CR4_VMXE    (1ul << 13)
#define CR4_OSXSAVE (1ul << 18)

static void do_cr0(void *value)
{
    write_cr0((uint64_t)value);
}

static void do_cr3(void *value)
{
    write_cr3((uint64_t)value);
}

static void do_cr4(void *value)
{
    write_cr4((uint64_t)value);
}

static void do_cr8(void *value)
{
    write_cr8((uint64_t)value);
}

#define WRITE(n, value) probe_call(do_cr##n, (void *)(uint64_t)(value), NULL)

static void cr0(void)
{
    uint64_t was = read_cr0();

    CHECK_EITHER(WRITE(0, was | 1ul << 32), TRAP_GP, -1, "a bit that CR0 has not");
    CHECK_EITHER(WRITE(0, was | 1ul << 63), TRAP_GP, -1, "the uppermost");
    CHECK_EQ(read_cr0(), was, "is not there");
    CHECK_EQ(WRITE(0, was), -1, "what is there already");
    CHECK_EQ(read_cr0(), was, "CR0 is as it was");
    CHECK_EQ(WRITE(0, was & ~CR0_WP), -1, "protection of read-only pages off");
    CHECK_EQ(read_cr0(), was & ~CR0_WP, "is off");
    CHECK_EQ(WRITE(0, was), -1, "and on");
}

static void cr3(void)
{
    uint64_t was = read_cr3();

    CHECK_EQ(WRITE(3, was | 1ul << 63), TRAP_GP, "the uppermost bit of CR3");
    CHECK_EQ(WRITE(3, was | 1ul << 52), TRAP_GP, "an address of 53 bits");
    CHECK_EQ(read_cr3(), was, "CR3 is as it was");
    CHECK_EQ(WRITE(3, was | 0x18), -1, "PWT and PCD may be there");
    CHECK_EQ(WRITE(3, was), -1, "and not");
}

static void cr4(void)
{
    uint64_t was = read_cr4();
    unsigned int allowed = 0;

    CHECK_EQ(WRITE(4, was & ~CR4_PAE), TRAP_GP, "long mode without PAE");
    CHECK_EQ(WRITE(4, was | CR4_VMXE), TRAP_GP, "VMX");
    CHECK_EQ(WRITE(4, was | 1ul << 22), TRAP_GP, "protection keys");
    for (unsigned int bit = 23; bit < 64; bit++)
        CHECK_EQ(WRITE(4, was | 1ul << bit), TRAP_GP, "a bit that CR4 has not");
    for (unsigned int bit = 0; bit < 23; bit++) {
        int vector = WRITE(4, was ^ 1ul << bit);

        if (vector != -1 && vector != TRAP_GP)
            test_failure("bit %u of CR4: exception %d", bit, vector);
        CHECK_EQ(read_cr4(), vector == -1 ? was ^ 1ul << bit : was,
                 "what is read is what was written");
        allowed += vector == -1;
        write_cr4(was);
    }
    printf("%u bits of CR4 can be changed\n", allowed);
    CHECK(allowed >= 9, "the old bits of CR4 can be changed");
    CHECK_EQ(read_cr4(), was, "CR4 is as it was");
}

static void cr8(void)
{
    CHECK_EQ(WRITE(8, 0x10), TRAP_GP, "a fifth bit of CR8");
    CHECK_EQ(WRITE(8, 5), -1, "class 5");
    CHECK_EQ(read_cr8(), 5, "is in CR8");
    CHECK_EQ(lapic_read(LAPIC_TPR), 0x50, "and in the local APIC");
    lapic_write(LAPIC_TPR, 0x37);
    CHECK_EQ(read_cr8(), 3, "and the other way");
    lapic_write(LAPIC_TPR, 0);
}

#define DEBUG_REGISTER(n)                                                                          \
    static void do_dr##n(void *value)                                                              \
    {                                                                                              \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(value));                                        \
    }                                                                                              \
    static uint64_t read_dr##n(void)                                                               \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(value));                                      \
        return value;                                                                              \
    }
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(5)
DEBUG_REGISTER(7)

#define WRITE_DR(n, value) probe_call(do_dr##n, (void *)(uint64_t)(value), NULL)

/* They are this guest's, over exits too. */
static void debug_registers(void)
{
    uint32_t out[4];

    CHECK_EQ(WRITE_DR(0, 0x1234), -1, "DR0");
    CHECK_EQ(WRITE_DR(1, ~0ul), -1, "DR1");
    CHECK_EQ(WRITE_DR(2, 1ul << 47), -1, "DR2");
    CHECK_EQ(WRITE_DR(3, 8), -1, "DR3");
    CHECK_EQ(WRITE_DR(7, 0xff0f0700), -1, "DR7");
    cpuid(0, 0, out);
    CHECK_EQ(read_dr0(), 0x1234, "DR0 is as written");
    CHECK_EQ(read_dr1(), ~0ul, "DR1 is as written");
    CHECK_EQ(read_dr2(), 1ul << 47, "DR2 is as written");
    CHECK_EQ(read_dr3(), 8, "DR3 is as written");
    CHECK_EQ(read_dr7(), 0xff0f0700, "DR7 is as written");
    CHECK_EQ(WRITE_DR(7, 1ul << 32), TRAP_GP, "an upper bit of DR7");
    CHECK_EQ(WRITE_DR(5, 0x400), -1, "DR5");
    CHECK_EQ(read_dr7(), 0x400, "is DR7");
    CHECK_EQ(read_dr5(), 0x400, "to read too");
    write_cr4(read_cr4() | CR4_DE);
    CHECK_EQ(WRITE_DR(5, 0x400), TRAP_INVALID_OP, "but not with debugging extensions");
    write_cr4(read_cr4() & ~CR4_DE);
}

static void do_xsetbv(void *value)
{
    __asm__ volatile("xsetbv"
                     :
                     : "c"(0), "a"((uint32_t)(uint64_t)value),
                       "d"((uint32_t)((uint64_t)value >> 32)));
}

static void do_xsetbv_1(void *value)
{
    __asm__ volatile("xsetbv" : : "c"(1), "a"((uint32_t)(uint64_t)value), "d"(0));
}

static uint64_t read_xcr0(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* What was set stays over an exit. */
static void xcr0(void)
{
    uint32_t out[4];

    cpuid(1, 0, out);
    if (!(out[2] >> 26 & 1)) {
        CHECK_EQ(WRITE(4, read_cr4() | CR4_OSXSAVE), TRAP_GP, "OSXSAVE on a CPU without XSAVE");
        CHECK_EQ(probe_call(do_xsetbv, (void *)1, NULL), TRAP_INVALID_OP, "and XSETBV");
        return;
    }
    CHECK_EQ(probe_call(do_xsetbv, (void *)1, NULL), TRAP_INVALID_OP, "XSETBV without OSXSAVE");
    write_cr4(read_cr4() | CR4_OSXSAVE);
    CHECK_EQ(read_xcr0(), 1, "XCR0 after reset");
    CHECK_EQ(probe_call(do_xsetbv, (void *)0, NULL), TRAP_GP, "XCR0 without x87");
    CHECK_EQ(probe_call(do_xsetbv, (void *)5, NULL), TRAP_GP, "AVX without SSE");
    CHECK_EQ(probe_call(do_xsetbv, (void *)(1ul << 62 | 3), NULL), TRAP_GP, "a reserved bit");
    CHECK_EQ(probe_call(do_xsetbv_1, (void *)1, NULL), TRAP_GP, "another register");
    CHECK_EQ(probe_call(do_xsetbv, (void *)3, NULL), -1, "x87 and SSE");
    cpuid(0xd, 0, out);
    CHECK_EQ(read_xcr0(), 3, "are in XCR0 behind an exit");
    CHECK_EQ(out[1], 576, "and CPUID tells the size of their area");
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
}

#define DO(name, code)                                                                             \
    static void do_##name(void *arg)                                                               \
    {                                                                                              \
        (void)arg;                                                                                 \
        __asm__ volatile(code : : "a"(0x1000ul), "c"(0), "d"(0) : "memory");                       \
    }

DO(vmrun, "vmrun")
DO(vmmcall, "vmmcall")
DO(vmcall, "vmcall")
DO(vmload, "vmload")
DO(vmsave, "vmsave")
DO(stgi, "stgi")
DO(clgi, "clgi")
DO(skinit, "skinit")
DO(invlpga, "invlpga")
DO(monitor, "monitor")
DO(mwait, "mwait")
DO(rdpmc, "rdpmc")
DO(wbinvd, "wbinvd")
DO(invd, "invd")

static void instructions(void)
{
    CHECK_EQ(probe_call(do_vmrun, NULL, NULL), TRAP_INVALID_OP, "VMRUN");
    CHECK_EQ(probe_call(do_vmmcall, NULL, NULL), TRAP_INVALID_OP, "VMMCALL");
    CHECK_EQ(probe_call(do_vmcall, NULL, NULL), TRAP_INVALID_OP, "VMCALL");
    CHECK_EQ(probe_call(do_vmload, NULL, NULL), TRAP_INVALID_OP, "VMLOAD");
    CHECK_EQ(probe_call(do_vmsave, NULL, NULL), TRAP_INVALID_OP, "VMSAVE");
    CHECK_EQ(probe_call(do_stgi, NULL, NULL), TRAP_INVALID_OP, "STGI");
    CHECK_EQ(probe_call(do_clgi, NULL, NULL), TRAP_INVALID_OP, "CLGI");
    CHECK_EQ(probe_call(do_skinit, NULL, NULL), TRAP_INVALID_OP, "SKINIT");
    CHECK_EQ(probe_call(do_invlpga, NULL, NULL), TRAP_INVALID_OP, "INVLPGA");
    CHECK_EQ(probe_call(do_monitor, NULL, NULL), TRAP_INVALID_OP, "MONITOR");
    CHECK_EQ(probe_call(do_mwait, NULL, NULL), TRAP_INVALID_OP, "MWAIT");
    CHECK_EQ(probe_call(do_rdpmc, NULL, NULL), TRAP_GP, "RDPMC");
    CHECK_EQ(probe_call(do_wbinvd, NULL, NULL), -1, "WBINVD");
    CHECK_EQ(probe_call(do_invd, NULL, NULL), -1, "INVD");
}

void test_main(void)
{
    cr0();
    cr3();
    cr4();
    cr8();
    debug_registers();
    xcr0();
    instructions();
}
