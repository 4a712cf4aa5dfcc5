/* SPDX-License-Identifier: MIT */
/*
 * The daemon and its clients: readers of consoles, slow ones, and those that send garbage.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "cause.h"
#include "child.h"
#include "client.h"
#include "daemon.h"
#include "daemon_support.h"
#include "devices.h"
#include "lifecycle.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"

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
    assert_int_equal(daemon_send(a, D_DATA, "typed", 5), 0);
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
    next_is(a, D_REFUSED, "-3 nobody: no such domain, nor a console kept of one");
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
                if (!say(ring, &byte, 1))
                    break;
                said++;
            }
            clock_ms += CONSOLE_WINDOW_MS;
            fire("web");
            turn();
        }
        assert_int_equal(daemon_receive(fd, buf, &len), D_DATA);
        for (size_t i = 0; i < len; i++, got++)
            assert_int_equal(buf[i], 'a' + got % 26);
    }
    assert_int_equal(got, all);
    close(fd);
}

static uint32_t others_domain(const char *name)
{
    struct host_create c = {.max_vcpus = 1, .uuid = {9}};
    char path[64];
    uint32_t domid;

    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &domid), 0);
    assert_int_equal(f->host.ops->domain_max_vcpus(&f->host, domid, 1), 0);
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, name), 0);
    return domid;
}

static int wait_for(uint32_t domid)
{
    char id[16];

    snprintf(id, sizeof(id), "%u", domid);
    return ask(D_WAIT, id);
}

/* Domains that other programs made, and take away: their ends are told all the same. */
static void waits_for_others(void **state)
{
    uint32_t one = others_domain("shop"), other = others_domain("mail");
    int a = wait_for(one), b = wait_for(other), c;

    (void)state;
    next_is(a, D_OK, "");
    next_is(b, D_OK, "");
    policy_check(&f->host);
    fake_shutdown(f, one, SHUTDOWN_reboot);
    policy_check(&f->host);
    next_is(a, D_END, "rebooted");
    next_is(a, 0, "");
    c = wait_for(one);
    next_is(c, D_REFUSED, NULL); /* it has ended */
    assert_int_equal(f->host.ops->domain_destroy(&f->host, other), 0);
    policy_check(&f->host);
    next_is(b, D_END, "destroyed");
    close(a);
    close(b);
    close(c);
    c = wait_for(other);
    next_is(c, D_REFUSED, NULL);
    close(c);
    c = wait_for(0);
    next_is(c, D_REFUSED, NULL);
    close(c);
}

/* A console that was kept of ours is not that of the domain that has its name now. */
static void others_have_the_name(void **state)
{
    uint32_t domid;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    policy_release(&f->host, domid, "powered off");
    assert_int_equal(f->host.ops->domain_destroy(&f->host, domid), 0);
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    close(fd);
    turn();
    others_domain("web");
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_REFUSED,
            "-61 web: parvisd does not watch this domain: it was not created by pvctl");
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

        assert_int_equal(
            daemon_send(fd, (enum daemon_message)types[i], junk, i % 2 ? sizeof(junk) : 0), 0);
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

/* ---- asking ---- */

/* A client beside the daemon: a thread that has its function and says when it is done. */
struct asker {
    int (*client)(void);
    int rc;
    _Atomic bool done;
};

static void *run_asker(void *arg)
{
    struct asker *a = arg;

    a->rc = a->client();
    a->done = true;
    return NULL;
}

/* The daemon has turns until the client is done. What the client returned: 0 = as it expected. */
static int asked_by(int (*client)(void))
{
    struct asker a = {.client = client};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run_asker, &a), 0);
    while (!a.done) {
        clock_ms += 20;
        turn();
    }
    pthread_join(thread, NULL);
    return a.rc;
}

static int asks_to_make(void)
{
    struct error e = {0};
    int fd = daemon_ask(D_MAKE, "web", &e);

    close(fd);
    return fd < 0 || e.code;
}

static int asks_for_nobody(void)
{
    struct error e = {0};

    return daemon_ask(D_CONSOLE, "nobody", &e) != -ESRCH ||
           strcmp(e.text, "nobody: no such domain, nor a console kept of one") != 0;
}

static int asks_what_is_not_answered(void)
{
    struct error e = {0};

    return daemon_ask(D_OK, "?", &e) != -EPROTO || !strstr(e.text, "does not know this request");
}

static uint32_t number;

/* As pvctl does it. */
static int makes_and_reaps(void)
{
    const struct console_service *cs = &console_by_daemon;
    struct error e = {0};
    int rc = cs->begin(cs->ctx, "fresh", &e);

    rc = rc ? rc : cs->serve(cs->ctx, number, console_port(number), "web", &e);
    if (rc == 0) {
        cs->end(cs->ctx);
        rc = cs->reap(cs->ctx, &fake_domain(f, number)->d, "web", "destroyed", &e);
    }
    return rc;
}

static int reaps_nonsense(void)
{
    struct error e = {0};

    return daemon_ask(D_REAP, "0 Domain-0 destroyed", &e) != -EPROTO;
}

static void asks(void **state)
{
    (void)state;
    assert_int_equal(asked_by(asks_to_make), 0);
    assert_int_equal(asked_by(asks_for_nobody), 0);
    assert_int_equal(asked_by(asks_what_is_not_answered), 0);
    make_guest("web", "destroy", &number);
    assert_int_equal(asked_by(makes_and_reaps), 0);
    assert_int_equal(asked_by(reaps_nonsense), 0);
    assert_null(fake_is_clean(f));
}

#define MANY 300 /* domains of a large machine */

/* Who ends all domains and waits is told of each; others are heard meanwhile. */
static void many_are_waited_for(void **state)
{
    int waiter[MANY], fd;
    uint32_t domid;
    char id[16];

    (void)state;
    serve("web", "destroy", &domid);
    snprintf(id, sizeof(id), "%u", domid);
    for (int i = 0; i < MANY; i++) {
        waiter[i] = ask(D_WAIT, id);
        next_is(waiter[i], D_OK, "");
    }
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    close(fd);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    for (int i = 0; i < MANY; i++) {
        next_is(waiter[i], D_END, "powered off");
        close(waiter[i]);
    }
}

static bool is_kept(const char *path)
{
    return access(path, F_OK) == 0;
}

static void ends_at_once(const char *name)
{
    uint32_t domid;

    serve(name, "destroy", &domid);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
}

static void others_end(unsigned int n)
{
    char name[16];

    for (unsigned int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "web%u", i);
        ends_at_once(name);
    }
}

/* However many names there have been: of the last ones what they said and how they ended is kept.
 */
static void few_ended_are_kept(void **state)
{
    (void)state;
    others_end(CONSOLES_ENDED + 3);
    for (unsigned int i = 0; i < CONSOLES_ENDED + 3; i++) {
        assert_int_equal(is_kept(state_path("console/web%u.log", i)), i >= 2);
        assert_int_equal(is_kept(state_path("ended/web%u", i)), i >= 2);
    }
}

/* The next life's console is one too many, and the oldest is the very next that is looked at. */
static void the_next_to_be_looked_at_may_go(void **state)
{
    uint32_t domid;

    (void)state;
    ends_at_once("old");
    serve("shop", "rename-restart", &domid);
    others_end(CONSOLES_ENDED);
    clock_ms += 2 * RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_true(console_by_name("shop")->restarting);
    serve("last", "destroy", &domid);
    assert_null(console_by_name("old"));
}

/* Who is told to stop making the next life is waited for, whoever else has ended meanwhile. */
static void who_is_told_to_stop_is_waited_for(void **state)
{
    uint32_t domid;
    pid_t pid;

    (void)state;
    child_set_pvctl("/bin/true");
    serve("shop", "restart", &domid);
    clock_ms += 2 * RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    assert_true(policy_is_making("shop"));
    pid = console_by_name("shop")->restarter;
    policy_give_up("shop");
    others_end(CONSOLES_ENDED + 2);
    assert_true(policy_is_making("shop"));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    policy_child(&f->host, pid, 0);
    assert_false(policy_is_making("shop"));
}

#define MAX_CALLERS 200

static unsigned int slept;

static void count_sleep(unsigned int ms)
{
    slept += ms;
}

/* A daemon that is being started again is waited for, but not for ever. */
static void absent(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    struct error e = {0};
    int callers[MAX_CALLERS], nr;

    (void)state;
    model.sleep_ms = count_sleep;
    device_system = &model;
    /* One that is stopped takes no more callers than may wait. */
    for (nr = 0; nr < MAX_CALLERS && (callers[nr] = daemon_connect(&e)) >= 0; nr++) {
    }
    assert_string_equal(e.text, "parvisd does not answer in time (it runs: the machine is busy, "
                                "or it is stopped)");
    assert_in_range(nr, 2, MAX_CALLERS - 1);
    assert_int_equal(slept, DAEMON_START_MS);
    while (nr > 0)
        close(callers[--nr]);
    slept = 0;
    e.code = 0;
    unlink(state_path("parvisd.sock"));
    assert_int_equal(daemon_ask(D_MAKE, "web", &e), -ECONNREFUSED);
    assert_non_null(strstr(e.text, "parvisd does not run, and was not started again in time (/"));
    assert_int_equal(slept, DAEMON_START_MS);
    device_system = real;
}

/* Who is not answered in time asks another daemon if the first has ended, and no other: it would
 * have been asked twice. */
static void late_is_not_gone(void **state)
{
    int end[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, end), 0);
    assert_false(daemon_has_gone(end[0]));
    assert_int_equal(daemon_send(end[1], D_OK, "", 0), 0);
    assert_false(daemon_has_gone(end[0]));
    close(end[1]);
    assert_true(daemon_has_gone(end[0]));
    close(end[0]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(readers),
        T(slow_reader_loses_nothing),
        T(waits_for_others),
        T(others_have_the_name),
        T(garbage_requests),
        T(asks),
        T(absent),
        T(late_is_not_gone),
        T(many_are_waited_for),
        T(few_ended_are_kept),
        T(the_next_to_be_looked_at_may_go),
        T(who_is_told_to_stop_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
