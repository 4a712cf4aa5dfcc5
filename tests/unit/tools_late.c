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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "collector.h"
#include "daemon_support.h"
#include "policy.h"
#include "pvctl_process.h"
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
    char path[96], uuid[37], text[96];
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    uuid_format(fake_domain(f, domid)->d.uuid, uuid);
    snprintf(path, sizeof(path), "/local/domain/%u/vm/%s/start_time", domid, uuid);
    f->host.ops->store_write(&f->host, 0, path, "123");
    fd = ask(D_REAP, destroys(domid + 7, fake_domain(f, domid)->d.uuid, "web"));
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

/* The number is another's by now: what it had then is not what goes. */
static void the_next_of_the_number_stays(void **state)
{
    const uint8_t former[16] = {9};
    char text[96];
    uint32_t domid;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    for (int i = 0; i < 2; i++) { /* of one of its name, or of any */
        const char *name = i ? "db" : "web";

        fd = ask(D_REAP, destroys(domid, former, name));
        snprintf(text, sizeof(text), "-3 %s: it has ended; domain %u is another one now", name,
                 domid);
        next_is(fd, D_REFUSED, text);
        close(fd);
    }
    f->calls = 0;
    f->fail_at = 1; /* nor where it cannot be told */
    fd = ask(D_REAP, destroys(domid, NULL, "web"));
    f->fail_at = 0;
    next_is(fd, D_REFUSED, "-12 web: listing the domains: not enough memory");
    close(fd);
    turn();
    assert_non_null(fake_domain(f, domid));
    assert_int_equal(console_by_name("web")->domid, domid);
    fd = ask(D_REAP, destroys(domid, NULL, "web"));
    next_is(fd, D_OK, "");
    close(fd);
    assert_null(fake_domain(f, domid));
}

/* The uuid that one had another has by now, by another name. */
static void the_next_of_the_uuid_stays(void **state)
{
    struct reap r;
    uint32_t domid;
    char path[80], uuid[37];

    (void)state;
    serve("web", "destroy", &domid);
    uuid_format(fake_domain(f, domid)->d.uuid, uuid);
    snprintf(path, sizeof(path), "/vm/%s/start_time", uuid);
    f->host.ops->store_write(&f->host, 0, path, "123");
    reap_begin(&r, domid + 7, fake_domain(f, domid)->d.uuid, "shop", "destroyed");
    assert_int_equal(reap_wait(&f->host, &r, NULL), 0);
    assert_string_equal(fake_read(f, path), "123");
    fake_domain(f, domid)->d.dying = true; /* that one goes, too */
    reap_begin(&r, domid + 7, fake_domain(f, domid)->d.uuid, "shop", "destroyed");
    assert_int_equal(reap_wait(&f->host, &r, NULL), 0);
    assert_null(fake_read(f, path));
}

/* Exit status 3: no such domain. Between pvctl's look, in its own copy of the model, and its asking
 * the number has become another's. */
static void pvctl_comes_late(void **state)
{
    FILE *out = tmpfile();
    char text[96], says[96];
    uint32_t domid;
    int status;
    pid_t pid;

    (void)state;
    assert_non_null(out);
    serve("web", "destroy", &domid);
    pid = fork();
    if (pid == 0)
        process_becomes("destroy web", out);
    fake_domain(f, domid)->d.uuid[15] = 1;
    while (waitpid(pid, &status, WNOHANG) == 0)
        turn();
    assert_int_equal(WEXITSTATUS(status), 3);
    rewind(out);
    text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
    fclose(out);
    snprintf(says, sizeof(says), "pvctl: web: it has ended; domain %u is another one now\n", domid);
    assert_string_equal(text, says);
    assert_non_null(fake_domain(f, domid));
    assert_int_equal(console_by_name("web")->domid, domid);
}

/* Somebody destroyed a domain without a word to parvisd, and its name is another's by now: what the
 * one had goes by the uuid that it has as long as it is seen, and the other keeps what is its. */
static void of_one_that_goes_by_itself(void **state)
{
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        char path[80], uuid[37], nexts[96], *entry;
        uint32_t domid, next;
        struct state_entry s;

        serve("web", "destroy", &domid);
        uuid_format(fake_domain(f, domid)->d.uuid, uuid);
        snprintf(path, sizeof(path), "/vm/%s/start_time", uuid);
        f->host.ops->store_write(&f->host, 0, path, "123");
        if (seen)
            fake_domain(f, domid)->d.dying = true;
        else
            assert_int_equal(f->host.ops->domain_destroy(&f->host, domid), 0);
        make_guest("mail", "destroy", &next);
        snprintf(nexts, sizeof(nexts), "%u/%s", next, "6d000000-0000-0000-0000-000000000000");
        assert_int_equal(state_write_link(state_path("names/web"), nexts), 0);
        assert_int_equal(policy_check(&f->host), 0);
        turn();
        assert_null(fake_domain(f, domid));
        entry = (char *)(uintptr_t)fake_read(f, path);
        assert_int_equal(entry != NULL, !seen); /* whose it is nobody knows */
        assert_int_equal(state_get("web", &s), 0);
        assert_int_equal(s.domid, next);
        assert_non_null(fake_domain(f, next));
        assert_int_equal(f->host.ops->domain_destroy(&f->host, next), 0);
        unlink(state_path("names/web"));
        unlink(state_path("names/mail"));
    }
}

/* A maker was killed, and the store does not say whose the domain of its uuid is: it is listed as
 * nobody's, nothing is taken away, and it is looked at again. */
static void a_claim_without_the_store(void **state)
{
    const struct host_create c = {.max_vcpus = 1, .uuid = {'u'}};
    char text[32];
    uint32_t half;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &half), 0);
    assert_int_equal(
        symlink("making.67108863/75000000-0000-0000-0000-000000000000", state_path("names/web")),
        0);
    f->store_dead = true;
    snprintf(text, sizeof(text), "(domain-%u)", half);
    assert_string_equal(name_of(half), text);
    collector_look(&f->host);
    turn();
    assert_non_null(fake_domain(f, half));
    f->store_dead = false;
    assert_string_equal(name_of(half), "web");
    clock_ms += COLLECT_AGAIN_MS;
    turn();
    assert_null(fake_domain(f, half));
}

/* Cut to 32 bits it would be one of the domain's. */
static void ports_beyond(void **state)
{
    static const char *const numbers[] = {"", "-1", "1x", "x", "99999999999999999999"};
    char text[128], port[32];
    uint32_t domid;
    int fd;

    (void)state;
    make_guest("web", "destroy", &domid);
    for (size_t i = 0; i <= sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (i < sizeof(numbers) / sizeof(numbers[0]))
            snprintf(port, sizeof(port), "%s", numbers[i]);
        else
            snprintf(port, sizeof(port), "%llu", (1ull << 32) + console_port(domid));
        snprintf(text, sizeof(text), "%u %s web", domid, port);
        fd = ask(D_SERVE, text);
        snprintf(text, sizeof(text), "-71 web: '%s' is no number of a port", port);
        next_is(fd, D_REFUSED, text);
        close(fd);
        assert_null(console_by_name("web"));
    }
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
    const struct CMUnitTest tests[] = {
        T(numbers_beyond),
        T(ports_beyond),
        T(the_next_life_stays),
        T(the_next_of_the_number_stays),
        T(the_next_of_the_uuid_stays),
        T(pvctl_comes_late),
        T(of_one_that_goes_by_itself),
        T(anothers_of_the_uuid_stays),
        T(a_claim_without_the_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
