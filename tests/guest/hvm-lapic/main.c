/* SPDX-License-Identifier: MIT */
/*
 * Shows: each register of the local APIC, and each place in its page where there is none, can be
 * read, and written with anything, and nothing comes of it but what the manuals say: bits that
 * there are not stay 0, registers that can only be read stay, errors are in ESR. Interrupts to
 * oneself arrive by every kind of destination, and not when it is another's.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-lapic";

#define VECTOR       0x50
#define ERROR_VECTOR 0x52
#define LVT_MASKED   0x10000u
#define ESR_SEND     0x20
#define ESR_REGISTER 0x80
#define SVR          0x1ffu

static unsigned int taken, errors;

static bool interrupt(struct trap_regs *regs)
{
    (void)regs;
    taken++;
    lapic_eoi();
    return true;
}

static bool error(struct trap_regs *regs)
{
    (void)regs;
    errors++;
    lapic_eoi();
    return true;
}

static bool is_register(unsigned int offset)
{
    static const uint8_t first[] = {0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
                                    0x0e, 0x0f, 0x28, 0x30, 0x31, 0x39, 0x3e};
    unsigned int i = offset / 16;

    if ((i >= 0x10 && i <= 0x27) || (i >= 0x32 && i <= 0x38))
        return true;
    for (unsigned int k = 0; k < ARRAY_SIZE(first); k++)
        if (i == first[k])
            return true;
    return false;
}

static uint32_t take_errors(void)
{
    lapic_write(LAPIC_ESR, 0);
    return lapic_read(LAPIC_ESR);
}

static void every_place(void)
{
    static const uint32_t values[] = {0, ~0u, 0x55555555, 0xaaaaaaaa};

    (void)take_errors();
    for (unsigned int offset = 0; offset < PAGE_SIZE; offset += 4)
        (void)lapic_read(offset);
    CHECK_EQ(take_errors(), ESR_REGISTER, "a register that there is not is an error");
    for (unsigned int v = 0; v < ARRAY_SIZE(values); v++)
        for (unsigned int offset = 0; offset < PAGE_SIZE; offset += 4)
            if (offset != LAPIC_ICR) /* see destinations() */
                lapic_write(offset, values[v]);
    lapic_write(LAPIC_SVR, SVR);
    CHECK(take_errors() & ESR_REGISTER, "writing one as well");
    for (unsigned int offset = 0; offset < PAGE_SIZE; offset += 16) {
        lapic_read(offset);
        CHECK_EQ(take_errors(), is_register(offset) ? 0 : ESR_REGISTER,
                 "these registers there are, and no others");
    }
}

static void bits(void)
{
    static const struct {
        unsigned int offset;
        uint32_t bits;
    } has[] = {{LAPIC_TPR, 0xff},
               {LAPIC_LDR, 0xff000000},
               {LAPIC_LVT_TIMER, 0x710ff & ~0x1000u},
               {LAPIC_LVT_LINT0, 0x1a7ff},
               {LAPIC_LVT_LINT1, 0x1a7ff},
               {LAPIC_LVT_ERROR, 0x100ff},
               {LAPIC_TIMER_DIVIDE, 0xb},
               {LAPIC_ICR_HIGH, 0xff000000}};

    for (unsigned int i = 0; i < ARRAY_SIZE(has); i++) {
        if (has[i].offset == LAPIC_LVT_TIMER) /* both bits of its mode are none */
            continue;
        lapic_write(has[i].offset, ~0u);
        CHECK_EQ(lapic_read(has[i].offset), has[i].bits, "a register has these bits");
        lapic_write(has[i].offset, LVT_MASKED);
        CHECK_EQ(lapic_read(has[i].offset), LVT_MASKED & has[i].bits, "and all can be cleared");
    }
    lapic_write(LAPIC_DFR, 0);
    CHECK_EQ(lapic_read(LAPIC_DFR), 0x0fffffff, "DFR has four, the others are ones");
    lapic_write(LAPIC_DFR, ~0u);
    lapic_write(LAPIC_VERSION, 0);
    CHECK_EQ(lapic_read(LAPIC_VERSION) & 0xff, 0x14, "the version stays");
    lapic_write(LAPIC_ID, ~0u);
    CHECK_EQ(lapic_read(LAPIC_ID), 0, "and the id");
}

static bool arrives(uint32_t destination, uint32_t icr)
{
    unsigned int before = taken;

    lapic_send(destination, ICR_FIXED | VECTOR | icr);
    __asm__ volatile("nop");
    return taken == before + 1;
}

#define LOGICAL 0x800u
#define LOWEST  0x100u

static void destinations(void)
{
    sti();
    CHECK(arrives(0, 0), "to its id");
    CHECK(arrives(0xff, 0), "to everyone");
    CHECK(!arrives(1, 0), "not to another's");
    CHECK(arrives(5, ICR_SELF) && arrives(5, ICR_ALL), "to itself, to all");
    CHECK(!arrives(0, ICR_OTHERS), "not to all others");
    lapic_write(LAPIC_LDR, 0x42000000);
    CHECK(arrives(0x40, LOGICAL) && arrives(0xf2, LOGICAL), "flat: a bit in common");
    CHECK(!arrives(0x81, LOGICAL), "flat: none");
    CHECK(arrives(0x02, LOGICAL | LOWEST), "by lowest priority");
    lapic_write(LAPIC_DFR, 0x0fffffff);
    CHECK(arrives(0x4a, LOGICAL), "cluster: the same, and a bit");
    CHECK(!arrives(0x4d, LOGICAL) && !arrives(0x52, LOGICAL), "cluster: no bit; another");
    lapic_write(LAPIC_DFR, ~0u);
    for (uint32_t mode = 2; mode < 8; mode++)
        if (mode != 4 && mode != 5) /* SMI, SIPI, reserved: to one that runs they are nothing */
            CHECK(!arrives(0, mode << 8), "what is no interrupt does not arrive as one");
    cli();
}

static void told_errors(void)
{
    (void)take_errors();
    lapic_write(LAPIC_LVT_ERROR, ERROR_VECTOR);
    sti();
    lapic_send(0, ICR_FIXED | ICR_SELF | 0x0f);
    __asm__ volatile("nop");
    CHECK_EQ(errors, 1, "an illegal vector is told by an interrupt");
    CHECK_EQ(take_errors(), ESR_SEND, "and in ESR");
    CHECK_EQ(take_errors(), 0, "until it was read");
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED | ERROR_VECTOR);
    lapic_send(0, ICR_FIXED | ICR_SELF | 0x0f);
    __asm__ volatile("nop");
    CHECK_EQ(errors, 1, "masked, it is not told");
    cli();
}

static void switched_off(void)
{
    lapic_write(LAPIC_LVT_ERROR, ERROR_VECTOR);
    lapic_write(LAPIC_SVR, SVR & ~0x100u);
    sti();
    CHECK(!arrives(0, ICR_SELF), "while it is off no interrupt comes");
    CHECK_EQ(lapic_read(LAPIC_LVT_ERROR), LVT_MASKED | ERROR_VECTOR, "all entries are masked");
    lapic_write(LAPIC_LVT_ERROR, ERROR_VECTOR);
    CHECK_EQ(lapic_read(LAPIC_LVT_ERROR), LVT_MASKED | ERROR_VECTOR, "and stay so");
    lapic_write(LAPIC_SVR, SVR);
    CHECK(arrives(0, ICR_SELF), "on again, one comes");
    cli();
}

void test_main(void)
{
    cli();
    trap_set_handler(VECTOR, interrupt);
    trap_set_handler(ERROR_VECTOR, error);
    every_place();
    bits();
    lapic_write(LAPIC_TPR, 0);
    destinations();
    told_errors();
    switched_off();
}
