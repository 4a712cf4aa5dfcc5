/* SPDX-License-Identifier: MIT */
/*
 * Shows: a kernel that is shown SSBD has that bit of MSR SPEC_CTRL: it reads what it wrote, each
 * vCPU its own, whoever else ran meanwhile. Every other bit is #GP, and nothing changed. Where it
 * is not shown the MSR is #GP. A guest of each kind runs this.
 */
#include <guest/kind.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "ssbd";

#define MSR_SPEC_CTRL 0x48u
#define SSBD          4ul
#define LEAF          0x80000008u
#define EBX_SSBD      (1u << 24) /* AMD's bit, by either maker */
#define TURNS         100

static unsigned int strange;

static bool is_shown(void)
{
    uint32_t r[4];

    if (is_pv())
        __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                         : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                         : "0"(LEAF), "2"(0));
    else
        cpuid(LEAF, 0, r);
    return r[1] & EBX_SSBD;
}

static void do_read(void *value)
{
    *(uint64_t *)value = rdmsr(MSR_SPEC_CTRL);
}

static void do_write(void *value)
{
    wrmsr(MSR_SPEC_CTRL, *(uint64_t *)value);
}

static int read(uint64_t *value)
{
    return probe_call(do_read, value, NULL);
}

static int write(uint64_t value)
{
    return probe_call(do_write, &value, NULL);
}

static void is_not_there(void)
{
    uint64_t value;

    CHECK_EQ(read(&value), TRAP_GP, "SPEC_CTRL is not read where nothing of it is shown");
    CHECK_EQ(write(0), TRAP_GP, "nor written");
    CHECK_EQ(write(SSBD), TRAP_GP, "with SSBD either");
}

static void one_bit(void)
{
    static const uint64_t kept[] = {0, SSBD, SSBD, 0, SSBD};
    uint64_t value;

    for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++) {
        CHECK_EQ(write(kept[i]), -1, "SSBD is written");
        CHECK_EQ(read(&value), -1, "and read");
        CHECK_EQ(value, kept[i], "as it was written");
    }
    for (unsigned int bit = 0; bit < 64; bit++)
        if (1ul << bit != SSBD)
            CHECK_EQ(write(1ul << bit), TRAP_GP, "any other bit is not the guest's");
    CHECK_EQ(write(SSBD | 1), TRAP_GP, "beside SSBD either");
    CHECK_EQ(read(&value), -1, "SPEC_CTRL is still there");
    CHECK_EQ(value, SSBD, "with what was written last");
    CHECK_EQ(write(0), -1, "and back");
}

static void keeps_its_own(unsigned int vcpu)
{
    uint64_t mine = vcpu & 1 ? SSBD : 0;

    wrmsr(MSR_SPEC_CTRL, mine);
    for (unsigned int i = 0; i < TURNS; i++) {
        test_rest();
        if (rdmsr(MSR_SPEC_CTRL) != mine)
            __atomic_add_fetch(&strange, 1, __ATOMIC_RELAXED);
    }
    wrmsr(MSR_SPEC_CTRL, 0);
}

void test_main(void)
{
    if (!is_shown()) {
        printf("ssbd: not shown\n");
        is_not_there();
        return;
    }
    one_bit();
    if (has_hypercalls()) {
        NEED(test_on_all(keeps_its_own));
        CHECK_EQ(strange, 0, "each vCPU has its own");
    }
    printf("ssbd: shown, and written\n");
}
