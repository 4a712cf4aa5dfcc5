/* SPDX-License-Identifier: MIT */
/*
 * The registers of the serial port as drivers use them: Linux' autoconfiguration, step by step, and
 * its start; interrupts and their ranks; FIFOs, loopback, modem lines. What becomes of the bytes is
 * in hvm_uart_ring.c.
 */
#include "hvm_devices_support.h"

#define COM(reg) (0x3f8 + (reg))
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR IIR

/* Types at the other end, and tells. */
static void type(const char *s)
{
    while (*s)
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = *s++;
    hvm_uart_ring_moved(d);
    check_devices();
}

/* The level of IRQ 4 */
static bool line(void)
{
    return devices->pic.chip[0].inputs & 0x10;
}

/* Linux' autoconfig, in its order. */
static void is_a_16550a(void)
{
    uint8_t mcr, lcr, one, two, ier = in8(COM(IER));

    out8(COM(IER), 0);
    assert_int_equal(in8(COM(IER)) & 0x0f, 0);
    out8(COM(IER), 0x0f);
    assert_int_equal(in8(COM(IER)) & 0x0f, 0x0f);
    out8(COM(IER), ier);
    mcr = in8(COM(MCR));
    lcr = in8(COM(LCR));
    out8(COM(MCR), 0x10 | 0x0a); /* loopback, OUT2 and RTS */
    assert_int_equal(in8(COM(MSR)) & 0xf0, 0x90);
    out8(COM(MCR), mcr);
    out8(COM(LCR), 0xbf);
    out8(COM(2), 0); /* EFR, if it had one; else FCR */
    out8(COM(LCR), 0);
    out8(COM(FCR), 0x01);
    assert_int_equal(in8(COM(IIR)) >> 6, 3);
    /* autoconfig_16550a: no EFR, no bank 2 of NatSemi's, not the 64 bytes of a 16750 */
    out8(COM(LCR), 0x80);
    assert_int_not_equal(in8(COM(2)), 0);
    out8(COM(LCR), 0xbf);
    assert_int_not_equal(in8(COM(2)), 0);
    out8(COM(LCR), 0);
    one = in8(COM(MCR));
    out8(COM(LCR), 0xe0);
    two = in8(COM(2));
    assert_int_equal((one ^ two) & 0x10, 0);
    out8(COM(LCR), 0);
    out8(COM(MCR), one ^ 0x10);
    out8(COM(LCR), 0xe0);
    two = in8(COM(2));
    out8(COM(LCR), 0);
    out8(COM(MCR), one);
    assert_int_equal((one ^ two) & 0x10, 0);
    out8(COM(FCR), 0x01);
    one = in8(COM(IIR)) >> 5;
    out8(COM(FCR), 0x21);
    out8(COM(LCR), 0x80);
    out8(COM(FCR), 0x21);
    two = in8(COM(IIR)) >> 5;
    out8(COM(FCR), 0x01);
    out8(COM(LCR), 0);
    assert_false(one == 6 && two == 7);
    /* no UUE bit */
    ier = in8(COM(IER));
    out8(COM(IER), ier & (uint8_t)~0x40);
    assert_false(in8(COM(IER)) & 0x40);
    out8(COM(IER), ier | 0x40);
    assert_false(in8(COM(IER)) & 0x40);
    out8(COM(LCR), lcr);
}

static void linux_finds_a_16550a(void **state)
{
    (void)state;
    is_a_16550a();
    /* again, when its console has been at work */
    out8(COM(IER), 5);
    out8(COM(MCR), 0x0b);
    is_a_16550a();
}

/* autoconfig_8250, for who has no FIFO; and the divisor */
static void there_are_registers_to_write_to(void **state)
{
    (void)state;
    out8(COM(SCR), 0xa5);
    assert_int_equal(in8(COM(SCR)), 0xa5);
    out8(COM(SCR), 0x5a);
    assert_int_equal(in8(COM(SCR)), 0x5a);
    out8(COM(IER), 0x0a);
    out8(COM(LCR), 0x83);
    out8(COM(0), 0x0c);
    out8(COM(1), 0x01);
    assert_int_equal(in_bytes(COM(0), 2), 0x010c);
    out8(COM(LCR), 0x03);
    assert_int_equal(in8(COM(IER)), 0x0a);
    assert_int_equal(in8(COM(LCR)), 0x03);
    assert_int_equal(ring->out_prod, 0);
    out8(COM(LSR), 0xff);
    out8(COM(MSR), 0xff);
    assert_int_equal(in8(COM(LSR)), 0x60);
    assert_int_equal(in8(COM(MSR)), 0xb0);
}

/* serial8250_do_startup: that THRE interrupts again when it is enabled again, and does at all. */
static void linux_finds_no_bugs(void **state)
{
    uint8_t iir, lsr;

    (void)state;
    out8(COM(FCR), 0x01);
    out8(COM(FCR), 0x07);
    out8(COM(FCR), 0x00);
    (void)in8(COM(LSR));
    (void)in8(COM(DATA));
    (void)in8(COM(IIR));
    (void)in8(COM(MSR));
    assert_int_not_equal(in8(COM(LSR)), 0xff);
    out8(COM(LCR), 0x03);
    out8(COM(IER), 0x02);
    iir = in8(COM(IIR));
    out8(COM(IER), 0);
    out8(COM(IER), 0x02);
    assert_false(!(iir & 1) && (in8(COM(IIR)) & 1));
    out8(COM(IER), 0);
    out8(COM(MCR), 0x08);
    out8(COM(IER), 0x02);
    lsr = in8(COM(LSR));
    iir = in8(COM(IIR));
    out8(COM(IER), 0);
    assert_false((lsr & 0x40) && (iir & 1));
}

static void transmitting_interrupts(void **state)
{
    (void)state;
    out8(COM(MCR), 0x0b);
    out8(COM(FCR), 0x01);
    assert_false(line());
    out8(COM(IER), 0x02);
    assert_true(line());
    assert_int_equal(in8(COM(IIR)), 0xc2); /* whoever reads it knows */
    assert_false(line());
    assert_int_equal(in8(COM(IIR)), 0xc1);
    out8(COM(DATA), 'x');
    assert_true(line());
    assert_int_equal(in8(COM(LSR)), 0x60);
    out8(COM(IER), 0);
    assert_false(line());
    out8(COM(MCR), 0x03); /* without OUT2 nothing comes */
    out8(COM(IER), 0x02);
    assert_false(line());
    assert_int_equal(in8(COM(IIR)), 0xc2);
}

static void receiving_interrupts(void **state)
{
    (void)state;
    out8(COM(MCR), 0x0b);
    out8(COM(FCR), 0x81); /* from 8 bytes on */
    out8(COM(IER), 0x01);
    assert_false(line());
    type("1234567");
    assert_true(line());
    assert_int_equal(in8(COM(IIR)), 0xcc);
    type("8");
    assert_int_equal(in8(COM(IIR)), 0xc4);
    for (char c = '1'; c <= '8'; c++) {
        assert_int_equal(in8(COM(LSR)), 0x61);
        assert_true(line());
        assert_int_equal(in8(COM(DATA)), c);
    }
    assert_false(line());
    assert_int_equal(in8(COM(LSR)), 0x60);
    assert_int_equal(in8(COM(DATA)), 0);
}

static void every_trigger_level(void **state)
{
    static const unsigned int level[] = {1, 4, 8, 14};

    (void)state;
    out8(COM(IER), 0x01);
    for (unsigned int i = 0; i < 4; i++) {
        out8(COM(FCR), (uint8_t)(i << 6 | 3));
        for (unsigned int n = 1; n <= 16; n++) {
            type("x");
            assert_int_equal(in8(COM(IIR)), n >= level[i] ? 0xc4 : 0xcc);
        }
    }
}

/* Line status before data before the transmitter before the modem. */
static void causes_have_ranks(void **state)
{
    (void)state;
    out8(COM(FCR), 0x01);
    out8(COM(MCR), 0x10);
    for (unsigned int i = 0; i < 17; i++)
        out8(COM(DATA), (uint8_t)i);
    out8(COM(MCR), 0x13);
    out8(COM(IER), 0x0f);
    assert_false(line()); /* in loopback mode OUT2 is off */
    assert_int_equal(in8(COM(IIR)), 0xc6);
    assert_int_equal(in8(COM(LSR)), 0x63);
    assert_int_equal(in8(COM(LSR)), 0x61);
    assert_int_equal(in8(COM(IIR)), 0xc4);
    for (unsigned int i = 0; i < 16; i++)
        assert_int_equal(in8(COM(DATA)), i);
    assert_int_equal(in8(COM(IIR)), 0xc2);
    assert_int_equal(in8(COM(IIR)), 0xc0);
    out8(COM(MCR), 0x0b);
    assert_true(line());
    assert_int_not_equal(in8(COM(MSR)) & 0x0f, 0);
    assert_int_equal(in8(COM(IIR)), 0xc1);
    assert_false(line());
}

/* Each output is one input, and each input tells that it changed; RI only that it fell. */
static void modem_lines_in_loopback(void **state)
{
    (void)state;
    out8(COM(MCR), 0x10);
    (void)in8(COM(MSR));
    out8(COM(MCR), 0x11);
    assert_int_equal(in8(COM(MSR)), 0x22);
    out8(COM(MCR), 0x12);
    assert_int_equal(in8(COM(MSR)), 0x13);
    out8(COM(MCR), 0x14);
    assert_int_equal(in8(COM(MSR)), 0x41);
    out8(COM(MCR), 0xf8);
    assert_int_equal(in8(COM(MCR)), 0x18);
    assert_int_equal(in8(COM(MSR)), 0x8c);
    assert_int_equal(in8(COM(MSR)), 0x80);
}

static void loopback_keeps_to_itself(void **state)
{
    (void)state;
    out8(COM(MCR), 0x10);
    out8(COM(DATA), 'a'); /* no FIFO: room for one */
    out8(COM(DATA), 'b');
    type("typed");
    assert_int_equal(ring->out_prod, 0);
    assert_int_equal(ring->in_cons, 0);
    assert_int_equal(in8(COM(LSR)), 0x63);
    assert_int_equal(in8(COM(DATA)), 'a');
    assert_int_equal(in8(COM(LSR)), 0x60);
    out8(COM(MCR), 0x00);
    assert_int_equal(in8(COM(DATA)), 't');
}

static void fifos_are_cleared(void **state)
{
    (void)state;
    out8(COM(FCR), 0x01);
    type("abcdefghijklmnopq");
    out8(COM(FCR), 0x03);
    assert_int_equal(in8(COM(DATA)), 'q'); /* the 17th had no room before */
    type("r");
    out8(COM(FCR), 0x05);
    assert_int_equal(in8(COM(DATA)), 'r');
    type("st");
    out8(COM(FCR), 0x00); /* to switch them off clears them too; then one has room */
    assert_int_equal(in8(COM(IIR)), 0x01);
    type("uvw");
    out8(COM(FCR), 0x06); /* without bit 0 the others say nothing */
    assert_int_equal(in8(COM(DATA)), 'u');
    assert_int_equal(in8(COM(DATA)), 'v');
    assert_int_equal(in8(COM(DATA)), 'w');
    assert_int_equal(in8(COM(LSR)), 0x60);
}

/* An access of two bytes is two. */
static void wide_accesses_are_split(void **state)
{
    (void)state;
    out_bytes(COM(DATA), 2, 0x0541);
    assert_int_equal(in8(COM(IER)), 0x05);
    assert_int_equal(ring->out_prod, 1);
    assert_int_equal(ring->out[0], 'A');
    out_bytes(COM(LCR), 4, 0x00000b03);
    assert_int_equal(in_bytes(COM(LCR), 4), 0xb0600b03);
    assert_int_equal(in_bytes(COM(SCR), 2), 0xff00);
}

#define T(name) cmocka_unit_test_setup_teardown(name, hvm_setup, hvm_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(linux_finds_a_16550a),     T(there_are_registers_to_write_to),
        T(linux_finds_no_bugs),      T(transmitting_interrupts),
        T(receiving_interrupts),     T(every_trigger_level),
        T(causes_have_ranks),        T(modem_lines_in_loopback),
        T(loopback_keeps_to_itself), T(fifos_are_cleared),
        T(wide_accesses_are_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
