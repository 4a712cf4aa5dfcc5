/* SPDX-License-Identifier: MIT */
/*
 * The other end of the serial port's line: a console ring with a daemon, which reads late, types
 * much, or writes to the ring what it should not; and the guest's driver, which looks at THRE and
 * takes interrupts.
 */
#include "hvm_devices_support.h"

#include <core/life/life.h>
#include <xen/event_channel.h>
#include <xen/sched.h>

#define COM(reg) (0x3f8 + (reg))
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR  IIR
#define THRE 0x20

#define OUT sizeof(ring->out)
#define IN  sizeof(ring->in)

static char said[65536]; /* what the daemon read */
static size_t nr_said;

static int setup(void **state)
{
    nr_said = 0;
    return hvm_setup(state);
}

/* The daemon reads at most so many, and notifies. */
static void read_out(uint32_t most)
{
    while (most-- && ring->out_cons != ring->out_prod)
        said[nr_said++] = ring->out[MASK_XENCONS_IDX(ring->out_cons++, ring->out)];
    hvm_uart_ring_moved(d);
    check_devices();
}

/* And what the FIFO held back, which has room then. */
static void read_all(void)
{
    read_out(~0u);
    read_out(~0u);
}

static char pattern(size_t i)
{
    return (char)('!' + i % 93);
}

static void said_is_a_pattern(size_t n)
{
    assert_int_equal(nr_said, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(said[i], pattern(i));
}

/* As Linux' console does: waits for THRE, in vain when the ring is full. */
static bool poll_and_write(char c)
{
    if (!(in8(COM(LSR)) & THRE))
        return false;
    out8(COM(DATA), (uint8_t)c);
    return true;
}

static void bytes_come_out_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        assert_true(poll_and_write(pattern(i)));
        if (i % 1000 == 999)
            read_out(~0u);
    }
    said_is_a_pattern(5000);
}

/* A daemon that sleeps, with and without FIFO: nothing is lost by who looks at THRE. */
static void a_full_ring_holds_up(unsigned int fifo)
{
    size_t written = 0;

    out8(COM(FCR), (uint8_t)fifo);
    while (poll_and_write(pattern(written)))
        written++;
    assert_int_equal(written, OUT + 1);
    assert_int_equal(in8(COM(LSR)) & 0x60, 0);
    read_out(1); /* what was held up moves */
    assert_int_equal(in8(COM(LSR)) & 0x60, 0x60);
    assert_int_equal(ring->out_prod - ring->out_cons, OUT);
    while (written < 20000) {
        if (poll_and_write(pattern(written)))
            written++;
        else
            read_out(100);
    }
    read_all();
    said_is_a_pattern(20000);
}

static void a_full_ring_holds_up_the_fifo(void **state)
{
    (void)state;
    a_full_ring_holds_up(1);
}

static void a_full_ring_holds_up_the_register(void **state)
{
    (void)state;
    a_full_ring_holds_up(0);
}

/* Linux' driver: 16 bytes for each interrupt that says that the FIFO is empty. */
static void a_burst_for_each_interrupt(void **state)
{
    size_t written = 0;

    (void)state;
    out8(COM(FCR), 0x01);
    out8(COM(MCR), 0x0b);
    out8(COM(IER), 0x02);
    while (written < 10000) {
        if (in8(COM(IIR)) != 0xc2) {
            assert_false(devices->pic.chip[0].inputs & 0x10);
            read_out(50);
            continue;
        }
        assert_true(in8(COM(LSR)) & THRE);
        for (unsigned int i = 0; i < 16; i++)
            out8(COM(DATA), (uint8_t)pattern(written++));
    }
    read_all();
    said_is_a_pattern(10000);
    assert_int_equal(in8(COM(IIR)), 0xc2);
}

/* Who does not look loses, and only what has no room. */
static void who_does_not_look_loses(void **state)
{
    (void)state;
    out8(COM(FCR), 0x01);
    for (size_t i = 0; i < OUT + 100; i++)
        out8(COM(DATA), (uint8_t)pattern(i));
    assert_int_equal(in8(COM(LSR)), 0); /* that is no overrun of the receiver's */
    read_out(1);                        /* a FIFO of 16, and room for one */
    assert_int_equal(ring->out_prod - ring->out_cons, OUT);
    read_all();
    said_is_a_pattern(OUT + 16);
    for (size_t i = 0; i < OUT + 10; i++)
        out8(COM(DATA), (uint8_t)pattern(i));
    out8(COM(IER), 0x02);
    assert_int_equal(in8(COM(IIR)), 0xc1);
    out8(COM(FCR), 0x05); /* or throws it away */
    assert_int_equal(in8(COM(IIR)), 0xc2);
    assert_true(in8(COM(LSR)) & THRE);
    nr_said = 0;
    read_out(~0u);
    said_is_a_pattern(OUT);
}

static void the_daemon_is_told_once(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 100; i++)
        out8(COM(DATA), 'x');
    assert_int_equal(ring_events(), 0);
    host_advance(MILLISECS(1));
    assert_int_equal(ring_events(), 1);
    host_advance(MILLISECS(10));
    assert_int_equal(ring_events(), 0);
    for (unsigned int i = 0; i < 10; i++) { /* and again of what comes then, while more comes */
        out8(COM(DATA), 'y');
        host_advance(MICROSECS(101));
    }
    assert_int_equal(ring_events(), 1);
}

/* Not only when time has passed: before the ring is full. */
static void the_daemon_is_told_in_time(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < OUT / 2 - 1; i++)
        out8(COM(DATA), 'x');
    assert_int_equal(ring_events(), 0);
    out8(COM(DATA), 'x');
    assert_int_equal(ring_events(), 1);
    out8(COM(DATA), 'x');
    assert_int_equal(ring_events(), 0);
    host_advance(MILLISECS(1));
    assert_int_equal(ring_events(), 1);
}

/* The last words of a guest that ends in the same moment. */
static void the_daemon_is_told_after_the_end(void **state)
{
    (void)state;
    out8(COM(DATA), 'x');
    domain_shutdown(d, SHUTDOWN_poweroff);
    host_run_as(dom0->vcpu[0]);
    host_advance(MILLISECS(2));
    assert_int_equal(ring_events(), 1);
}

/* Its ports are closed one after the other: no use to try, and no line in the log. */
static void a_dying_domain_tells_nobody(void **state)
{
    (void)state;
    out8(COM(DATA), 'x');
    d->dying = true;
    host_advance(MILLISECS(1));
    d->dying = false;
    assert_int_equal(ring_events(), 0);
    assert_ptr_equal(devices->uart.ring, ring);
}

static void typed(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = s[i];
    hvm_uart_ring_moved(d);
    check_devices();
}

static void what_is_typed_is_received(unsigned int fifo)
{
    char line[IN];
    size_t got = 0;

    for (size_t i = 0; i < IN; i++)
        line[i] = pattern(i);
    out8(COM(FCR), (uint8_t)fifo);
    out8(COM(MCR), 0x08);
    out8(COM(IER), 0x01);
    typed(line, IN);
    assert_int_equal(ring->in_cons, fifo ? 16 : 1);
    host_advance(MILLISECS(1));
    assert_int_equal(ring_events(), 1);
    hvm_uart_ring_moved(d); /* nothing more to tell: there is no room */
    host_advance(MILLISECS(1));
    assert_int_equal(ring_events(), 0);
    while (in8(COM(LSR)) & 1) {
        assert_true(devices->pic.chip[0].inputs & 0x10);
        assert_int_equal(in8(COM(DATA)), pattern(got++));
    }
    assert_int_equal(got, IN);
    assert_false(devices->pic.chip[0].inputs & 0x10);
    host_advance(MILLISECS(1));
    assert_int_equal(ring_events(), 1); /* there is room again */
}

static void what_is_typed_is_received_by_a_fifo(void **state)
{
    (void)state;
    what_is_typed_is_received(1);
}

static void what_is_typed_is_received_by_a_register(void **state)
{
    (void)state;
    what_is_typed_is_received(0);
}

/* Indices that cannot be: the ring is full, or its content is skipped. */
static void hostile_indices(void **state)
{
    static const uint32_t bad[] = {1, 0x7fffffff, 0x80000000, 0xffffffff, OUT + 1, (uint32_t)-OUT};

    (void)state;
    out8(COM(FCR), 0x01);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        uint32_t ours = devices->uart.out_prod;

        if (ours - bad[i] > OUT) { /* else it is an honest one by now */
            ring->out_cons = bad[i];
            out8(COM(DATA), 'x');
            assert_int_equal(devices->uart.out_prod, ours);
            assert_int_equal(in8(COM(LSR)) & THRE, 0);
        }
        ring->out_cons = ours;
        hvm_uart_ring_moved(d);
        assert_int_equal(in8(COM(LSR)) & THRE, THRE);
        ring->out_prod = bad[i] * 7; /* ours, which nobody reads */
        out8(COM(DATA), 'y');
        assert_int_equal(ring->out_prod, devices->uart.out_prod);
        ring->out_cons = ring->out_prod;
        ring->in_prod = devices->uart.in_cons + (uint32_t)IN + bad[i] % 0x70000000;
        ring->in_cons = bad[i] * 5;
        hvm_uart_ring_moved(d);
        check_devices();
        assert_int_equal(in8(COM(LSR)) & 1, 0);
        assert_int_equal(ring->in_cons, ring->in_prod);
        typed("z", 1);
        assert_int_equal(in8(COM(DATA)), 'z');
    }
}

static void indices_run_over(void **state)
{
    (void)state;
    ring->in_prod = ring->in_cons = ring->out_prod = ring->out_cons = 0xfffffff0;
    ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = '!'; /* before it is attached */
    hvm_uart_attach(d, ring, devices->uart.port);
    assert_int_equal(in8(COM(DATA)), '!');
    for (size_t i = 0; i < 40; i++) {
        char c = pattern(i);

        assert_true(poll_and_write(c));
        typed(&c, 1);
        assert_int_equal(in8(COM(DATA)), c);
    }
    read_out(~0u);
    said_is_a_pattern(40);
    assert_int_equal(ring->out_prod, 24);
}

/* Nobody listens: what is written is gone, and the guest does not wait. */
static void without_a_ring(void **state)
{
    (void)state;
    while (poll_and_write('x'))
        ;
    assert_true(devices->uart.owed);
    hvm_uart_attach(d, NULL, 0);
    assert_false(devices->uart.owed);
    (void)ring_events();
    memset(ring, 0x5a, sizeof(*ring));
    for (unsigned int i = 0; i < 5000; i++)
        assert_true(poll_and_write('x'));
    out8(COM(MCR), 0x08);
    out8(COM(IER), 0x03);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(in8(COM(IIR)) & 0x0f, 0x02);
        assert_int_equal(in8(COM(IIR)) & 0x0f, 0x01);
        out8(COM(DATA), 'x');
    }
    host_advance(MILLISECS(10));
    assert_int_equal(ring_events(), 0);
    for (size_t i = 0; i < sizeof(*ring); i++)
        assert_int_equal(((const char *)ring)[i], 0x5a);
}

/* The port is closed by the guest's end: as if nobody was there. */
static void the_port_is_closed(void **state)
{
    (void)state;
    assert_int_equal(evtchn_close(d, devices->uart.port, false), 0);
    out8(COM(DATA), 'x');
    assert_ptr_equal(devices->uart.ring, ring);
    host_advance(MILLISECS(1));
    assert_null(devices->uart.ring);
    for (size_t i = 0; i < 2 * OUT; i++)
        assert_true(poll_and_write('x'));
}

/* The daemon goes away, and another comes: what was said meanwhile is there. */
static void the_daemon_is_away(void **state)
{
    struct evtchn_close close = {.port = 0};
    struct evtchn *end = evtchn_from_port(&d->evtchn, devices->uart.port);

    (void)state;
    close.port = end->remote_port;
    assert_int_equal(call_with(dom0->vcpu[0], event_channel_op, EVTCHNOP_close, &close), 0);
    host_run_as(v);
    out8(COM(DATA), (uint8_t)pattern(0));
    host_advance(MILLISECS(1));
    assert_ptr_equal(devices->uart.ring, ring);
    read_out(~0u);
    said_is_a_pattern(1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, hvm_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bytes_come_out_in_order),
        T(a_full_ring_holds_up_the_fifo),
        T(a_full_ring_holds_up_the_register),
        T(a_burst_for_each_interrupt),
        T(who_does_not_look_loses),
        T(the_daemon_is_told_once),
        T(the_daemon_is_told_in_time),
        T(the_daemon_is_told_after_the_end),
        T(a_dying_domain_tells_nobody),
        T(what_is_typed_is_received_by_a_fifo),
        T(what_is_typed_is_received_by_a_register),
        T(hostile_indices),
        T(indices_run_over),
        T(without_a_ring),
        T(the_port_is_closed),
        T(the_daemon_is_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
