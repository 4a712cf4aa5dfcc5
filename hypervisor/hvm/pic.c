/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers of a PC: two 8259A, the slave on input 2 of the master.
 *
 * An input requests service by a rising edge, or by its level where ELCR says so; a request whose
 * input falls before the CPU took it is gone, and a CPU that asks nevertheless gets input 7, which
 * then is not in service ("spurious"). An input interrupts when it is not masked and nothing of its
 * priority or above is in service, until an EOI ends that service. The slave's output is level for
 * the master, so that what the slave has is never lost between the two.
 *
 * As on the boards that have ELCR: ICW1's bit for levels has no meaning. ICW3 neither, for the
 * wiring is what it is. A chip that waits for an initialization word interrupts nobody.
 *
 * Lock: that of the devices; pic.out is read without.
 */
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <hvm/devices.h>
#include <port/atomic.h>

#define CASCADE 2u
#define NONE    8u

enum { MASTER, SLAVE };

/* ICW1 and OCW3 are told from OCW2 by these bits. */
#define ICW1 0x10
#define OCW3 0x08

#define OCW2_EOI    0x20
#define OCW2_NAMED  0x40
#define OCW2_ROTATE 0x80

static const uint8_t elcr_writable[2] = {0xf8, 0xde};

void pic_reset(struct pic *p)
{
    *p = (struct pic){
        .chip = {{.imr = 0xff, .lowest = 7, .elcr = 1u << CASCADE}, {.imr = 0xff, .lowest = 7}}};
}

/* By priority: 0 is the highest. */
static unsigned int rank(const struct pic_chip *c, unsigned int n)
{
    return n == NONE ? NONE : (n + 7 - c->lowest) & 7;
}

/* Of these inputs the one with the highest priority, or NONE. */
static unsigned int first(const struct pic_chip *c, unsigned int inputs)
{
    unsigned int n = NONE;

    for (unsigned int i = 0; i < NONE; i++)
        if ((inputs >> i & 1) && rank(c, i) < rank(c, n))
            n = i;
    return n;
}

/* What is in service, as far as it holds others up. */
static unsigned int in_service(const struct pic_chip *c)
{
    return c->special_mask ? c->isr & ~c->imr : c->isr;
}

/* The input that interrupts now, or NONE. */
static unsigned int interrupting(const struct pic_chip *c)
{
    unsigned int wants = first(c, c->irr & ~c->imr), busy = first(c, in_service(c));
    bool itself = c->nested && wants == busy && wants == CASCADE;

    return !c->icw && (itself || rank(c, wants) < rank(c, busy)) ? wants : NONE;
}

/* It changed, or requests by its level. */
static void set_input(struct pic_chip *c, unsigned int n, bool level)
{
    uint8_t bit = (uint8_t)(1u << n);

    c->irr = (uint8_t)(level ? c->irr | bit : c->irr & ~bit);
    c->inputs = (uint8_t)(level ? c->inputs | bit : c->inputs & ~bit);
}

/* Race: vCPU 0 looks at `out` after it has said that it blocks; so it is set before that is looked
 * at, as an event is. */
static void update(struct hvm_devices *h)
{
    struct pic *p = &h->pic;
    struct vcpu *v = domain_vcpu(h->domain, 0);

    set_input(&p->chip[MASTER], CASCADE, interrupting(&p->chip[SLAVE]) != NONE);
    if (interrupting(&p->chip[MASTER]) == NONE) {
        WRITE_ONCE(p->out, false);
    } else if (!xchg(&p->out, true) && v) {
        vcpu_unblock(v);
        vcpu_kick(v);
    }
    if (!(p->chip[MASTER].irr & 1))
        pit_irq_is_gone(h);
}

void pic_set_irq(struct hvm_devices *h, unsigned int irq, bool level)
{
    struct pic_chip *c = &h->pic.chip[irq / 8];

    if ((c->inputs >> irq % 8 & 1) == level)
        return;
    set_input(c, irq % 8, level);
    update(h);
}

void pic_pulse_irq(struct hvm_devices *h, unsigned int irq)
{
    set_input(&h->pic.chip[irq / 8], irq % 8, false);
    pic_set_irq(h, irq, true);
}

/* The input that goes into service; 7 when none interrupts any more. */
static unsigned int acknowledge(struct pic_chip *c)
{
    unsigned int n = interrupting(c);
    uint8_t bit = (uint8_t)(1u << n % NONE);

    if (n == NONE)
        return 7;
    if (!(c->elcr & bit))
        c->irr &= (uint8_t)~bit;
    if (!c->auto_eoi)
        c->isr |= bit;
    else if (c->rotate)
        c->lowest = (uint8_t)n;
    return n;
}

uint8_t pic_ack(struct hvm_devices *h)
{
    struct pic_chip *c = &h->pic.chip[MASTER];
    unsigned int n = acknowledge(c);

    if (n == CASCADE) {
        c = &h->pic.chip[SLAVE];
        n = acknowledge(c);
    }
    update(h);
    return (uint8_t)(c->vector + n);
}

/* Whether the service of an input ends, whether that becomes the one of the lowest priority, and
 * which it is: the one named, or the first in service. With neither an end nor a name, whether an
 * automatic end does the same. */
static void write_ocw2(struct pic_chip *c, uint8_t value)
{
    bool rotate = value & OCW2_ROTATE, named = value & OCW2_NAMED, ends = value & OCW2_EOI;
    unsigned int n = named ? value & 7 : first(c, in_service(c));

    if (!ends && !named)
        c->rotate = rotate;
    if ((!ends && !named) || n == NONE)
        return;
    if (ends)
        c->isr &= (uint8_t) ~(1u << n);
    if (rotate)
        c->lowest = (uint8_t)n;
}

static void write_ocw3(struct pic_chip *c, uint8_t value)
{
    if (value & 0x40)
        c->special_mask = value & 0x20;
    c->poll = value & 0x04;
    if (value & 0x02)
        c->read_isr = value & 0x01;
}

static void write_icw1(struct pic_chip *c, uint8_t value)
{
    *c = (struct pic_chip){.inputs = c->inputs,
                           .irr = c->inputs & c->elcr,
                           .elcr = c->elcr,
                           .vector = c->vector,
                           .lowest = 7,
                           .icw = 2,
                           .icw4 = value & 0x01,
                           .single = value & 0x02};
}

/* The port behind: ICW2 to ICW4 when they are due, else the mask, OCW1. */
static void write_data(struct pic_chip *c, uint8_t value, bool master)
{
    uint8_t last = c->icw4 ? 4 : 0;

    switch (c->icw) {
    case 2:
        c->vector = value & 0xf8;
        c->icw = c->single ? last : 3;
        break;
    case 3:
        c->icw = last;
        break;
    case 4:
        c->auto_eoi = value & 0x02;
        c->nested = master && (value & 0x10);
        c->icw = 0;
        break;
    default:
        c->imr = value;
        break;
    }
}

void pic_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    bool master = !(port & 0x80);
    struct pic_chip *c = &h->pic.chip[master ? MASTER : SLAVE];

    if (port & 1)
        write_data(c, value, master);
    else if (value & ICW1)
        write_icw1(c, value);
    else if (value & OCW3)
        write_ocw3(c, value);
    else
        write_ocw2(c, value);
    update(h);
}

uint8_t pic_read(struct hvm_devices *h, unsigned int port)
{
    struct pic_chip *c = &h->pic.chip[port & 0x80 ? SLAVE : MASTER];
    unsigned int n;

    if (c->poll) { /* whatever is read is an INTA, of this chip alone */
        n = interrupting(c) == NONE ? 7 : 0x80 | acknowledge(c);
        c->poll = false;
        update(h);
        return (uint8_t)n;
    }
    if (port & 1)
        return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

uint8_t elcr_read(struct hvm_devices *h, unsigned int port)
{
    return h->pic.chip[port & 1].elcr & elcr_writable[port & 1];
}

void elcr_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    struct pic_chip *c = &h->pic.chip[port & 1];
    uint8_t writable = elcr_writable[port & 1];

    c->elcr = (uint8_t)((c->elcr & ~writable) | (value & writable));
    c->irr = (uint8_t)((c->irr & ~c->elcr) | (c->inputs & c->elcr));
    update(h);
}
