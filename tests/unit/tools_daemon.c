/* SPDX-License-Identifier: MIT */
/*
 * The daemon: readers of consoles, and what is done when a domain ends.
 *
 * Clients are real sockets of this process; turn() is one turn of the daemon's loop.
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

#include "client.h"
#include "daemon.h"
#include "daemon_support.h"
#include "policy.h"
#include "state.h"

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
    snprintf(how, sizeof(how), "web (domain %u) crashed: triple fault\nother line\n", domid);
    f->log = how;
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    fake_shutdown(f, domid, SHUTDOWN_crash);
    policy_check(&f->host);
    policy_check(&f->host); /* acted upon once */
    turn();
    next_is(fd, D_END, "crashed: triple fault (preserved)");
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

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(readers),         T(slow_reader_loses_nothing), T(garbage_requests),
        T(reaps_by_policy), T(preserves_by_policy),       T(tidies_up),
        T(adopts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
