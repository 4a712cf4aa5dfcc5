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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "cause.h"
#include "client.h"
#include "daemon.h"
#include "daemon_support.h"
#include "devices.h"
#include "policy.h"
#include "reaper.h"
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
    reaper_run(&f->host);
    policy_go_on();
    client_go_on(&f->host);
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
    next_is(a, D_HISTORY, "earlylate");
    next_is(a, D_END, "powered off");
    close(a);
    a = ask(D_CONSOLE, "nobody");
    next_is(a, D_REFUSED, "-2 nobody: no such domain, nor a console kept of one");
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
    static const int types[] = {0, 1, 255, D_DATA, D_OK, D_SERVE, D_REAP, D_WAIT, D_MAKE};
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
    snprintf(how, sizeof(how),
             "(parvis) [   1.5] d%u (domain %u) crashed: triple fault\n(parvis) [   1.6] other\n",
             domid, domid);
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

static void cause_is(const char *log, const char *how)
{
    const struct host_domain d = {.domid = 7, .shutdown = true, .shutdown_reason = SHUTDOWN_crash};
    char text[256];

    f->log = log;
    end_cause(&f->host, &d, text, sizeof(text));
    f->log = NULL;
    assert_string_equal(text, how);
}

/* Only what the hypervisor says itself is a cause, and it says nothing to a terminal. */
static void causes(void **state)
{
    (void)state;
    cause_is("", "crashed");
    cause_is("(parvis) [ 1.0] d7 (domain 7) crashed: no \x1b[2J handler\n"
             "(parvis) [ 1.1] d7 (domain 7) has ended: crash\n",
             "crashed: no ?[2J handler");
    cause_is("(parvis) [ 1.0] (d7) d7 (domain 7) crashed: by the control domain\n", "crashed");
    cause_is("(parvis) [ 1.0] (d7) x] d7 (domain 7) crashed: by the control domain\n"
             "(parvis) [ 1.1] d7 (domain 7) has ended: crash\n",
             "crashed: it reported this itself; its console may tell more");
    cause_is("(parvis) [ 1.0] d77 (domain 77) crashed: other\n", "crashed");
    /* The number was another's before. */
    cause_is("(parvis) [ 1.0] d7 (domain 7) crashed: first\n"
             "(parvis) [ 9.0] d7 (domain 7) crashed: second\n",
             "crashed: second");
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
    reaper_collect(&f->host);
    history_says("web", "alive");
    /* The next daemon goes on where this one ended. */
    console_close_all(&f->host);
    say(ring, " again", 6);
    reaper_collect(&f->host);
    history_says("web", "alive again");
}

/* ---- taking away beside everything else ---- */

static int lingering;

static bool still_there(const char *device)
{
    assert_non_null(strstr(device, "vbd-"));
    return lingering > 0 && lingering--;
}

static void add_disk(uint32_t domid)
{
    char path[96];

    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state", domid);
    f->host.ops->store_write(&f->host, 0, path, "4");
}

static void must_not_sleep(unsigned int ms)
{
    fail_msg("the daemon slept %u ms", ms);
}

/* A back end that the kernel keeps for long: the others are served, who asked waits. */
static void nobody_waits_for_a_back_end(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    uint32_t domid, other;
    struct xencons_interface *ring = serve("other", "destroy", &other);
    char request[64];
    int fd;

    (void)state;
    model.backend_lives = still_there;
    model.sleep_ms = must_not_sleep;
    serve("web", "destroy", &domid);
    device_system = &model;
    add_disk(domid);
    lingering = 200;
    fd = daemon_connect(NULL);
    snprintf(request, sizeof(request), "%u web destroyed", domid);
    daemon_send(fd, D_REAP, request, strlen(request));
    for (int i = 0; i < 100; i++) {
        clock_ms += 20;
        turn();
        say(ring, "x", 1);
        fire("other");
    }
    assert_int_equal(console_by_name("other")->history.total, 100);
    assert_true(reaper_has_name("web"));
    assert_non_null(fake_domain(f, domid));
    for (int i = 0; i < 110; i++) {
        clock_ms += 20;
        turn();
    }
    assert_null(fake_domain(f, domid));
    next_is(fd, D_OK, "");
    close(fd);
    /* One that is never let go of: at the deadline the domain goes all the same. */
    lingering = 1 << 20;
    add_disk(domid);
    reaper_start(&f->host, domid, (const uint8_t[16]){0}, "web", "");
    clock_ms += 14000;
    turn();
    assert_true(reaper_has_name("web"));
    clock_ms += 2000;
    turn();
    assert_false(reaper_has_name("web"));
    device_system = real;
}

/* A new life begins when nothing of the former is left, and no earlier. */
static void makers_wait_for_the_reaper(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    uint32_t domid;
    int fd, other;

    (void)state;
    model.backend_lives = still_there;
    device_system = &model;
    serve("web", "destroy", &domid);
    add_disk(domid);
    lingering = 3;
    f->host.ops->domain_destroy(&f->host, domid);
    policy_check(&f->host);
    fd = ask(D_MAKE, "web");
    other = ask(D_MAKE, "other");
    next_is(other, D_OK, "");
    assert_false(client_is_making("web"));
    for (int i = 0; i < 5; i++) {
        clock_ms += 20;
        turn();
    }
    next_is(fd, D_OK, "");
    assert_true(client_is_making("web"));
    close(fd);
    close(other);
    turn();
    assert_false(client_is_making("web"));
    device_system = real;
}

/* A stand-in for pvctl: keeps what it was given, says something, fails. */
static void fake_pvctl(const char *text)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s", state_path("pvctl"));
    out = fopen(path, "w");
    fprintf(out, "#!/bin/sh\ncat $2 >%s\n%s\n", state_path("given"), text);
    fclose(out);
    chmod(path, 0700);
    policy_set_pvctl(path);
}

static char *file_text(const char *path)
{
    char *text = calloc(1, 4096);
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    assert_true(fread(text, 1, 4095, in) > 0);
    fclose(in);
    return text;
}

static void wait_child(void)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);

    assert_true(pid > 0);
    policy_child(pid, status);
}

/* The successor's configuration is handed on in memory; why it failed becomes how it ended. */
static void restarts(void **state)
{
    uint32_t domid;
    char *ended, *given;
    int fd;

    (void)state;
    fake_pvctl("echo 'pvctl: web: keeping its configuration: No space left' >&2; exit 1");
    serve("web", "restart", &domid);
    assert_int_equal(state_read_xml(domid, &given), 0);
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_null(state_read_ended("web")); /* it has not ended for good */
    turn();
    wait_child();
    turn();
    next_is(fd, D_END,
            "powered off; not created again: web: keeping its configuration: No space left");
    close(fd);
    ended = state_read_ended("web");
    assert_string_equal(
        ended, "powered off; not created again: web: keeping its configuration: No space left");
    free(ended);
    ended = file_text(state_path("given"));
    assert_string_equal(ended, given);
    free(ended);
    free(given);
    assert_int_not_equal(access(state_path("domains/restart-web.xml"), F_OK), 0);
    assert_null(fake_is_clean(f));
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(readers),
        T(slow_reader_loses_nothing),
        T(garbage_requests),
        T(reaps_by_policy),
        T(preserves_by_policy),
        T(tidies_up),
        T(adopts),
        T(nobody_waits_for_a_back_end),
        T(makers_wait_for_the_reaper),
        T(restarts),
        T(causes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
