/* SPDX-License-Identifier: MIT */
/*
 * Makers and reapers that are killed, at each step once: the daemon takes away what is left.
 *
 * The process that makes a domain jumps out of the call in which it is killed; the kernel's
 * part (unmapping, closing what it had open) is played by the model. Then the daemon's
 * collector looks, as it does when a maker's connection breaks or when a new daemon starts,
 * and the machine must be as it was before: no domain, no entry, no name.
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

#include "client.h"
#include "daemon_support.h"
#include "lifecycle.h"
#include "loader_support.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"

/* LeakSanitizer's, where the test is built with it: what a killed process had allocated goes with
 * it. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void expect_leaks(bool yes)
{
    void (*call)(void) = yes ? __lsan_disable : __lsan_enable;

    if (call)
        call();
}

static int begin(void *ctx, const char *name, struct error *e)
{
    (void)ctx, (void)name, (void)e;
    return 0;
}

static void end(void *ctx)
{
    (void)ctx;
}

/* The daemon is another process: it is not killed. */
static int serve_console(void *ctx, uint32_t domid, const char *name, struct error *e)
{
    uint64_t at = f->kill_at;
    int rc;

    f->kill_at = 0;
    rc = console_serve(ctx, domid, name, e);
    f->kill_at = at;
    return rc;
}

static int no_daemon(void *ctx, uint32_t domid, const char *name, const char *how, struct error *e)
{
    (void)ctx, (void)domid, (void)name, (void)how;
    return error_set(e, -ECONNREFUSED, "no daemon");
}

static struct console_service service = {begin, end, serve_console, no_daemon, NULL};

static char kernel[96];

static void write_kernel(void)
{
    struct simple_kernel k = {.virt_base = 0xffffffff80000000,
                              .paddr = 0x100000,
                              .size = 0x3000,
                              .hypercall_page = 0xffffffff80101000};
    size_t size;
    uint8_t *image = make_simple_kernel(&k, &size);
    FILE *file;

    snprintf(kernel, sizeof(kernel), "%s", state_path("kernel"));
    file = fopen(kernel, "w");
    fwrite(image, 1, size, file);
    fclose(file);
    free(image);
}

static int make_and_go(bool paused)
{
    struct domain_config c = {.name = strdup("web"),
                              .kernel = strdup(kernel),
                              .cmdline = strdup(""),
                              .memory_kib = 4096,
                              .current_kib = 4096,
                              .max_vcpus = 1,
                              .vcpus = 1};
    struct error e = {0};
    uint32_t domid;
    int rc = lifecycle_make(&f->host, &c, &service, &domid, &e);

    rc = rc ? rc : lifecycle_go(&f->host, &c, &service, domid, paused, &e);
    domain_config_free(&c);
    return rc;
}

static void settle(void)
{
    policy_check(&f->host);
    reaper_collect(&f->host);
    for (int i = 0; i < 200 && reaper_has_name("web"); i++) {
        clock_ms += 20;
        reaper_run(&f->host);
    }
}

static void assert_nothing_left(const char *of)
{
    const char *left = fake_is_clean(f);
    struct state_entry s;

    if (left)
        fail_msg("%s is left of a process that was killed in %s (call %llu)", left, of,
                 (unsigned long long)f->kill_at);
    assert_int_equal(state_get("web", &s), -ENOENT);
    assert_int_not_equal(access(state_path("making/web"), F_OK), 0);
}

/* Runs one process that is killed at call `at`; false: it came through. */
static bool killed(int (*process)(void), uint64_t at)
{
    f->calls = 0;
    f->kill_at = at;
    f->failed_call = NULL;
    expect_leaks(true);
    if (setjmp(f->killed) == 0) {
        assert_int_equal(process(), 0);
        expect_leaks(false);
        f->kill_at = 0;
        return false;
    }
    expect_leaks(false);
    f->kill_at = 0;
    fake_process_died(f);
    return true;
}

static int maker(void)
{
    return make_and_go(false);
}

static int reaper(void)
{
    struct live_domain l;
    struct error e = {0};
    int rc = lifecycle_find(&f->host, "web", &l, &e);

    return rc ? rc : lifecycle_reap(&f->host, &l.d, "web", "destroyed", &service, &e);
}

static void makers(void **state)
{
    uint64_t at;

    (void)state;
    write_kernel();
    service.ctx = &f->host;
    for (at = 1; killed(maker, at); at++) {
        settle();
        assert_nothing_left(f->failed_call);
    }
    assert_true(at > 50);
    assert_int_equal(reaper(), 0);
    settle();
    assert_nothing_left("nothing");
}

static int refuse_console(void *ctx, uint32_t domid, const char *name, struct error *e)
{
    (void)ctx, (void)domid;
    return error_set(e, -EIO, "%s: no console", name);
}

static int failing_maker(void)
{
    return make_and_go(false) == -EIO ? 0 : 1;
}

/* A maker that finds at the very end that it fails, and is killed while it undoes. */
static void undoers(void **state)
{
    uint64_t at;

    (void)state;
    write_kernel();
    service.ctx = &f->host;
    service.serve = refuse_console;
    for (at = 1; killed(failing_maker, at); at++) {
        settle();
        assert_nothing_left(f->failed_call);
    }
    service.serve = serve_console;
    assert_true(at > 50);
    assert_nothing_left("nothing");
}

/* Destroyed without the daemon's help; a new daemon finds what is left. Until the domain itself is
 * gone it lives, and is taken up like any other. */
static void reapers(void **state)
{
    uint64_t at;

    (void)state;
    write_kernel();
    service.ctx = &f->host;
    for (at = 1;; at++) {
        bool ended;

        assert_int_equal(make_and_go(true), 0);
        console_close_all(&f->host); /* the daemon is dead */
        ended = !killed(reaper, at);
        settle();
        if (!ended && console_by_name("web")) {
            assert_non_null(fake_domain(f, console_by_name("web")->domid));
            assert_int_equal(reaper(), 0);
            settle();
            console_close_all(&f->host);
        }
        assert_nothing_left(f->failed_call);
        if (ended)
            break;
    }
    assert_true(at >= 6);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(makers), T(undoers), T(reapers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
