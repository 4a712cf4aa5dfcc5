/* SPDX-License-Identifier: MIT */
/*
 * The console daemon: history from the first byte, rings of hostile guests, floods, readers,
 * and what is done when a domain ends.
 *
 * The daemon's parts run against the model of the machine (fake_host.c); clients are real
 * sockets of this process. The clock goes when a test says so.
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

#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#include "client.h"
#include "console.h"
#include "daemon.h"
#include "fake_host.h"
#include "policy.h"
#include "state.h"

static char dir[64];
static struct fake_host *f;
static int listener;
static uint64_t clock_ms = 1000;

uint64_t now_ms(void)
{
    return clock_ms;
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/parvis-test-XXXXXX");
    if (!mkdtemp(dir)) {
        return -1;
    }
    setenv("PARVIS_RUN", dir, 1);
    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    policy_set_pvctl("/bin/false");
    f = fake_new();
    listener = client_listen(state_path("parvisd.sock"));
    return state_prepare(NULL) || listener < 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    client_close_all();
    console_close_all(&f->host);
    close(listener);
    fake_free(f);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* A guest as the builder leaves it: ring granted, port open, entries written, name taken. */
static struct xencons_interface *make_guest(const char *name, const char *on_poweroff,
                                            uint32_t *domid)
{
    struct host_create c = {.max_vcpus = 1};
    struct host_grant g = {GNTTAB_RESERVED_CONSOLE, 0, 0};
    struct host *h = &f->host;
    char path[64], text[16], xml[512];
    unsigned int done;
    uint32_t port;

    c.uuid[0] = (uint8_t)name[0];
    assert_int_equal(h->ops->domain_create(h, &c, domid), 0);
    h->ops->domain_max_mem(h, *domid, 64);
    h->ops->populate_physmap(h, *domid, 1, 0, &g.frame, &done);
    h->ops->grant_seed(h, *domid, &g, 1);
    h->ops->evtchn_alloc_unbound(h, *domid, 0, &port);
    snprintf(path, sizeof(path), "/local/domain/%u/console/port", *domid);
    snprintf(text, sizeof(text), "%u", port);
    h->ops->store_write(h, 0, path, text);
    snprintf(xml, sizeof(xml),
             "<domain type='xen'><name>%s</name><memory>8192</memory><os><type>linux</type>"
             "<kernel>/k</kernel></os><on_poweroff>%s</on_poweroff>"
             "<on_crash>preserve</on_crash></domain>",
             name, on_poweroff);
    assert_int_equal(state_claim(h, name, c.uuid, NULL), 0);
    assert_int_equal(state_commit(name, *domid, c.uuid, xml, NULL), 0);
    return fake_frame(f, g.frame);
}

static struct xencons_interface *serve(const char *name, const char *on_poweroff, uint32_t *domid)
{
    struct xencons_interface *ring = make_guest(name, on_poweroff, domid);
    struct error e = {0};

    if (console_serve(&f->host, *domid, name, &e)) {
        fail_msg("%s", e.text);
    }
    return ring;
}

static uint32_t say(struct xencons_interface *ring, const char *text, size_t len)
{
    uint32_t n = 0;

    while (n < len && ring->out_prod - ring->out_cons < sizeof(ring->out)) {
        ring->out[ring->out_prod++ & (sizeof(ring->out) - 1)] = text[n++];
    }
    return n;
}

static char *history_text(const struct console *c)
{
    char *out = NULL;
    size_t len;
    FILE *m = open_memstream(&out, &len);

    history_save(&c->history, m);
    fclose(m);
    return out;
}

static void history_says(const char *name, const char *text)
{
    char *have = history_text(console_by_name(name));

    assert_string_equal(have, text);
    free(have);
}

static void fire(const char *name)
{
    struct console *c = console_by_name(name);

    console_event(&f->host, c->port);
}

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
    for (size_t i = 0; i < size; i++) {
        all[i] = (char)('a' + i % 26);
    }
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
    static const size_t lengths[] = {0, 1, HISTORY_HEAD - 1, HISTORY_HEAD, HISTORY_HEAD + 1,
                                     HISTORY_HEAD + HISTORY_TAIL - 1, HISTORY_HEAD + HISTORY_TAIL};

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
            for (size_t k = 0; k < n; k++, got++) {
                assert_int_equal(buf[k], 'a' + got % 26);
            }
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
    assert_int_equal(console_serve(&f->host, domid, "web", &e), 0);
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
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(have[i], '0' + i % 10);
    }
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
    for (int i = 0; i < 10000; i++) {
        fire("web");
    }
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
        assert_int_equal(console_serve(&f->host, domid, "web", &e), -ENOMEM);
        assert_non_null(strstr(e.text, "web: reaching the console ring"));
        f->fail_at = 0;
        for (unsigned int i = 0; i < FAKE_PORTS; i++) {
            assert_false(f->ports[i].bound);
        }
        for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
            assert_null(f->mappings[i].va);
        }
    }
}

/* ---- clients ---- */

/* One turn of the daemon's loop. */
static void turn(void)
{
    struct pollfd p[MAX_CLIENTS];
    unsigned int n;

    client_accept(listener);
    n = client_poll_set(p);
    poll(p, n, 0);
    client_serve(&f->host, p, n);
}

static int ask(enum daemon_message type, const char *text)
{
    struct error e = {0};
    int fd = daemon_connect(&e);

    assert_true(fd >= 0);
    assert_int_equal(daemon_send(fd, type, text, strlen(text)), 0);
    turn();
    return fd;
}

static void next_is(int fd, int type, const char *text)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;

    assert_int_equal(daemon_receive(fd, buf, &len), type);
    if (text) {
        assert_string_equal(buf, text);
    }
}

static void readers(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int a, b;

    (void)state;
    say(ring, "early", 5);
    fire("web");
    a = ask(D_CONSOLE, "web");
    next_is(a, D_OK, "");
    turn();
    next_is(a, D_DATA, "early");
    b = ask(D_CONSOLE, "web");
    next_is(b, D_REFUSED, NULL);
    close(b);
    say(ring, "late", 4);
    fire("web");
    turn();
    next_is(a, D_DATA, "late");
    daemon_send(a, D_DATA, "typed", 5);
    turn();
    assert_memory_equal(ring->in, "typed", 5);
    assert_int_equal(ring->in_prod, 5);
    /* When the first one has left, another may come, and gets all of it again. */
    close(a);
    turn();
    b = ask(D_CONSOLE, "web");
    next_is(b, D_OK, "");
    turn();
    next_is(b, D_DATA, "earlylate");
    policy_release(&f->host, domid, "powered off");
    turn();
    next_is(b, D_END, "powered off");
    next_is(b, 0, "");
    close(b);
    /* Even now. */
    a = ask(D_CONSOLE, "web");
    next_is(a, D_OK, "");
    turn();
    next_is(a, D_DATA, "earlylate");
    next_is(a, D_END, "powered off");
    close(a);
    a = ask(D_CONSOLE, "nobody");
    next_is(a, D_REFUSED, "nobody: no such domain, nor a console kept of one");
    close(a);
}

/* A reader that does not read makes the guest wait, and then gets every byte. */
static void slow_reader_loses_nothing(void **state)
{
    const uint64_t all = 2u << 20;
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    uint64_t said = 0, got = 0;
    int fd = ask(D_CONSOLE, "web");

    (void)state;
    next_is(fd, D_OK, "");
    while (got < all) {
        char buf[DAEMON_MAX_MESSAGE + 1], byte;
        size_t len;

        /* The guest is as fast as it can be; the reader takes one message a turn. */
        for (int i = 0; i < 4; i++) {
            while (said < all) {
                byte = (char)('a' + said % 26);
                if (!say(ring, &byte, 1)) {
                    break;
                }
                said++;
            }
            clock_ms += CONSOLE_WINDOW_MS;
            fire("web");
            turn();
        }
        assert_int_equal(daemon_receive(fd, buf, &len), D_DATA);
        for (size_t i = 0; i < len; i++, got++) {
            assert_int_equal(buf[i], 'a' + got % 26);
        }
    }
    assert_int_equal(got, all);
    close(fd);
}

static void garbage_requests(void **state)
{
    static const int types[] = {0, 1, 255, D_DATA, D_OK, D_SERVE, D_RELEASE, D_WAIT};
    char junk[DAEMON_MAX_MESSAGE];

    (void)state;
    memset(junk, 'A', sizeof(junk));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct error e = {0};
        int fd = daemon_connect(&e);

        daemon_send(fd, (enum daemon_message)types[i], junk, i % 2 ? sizeof(junk) : 0);
        turn();
        turn();
        close(fd);
    }
    turn();
    /* A connection that says nothing holds nobody up. */
    close(daemon_connect(NULL));
    turn();
    assert_null(consoles);
}

/* ---- ends ---- */

static void reaps_by_policy(void **state)
{
    struct host_domain left;
    unsigned int n;
    char id[16], *ended;
    uint32_t domid;
    int fd;

    (void)state;
    say(serve("web", "destroy", &domid), "bye", 3);
    snprintf(id, sizeof(id), "%u", domid);
    fd = ask(D_WAIT, id);
    next_is(fd, D_OK, "");
    policy_check(&f->host); /* it lives: nothing happens */
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    next_is(fd, D_END, "powered off");
    close(fd);
    assert_int_equal(f->host.ops->domain_list(&f->host, domid, &left, 1, &n), 0);
    assert_int_equal(n, 0);
    history_says("web", "bye");
    ended = state_read_ended("web");
    assert_string_equal(ended, "powered off");
    free(ended);
    assert_null(fake_is_clean(f));
}

static void preserves_by_policy(void **state)
{
    struct host_domain left;
    unsigned int n;
    char how[128];
    uint32_t domid;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    snprintf(how, sizeof(how), "(XEN) d%u crashed: triple fault\nother line\n", domid);
    f->log = how;
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    fake_shutdown(f, domid, SHUTDOWN_crash);
    policy_check(&f->host);
    policy_check(&f->host); /* acted upon once */
    turn();
    snprintf(how, sizeof(how), "crashed: d%u crashed: triple fault (preserved)", domid);
    next_is(fd, D_END, how);
    close(fd);
    assert_int_equal(f->host.ops->domain_list(&f->host, domid, &left, 1, &n), 0);
    assert_int_equal(n, 1);
    assert_true(left.shutdown);
    f->log = NULL;
}

/* Destroyed by a program that does not know us. */
static void tidies_up(void **state)
{
    struct state_entry s;
    uint32_t domid;

    (void)state;
    say(serve("web", "destroy", &domid), "bye", 3);
    f->host.ops->domain_destroy(&f->host, domid);
    policy_check(&f->host);
    history_says("web", "bye");
    assert_int_equal(state_get("web", &s), -ENOENT);
    assert_null(fake_is_clean(f));
}

static void adopts(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = make_guest("web", "destroy", &domid);

    (void)state;
    say(ring, "alive", 5);
    policy_adopt(&f->host);
    history_says("web", "alive");
    /* The next daemon goes on where this one ended. */
    console_close_all(&f->host);
    say(ring, " again", 6);
    policy_adopt(&f->host);
    history_says("web", "alive again");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
        T(readers),
        T(slow_reader_loses_nothing),
        T(garbage_requests),
        T(reaps_by_policy),
        T(preserves_by_policy),
        T(tidies_up),
        T(adopts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
