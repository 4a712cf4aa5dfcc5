/* SPDX-License-Identifier: MIT */
/*
 * Domains that crash and are preserved by another name (rename-restart), again and again: two are
 * kept of each name, and a guest that does nothing else costs nobody anything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "collector.h"
#include "daemon_support.h"
#include "policy.h"
#include "restart.h"
#include "state.h"

/* A life that crashes, and is preserved. */
static uint32_t preserved(void)
{
    uint32_t domid = serve_one("rename-restart");

    crash(domid);
    restart_forget("web");
    policy_give_up("web");
    turn();
    return domid;
}

/* A person's, that ended and stays. */
static uint32_t persons(const char *name)
{
    uint32_t domid;

    serve("other", "preserve", &domid);
    give_name(domid, "other", name);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_non_null(fake_domain(f, domid));
    return domid;
}

/* Two are kept: a guest that crashes again and again takes no more memory than that. Of the others
 * nothing is left. What a person named so stays, whatever its name, and so does another domain's
 * whose name begins alike. */
static void two_are_preserved(void **state)
{
    uint32_t own = persons("web-20260101T000000Z"), first, second, third;
    struct state_entry s;
    char name[65];

    (void)state;
    first = preserved();
    snprintf(name, sizeof(name), "%s", name_of(first));
    assert_int_equal(state_get(name, &s), 0);
    assert_string_equal(s.former, "web");
    second = preserved();
    assert_non_null(fake_domain(f, first));
    third = serve_one("rename-restart");
    crash(third);
    assert_null(fake_domain(f, first));
    assert_int_equal(state_get(name, &s), -ENOENT);
    assert_null(state_read_ended(name));
    assert_int_not_equal(access(state_path("console/%s.log", name), F_OK), 0);
    assert_non_null(fake_domain(f, second));
    assert_non_null(fake_domain(f, third));
    assert_non_null(fake_domain(f, own));
    assert_int_equal(state_get("web-20260101T000000Z", &s), 0);
    assert_string_equal(s.former, "");
}

/* How many consoles are kept whose name begins so. */
static unsigned int consoles_like(const char *begin)
{
    unsigned int n = 0;

    for (const struct console *c = consoles; c; c = c->next)
        n += strncmp(c->name, begin, strlen(begin)) == 0;
    return n;
}

/* What others said is kept: those of one name that go take nobody's place, however many. */
static void others_consoles_stay(void **state)
{
    uint32_t domid, left;
    char *how;

    (void)state;
    say(serve("db", "destroy", &domid), "why it died", 11);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    for (unsigned int i = 0; i < 2 * CONSOLES_ENDED; i++) {
        left = preserved();
        if (i % 3 == 0) { /* somebody has looked at it, and destroys it without a word to us */
            f->host.ops->domain_destroy(&f->host, left);
            policy_check(&f->host);
            turn();
        }
        /* two that are preserved, two that have gone, and one that goes with the next */
        assert_true(consoles_like("web-") <= 2 * CONSOLES_ASIDE + 1);
    }
    history_says("db", "why it died");
    how = state_read_ended("db");
    assert_string_equal(how, "powered off");
    free(how);
    assert_int_equal(access(state_path("console/db.log"), F_OK), 0);
}

/* The next daemon knows whose they were. */
static void next_daemon_knows_them(void **state)
{
    uint32_t kept = preserved(), other = preserved();

    (void)state;
    assert_string_equal(console_by_domid(kept)->aside_of, "web");
    console_close_all(&f->host);
    collector_look(&f->host);
    assert_string_equal(console_by_domid(kept)->aside_of, "web");
    assert_string_equal(console_by_domid(other)->aside_of, "web");
}

/* Who is given the name of one that was preserved and has gone is not put aside: what its own
 * configuration says is done. */
static void next_of_its_name_is_not(void **state)
{
    uint32_t kept = preserved(), next;
    char name[65];

    (void)state;
    snprintf(name, sizeof(name), "%s", name_of(kept));
    f->host.ops->domain_destroy(&f->host, kept);
    policy_check(&f->host);
    turn();
    assert_non_null(console_by_name(name));
    serve(name, "destroy", &next);
    assert_string_equal(console_by_domid(next)->aside_of, "");
    fake_shutdown(f, next, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    assert_null(fake_domain(f, next));
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(two_are_preserved),
        T(others_consoles_stay),
        T(next_daemon_knows_them),
        T(next_of_its_name_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
