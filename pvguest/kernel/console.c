/* SPDX-License-Identifier: MIT */
/*
 * Console over the shared ring, or over console_io when there is none, or over a UART where there
 * are no hypercalls. See console.h.
 *
 * Ring indices run freely and are taken modulo the size when used; producer minus consumer is
 * the fill. Each side writes data first, index after: x86 keeps stores in order, so a compiler
 * barrier is enough.
 */
#include <xen/io/console.h>

#include <guest/console.h>
#include <guest/hvm.h>
#include <guest/kernel.h>

#define DYING_SPINS 200000 /* yields before output is given up after a panic */

static struct xencons_interface *ring;
static evtchn_port_t port;
static bool dying;

/* Without a ring: one character of look-ahead for console_has_input(). */
static int lookahead = -1;

void console_init(void)
{
    if (!has_hypercalls() || is_control_domain() || !start_info->console.domU.mfn)
        return;
    ring = shared_page(start_info->console.domU.mfn);
    if (!ring)
        return;
    port = start_info->console.domU.evtchn;
}

static void input_event(evtchn_port_t p, void *ctx)
{
    (void)p; /* console_has_input() looks at the ring */
    (void)ctx;
}

void console_start_events(void)
{
    int rc = 0;

    if (!has_hypercalls())
        return;
    if (ring)
        event_set_handler(port, input_event, NULL);
    else
        rc = event_bind_virq(VIRQ_CONSOLE, 0, input_event, NULL, &port);
    /* A domain that has neither a ring nor the right to the real console: output only. */
    if (rc)
        port = 0;
}

const char *console_kind(void)
{
    if (!has_hypercalls())
        return "UART";
    return ring ? "shared ring" : port ? "console_io" : "console_io, output only";
}

void console_dying(void)
{
    dying = true;
}

static XENCONS_RING_IDX ring_space(void)
{
    return (XENCONS_RING_IDX)sizeof(ring->out) - (ring->out_prod - READ_ONCE(ring->out_cons));
}

/* False when a dying kernel has waited long enough. */
static bool wait_for_space(void)
{
    static unsigned int spins;

    event_send(port);
    while (!ring_space()) {
        if (dying && ++spins > DYING_SPINS)
            return false;
        sched_yield();
    }
    return true;
}

static void ring_put(char c)
{
    if (!ring_space() && !wait_for_space())
        return;
    ring->out[ring->out_prod % sizeof(ring->out)] = c;
    barrier();
    WRITE_ONCE(ring->out_prod, ring->out_prod + 1);
}

void console_write(const char *text, size_t len)
{
    if (!has_hypercalls()) {
        uart_write(text, len);
        return;
    }
    if (!ring) {
        HYPERVISOR_console_io(CONSOLEIO_write, (unsigned int)len, (char *)(uintptr_t)text);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            ring_put('\r');
        ring_put(text[i]);
    }
    event_send(port);
}

int printf(const char *fmt, ...)
{
    char buf[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    console_write(buf, strlen(buf));
    return n;
}

void console_flush(void)
{
    if (!ring)
        return;
    for (unsigned int i = 0; ring->out_prod != READ_ONCE(ring->out_cons) && i < DYING_SPINS; i++)
        sched_yield();
}

bool console_has_input(void)
{
    if (!has_hypercalls())
        return uart_has_input();
    if (ring)
        return READ_ONCE(ring->in_prod) != ring->in_cons;
    if (lookahead < 0) {
        char c;

        if (HYPERVISOR_console_io(CONSOLEIO_read, 1, &c) == 1)
            lookahead = (unsigned char)c;
    }
    return lookahead >= 0;
}

int console_getc(void)
{
    int c;

    if (!console_has_input())
        return -1;
    if (!has_hypercalls())
        return uart_getc();
    if (!ring) {
        c = lookahead;
        lookahead = -1;
        return c;
    }
    barrier();
    c = (unsigned char)ring->in[ring->in_cons % sizeof(ring->in)];
    barrier();
    WRITE_ONCE(ring->in_cons, ring->in_cons + 1);
    event_send(port);
    return c;
}
