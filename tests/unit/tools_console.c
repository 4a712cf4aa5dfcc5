/* SPDX-License-Identifier: MIT */
/*
 * Consoles: history from the first byte, rings of hostile guests, floods.
 *
 * The daemon's part runs against the model of the machine, without its clients.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "daemon_support.h"
#include "policy.h"

/* ---- history ---- */

static void history_keeps_both_ends(void **state)
{
    const size_t size = 1 << 20;
    struct history h;
    char *all = malloc(size), *out = malloc(size), buf[999];
    uint64_t pos = 0;
    size_t n, got = 0;
    char *marker;

    (void)state;
    assert_int_equal(history_init(&h), 0);
    for (size_t i = 0; i < size; i++)
        all[i] = (char)('a' + i % 26);
    for (size_t at = 0; at < size; at += n) {
        n = size - at < 777 ? size - at : 777;
        history_add(&h, all + at, n);
    }
    while ((n = history_read(&h, &pos, buf, sizeof(buf))) > 0) {
        memcpy(out + got, buf, n);
        got += n;
    }
    assert_int_equal(pos, size);
    assert_memory_equal(out, all, HISTORY_HEAD);
    assert_memory_equal(out + got - HISTORY_TAIL, all + size - HISTORY_TAIL, HISTORY_TAIL);
    out[got - HISTORY_TAIL] = '\0';
    marker = out + HISTORY_HEAD;
    snprintf(buf, sizeof(buf), "\r\n[parvisd: %zu bytes of console output are not kept]\r\n",
             size - HISTORY_HEAD - HISTORY_TAIL);
    assert_string_equal(marker, buf);
    history_free(&h);
    free(all);
    free(out);
}

/* Every length around the borders of head and tail reads back whole. */
static void history_at_the_borders(void **state)
{
    static const size_t lengths[] = {0,
                                     1,
                                     HISTORY_HEAD - 1,
                                     HISTORY_HEAD,
                                     HISTORY_HEAD + 1,
                                     HISTORY_HEAD + HISTORY_TAIL - 1,
                                     HISTORY_HEAD + HISTORY_TAIL};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct history h;
        char buf[512];
        uint64_t pos = 0;
        size_t n, got = 0;

        assert_int_equal(history_init(&h), 0);
        for (size_t at = 0; at < lengths[i]; at++) {
            char byte = (char)('a' + at % 26);

            history_add(&h, &byte, 1);
        }
        while ((n = history_read(&h, &pos, buf, sizeof(buf))) > 0) {
            for (size_t k = 0; k < n; k++, got++)
                assert_int_equal(buf[k], 'a' + got % 26);
        }
        assert_int_equal(got, lengths[i]);
        history_free(&h);
    }
}

/* ---- the ring ---- */

static void keeps_the_first_byte(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = make_guest("web", "destroy", &domid);
    struct error e = {0};

    (void)state;
    /* Said before the daemon was there. */
    say(ring, "first", 5);
    assert_int_equal(console_adopt(&f->host, domid, "web", &e), 0);
    history_says("web", "first");
    say(ring, " second", 7);
    fire("web");
    history_says("web", "first second");
    assert_int_equal(ring->out_cons, ring->out_prod);
    assert_true(f->ports[console_by_name("web")->port].notified >= 2);
    /* Said as its last words, with no event sent. */
    say(ring, " last", 5);
    policy_release(&f->host, domid, "destroyed");
    history_says("web", "first second last");
}

static void ring_wraps(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char *have;

    (void)state;
    ring->out_cons = ring->out_prod = console_by_name("web")->out_cons = UINT32_MAX - 3;
    for (int i = 0; i < 1000; i++) {
        say(ring, "0123456789", 10);
        clock_ms += CONSOLE_WINDOW_MS;
        fire("web");
    }
    have = history_text(console_by_name("web"));
    assert_int_equal(strlen(have), 10000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(have[i], '0' + i % 10);
    free(have);
}

static void hostile_indices(void **state)
{
    static const uint32_t prods[] = {2049, 0x80000000, UINT32_MAX, 1u << 20};
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    struct console *c = console_by_name("web");

    (void)state;
    for (size_t i = 0; i < sizeof(prods) / sizeof(prods[0]); i++) {
        uint64_t before = c->history.total;

        clock_ms += CONSOLE_WINDOW_MS;
        ring->out_prod = c->out_cons + prods[i];
        ring->out_cons = 12345; /* ours, but the guest may write there */
        fire("web");
        assert_true(c->history.total - before < 200);
        /* It goes on behind the break. */
        clock_ms += CONSOLE_WINDOW_MS;
        assert_int_equal(ring->out_cons, ring->out_prod);
        before = c->history.total;
        say(ring, "ok", 2);
        fire("web");
        assert_int_equal(c->history.total, before + 2);
    }
    /* Input into a ring whose consumer index lies. */
    c->input_len = 4;
    memcpy(c->input, "abcd", 4);
    ring->in_cons = c->in_prod + 1;
    console_pump(&f->host, c);
    assert_int_equal(c->input_len, 4);
    ring->in_cons = c->in_prod;
    console_pump(&f->host, c);
    assert_int_equal(c->input_len, 0);
    assert_memory_equal(ring->in, "abcd", 4);
}

static void floods_wait(void **state)
{
    uint32_t domid, other;
    struct xencons_interface *ring = serve("flood", "destroy", &domid);
    struct xencons_interface *quiet = serve("quiet", "destroy", &other);
    struct console *c = console_by_name("flood");
    char text[sizeof(ring->out)];
    uint64_t taken;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 10000; i++) {
        say(ring, text, sizeof(text));
        fire("flood");
    }
    taken = c->history.total;
    assert_true(taken <= CONSOLE_BURST + sizeof(ring->out));
    assert_true(c->masked);
    /* The other console is served in the same window. */
    say(quiet, "hello", 5);
    fire("quiet");
    history_says("quiet", "hello");
    assert_true(console_pump_waiting(&f->host) > 0);
    assert_int_equal(c->history.total, taken);
    clock_ms += CONSOLE_WINDOW_MS;
    assert_int_equal(console_pump_waiting(&f->host), -1);
    assert_int_equal(c->history.total, taken + sizeof(ring->out));
    assert_false(c->masked);
}

/* Events without a byte are bounded as well. */
static void event_storms_wait(void **state)
{
    uint32_t domid;

    (void)state;
    serve("web", "destroy", &domid);
    for (int i = 0; i < 10000; i++)
        fire("web");
    assert_true(console_by_name("web")->masked);
}

static void serving_may_fail(void **state)
{
    uint32_t domid;

    (void)state;
    make_guest("web", "destroy", &domid);
    for (uint64_t at = 1; at <= 3; at++) {
        struct error e = {0};

        f->calls = 0;
        f->fail_at = at;
        assert_int_equal(console_adopt(&f->host, domid, "web", &e), -ENOMEM);
        assert_non_null(strstr(e.text, "web: reaching the console ring"));
        f->fail_at = 0;
        assert_null(console_by_name("web")); /* what is not the guest's doing is tried again */
        for (unsigned int i = 0; i < FAKE_PORTS; i++)
            assert_false(f->ports[i].bound);
        for (unsigned int i = 0; i < FAKE_MAPPINGS; i++)
            assert_null(f->mappings[i].va);
    }
}

/* Where the next one of a name cannot be served, what is kept of the last one stays. */
static void serving_fails_and_nothing_is_lost(void **state)
{
    uint32_t domid, next;
    struct xencons_interface *ring = serve("web", "destroy", &domid);

    (void)state;
    say(ring, "why it died", 11);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    make_guest("web", "destroy", &next);
    for (uint64_t at = 1; at <= 3; at++) {
        struct error e = {0};

        f->calls = 0;
        f->fail_at = at;
        assert_int_equal(console_adopt(&f->host, next, "web", &e), -ENOMEM);
        f->fail_at = 0;
        history_says("web", "why it died");
        assert_true(console_by_name("web")->ended);
    }
    assert_int_equal(console_adopt(&f->host, next, "web", &(struct error){0}), 0);
    history_says("web", "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_keeps_both_ends),
        cmocka_unit_test(history_at_the_borders),
        T(keeps_the_first_byte),
        T(ring_wraps),
        T(hostile_indices),
        T(floods_wait),
        T(event_storms_wait),
        T(serving_may_fail),
        T(serving_fails_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
