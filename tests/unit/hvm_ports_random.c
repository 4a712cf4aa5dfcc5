/* SPDX-License-Identifier: MIT */
/*
 * Random lives of a fully virtualized domain's devices: the bytes are accesses to ports of all
 * widths, interrupts that the guest takes, inputs of the PIC that rise and fall, time that passes,
 * and the other end of the console.
 *
 * After each step check_devices() holds. There are two kinds of lives. In one the guest does
 * anything with the serial port, and its other end writes anything to the ring. In the other both
 * keep to the rules, and then every byte arrives, in order, whatever the guest does with all the
 * other ports.
 */

#include "hvm_devices_support.h"
#include "random_lives.h"

#include <core/life/life.h>

#define COM(reg) (0x3f8 + (reg))

static const uint8_t *at, *end;
static bool by_the_rules;
/* By the rules: how many bytes were sent, and have arrived, each way. Byte i is (uint8_t)(i * 7) */
static uint32_t sent, arrived, typed, received;

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

static uint16_t next16(void)
{
    uint16_t high = next();

    return (uint16_t)(high << 8 | next());
}

static uint8_t byte_number(uint32_t i)
{
    return (uint8_t)(i * 7);
}

/* The next byte of one way is this. */
static void comes(uint32_t *count, uint8_t byte)
{
    if (by_the_rules && byte != byte_number(*count)) {
        fprintf(stderr, "byte %u is %#x\n", *count, byte);
        abort();
    }
    ++*count;
}

static unsigned int any_port(void)
{
    static const uint16_t ports[] = {0x20,  0x21,  0x40,  0x41,  0x42,  0x43,  0x61,  0x64,
                                     0x70,  0x71,  0xa0,  0xa1,  0x3f8, 0x3f9, 0x3fa, 0x3fb,
                                     0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x4d0, 0x4d1, 0x600, 0x602,
                                     0x604, 0x605, 0x608, 0xcf8, 0xcf9, 0x1f,  0x3f6, 0x3f7};
    uint8_t which = next();

    return which < 224 ? ports[which % ARRAY_SIZE(ports)] : next16();
}

static void access_port(bool write)
{
    unsigned int port = any_port(), bytes = 1u << next() % 3;
    uint64_t too_much = ~0ull << bytes * 8, value;
    uint32_t mask = port == 0x70 ? 0xffffff4f : ~0u; /* the registers of the clock are the first */

    if (by_the_rules && port + bytes > COM(0) && port <= COM(7))
        return;
    if (write)
        out_bytes(port, bytes, (next16() | (uint32_t)next16() << 16) & mask);
    value = write ? 0 : in_bytes(port, bytes);
    BUG_ON(value & too_much);
    if (d->shutting_down)
        domain_resume(d);
}

/* A device that is none of ours: not IRQ 0, 2, 4 and 9 */
static void move_line(void)
{
    unsigned int irq = next() % 16;

    if (irq == 0 || irq == 2 || irq == 4 || irq == 9)
        return;
    devices_lock(devices);
    pic_set_irq(devices, irq, next() & 1);
    devices_unlock(devices);
}

/* Each vector is the base of one of the two, with one of eight inputs. */
static void take_interrupt(void)
{
    const struct pic *p = &devices->pic;
    bool was = hvm_extint_pending(d);
    int vector = hvm_extint_ack(d), base = vector & ~7;

    BUG_ON(base != p->chip[0].vector && base != p->chip[1].vector);
    BUG_ON(!was && vector != p->chip[0].vector + 7);
}

/* And somebody may press the button meanwhile. */
static void time_passes(void)
{
    if (at < end && *at % 8 == 7)
        hvm_press_power_button(d);
    host_advance((s_time_t)(next() | 1) << next() % 32);
}

static void guest_writes(void)
{
    for (unsigned int n = next() % 64; n && (in8(COM(5)) & 0x20); n--)
        out8(COM(0), byte_number(sent++));
}

static void guest_reads(void)
{
    for (unsigned int n = next() % 64; n && (in8(COM(5)) & 0x01); n--)
        comes(&received, in8(COM(0)));
}

static void daemon_reads(void)
{
    for (unsigned int n = next16() % 2100; n && ring->out_cons != ring->out_prod; n--)
        comes(&arrived, (uint8_t)ring->out[MASK_XENCONS_IDX(ring->out_cons++, ring->out)]);
    hvm_uart_ring_moved(d);
}

static void daemon_types(void)
{
    for (unsigned int n = next16() % 1100; n && ring->in_prod - ring->in_cons < sizeof(ring->in);
         n--)
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = (char)byte_number(typed++);
    hvm_uart_ring_moved(d);
}

static void daemon_scribbles(void)
{
    uint32_t *index[] = {&ring->in_cons, &ring->in_prod, &ring->out_cons, &ring->out_prod};

    *index[next() % 4] = next16() | (uint32_t)next16() << 16;
    if (next() & 1)
        hvm_uart_ring_moved(d);
}

static void play(uint8_t what)
{
    switch (what % 16) {
    case 0:
        take_interrupt();
        break;
    case 1:
        move_line();
        break;
    case 2:
        time_passes();
        break;
    case 3:
        daemon_reads();
        break;
    case 4:
        daemon_types();
        break;
    case 5:
        if (!by_the_rules)
            daemon_scribbles();
        break;
    case 6:
        if (by_the_rules)
            guest_writes();
        break;
    case 7:
        if (by_the_rules)
            guest_reads();
        break;
    case 8: /* the driver's interrupts, and who asks why */
        if (by_the_rules)
            out8(COM(1), next() & 0x0f);
        else
            (void)in8(COM(2));
        break;
    default:
        access_port(what & 1);
        break;
    }
}

/* All that was sent arrives, when both go on. */
static void all_arrives(void)
{
    while (arrived != sent) {
        uint32_t before = arrived;

        while (ring->out_cons != ring->out_prod)
            comes(&arrived, (uint8_t)ring->out[MASK_XENCONS_IDX(ring->out_cons++, ring->out)]);
        hvm_uart_ring_moved(d);
        BUG_ON(arrived == before);
    }
    while (received != typed) {
        BUG_ON(!(in8(COM(5)) & 0x01));
        comes(&received, in8(COM(0)));
    }
}

static void play_all(const uint8_t *data, size_t n)
{
    uint8_t kind;

    at = data;
    end = data + n;
    sent = arrived = typed = received = 0;
    kind = next();
    by_the_rules = kind & 1;
    hvm_machine_init();
    ring->in_prod = ring->in_cons = ring->out_prod = ring->out_cons = kind & 8 ? 0xffffff00 : 0;
    hvm_uart_attach(d, ring, devices->uart.port);
    if (kind & 2)
        out8(COM(2), 0x01);
    if (kind & 4)
        out8(COM(4), 0x0b);
    while (at < end) {
        play(next());
        check_devices();
    }
    if (by_the_rules)
        all_arrives();
    hvm_machine_fini();
}

const struct random_lives random_lives = {.play = play_all, .lives = 2000, .bytes = 600};
