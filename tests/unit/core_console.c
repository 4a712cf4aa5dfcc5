/* SPDX-License-Identifier: MIT */
/*
 * Consoles and the log: who may write and read, what is kept of a guest's words, rings with hostile
 * indices, input that waits for room, and a log that a guest cannot flood.
 */
#include "core_test.h"

#include <port/upcalls.h>
#include <core/domain/domain_table.h>
#include <core/life/life.h>
#include <core/base/console_out.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/base/log_share.h>
#include <core/console/console.h>
#include <xen/io/console.h>
#include <xen/sched.h>

static struct domain *dom0, *d;
static struct vcpu *v;

static int setup(void **state)
{
    (void)state;
    host_init(4096);
    console_init();
    log_set_level(LOG_INFO);
    dom0 = host_domain(0, true, 1, 0);
    d = host_domain(1, false, 1, 4);
    v = d->vcpu[0];
    host_console_len = 0;
    host_console[0] = 0;
    host_console_room = ~0u;
    log_clear();
    return 0;
}

static const char *log_text(void)
{
    static char text[70000];
    uint32_t pos = 0;
    size_t n = log_read(text, sizeof(text) - 1, &pos);

    text[n] = 0;
    return text;
}

static long say(struct vcpu *who, const char *s)
{
    memcpy(host_guest(LIST), s, strlen(s));
    return call(who, console_io, CONSOLEIO_write, strlen(s), LIST);
}

static void the_control_domain_speaks(void **state)
{
    (void)state;
    assert_int_equal(say(dom0->vcpu[0], "one\ntwo"), 0);
    assert_string_equal(host_console, "one\r\ntwo");
}

static void a_guests_words_are_kept(void **state)
{
    (void)state;
    assert_int_equal(say(v, "hello "), 0);
    assert_int_equal(say(v, "world\r\nnext \x1b[2J\n"), 0);
    assert_int_equal(host_console_len, 0);
    assert_non_null(strstr(log_text(), "(d1) hello world\n"));
    /* No terminal tricks on the operator */
    assert_non_null(strstr(log_text(), "(d1) next .[2J\n"));
}

static void last_words_need_no_newline(void **state)
{
    (void)state;
    assert_int_equal(say(v, "cannot go on: no"), 0);
    assert_null(strstr(log_text(), "cannot go on"));
    domain_shutdown(d, SHUTDOWN_crash);
    assert_non_null(strstr(log_text(), "(d1) cannot go on: no\n"));
}

/* Nothing but ends of lines: few of them at once. */
static void empty_lines_give_way(void **state)
{
    unsigned int issues;

    (void)state;
    memset(host_guest(LIST), '\n', 256);
    host_run_as(v);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER); /* stays: each look says: give way */
    assert_int_equal(host_hypercall(v, __HYPERVISOR_console_io,
                                    (const uint64_t[6]){CONSOLEIO_write, 256, LIST}, &issues),
                     0);
    assert_true(issues >= 256 / 32);
    this_cpu()->pending = 0;
}

static void a_flood_is_cut(void **state)
{
    (void)state;
    log_info("something important");
    for (int i = 0; i < 5000; i++)
        assert_int_equal(say(v, "all work and no play makes jack a dull boy\n"), 0);
    assert_non_null(strstr(log_text(), "something important"));
    assert_non_null(strstr(log_text(), "not kept"));
}

/* Ten refused requests a second, for an hour, in one life after another. */
static void refusals_are_cut(void **state)
{
    xen_domain_handle_t handle = {1, 2, 3};

    (void)state;
    log_info("something important");
    memcpy(d->handle, handle, sizeof(handle));
    for (unsigned int second = 0; second < 3600; second++) {
        for (unsigned int i = 0; i < 10; i++)
            assert_int_equal(call(v, console_io, 7, 0, LIST), -XEN_ENOSYS);
        host_advance(SECONDS(1));
        if (second % 600 == 599) {
            log_share_leave(d);
            log_share_enter(d);
        }
    }
    assert_non_null(strstr(log_text(), "something important"));
    assert_non_null(strstr(log_text(), "not kept"));
    /* It comes back: a day later there is room for more. */
    host_advance(SECONDS(86400));
    assert_int_equal(call(v, console_io, 8, 0, LIST), -XEN_ENOSYS);
    assert_non_null(strstr(log_text(), "there is no operation 8"));
    /* Another domain has its own. */
    memset(d->handle, 9, sizeof(handle));
    log_share_enter(d);
    assert_int_equal(d->log_share.used, 0);
}

/* One that crashes whenever it is started, again and again. */
static void crashes_are_cut(void **state)
{
    xen_domain_handle_t handle = {4, 5, 6};

    (void)state;
    log_info("something important");
    memcpy(d->handle, handle, sizeof(handle));
    host_run_as(v);
    for (unsigned int life = 0; life < 3000; life++) {
        if (life == 2000)
            host_console_len = 0;
        domain_crash(d, "in life %u, which ended as all the others did", life);
        log_share_leave(d);
        domain_resume(d);
        log_share_enter(d);
        host_advance(SECONDS(2));
    }
    assert_non_null(strstr(log_text(), "something important"));
    assert_non_null(strstr(log_text(), "crashed: in life 0,"));
    assert_non_null(strstr(log_text(), "not kept"));
    /* Nor does the UART get what is not kept. */
    assert_true(host_console_len < 1000);
    host_advance(SECONDS(3600));
    domain_crash(d, "an hour later");
    assert_non_null(strstr(log_text(), "crashed: an hour later"));
}

/* What a guest says does not hide how it ends. */
static void who_talks_has_room_to_crash(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(say(v, "all work and no play makes jack a dull boy\n"), 0);
    domain_crash(d, "of boredom");
    assert_non_null(strstr(log_text(), "crashed: of boredom"));
    assert_non_null(strstr(log_text(), "has ended: crash"));
}

static void boot_guests_speak_when_alone(void **state)
{
    (void)state;
    control_domain = NULL;
    assert_int_equal(say(v, "first line\n"), 0);
    assert_string_equal(host_console, "first line\r\n");
    control_domain = dom0;
}

static void reading(void **state)
{
    (void)state;
    host_type("typed");
    console_poll();
    assert_int_equal(call(v, console_io, CONSOLEIO_read, 10, LIST), -XEN_EPERM);
    assert_int_equal(call(dom0->vcpu[0], console_io, CONSOLEIO_read, 10, 0xffff800000000000ull),
                     -XEN_EFAULT); /* and nothing that was typed is lost */
    assert_int_equal(call(dom0->vcpu[0], console_io, CONSOLEIO_read, 2, LIST), 2);
    assert_int_equal(call(dom0->vcpu[0], console_io, CONSOLEIO_read, 10, LIST + 2), 3);
    assert_memory_equal(host_guest(LIST), "typed", 5);
    assert_int_equal(call(dom0->vcpu[0], console_io, CONSOLEIO_read, 10, LIST), 0);
}

static void bad_arguments(void **state)
{
    (void)state;
    assert_int_equal(call(v, console_io, 7, 0, LIST), -XEN_ENOSYS);
    assert_int_equal(call(v, console_io, CONSOLEIO_write, 0xffffffff, LIST), -XEN_E2BIG);
    assert_int_equal(call(v, console_io, CONSOLEIO_write, 5, 0xffff800000000000ull), -XEN_EFAULT);
    assert_int_equal(call(v, console_io, CONSOLEIO_write, 0x7fffffff, LIST),
                     -XEN_EFAULT); /* runs off its memory */
}

/* ---- rings ---- */

static struct xencons_interface *ring;
static uint32_t port;

static void attach(void)
{
    struct page_info *pg = page_list_first(&d->pages);

    assert_int_equal(console_alloc_port(d, &port), 0);
    assert_int_equal(console_attach_ring(d, GFN(page_to_mfn(pg).n), port), 0);
    ring = map_frame(page_to_mfn(pg));
}

static void notify(void)
{
    struct evtchn_send s = {.port = port};

    assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_send, &s), 0);
    host_exit_path();
}

static void a_ring_is_drained(void **state)
{
    (void)state;
    attach();
    for (uint32_t i = 0; i < 3000; i++) {
        ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = (char)('a' + i % 26);
        ring->out_prod++;
        if (i % 700 == 0)
            notify();
    }
    notify();
    assert_int_equal(host_console_len, 3000);
    assert_int_equal(host_console[2999], 'a' + 2999 % 26);
    assert_int_equal(ring->out_cons, ring->out_prod);
    assert_true(evtchn_port_pending(d, port)); /* the guest hears that there is room */
    ring->out_prod++;                          /* its last word, of which it tells nobody */
    domain_shutdown(d, SHUTDOWN_poweroff);
    assert_int_equal(host_console_len, 3001);
}

static void a_broken_ring_harms_nobody(void **state)
{
    static const uint32_t values[] = {0, 1, 2047, 2048, 2049, 0x7fffffff, 0x80000000, 0xffffffff};

    (void)state;
    attach();
    for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
        for (unsigned int k = 0; k < ARRAY_SIZE(values); k++) {
            unsigned int before = host_console_len;

            ring->out_cons = values[i];
            ring->out_prod = values[k];
            notify();
            assert_true(host_console_len - before <= 2 * sizeof(ring->out));
            assert_int_equal(ring->out_cons, ring->out_prod);
        }
    }
}

static void typing_ahead(void **state)
{
    static char text[1500];
    uint32_t got;

    (void)state;
    attach();
    control_domain = NULL;
    for (unsigned int i = 0; i < sizeof(text) - 1; i++)
        text[i] = (char)('A' + i % 26);
    ring->in_cons = ring->in_prod = 0xfffffff0u; /* across the wrap */
    host_type(text);
    console_poll();
    got = ring->in_prod - ring->in_cons;
    assert_int_equal(got, sizeof(ring->in)); /* full; the rest was more than we keep */
    for (uint32_t i = 0; i < got; i++)
        assert_int_equal(ring->in[MASK_XENCONS_IDX(ring->in_cons + i, ring->in)], 'A' + i % 26);
    ring->in_cons = ring->in_prod - 5000; /* broken */
    host_type("x");
    console_poll();
    ring->in_cons = ring->in_prod;
    host_type("y");
    console_poll();
    assert_int_equal(ring->in_prod - ring->in_cons, 1);
    assert_int_equal(ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)], 'y');
    control_domain = dom0;
}

static void fed_too(const spinlock_t *l, bool released)
{
    if (l->rank != RANK_IRQ || released)
        return;
    host_on_lock = NULL;
    console_feed_boot_domain();
}

/* Two CPUs come to give what was typed to the guest: it gets each byte once. */
static void typed_once(void **state)
{
    (void)state;
    control_domain = NULL;
    attach();
    host_on_lock = fed_too;
    host_type("once");
    console_poll();
    assert_null(host_on_lock);
    assert_int_equal(ring->in_prod, 4);
    assert_memory_equal(ring->in, "once", 4);
}

/* A UART that is slow holds nobody up: what has no room in its queue stays with whoever says it. */
static void nobody_waits_for_the_uart(void **state)
{
    static char text[128];
    uint32_t left, said = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    attach();
    console_queue(true);
    host_console_room = 16;
    assert_int_equal(say(dom0->vcpu[0], "the control domain speaks"), 0);
    assert_string_equal(host_console, "the control doma");
    assert_true(host_console_interrupts);
    host_console_room = 16;
    console_poll();
    assert_string_equal(host_console, "the control domain speaks");
    host_console_room = 0;
    /* The hypercall is issued again and again, and does nothing meanwhile. */
    while ((left = (uint32_t)console_room()) >= 128)
        said += 128, console_write(text, 128);
    memcpy(host_guest(LIST), text, 128);
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(do_console_io(CONSOLEIO_write, 128, LIST), -XEN_ERESTART);
    assert_int_equal(console_room(), left);
    /* So does the ring. */
    for (unsigned int i = 0; i < 2048; i++)
        ring->out[i] = 'r';
    ring->out_prod = 2048;
    notify();
    assert_true(ring->out_cons <= left);
    assert_true(host_console_interrupts);
    for (unsigned int i = 0; i < 400 && (ring->out_cons != 2048 || host_console_interrupts); i++) {
        host_console_room = 128;
        console_poll();
        host_exit_path();
    }
    assert_int_equal(ring->out_cons, 2048);
    assert_false(host_console_interrupts);
    assert_int_equal(host_console_len, 25 + said + 2048);
    assert_null(strstr(host_console, "rx"));
    assert_null(strstr(host_console, "lost"));
    console_queue(false);
}

/* A UART that takes nothing any more holds nobody up either; nor does the hypervisor's own talk. */
static void a_dead_uart_is_given_up(void **state)
{
    (void)state;
    console_queue(true);
    host_console_room = 0;
    for (unsigned int i = 0; i < 1000; i++)
        log_info("the hypervisor has a lot to say");
    assert_int_equal(host_console_len, 0);
    host_run_as(dom0->vcpu[0]);
    memset(host_guest(LIST), 'x', 128);
    assert_int_equal(do_console_io(CONSOLEIO_write, 128, LIST), -XEN_ERESTART);
    host_advance(SECONDS(2));
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(do_console_io(CONSOLEIO_write, 128, LIST), -XEN_ERESTART); /* gives it up */
    assert_int_equal(do_console_io(CONSOLEIO_write, 128, LIST), 0);
    host_console_room = ~0u;
    console_poll();
    log_info("it is back");
    assert_non_null(strstr(host_console, "of the console are lost"));
    assert_non_null(strstr(host_console, "it is back"));
    console_queue(false);
}

/* What waits is said when the end is near. */
static void the_queue_is_emptied_at_the_end(void **state)
{
    (void)state;
    console_queue(true);
    host_console_room = 3;
    console_write("hello", 5);
    assert_string_equal(host_console, "hel");
    host_console_room = ~0u;
    console_queue(false);
    assert_string_equal(host_console, "hello");
    console_write("!\n", 2);
    assert_string_equal(host_console, "hello!\r\n");
}

static void the_ring_goes_with_its_domain(void **state)
{
    (void)state;
    attach();
    host_destroy(d);
    host_check_invariants();
    assert_null(get_domain_by_id(1));
    console_work();
}

/* ---- the log ---- */

static void refusals_are_explained_and_limited(void **state)
{
    struct evtchn_send s = {.port = 1234};
    unsigned int lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_send, &s), -XEN_EINVAL);
    for (const char *p = log_text(); (p = strstr(p, "port 1234")) != NULL; p++)
        lines++;
    assert_in_range(lines, 1, 10);
    assert_non_null(strstr(
        log_text(), "d1v0: event_channel_op: port 1234 cannot be sent to (error 22, evtchn.c:"));
    host_advance(SECONDS(2));
    assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_send, &s), -XEN_EINVAL);
    assert_non_null(strstr(log_text(), "990 more requests were refused"));
    assert_int_equal(host_console_len, 0); /* debug lines do not reach the UART */
}

static void the_ring_wraps(void **state)
{
    char buf[100];
    uint32_t pos = 0;
    size_t n, total = 0;

    (void)state;
    for (int i = 0; i < 5000; i++)
        log_debug("line number %d of many", i);
    while ((n = log_read(buf, sizeof(buf), &pos)) != 0)
        total += n;
    assert_int_equal(total, 65536);
    assert_non_null(strstr(log_text(), "line number 4999"));
    pos = 0xdeadbeef;
    assert_true(log_read(buf, sizeof(buf), &pos) > 0);
    log_clear();
    assert_int_equal(strlen(log_text()), 0);
}

static void long_lines_are_cut(void **state)
{
    char text[2000];

    (void)state;
    memset(text, 'z', sizeof(text));
    text[1999] = 0;
    log_info("%s", text);
    assert_in_range(strlen(log_text()), 400, 512);
    assert_int_equal(log_text()[strlen(log_text()) - 1], '\n');
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(the_control_domain_speaks),
        TEST(a_guests_words_are_kept),
        TEST(last_words_need_no_newline),
        TEST(empty_lines_give_way),
        TEST(a_flood_is_cut),
        TEST(refusals_are_cut),
        TEST(crashes_are_cut),
        TEST(who_talks_has_room_to_crash),
        TEST(boot_guests_speak_when_alone),
        TEST(reading),
        TEST(bad_arguments),
        TEST(a_ring_is_drained),
        TEST(a_broken_ring_harms_nobody),
        TEST(typing_ahead),
        TEST(typed_once),
        TEST(nobody_waits_for_the_uart),
        TEST(a_dead_uart_is_given_up),
        TEST(the_queue_is_emptied_at_the_end),
        TEST(the_ring_goes_with_its_domain),
        TEST(refusals_are_explained_and_limited),
        TEST(the_ring_wraps),
        TEST(long_lines_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
