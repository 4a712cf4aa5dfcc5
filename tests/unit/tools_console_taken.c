/* SPDX-License-Identifier: MIT */
/*
 * A guest has its console's ring and port in its hands, and may take them away. A daemon that is
 * started then cannot serve that console; it watches the domain all the same, so that its end is
 * acted upon, and says to who wants the console what has become of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "collector.h"
#include "daemon_support.h"
#include "policy.h"
#include "state.h"

#define NOTE  "\r\n[parvisd: the guest has taken its console away; what it prints is not seen]\r\n"
#define TAKEN "the guest has taken its console away: nobody can type there"

static void revoke_grant(uint32_t domid)
{
    fake_domain(f, domid)->nr_grants = 0;
}

static void close_port(uint32_t domid)
{
    fake_domain(f, domid)->next_port = 0;
}

static void remove_entry(uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/console/port", domid);
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0);
}

/* Cut to 32 bits it is the right one. */
static void write_nonsense(uint32_t domid)
{
    char path[64], text[32];

    snprintf(path, sizeof(path), "/local/domain/%u/console/port", domid);
    snprintf(text, sizeof(text), "%llu", (1ull << 32) + console_port(domid));
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, text), 0);
}

static void (*const ways[])(uint32_t domid) = {revoke_grant, close_port, remove_entry,
                                               write_nonsense};

static void a_new_daemon_looks(void)
{
    console_close_all(&f->host);
    daemon_hear();
    collector_look(&f->host);
    assert_non_null(strstr(daemon_heard(), "web: reaching the console ring of domain "));
}

/* The history of the daemon before is there, and behind it what this one found. */
static void it_is_watched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct state_entry s;
        uint32_t domid;

        say(serve("web", "destroy", &domid), "hello", 5);
        ways[i](domid);
        a_new_daemon_looks();
        assert_int_equal(console_by_domid(domid) == console_by_name("web"), true);
        history_says("web", "hello" NOTE);
        fake_shutdown(f, domid, SHUTDOWN_poweroff);
        policy_check(&f->host);
        turn();
        assert_null(fake_domain(f, domid));
        assert_int_equal(state_get("web", &s), -ENOENT);
        assert_string_equal(console_by_name("web")->how, "powered off");
        history_says("web", "hello" NOTE);
        assert_null(fake_is_clean(f));
    }
}

/* One that somebody else destroys is tidied up after, and the next daemon finds its history. */
static void nothing_is_left(void **state)
{
    struct state_entry s;
    uint32_t domid;

    (void)state;
    say(serve("web", "destroy", &domid), "hello", 5);
    revoke_grant(domid);
    a_new_daemon_looks();
    a_new_daemon_looks();
    history_says("web", "hello" NOTE NOTE);
    f->host.ops->domain_destroy(&f->host, domid);
    policy_check(&f->host);
    turn();
    assert_int_equal(state_get("web", &s), -ENOENT);
    assert_null(fake_is_clean(f));
}

/* The ring of the one that waited for its window is not looked at any more, nor is its port. */
static void nothing_is_moved(void **state)
{
    struct xencons_interface *ring;
    struct console *c;
    uint32_t domid, port;

    (void)state;
    ring = serve("web", "destroy", &domid);
    port = console_by_name("web")->port;
    console_by_name("web")->masked = true;
    console_release(&f->host, console_by_name("web"), "gone");
    revoke_grant(domid);
    daemon_hear();
    assert_int_equal(console_adopt(&f->host, domid, "web", &(struct error){0}), 0);
    daemon_heard();
    c = console_by_name("web");
    assert_int_equal(c->domid, domid);
    say(ring, "unseen", 6);
    console_event(&f->host, port);
    console_pump(&f->host, c);
    assert_int_equal(console_pump_waiting(&f->host), -1);
    history_says("web", NOTE);
    assert_false(c->masked);
}

/* Who asks for it is told; so is who had waited for the domain's next life, and types. */
static void clients_are_told(void **state)
{
    uint32_t domid;
    int fd, early;

    (void)state;
    make_guest("web", "destroy", &domid);
    assert_int_equal(console_expect("web"), 0);
    early = ask(D_CONSOLE, "web");
    next_is(early, D_OK, "");
    revoke_grant(domid);
    daemon_hear();
    assert_int_equal(console_adopt(&f->host, domid, "web", &(struct error){0}), 0);
    daemon_heard();
    fd = ask(D_TAKE, "web");
    next_is(fd, D_REFUSED, "-32 web: " TAKEN "; `pvctl log` shows what it printed");
    close(fd);
    turn();
    next_is(early, D_DATA, NULL);
    assert_int_equal(daemon_send(early, D_DATA, "typed", 5), 0);
    turn();
    next_is(early, D_END, TAKEN);
    next_is(early, 0, "");
    close(early);
    turn();
    fd = ask(D_LOG, "web");
    next_is(fd, D_OK, "");
    turn();
    next_is(fd, D_HISTORY, NULL);
    close(fd);
}

#define BACK "\r\n[parvisd: the guest has given its console back]\r\n"

/* Who asks for it has it, if the guest has given it back; so has the daemon when it looks. */
static void it_is_given_back(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct xencons_interface *ring;
        unsigned int grants;
        uint32_t domid;
        int fd;

        ring = serve("web", "destroy", &domid);
        grants = fake_domain(f, domid)->nr_grants;
        revoke_grant(domid);
        a_new_daemon_looks();
        say(ring, "unseen", 6);
        collector_look(&f->host);
        assert_null(console_by_name("web")->ring);
        fake_domain(f, domid)->nr_grants = grants;
        if (!asked)
            collector_look(&f->host);
        fd = ask(D_CONSOLE, "web");
        next_is(fd, D_OK, "");
        turn();
        next_is(fd, D_DATA, NOTE BACK "unseen");
        assert_int_equal(daemon_send(fd, D_DATA, "typed", 5), 0);
        turn();
        assert_int_equal(ring->in_prod - ring->in_cons, 5);
        ring->in_cons = ring->in_prod; /* it may be the next one's, too */
        say(ring, "seen", 4);
        fire("web");
        turn();
        next_is(fd, D_DATA, "seen");
        close(fd);
        fd = ask(D_REAP, destroys(domid, NULL, "web"));
        next_is(fd, D_OK, "");
        close(fd);
        assert_null(fake_is_clean(f));
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_is_watched),    T(nothing_is_left),  T(nothing_is_moved),
        T(clients_are_told), T(it_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
