/* SPDX-License-Identifier: MIT */
/*
 * The interval timer of a PC: an 8254 at 1.193182 MHz. Channel 0 is IRQ 0; the gate of channel 2 is
 * bit 0 of port 61h, and its output is bit 5.
 *
 * Nothing counts here: a channel has the moment at which it began, and what its counter and output
 * are is computed when somebody looks. Channel 0's next interrupt is a timer.
 *
 * Modes 0, 2, 3 and 4. Left out: modes 1 and 5, which a gate starts (they stand still, their output
 * high); counting in BCD; that a new count of mode 2 or 3 waits for the end of the period: it
 * begins at once. Interrupts that come too late are not made up for, and a domain gets no more of
 * them than one in SHORTEST.
 *
 * While an interrupt waits in the PIC the next edge would make no difference, and there is no timer
 * for it: a domain that does not run, or does not listen, costs nothing.
 *
 * Lock: that of the devices.
 */
#include <hvm/devices.h>

#define PIT_HZ   1193182u
#define SHORTEST MICROSECS(250)

#define CHANNEL_2_OUT 0x20
#define REFRESH       0x10 /* of memory: changes every 15 us */
#define REFRESH_NS    15085

enum { LATCH, LOW, HIGH, BOTH }; /* bits 5 and 4 of a control word: which bytes */

static unsigned int mode_of(const struct pit_channel *c)
{
    unsigned int mode = c->control >> 1 & 7;

    return mode > 5 ? mode - 4 : mode;
}

static bool is_periodic(const struct pit_channel *c)
{
    return mode_of(c) == 2 || mode_of(c) == 3;
}

static unsigned int bytes_of(const struct pit_channel *c)
{
    return c->control >> 4 & 3;
}

/* Ticks since it began. */
static uint64_t elapsed(const struct pit_channel *c, s_time_t now)
{
    return c->gate ? ns_to_ticks((uint64_t)(now - c->start), PIT_HZ) : c->held;
}

static uint16_t counter(const struct pit_channel *c, s_time_t now)
{
    uint64_t n = c->count, at = c->loaded ? elapsed(c, now) : 0, high = (n + 1) / 2;

    switch (mode_of(c)) {
    case 2:
        return (uint16_t)(n - at % n);
    case 3: /* twice a period, by two */
        at %= n;
        return (uint16_t)((n & ~1ull) - 2 * (at < high ? at : at - high));
    default: /* goes on below 0 */
        return (uint16_t)(n - at);
    }
}

static bool output(const struct pit_channel *c, s_time_t now)
{
    uint64_t n = c->count, at = elapsed(c, now);

    if (!c->loaded)
        return mode_of(c) != 0;
    switch (mode_of(c)) {
    case 0:
        return at >= n;
    case 2:
        return at % n != n - 1;
    case 3:
        return at % n < (n + 1) / 2;
    default:
        return at != n;
    }
}

/* When channel 0's output rises next. */
static s_time_t next_edge(const struct pit_channel *c, s_time_t now)
{
    uint64_t n = c->count, at = elapsed(c, now), edge = n + (mode_of(c) == 4);

    if (!c->loaded)
        return INT64_MAX;
    if (is_periodic(c))
        return MAX(c->start + (s_time_t)ticks_to_ns((at / n + 1) * n, PIT_HZ), now + SHORTEST);
    return at < edge ? c->start + (s_time_t)ticks_to_ns(edge, PIT_HZ) : INT64_MAX;
}

static void set_timer(struct hvm_devices *h)
{
    h->pit.edge = next_edge(&h->pit.channel[0], h->now);
    if (h->pit.edge != INT64_MAX)
        timer_set(&h->pit.timer, h->pit.edge);
    else
        timer_stop(&h->pit.timer);
}

/* Race: channel 0 may have been written while this was on its way. */
static void edge_is_due(void *data)
{
    struct hvm_devices *h = data;

    devices_lock(h);
    if (h->now >= h->pit.edge) {
        h->pit.edge = INT64_MAX;
        pic_pulse_irq(h, 0);
    }
    devices_unlock(h);
}

void pit_irq_is_gone(struct hvm_devices *h)
{
    const struct pit_channel *c = &h->pit.channel[0];

    if (h->pit.edge == INT64_MAX && c->loaded && is_periodic(c))
        set_timer(h);
}

void pit_reset(struct hvm_devices *h)
{
    struct pit *p = &h->pit;

    *p = (struct pit){.edge = INT64_MAX};
    for (unsigned int i = 0; i < ARRAY_SIZE(p->channel); i++)
        p->channel[i] = (struct pit_channel){.control = BOTH << 4, .count = 0x10000, .gate = i < 2};
    timer_init(&p->timer, edge_is_due, h);
}

static void load(struct pit_channel *c, unsigned int count, s_time_t now)
{
    c->count = count ? count : 0x10000;
    c->loaded = mode_of(c) != 1 && mode_of(c) != 5;
    c->held = 0;
    c->start = now;
}

/* Where both bytes are written, the second lets it begin. Mode 0 stands still in between. */
static void write_count(struct pit_channel *c, uint8_t value, s_time_t now)
{
    switch (bytes_of(c)) {
    case LOW:
        load(c, value, now);
        break;
    case HIGH:
        load(c, (unsigned int)value << 8, now);
        break;
    default:
        if (c->write_high)
            load(c, (unsigned int)value << 8 | c->low, now);
        else if (mode_of(c) == 0)
            c->loaded = false;
        c->low = value;
        c->write_high = !c->write_high;
        break;
    }
}

static void latch_counter(struct pit_channel *c, s_time_t now)
{
    if (!c->latched)
        c->latch = counter(c, now);
    c->latched = true;
}

static void latch_status(struct pit_channel *c, s_time_t now)
{
    if (!c->has_status)
        c->status = (uint8_t)(output(c, now) << 7 | !c->loaded << 6 | c->control);
    c->has_status = true;
}

/* Of several channels, what the bits do not forbid. */
static void read_back(struct pit *p, uint8_t value, s_time_t now)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(p->channel); i++) {
        if (!(value & 2u << i))
            continue;
        if (!(value & 0x20))
            latch_counter(&p->channel[i], now);
        if (!(value & 0x10))
            latch_status(&p->channel[i], now);
    }
}

/* The channel that gets a new mode; NULL: none does. */
static struct pit_channel *write_control(struct pit *p, uint8_t value, s_time_t now)
{
    struct pit_channel *c = &p->channel[(value >> 6) % ARRAY_SIZE(p->channel)];

    if (value >> 6 == 3) {
        read_back(p, value, now);
        return NULL;
    }
    if ((value >> 4 & 3) == LATCH) {
        latch_counter(c, now);
        return NULL;
    }
    *c = (struct pit_channel){.control = value & 0x3f, .gate = c->gate, .count = c->count};
    return c;
}

/* Mode 0 begins with a low output. */
void pit_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    struct pit *p = &h->pit;
    struct pit_channel *c;

    if ((port & 3) == 3) {
        c = write_control(p, value, h->now);
    } else {
        c = &p->channel[port & 3];
        write_count(c, value, h->now);
    }
    if (c != &p->channel[0])
        return;
    if (mode_of(c) == 0)
        pic_set_irq(h, 0, false);
    set_timer(h);
}

uint8_t pit_read(struct hvm_devices *h, unsigned int port)
{
    struct pit_channel *c = &h->pit.channel[port & 3];
    uint16_t value;
    bool high;

    if ((port & 3) == 3)
        return 0xff;
    if (c->has_status) {
        c->has_status = false;
        return c->status;
    }
    value = c->latched ? c->latch : counter(c, h->now);
    high = bytes_of(c) == HIGH || (bytes_of(c) == BOTH && c->read_high);
    c->latched = c->latched && bytes_of(c) == BOTH && !high;
    c->read_high = bytes_of(c) == BOTH && !high;
    return (uint8_t)(high ? value >> 8 : value);
}

/* While it is closed, modes 0 and 4 stand still; the others begin anew when it opens. */
static void set_gate(struct pit_channel *c, bool open, s_time_t now)
{
    if (open == c->gate)
        return;
    c->held = open || is_periodic(c) ? c->held : elapsed(c, now);
    if (open)
        c->start = now - (s_time_t)ticks_to_ns(c->held, PIT_HZ);
    c->gate = open;
}

uint8_t port61_read(struct hvm_devices *h, unsigned int port __unused)
{
    return (uint8_t)(h->pit.port61 | (output(&h->pit.channel[2], h->now) ? CHANNEL_2_OUT : 0) |
                     (h->now / REFRESH_NS & 1 ? REFRESH : 0));
}

void port61_write(struct hvm_devices *h, unsigned int port __unused, uint8_t value)
{
    h->pit.port61 = value & 0x0f;
    set_gate(&h->pit.channel[2], value & 1, h->now);
}
