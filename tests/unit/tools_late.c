/* SPDX-License-Identifier: MIT */
/*
 * Clients of the daemon that come late, or say numbers that no domain has: the domain that has
 * the name, the uuid or the like number by now is another one, and nothing of it is touched.
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

#include <xen/sched.h>

#include "collector.h"
#include "daemon_support.h"
#include "policy.h"
#include "reap.h"
#include "state.h"

/* Beyond what a number of a domain can be: cut to 32 bits one is that of no console, one is 1. */
static void numbers_beyond(void **state)
{
    static const char *const numbers[] = {"4294967295", "4294967297", "123456", "-1", "1x", ""};
    uint32_t secret, domid;

    (void)state;
    say(serve("secret", "destroy", &secret), "of secret", 9);
    fake_shutdown(f, secret, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    assert_int_equal(console_by_name("secret")->domid, CONSOLE_NONE);
    assert_null(console_by_domid(CONSOLE_NONE));
    serve("web", "destroy", &domid);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        static const int types[] = {D_REAP, D_RENAME, D_SERVE, D_WAIT};
        char text[128];
        int fd = ask(D_LOG, numbers[i]);

        snprintf(text, sizeof(text), "-3 %s: no such domain, nor a console kept of one",
                 numbers[i]);
        next_is(fd, D_REFUSED, text);
        close(fd);
        for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
            snprintf(text, sizeof(text), "%s%s", numbers[i],
                     types[t] == D_WAIT ? "" : " web destroyed");
            fd = ask(types[t], text);
            snprintf(text, sizeof(text),
                     "-71 parvisd does not understand which domain: '%s' is "
                     "no number of one",
                     numbers[i]);
            next_is(fd, D_REFUSED, text);
            next_is(fd, 0, "");
            close(fd);
        }
    }
    assert_non_null(fake_domain(f, domid));
    assert_int_equal(console_by_name("web")->domid, domid);
}

/* `pvctl destroy` of a domain that has ended and lives again by its name and uuid meanwhile. */
static void the_next_life_stays(void **state)
{
    uint32_t domid;
    char path[80], uuid[37], text[96];
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    uuid_format(fake_domain(f, domid)->d.uuid, uuid);
    snprintf(path, sizeof(path), "/vm/%s/start_time", uuid);
    f->host.ops->store_write(&f->host, 0, path, "123");
    snprintf(text, sizeof(text), "%u web destroyed", domid + 7);
    fd = ask(D_REAP, text);
    snprintf(text, sizeof(text), "-3 web: domain %u has ended; this is the name of domain %u now",
             domid + 7, domid);
    next_is(fd, D_REFUSED, text);
    close(fd);
    assert_string_equal(fake_read(f, path), "123");
    assert_non_null(fake_domain(f, domid));
    /* Without the daemon, or while the next life is made: only what is its own goes. */
    for (int made = 0; made < 2; made++) {
        struct reap r;

        if (made) {
            snprintf(text, sizeof(text), "making.%d.%u/%s", (int)getpid(), domid, uuid);
            assert_int_equal(state_write_link(state_path("names/web"), text), 0);
        }
        reap_begin(&r, domid + 7, fake_domain(f, domid)->d.uuid, "web", "destroyed");
        assert_int_equal(reap_wait(&f->host, &r, NULL), 0);
        assert_string_equal(fake_read(f, path), "123");
    }
    assert_non_null(fake_domain(f, domid));
}

/* A maker was killed between its claim and the number of its domain, of which another program has
 * made one of the same uuid: that is not what the maker left, running or not. */
static void anothers_of_the_uuid_stays(void **state)
{
    const struct host_create c = {.max_vcpus = 1, .uuid = {'u'}};
    uint32_t others, half;
    char path[32];

    (void)state;
    for (int paused = 0; paused < 2; paused++) {
        assert_int_equal(f->host.ops->domain_create(&f->host, &c, &others), 0);
        if (paused) {
            snprintf(path, sizeof(path), "/libxl/%u/dm-version", others);
            f->host.ops->store_write(&f->host, 0, path, "qemu_xen");
        } else {
            f->host.ops->domain_unpause(&f->host, others);
        }
        assert_int_equal(f->host.ops->domain_create(&f->host, &c, &half), 0);
        assert_int_equal(symlink("making.67108863/75000000-0000-0000-0000-000000000000",
                                 state_path("names/web")),
                         0);
        assert_string_equal(name_of(half), "web");
        assert_string_not_equal(name_of(others), "web");
        collector_look(&f->host);
        turn();
        assert_non_null(fake_domain(f, others));
        assert_null(fake_domain(f, half));
        assert_int_equal(f->host.ops->domain_destroy(&f->host, others), 0);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(numbers_beyond), T(the_next_life_stays),
                                       T(anothers_of_the_uuid_stays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
