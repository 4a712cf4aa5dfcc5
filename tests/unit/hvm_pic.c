/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers as drivers use them: found and initialized as Linux does, requests by
 * edge and by level, priorities, the slave, ends of interrupts of all kinds, and what is asked for
 * in vain.
 */
#include "hvm_devices_support.h"

#define MASTER     0x20
#define SLAVE      0xa0
#define MASK       1 /* the port behind */
#define ELCR       0x4d0
#define EOI        0x20 /* of the first in service */
#define EOI_OF(n)  (0x60 | (n))
#define READ_ISR   0x0b
#define READ_IRR   0x0a
#define SPURIOUS   0x37
#define SPURIOUS_2 0x3f

/* As a device does. */
static void line(unsigned int irq, bool level)
{
    devices_lock(devices);
    pic_set_irq(devices, irq, level);
    devices_unlock(devices);
    check_devices();
}

static bool pending(void)
{
    return hvm_extint_pending(d);
}

static int ack(void)
{
    int vector = hvm_extint_ack(d);

    check_devices();
    return vector;
}

static void init_chip(unsigned int port, uint8_t vector, uint8_t icw3, uint8_t icw4)
{
    out8(port, 0x11);
    out8(port + MASK, vector);
    out8(port + MASK, icw3);
    out8(port + MASK, icw4);
}

/* Linux' init_8259A, vectors 30h to 3fh, and then all unmasked. */
static void init_both(void)
{
    out8(MASTER + MASK, 0xff);
    init_chip(MASTER, 0x30, 0x04, 0x01);
    init_chip(SLAVE, 0x38, 0x02, 0x01);
    out8(MASTER + MASK, 0);
    out8(SLAVE + MASK, 0);
}

static uint8_t in_service(unsigned int port)
{
    uint8_t isr;

    out8(port, READ_ISR);
    isr = in8(port);
    out8(port, READ_IRR);
    return isr;
}

static void it_is_found(void **state)
{
    (void)state;
    /* Linux' probe_8259A: before any initialization word */
    out8(SLAVE + MASK, 0xff);
    out8(MASTER + MASK, 0xfb);
    assert_int_equal(in8(MASTER + MASK), 0xfb);
    assert_int_equal(in8(SLAVE + MASK), 0xff);
    assert_int_equal(in8(ELCR), 0);
    init_both();
    assert_int_equal(in8(MASTER + MASK), 0);
    assert_false(pending());
}

static void nothing_comes_before_it_is_initialized(void **state)
{
    (void)state;
    line(0, true);
    assert_false(pending());
    line(0, false);
    out8(MASTER, 0x11);
    line(0, true); /* no mask, but two words are to come */
    assert_false(pending());
    out8(MASTER + MASK, 0x30);
    out8(MASTER + MASK, 0x04);
    assert_false(pending());
    out8(MASTER + MASK, 0x01);
    assert_true(pending());
    assert_int_equal(ack(), 0x30);
}

static void an_edge_interrupts_once(void **state)
{
    (void)state;
    init_both();
    line(4, true);
    assert_true(pending());
    assert_int_equal(in8(MASTER), 0x10);
    assert_int_equal(ack(), 0x34);
    assert_false(pending());
    assert_int_equal(in8(MASTER), 0);
    out8(MASTER, READ_ISR);
    out8(MASTER, 0x08); /* what is read stays what it was */
    assert_int_equal(in8(MASTER), 0x10);
    out8(MASTER, EOI_OF(4));
    assert_int_equal(in_service(MASTER), 0);
    line(4, true);
    assert_false(pending()); /* it is still high, but that is no edge */
    line(4, false);
    line(4, true);
    assert_true(pending());
}

/* Another edge while the first is served waits for the end of that. */
static void an_edge_waits_for_its_own_service(void **state)
{
    (void)state;
    init_both();
    line(4, true);
    assert_int_equal(ack(), 0x34);
    line(4, false);
    line(4, true);
    assert_false(pending());
    assert_int_equal(in8(MASTER), 0x10);
    out8(MASTER, EOI);
    assert_true(pending());
    assert_int_equal(ack(), 0x34);
}

/* Linux' mask_and_ack_8259A and unmask of IRQ 4 and of IRQ 10, which is the slave's. */
static void linux_masks_and_acknowledges(void **state)
{
    (void)state;
    init_both();
    line(10, true);
    assert_int_equal(ack(), 0x3a);
    assert_int_equal(in_service(MASTER), 0x04);
    assert_int_equal(in_service(SLAVE), 0x04);
    (void)in8(SLAVE + MASK);
    out8(SLAVE + MASK, 0x04);
    out8(SLAVE, EOI_OF(2));
    out8(MASTER, EOI_OF(2));
    assert_int_equal(in_service(MASTER) | in_service(SLAVE), 0);
    line(10, false);
    line(10, true);
    assert_false(pending());
    out8(SLAVE + MASK, 0);
    assert_true(pending());
    assert_int_equal(ack(), 0x3a);
    out8(SLAVE, EOI_OF(2));
    out8(MASTER, EOI_OF(2));
    line(4, true);
    assert_int_equal(ack(), 0x34);
    out8(MASTER + MASK, 0x10);
    out8(MASTER, EOI_OF(4));
    assert_int_equal(in_service(MASTER), 0);
}

/* 0, 1, then the slave's, then 3 to 7. */
static void priorities_are_fixed(void **state)
{
    static const int order[] = {0x30, 0x31, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                0x3e, 0x3f, 0x33, 0x34, 0x35, 0x36, 0x37};
    unsigned int i;

    (void)state;
    init_both();
    for (i = 16; i-- > 0;)
        if (i != 2)
            line(i, true);
    for (i = 0; i < ARRAY_SIZE(order); i++) {
        assert_true(pending());
        assert_int_equal(ack(), order[i]);
        assert_false(pending()); /* lower ones wait */
        if (order[i] >= 0x38)
            out8(SLAVE, EOI);
        out8(MASTER, EOI);
    }
    assert_false(pending());
}

static void a_higher_one_interrupts_a_lower(void **state)
{
    (void)state;
    init_both();
    line(4, true);
    assert_int_equal(ack(), 0x34);
    line(5, true);
    assert_false(pending());
    line(1, true);
    assert_int_equal(ack(), 0x31);
    assert_int_equal(in_service(MASTER), 0x12);
    out8(MASTER, EOI); /* of the higher, which was the last */
    assert_int_equal(in_service(MASTER), 0x10);
    assert_false(pending());
    out8(MASTER, EOI);
    assert_int_equal(ack(), 0x35);
}

/* The request is gone before the CPU comes: input 7, which is not in service. */
static void what_is_gone_is_spurious(void **state)
{
    (void)state;
    init_both();
    line(4, true);
    line(4, false);
    assert_false(pending());
    assert_int_equal(ack(), SPURIOUS);
    assert_int_equal(in_service(MASTER), 0);
    /* IRQ 7 itself can be told from that. */
    line(7, true);
    assert_int_equal(ack(), SPURIOUS);
    assert_int_equal(in_service(MASTER), 0x80);
    out8(MASTER, EOI);
    line(12, true);
    line(12, false);
    assert_int_equal(ack(), SPURIOUS);
    assert_int_equal(in_service(MASTER) | in_service(SLAVE), 0);
}

/* And input 7 of a slave whose request is gone when the master already has it in service. */
static void a_slaves_is_too(void **state)
{
    (void)state;
    init_both();
    devices->pic.chip[0].irr |= 0x04;
    assert_int_equal(hvm_extint_ack(d), SPURIOUS_2);
    assert_int_equal(devices->pic.chip[0].isr, 0x04);
    assert_int_equal(devices->pic.chip[1].isr, 0);
    check_devices();
}

static void a_level_interrupts_until_it_falls(void **state)
{
    (void)state;
    init_both();
    out8(ELCR, 0x10);
    line(4, true);
    assert_int_equal(ack(), 0x34);
    assert_int_equal(in8(MASTER), 0x10);
    assert_false(pending()); /* it is in service */
    out8(MASTER, EOI);
    assert_true(pending()); /* and is still high */
    assert_int_equal(ack(), 0x34);
    line(4, false);
    out8(MASTER, EOI);
    assert_false(pending());
}

static void some_have_edges_for_good(void **state)
{
    (void)state;
    out8(ELCR, 0xff);
    out8(ELCR + 1, 0xff);
    assert_int_equal(in8(ELCR), 0xf8);
    assert_int_equal(in8(ELCR + 1), 0xde);
    out_bytes(ELCR, 2, 0);
    assert_int_equal(in_bytes(ELCR, 2), 0);
    /* The slave's way into the master is nobody's to change. */
    init_both();
    line(15, true);
    assert_int_equal(ack(), 0x3f);
}

static void an_input_becomes_level(void **state)
{
    (void)state;
    init_both();
    line(5, true);
    assert_int_equal(ack(), 0x35);
    out8(MASTER, EOI);
    assert_false(pending());
    out8(ELCR, 0x20);
    assert_true(pending());
    out8(MASTER, 0x11); /* what is requested by level is so after ICW1 too */
    out8(MASTER + MASK, 0x40);
    out8(MASTER + MASK, 4);
    out8(MASTER + MASK, 1);
    assert_int_equal(ack(), 0x45);
}

static void the_end_of_an_interrupt_may_be_automatic(void **state)
{
    (void)state;
    init_chip(MASTER, 0x30, 4, 3);
    init_chip(SLAVE, 0x38, 2, 3);
    out8(MASTER + MASK, 0);
    line(4, true);
    line(9, true);
    line(10, true);
    assert_int_equal(ack(), 0x39);
    assert_int_equal(in_service(MASTER) | in_service(SLAVE), 0);
    assert_true(pending());
    assert_int_equal(ack(), 0x3a); /* no edge of the slave's was lost */
    assert_int_equal(ack(), 0x34);
    assert_false(pending());
    out8(MASTER, 0x80); /* and who was served may be the last in turn */
    line(4, false);
    line(4, true);
    assert_int_equal(ack(), 0x34);
    line(4, false);
    line(4, true);
    line(5, true);
    assert_int_equal(ack(), 0x35);
    out8(MASTER, 0x00);
    line(5, false);
    line(5, true);
    assert_int_equal(ack(), 0x34); /* its rank stays: 5 is the last now */
    assert_int_equal(ack(), 0x35);
}

static void priorities_rotate(void **state)
{
    (void)state;
    init_both();
    line(6, true);
    assert_int_equal(ack(), 0x36);
    out8(MASTER, 0xc6); /* 6 is the lowest; and that ends nothing */
    assert_int_equal(in_service(MASTER), 0x40);
    out8(MASTER, 0xc3); /* 3 is: 4 is the highest */
    out8(MASTER, EOI);
    line(3, true);
    line(4, true);
    line(1, true);
    assert_int_equal(ack(), 0x34);
    out8(MASTER, 0xa0); /* EOI, and 4 is the lowest */
    assert_int_equal(in_service(MASTER), 0);
    assert_int_equal(ack(), 0x31);
    out8(MASTER, 0xe1); /* EOI of 1, which is the lowest: 2 the highest */
    assert_int_equal(ack(), 0x33);
    line(1, false);
    line(1, true);
    assert_false(pending());
    out8(MASTER, 0x40); /* no operation */
    assert_int_equal(in_service(MASTER), 0x08);
    out8(MASTER, EOI);
    out8(MASTER, EOI); /* of nothing */
    out8(MASTER, 0xa0);
    assert_int_equal(ack(), 0x31);
    out8(MASTER, 0xc3);
    init_both(); /* ICW1: 7 is the lowest again */
    line(4, false);
    line(4, true);
    line(1, false);
    line(1, true);
    assert_int_equal(ack(), 0x31);
}

/* What is masked while it is in service holds nobody up. */
static void the_mask_may_be_special(void **state)
{
    (void)state;
    init_both();
    line(1, true);
    assert_int_equal(ack(), 0x31);
    line(5, true);
    assert_false(pending());
    out8(MASTER + MASK, 0x02);
    assert_false(pending());
    out8(MASTER, 0x68);
    assert_true(pending());
    assert_int_equal(ack(), 0x35);
    out8(MASTER, EOI); /* not of the masked one */
    assert_int_equal(in_service(MASTER), 0x02);
    line(6, true);
    assert_true(pending());
    out8(MASTER, 0x48);
    assert_false(pending());
    out8(MASTER, EOI);
    assert_true(pending());
}

static void the_slave_may_interrupt_itself(void **state)
{
    (void)state;
    init_chip(MASTER, 0x30, 4, 0x11);
    init_chip(SLAVE, 0x38, 2, 0x11);
    line(12, true);
    assert_int_equal(ack(), 0x3c);
    line(13, true);
    assert_false(pending());
    line(3, true);
    assert_false(pending());
    line(9, true);
    assert_true(pending());
    assert_int_equal(ack(), 0x39);
    init_both();
    line(12, false);
    line(12, true);
    assert_int_equal(ack(), 0x3c);
    line(9, false);
    line(9, true);
    assert_false(pending()); /* not without that mode */
}

static void it_may_be_polled(void **state)
{
    (void)state;
    init_both();
    out8(MASTER, 0x0c);
    assert_int_equal(in8(MASTER) & 0x80, 0);
    line(5, true);
    out8(MASTER, 0x0c);
    assert_int_equal(in8(MASTER + MASK), 0x85);
    assert_int_equal(in8(MASTER + MASK), 0); /* one read for each time */
    assert_false(pending());
    assert_int_equal(in_service(MASTER), 0x20);
    assert_int_equal(in8(MASTER + MASK), 0);
    out8(MASTER, EOI);
    line(11, true);
    out8(MASTER, 0x0c);
    assert_int_equal(in8(MASTER), 0x82);
    out8(SLAVE, 0x0c);
    assert_int_equal(in8(SLAVE), 0x83);
    assert_int_equal(in_service(SLAVE), 0x08);
}

static void a_chip_may_be_told_less(void **state)
{
    (void)state;
    out8(MASTER, 0x12); /* neither ICW3 nor ICW4 */
    out8(MASTER + MASK, 0x57);
    out8(MASTER + MASK, 0xef);
    assert_int_equal(in8(MASTER + MASK), 0xef);
    line(4, true);
    assert_int_equal(ack(), 0x54);
    out8(MASTER, 0x13); /* ICW4 alone */
    out8(MASTER + MASK, 0x60);
    out8(MASTER + MASK, 0x03);
    out8(MASTER + MASK, 0xaa);
    assert_int_equal(in8(MASTER + MASK), 0xaa);
    out8(MASTER, 0x10); /* ICW3 alone */
    out8(MASTER + MASK, 0x70);
    out8(MASTER + MASK, 0x04);
    out8(MASTER + MASK, 0x55);
    assert_int_equal(in8(MASTER + MASK), 0x55);
}

#define T(name) cmocka_unit_test_setup_teardown(name, hvm_setup, hvm_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_is_found),
        T(nothing_comes_before_it_is_initialized),
        T(an_edge_interrupts_once),
        T(an_edge_waits_for_its_own_service),
        T(linux_masks_and_acknowledges),
        T(priorities_are_fixed),
        T(a_higher_one_interrupts_a_lower),
        T(what_is_gone_is_spurious),
        T(a_slaves_is_too),
        T(a_level_interrupts_until_it_falls),
        T(some_have_edges_for_good),
        T(an_input_becomes_level),
        T(the_end_of_an_interrupt_may_be_automatic),
        T(priorities_rotate),
        T(the_mask_may_be_special),
        T(the_slave_may_interrupt_itself),
        T(it_may_be_polled),
        T(a_chip_may_be_told_less),
    };

    lines_are_played = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
