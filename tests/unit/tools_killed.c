/* SPDX-License-Identifier: MIT */
/*
 * Makers and reapers that are killed, at each step once: the daemon takes away what is left.
 * Daemons that are killed: the next one starts again who was to live again.
 *
 * The process that makes a domain jumps out of the call in which it is killed; the kernel's
 * part (unmapping, closing what it had open) is played by the model. Then the daemon's
 * collector looks, as it does when a maker's connection breaks or when a new daemon starts,
 * and the machine must be as it was before: no domain, no entry, no name.
 */
#define _GNU_SOURCE /* _Fork */
#include <errno.h>
#include <fcntl.h>
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

#include <xen/sched.h>

#include "child.h"
#include "client.h"
#include "collector.h"
#include "daemon_support.h"
#include "devices.h"
#include "fake_parts.h"
#include "killed_calls.h"
#include "lifecycle.h"
#include "loader_support.h"
#include "policy.h"
#include "reaper.h"
#include "restart.h"
#include "state.h"

/* More of the C library's calls that are steps. */

int symlink(const char *target, const char *path)
{
    fake_gives_back(f, __func__);
    return symlinkat(target, AT_FDCWD, path);
}

pid_t fork(void)
{
    pid_t pid = _Fork();

    if (pid)
        fake_gives_back(f, __func__);
    return pid;
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
static int serve_console(void *ctx, uint32_t domid, uint32_t port, const char *name,
                         struct error *e)
{
    uint64_t at = f->kill_at;
    int rc;

    f->kill_at = 0;
    rc = console_serve(ctx, domid, port, name, e);
    f->kill_at = at;
    return rc;
}

static int no_daemon(void *ctx, const struct host_domain *d, const char *name, const char *how,
                     struct error *e)
{
    (void)ctx, (void)d, (void)name, (void)how;
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

static int make_of(struct domain_config *c, bool paused)
{
    struct error e = {0};
    uint32_t domid;
    int rc = lifecycle_make(&f->host, c, &service, &domid, &e);

    rc = rc ? rc : lifecycle_go(&f->host, c, &service, domid, paused, &e);
    domain_config_free(c);
    return rc;
}

static bool devices; /* the domains that are made have some */

static int make_and_go(bool paused)
{
    struct domain_config c = {.name = strdup("web"),
                              .kernel = strdup(kernel),
                              .cmdline = strdup(""),
                              .on_reboot = END_RESTART,
                              .memory_kib = 4096,
                              .current_kib = 4096,
                              .max_vcpus = 1,
                              .vcpus = 1};

    if (devices) {
        c.disks = calloc(1, sizeof(*c.disks));
        c.disks[c.nr_disks++] = (struct disk_config){
            .source = strdup("/srv/a.img"), .target = strdup("xvda"), .vdev = 51712};
        c.nics = calloc(1, sizeof(*c.nics));
        c.nics[c.nr_nics++] = (struct nic_config){.bridge = strdup("xenbr0")};
    }
    return make_of(&c, paused);
}

static void settle(void)
{
    policy_check(&f->host);
    collector_look(&f->host);
    for (int i = 0; i < 200 && reaper_has_name("web"); i++) {
        clock_ms += 20;
        collector_run(&f->host);
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
    return true;
}

/* A process that makes or takes away, and what the kernel gives back of it. */
static bool tool_killed(int (*process)(void), uint64_t at)
{
    bool died = killed(process, at);

    if (died)
        fake_process_died(f);
    return died;
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

static bool is_whole(void)
{
    struct state_entry s;

    return state_get("web", &s) == 0 && !s.maker && console_by_domid(s.domid);
}

static void makers(void **state)
{
    bool died = true;
    uint64_t at;

    (void)state;
    write_kernel();
    service.ctx = &f->host;
    for (at = 1; died; at++) {
        const char *of;

        died = tool_killed(maker, at);
        of = died ? f->failed_call : "nothing";
        settle();
        if (is_whole()) /* killed behind the last thing that mattered */
            assert_int_equal(reaper(), 0);
        settle();
        assert_nothing_left(of);
    }
    assert_true(at > 35);
}

static int refuse_console(void *ctx, uint32_t domid, uint32_t port, const char *name,
                          struct error *e)
{
    (void)ctx, (void)domid, (void)port;
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
    for (at = 1; tool_killed(failing_maker, at); at++) {
        settle();
        assert_nothing_left(f->failed_call);
    }
    service.serve = serve_console;
    assert_true(at > 50);
    assert_nothing_left("nothing");
}

/* Destroyed without the daemon's help; a new daemon finds what is left. Until its entries begin to
 * go it lives, and is taken up like any other. */
static void reapers(void **state)
{
    uint64_t at;

    (void)state;
    write_kernel();
    service.ctx = &f->host;
    for (at = 1;; at++) {
        char path[64];
        bool ended;

        assert_int_equal(make_and_go(true), 0);
        console_close_all(&f->host); /* the daemon is dead */
        ended = !tool_killed(reaper, at);
        settle();
        if (!ended && console_by_name("web")) {
            assert_non_null(fake_domain(f, console_by_name("web")->domid));
            snprintf(path, sizeof(path), "/local/domain/%u/name", console_by_name("web")->domid);
            assert_non_null(fake_read(f, path));
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

static void with_devices(void (*test)(void **state), void **state)
{
    const struct device_system *was = device_system;

    device_system = &willing_system;
    devices = true;
    test(state);
    devices = false;
    device_system = was;
}

static void makers_of_devices(void **state)
{
    with_devices(makers, state);
}

static void reapers_of_devices(void **state)
{
    with_devices(reapers, state);
}

/* ---- the daemon is killed ---- */

static unsigned int lives; /* begun */

/* A stand-in for pvctl: the domain is made by the test, when it has been started. */
static void no_pvctl(void)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s", state_path("pvctl"));
    out = fopen(path, "w");
    fputs("#!/bin/sh\ngrep -q '<name>web</name>' $2\n", out);
    fclose(out);
    chmod(path, 0700);
    child_set_pvctl(path);
}

/* The daemon's child makes the domain; it is another process and is not killed. */
static void let_child_make(void)
{
    struct domain_config c;
    uint64_t at = f->kill_at;
    struct error e = {0};
    char *xml;
    int status = -1;
    pid_t pid = waitpid(-1, &status, 0);

    f->kill_at = 0;
    assert_int_equal(status, 0); /* it was given the configuration */
    assert_return_code(state_read_file(restart_path("web"), &xml), 0);
    assert_int_equal(domain_config_parse(xml, strlen(xml), "web.xml", &c, &e), 0);
    free(xml);
    assert_int_equal(make_of(&c, false), 0);
    lives++;
    f->kill_at = at;
    policy_child(&f->host, pid, status);
}

/* From its start until it has nothing more to do. */
static int daemon_lives(void)
{
    collector_look(&f->host);
    policy_check(&f->host);
    for (int i = 0; i < 100; i++) {
        clock_ms += 20;
        turn();
        if (console_by_name("web") && console_by_name("web")->restarter)
            let_child_make();
    }
    return 0;
}

/* What it knew is forgotten by its own functions, none of which reaches anything; its child ends
 * with it. */
static void daemon_died(void)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "%s", getenv("PARVIS_RUN"));
    setenv("PARVIS_RUN", "/nonexistent", 1);
    f->store_dead = f->will_not_die = true;
    f->transactions = 0;
    client_close_all();
    reaper_close(&f->host);
    console_close_all(&f->host);
    f->store_dead = f->will_not_die = false;
    setenv("PARVIS_RUN", dir, 1);
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

/* Runs a daemon that is killed at call `at`; false: it came through. */
static bool daemon_killed(uint64_t at)
{
    int first = dup(0); /* what it opens comes behind */
    bool died = killed(daemon_lives, at);

    if (died) {
        daemon_died();
        closefrom(first);
    } else {
        close(first);
    }
    return died;
}

static ino_t kept_file(uint32_t domid)
{
    struct stat st;

    assert_int_equal(stat(state_path("domains/%u.xml", domid), &st), 0);
    return st.st_ino;
}

/* The domain lives again, once, and nothing of its former life or of the wish is left. */
static void assert_next_life(uint32_t former, const char *of)
{
    struct live_domain *all;
    struct state_entry s;
    size_t n;

    if (lives != 1)
        fail_msg("%u lives after the daemon was killed in %s", lives, of);
    assert_int_equal(lifecycle_list(&f->host, &all, &n, NULL), 0);
    assert_int_equal(n, 2); /* the control domain, and this */
    assert_string_equal(all[1].name, "web");
    assert_int_not_equal(all[1].d.domid, former);
    assert_int_equal(state_get("web", &s), 0);
    assert_int_equal(s.maker, 0);
    assert_int_equal(console_by_name("web")->domid, s.domid);
    assert_false(restart_intended("web"));
    assert_null(state_read_ended("web"));
    free(all);
}

static void daemons(void **state)
{
    bool died = true;
    uint64_t at;

    (void)state;
    write_kernel();
    no_pvctl();
    service.ctx = &f->host;
    for (at = 1; died; at++) {
        uint32_t former;
        ino_t file;

        assert_int_equal(make_and_go(false), 0);
        former = console_by_name("web")->domid;
        file = kept_file(former);
        fake_shutdown(f, former, SHUTDOWN_reboot);
        lives = 0;
        died = daemon_killed(at);
        if (died)
            daemon_lives();
        assert_next_life(former, f->failed_call);
        /* On a full disk there is no room for another. */
        assert_int_equal(kept_file(console_by_name("web")->domid), file);
        assert_int_equal(reaper(), 0);
        settle();
        console_close_all(&f->host);
        assert_nothing_left(f->failed_call);
    }
    assert_true(at > 11);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(makers), T(undoers), T(reapers), T(makers_of_devices), T(reapers_of_devices), T(daemons)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
