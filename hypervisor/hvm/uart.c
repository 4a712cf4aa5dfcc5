/* SPDX-License-Identifier: MIT */
/*
 * The serial port of a PC: a 16550A at 3f8h on IRQ 4. Its line ends in a PV console ring
 * (xen/io/console.h), of which a console daemon or the hypervisor has the other end.
 *
 * There is no baud rate: what is written goes into the ring at once. When the ring is full it stays
 * in the transmit FIFO, and THRE says so, until the other end has made room: nothing is lost by who
 * looks at THRE, and nobody waits. What is received leaves the ring as the FIFO has room. The other
 * end is told of both a little later, once for all that came meanwhile.
 *
 * The ring is memory that others write. Our own indices are kept here; theirs are read once, and
 * one that cannot be means a full ring to write to, and one to read from whose content is skipped.
 *
 * Left out: framing and parity errors, breaks, DMA modes; that a byte below the FIFO's trigger
 * level waits for four times its length: it interrupts at once, as one whose time has passed.
 *
 * Lock: that of the devices.
 */
#include <hvm/devices.h>
#include <xen/io/console.h>

#define UART_IRQ     4u
#define NOTIFY_AFTER MILLISECS(1)

/* Registers by their offset; the first two are the divisor's while LCR.DLAB is set. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVED 0x01
#define IER_THRE     0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08

#define IIR_MODEM    0x00
#define IIR_NONE     0x01
#define IIR_THRE     0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE     0x06
#define IIR_TIMEOUT  0x0c
#define IIR_FIFOS    0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_TRIGGER  0xc0

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08 /* on a PC: lets it interrupt */
#define MCR_LOOP 0x10

#define LSR_READY   0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY   0x60 /* THRE and TEMT */

#define MSR_CHANGED 0x0f
#define MSR_CTS     0x10
#define MSR_DSR     0x20
#define MSR_RI      0x40
#define MSR_DCD     0x80

static void put(struct uart_fifo *f, uint8_t byte)
{
    f->byte[(f->first + f->count) % sizeof(f->byte)] = byte;
    f->count++;
}

static uint8_t take(struct uart_fifo *f)
{
    uint8_t byte = f->byte[f->first];

    f->first = (f->first + 1) % sizeof(f->byte);
    f->count--;
    return byte;
}

static bool has_room(const struct uart *u, const struct uart_fifo *f)
{
    return f->count < (u->fcr & FCR_ENABLE ? sizeof(f->byte) : 1);
}

/* One of our indices moved: the other end is to know. */
static void owe(struct hvm_devices *h)
{
    if (!h->uart.owed)
        timer_set(&h->uart.timer, h->now + NOTIFY_AFTER);
    h->uart.owed = true;
}

static void notify_is_due(void *data)
{
    struct hvm_devices *h = data;

    devices_lock(h);
    h->notify |= h->uart.owed;
    devices_unlock(h);
}

static void send(struct hvm_devices *h)
{
    struct uart *u = &h->uart;
    struct xencons_interface *x = u->ring;
    uint32_t used = u->out_prod - __atomic_load_n(&x->out_cons, __ATOMIC_ACQUIRE);

    if (!u->tx.count || used >= sizeof(x->out))
        return;
    while (u->tx.count && used < sizeof(x->out)) {
        x->out[MASK_XENCONS_IDX(u->out_prod++, x->out)] = (char)take(&u->tx);
        used++;
        h->notify |= used == sizeof(x->out) / 2; /* who writes much is not to wait for room */
    }
    __atomic_store_n(&x->out_prod, u->out_prod, __ATOMIC_RELEASE);
    u->thre |= !u->tx.count;
    owe(h);
}

static void receive(struct hvm_devices *h)
{
    struct uart *u = &h->uart;
    struct xencons_interface *x = u->ring;
    uint32_t prod = __atomic_load_n(&x->in_prod, __ATOMIC_ACQUIRE), n = prod - u->in_cons;

    if (n > sizeof(x->in))
        u->in_cons = prod;
    else if (!n || !has_room(u, &u->rx))
        return;
    while (u->in_cons != prod && has_room(u, &u->rx))
        put(&u->rx, (uint8_t)x->in[MASK_XENCONS_IDX(u->in_cons++, x->in)]);
    __atomic_store_n(&x->in_cons, u->in_cons, __ATOMIC_RELEASE);
    owe(h);
}

/* What IIR says: of all that interrupts now the first, by rank. */
static uint8_t cause(const struct uart *u)
{
    static const uint8_t trigger[] = {1, 4, 8, 14};

    if ((u->ier & IER_LINE) && u->overrun)
        return IIR_LINE;
    if ((u->ier & IER_RECEIVED) && u->rx.count)
        return !(u->fcr & FCR_ENABLE) || u->rx.count >= trigger[u->fcr >> 6] ? IIR_RECEIVED
                                                                             : IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & MSR_CHANGED))
        return IIR_MODEM;
    return IIR_NONE;
}

void uart_move(struct hvm_devices *h)
{
    struct uart *u = &h->uart;

    if (!u->ring && u->tx.count) {
        u->tx.count = 0;
        u->thre = true;
    }
    if (u->ring && !(u->mcr & MCR_LOOP)) {
        send(h);
        receive(h);
    }
    pic_set_irq(h, UART_IRQ, cause(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2);
}

/* Somebody is at the other end of the line; in loopback mode our own outputs are. */
static uint8_t modem_lines(uint8_t mcr)
{
    if (!(mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
                     (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* RI tells when it falls; the others when they change. */
static void write_mcr(struct uart *u, uint8_t value)
{
    uint8_t lines = modem_lines(value), fell = u->msr & (uint8_t)~lines & MSR_RI;
    uint8_t changed = (u->msr ^ lines) & (MSR_CTS | MSR_DSR | MSR_DCD);

    u->mcr = value & 0x1f;
    u->msr = (uint8_t)(lines | (u->msr & MSR_CHANGED) | (changed | fell) >> 4);
}

static void write_fcr(struct uart *u, uint8_t value)
{
    if (!(value & FCR_ENABLE))
        value = 0;
    if ((value ^ u->fcr) & FCR_ENABLE)
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    if (value & FCR_CLEAR_RX)
        u->rx.count = 0;
    if ((value & FCR_CLEAR_TX) && u->tx.count) {
        u->tx.count = 0;
        u->thre = true;
    }
    u->fcr = value & (FCR_ENABLE | FCR_TRIGGER);
}

/* Who writes although THRE is clear and the FIFO full loses the byte. */
static void write_thr(struct uart *u, uint8_t value)
{
    bool loop = u->mcr & MCR_LOOP;
    struct uart_fifo *f = loop ? &u->rx : &u->tx;

    if (has_room(u, f))
        put(f, value);
    else
        u->overrun |= loop;
    u->thre = loop && !u->tx.count;
}

void uart_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    struct uart *u = &h->uart;
    unsigned int reg = port & 7;

    if (reg < ARRAY_SIZE(u->divisor) && (u->lcr & LCR_DLAB)) {
        u->divisor[reg] = value;
        return;
    }
    switch (reg) {
    case RBR_THR:
        write_thr(u, value);
        break;
    case IER: /* who wants to know that it is empty is told, if it is */
        u->thre |= (value & ~u->ier & IER_THRE) && !u->tx.count;
        u->ier = value & 0x0f;
        break;
    case IIR_FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        write_mcr(u, value);
        break;
    case SCR:
        u->scr = value;
        break;
    }
    uart_move(h);
}

static uint8_t read_register(struct uart *u, unsigned int reg)
{
    uint8_t value;

    if (reg < ARRAY_SIZE(u->divisor) && (u->lcr & LCR_DLAB))
        return u->divisor[reg];
    switch (reg) {
    case RBR_THR:
        return u->rx.count ? take(&u->rx) : 0;
    case IER:
        return u->ier;
    case IIR_FCR:
        value = cause(u);
        u->thre &= value != IIR_THRE;
        return value | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        value = (u->rx.count ? LSR_READY : 0) | (u->overrun ? LSR_OVERRUN : 0) |
                (u->tx.count ? 0 : LSR_EMPTY);
        u->overrun = false;
        return value;
    case MSR:
        value = u->msr;
        u->msr &= (uint8_t)~MSR_CHANGED;
        return value;
    default:
        return u->scr;
    }
}

uint8_t uart_read(struct hvm_devices *h, unsigned int port)
{
    uint8_t value = read_register(&h->uart, port & 7);

    uart_move(h);
    return value;
}

void uart_reset(struct hvm_devices *h)
{
    h->uart = (struct uart){.divisor = {1, 0}, .msr = modem_lines(0)};
    timer_init(&h->uart.timer, notify_is_due, h);
}

void uart_attach(struct hvm_devices *h, struct xencons_interface *ring, evtchn_port_t port)
{
    struct uart *u = &h->uart;

    u->ring = ring;
    u->port = port;
    u->owed = h->notify = false;
    if (ring) {
        u->out_prod = READ_ONCE(ring->out_prod);
        u->in_cons = READ_ONCE(ring->in_cons);
    }
    uart_move(h);
}
