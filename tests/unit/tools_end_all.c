/* SPDX-License-Identifier: MIT */
/*
 * pvctl shutdown --all --destroy, on a model of a machine without parvisd: guests that end when
 * they are asked, that do not, that cannot be asked, that live again. Time passes when it sleeps:
 * then the guests do what they do.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "devices.h"
#include "lifecycle_support.h"
#include "pvctl_support.h"
#include "state.h"

static const struct device_system *real;
static struct device_system model;
static const char *obedient[4]; /* who ends when it is asked */
static const char *again;       /* and who lives again then */
static unsigned int unseen;     /* so often the domains cannot be listed */
static unsigned int silent;     /* so often the store does not answer in time */
static bool lingers;            /* back ends do not let go */
static uint64_t clock_ms;
static const struct host_ops *usual;
static unsigned int limit_was;
static bool xl_comes;

uint64_t __wrap_now_ms(void);
void __wrap_limit_set(unsigned int ms);
void __real_limit_set(unsigned int ms);

uint64_t __wrap_now_ms(void)
{
    return clock_ms;
}

/* It has written down who it is. */
static bool xl_has_begun(void)
{
    char *text = NULL;
    bool whole = state_read_file(state_path("xl.pid"), &text) == 0 && strchr(text, '\n');

    free(text);
    return whole;
}

/* No test waits so long; but what is to hang must have begun. */
void __wrap_limit_set(unsigned int ms)
{
    limit_was = ms;
    while (xl_comes && !xl_has_begun())
        sched_yield();
    __real_limit_set(100);
}

static bool backend_lives(const char *device)
{
    (void)device;
    return lingers;
}

static void ends_when_asked(const char *name)
{
    struct live_domain l;
    struct error e = {0};
    const char *wish;
    char path[64];

    if (lifecycle_find(&f->host, name, &l, &e) || l.d.paused || l.d.shutdown)
        return;
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", l.d.domid);
    wish = fake_read(f, path);
    if (!wish || strcmp(wish, "poweroff") != 0)
        return;
    fake_shutdown(f, l.d.domid, SHUTDOWN_poweroff);
    reap(name, "powered off");
    if (again && strcmp(again, name) == 0)
        pvctl_runs(name);
}

static void sleep_ms(unsigned int ms)
{
    clock_ms += ms;
    f->store_dead = f->store_slow = silent && --silent;
    if (unseen && unseen--) {
        f->fail_at = f->calls + 1;
        f->fail_with = -EIO;
        return;
    }
    for (size_t i = 0; i < sizeof(obedient) / sizeof(obedient[0]); i++) {
        if (obedient[i])
            ends_when_asked(obedient[i]);
    }
}

static int setup(void **state)
{
    real = device_system;
    model = *real;
    model.sleep_ms = sleep_ms;
    model.backend_lives = backend_lives;
    unseen = silent = 0;
    lingers = false;
    device_system = &model;
    memset(obedient, 0, sizeof(obedient));
    again = NULL;
    return lifecycle_setup(state);
}

static int teardown(void **state)
{
    device_system = real;
    return lifecycle_teardown(state);
}

static void says(const char *text)
{
    if (!strstr(pvctl_said, text))
        fail_msg("it does not say \"%s\": %s", text, pvctl_said);
}

static void nobody_is_left(void)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n;

    assert_int_equal(lifecycle_list(&f->host, &l, &n, &e), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(l[i].d.domid, 0);
    free(l);
}

static void who_listens_is_waited_for(void **state)
{
    (void)state;
    pvctl_runs("web");
    pvctl_runs("db")->d.paused = true; /* has run */
    fake_domain(f, 2)->d.cpu_time_ns = 1;
    obedient[0] = "web";
    obedient[1] = "db";
    pvctl_ends("shutdown --all --destroy", 0, "web: asked to end\n");
    says("db: it was paused: it goes on, asked to end\n");
    says("\nweb: powered off\n");
    says("\ndb: powered off\n");
    nobody_is_left();
    pvctl_ends("shutdown --all --destroy", 0, ""); /* a second one finds nobody */
    assert_string_equal(pvctl_said, "");
    assert_null(fake_is_clean(f));
}

static void who_does_not_is_destroyed(void **state)
{
    const struct host_create c = {.uuid = {7}, .max_vcpus = 1};
    uint32_t alien;

    (void)state;
    pvctl_runs("deaf");
    pvctl_runs("web");
    obedient[0] = "web";
    start("fresh"); /* paused, and has never run */
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &alien), 0);
    fake_domain(f, alien)->d.paused = false;
    pvctl_ends("shutdown --all --destroy --timeout 1", 1, "deaf: asked to end\n");
    says("deaf: not ended within 1 s: it is destroyed\n");
    says("fresh: it is paused and has never run: it is destroyed\n");
    says("web: powered off\n");
    says(": it cannot be asked, for the store has no entries of it");
    nobody_is_left();
    assert_null(fake_is_clean(f));
}

static void who_lives_again_is_destroyed(void **state)
{
    (void)state;
    pvctl_runs("web");
    obedient[0] = again = "web";
    pvctl_ends("shutdown --all --destroy", 1, "web: asked to end\nweb: ");
    says("web: it was asked to end and lives again: it is destroyed\n");
    nobody_is_left();
}

/* Ended, and preserved: it goes with the machine. */
static void who_has_ended_is_taken_away(void **state)
{
    (void)state;
    fake_shutdown(f, pvctl_runs("web")->d.domid, SHUTDOWN_crash);
    pvctl_ends("shutdown --all --destroy --timeout 1", 1,
               "web: it is still there: it is destroyed\n");
    nobody_is_left();
}

static void without_the_store(void **state)
{
    (void)state;
    pvctl_runs("web");
    f->store_dead = true;
    pvctl_ends("shutdown --all --destroy", 1, ": it is destroyed\n");
    f->store_dead = false;
    nobody_is_left();
}

/* A busy machine: who cannot be asked yet is asked later, and nobody is destroyed for it. */
static void the_store_is_slow(void **state)
{
    (void)state;
    pvctl_runs("web");
    pvctl_runs("db");
    obedient[0] = "web";
    obedient[1] = "db";
    silent = 100;
    f->store_dead = f->store_slow = true;
    clock_ms = 0;
    pvctl_ends("shutdown --all --destroy --timeout 60", 0,
               "asking it to shut down: xenstored does not answer in time");
    says("\nweb: asked to end\n");
    says("\ndb: asked to end\n");
    says("web: powered off\n");
    says("still waiting for web, db, at most ");
    assert_int_equal(clock_ms, 20000 + 200);
    nobody_is_left();
    assert_null(fake_is_clean(f));
    /* It stays so: the time is what they have. */
    pvctl_runs("web");
    silent = UINT_MAX;
    f->store_dead = f->store_slow = true;
    clock_ms = 0;
    pvctl_ends("shutdown --all --destroy --timeout 60", 1,
               "web: not ended within 60 s: it is destroyed\n");
    assert_in_range(clock_ms, 60000, 90000);
    silent = 0;
    f->store_dead = f->store_slow = false;
    nobody_is_left();
}

/* Who is destroyed takes its time: the others have been asked before. */
static void all_are_asked_first(void **state)
{
    (void)state;
    start("fresh"); /* paused, and has never run */
    pvctl_runs("web");
    obedient[0] = "web";
    pvctl_ends("shutdown --all --destroy", 1,
               "web: asked to end\nfresh: it is paused and has never run: it is destroyed\n");
    nobody_is_left();
}

/* What cannot be listed for a moment is listed at the next look: nobody is destroyed for it. */
static void the_list_fails(void **state)
{
    (void)state;
    pvctl_runs("web");
    obedient[0] = "web";
    unseen = 3;
    assert_int_equal(pvctl_run("shutdown --all --destroy --timeout 60"), 0);
    assert_string_equal(f->failed_call, "fake_domain_list");
    says("pvctl: listing the domains: ");
    says("web: powered off\n");
    assert_null(strstr(pvctl_said, "destroyed"));
    nobody_is_left();
    /* For ever: it ends all the same, and says so. */
    unseen = 1000000;
    f->failed_call = NULL;
    clock_ms = 0;
    assert_int_equal(pvctl_run("shutdown --all --destroy --timeout 60"), 0); /* nobody is there */
    pvctl_runs("deaf");
    assert_int_equal(pvctl_run("shutdown --all --destroy --timeout 60"), 1);
    says("pvctl: listing the domains: ");
    assert_in_range(clock_ms, 60000, 90000);
    f->fail_at = 0;
}

static int blind(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                 unsigned int *count)
{
    return clock_ms ? -EIO : usual->domain_list(h, first, out, max, count);
}

/* It gives up without a limit, too, and destroys nobody then. */
static void the_list_fails_without_a_limit(void **state)
{
    struct host_ops ops = *f->host.ops;

    (void)state;
    usual = f->host.ops;
    ops.domain_list = blind;
    pvctl_runs("mute");
    clock_ms = unseen = 0;
    f->host.ops = &ops;
    assert_int_equal(pvctl_run("shutdown --all --destroy --timeout 0"), 1);
    f->host.ops = usual;
    says("pvctl: listing the domains: ");
    assert_null(strstr(pvctl_said, "destroyed"));
    assert_in_range(clock_ms, 60000, 62000);
}

/* Back ends that do not let go are waited for, but not by each guest anew. */
static void all_within_a_time(void **state)
{
    char name[8], path[64];

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "g%u", i);
        snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state",
                 pvctl_runs(name)->d.domid);
        assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "4"), 0);
    }
    lingers = true;
    clock_ms = 0;
    pvctl_ends("shutdown --all --destroy --timeout 1", 1, "g7: not ended within 1 s");
    assert_in_range(clock_ms, 15000, 60000);
    nobody_is_left();
}

/* It is gone, or nobody has looked after it yet. */
static bool is_dead(int pid)
{
    char path[32], state = 0;
    FILE *stat;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    stat = fopen(path, "r");
    if (!stat)
        return true;
    assert_int_equal(fscanf(stat, "%*d (%*[^)]) %c", &state), 1);
    fclose(stat);
    return state == 'Z';
}

/* xl hangs: it is killed when its time is over, and the domain goes without it. */
static void xl_hangs(void **state)
{
    const struct host_create c = {.uuid = {7}, .max_vcpus = 1};
    const char *former = getenv("PATH");
    char path[96], line[64], was[4096], *text;
    uint32_t alien;
    FILE *xl;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &alien), 0);
    snprintf(path, sizeof(path), "/libxl/%u/type", alien);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "pv"), 0);
    assert_int_equal(state_prepare(NULL), 0);
    snprintf(path, sizeof(path), "%s", state_path("xl"));
    xl = fopen(path, "w");
    fprintf(xl, "#!/bin/sh\nsleep 600 &\necho $$ $! >%s\nwait\n", state_path("xl.pid"));
    fclose(xl);
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(was, sizeof(was), "%s", former);
    snprintf(path, sizeof(path), "%s:%.80s", state_path("."), "/usr/bin:/bin");
    setenv("PATH", path, 1);
    snprintf(line, sizeof(line), "destroy %u", alien);
    xl_comes = true;
    pvctl_ends(line, 0, "");
    xl_comes = false;
    setenv("PATH", was, 1);
    assert_int_equal(limit_was, 30000);
    assert_null(fake_domain(f, alien));
    assert_null(fake_is_clean(f));
    assert_int_equal(state_read_file(state_path("xl.pid"), &text), 0);
    while (!is_dead(atoi(text)) || !is_dead(atoi(strchr(text, ' ') + 1))) /* its child, too */
        sched_yield(); /* the signal is on its way */
    free(text);
    nobody_is_left();
}

static void of_what_it_is_an_option(void **state)
{
    (void)state;
    pvctl_ends("shutdown --destroy web", 2, "pvctl shutdown: --destroy is for --all; ");
    pvctl_ends("destroy --destroy web", 2, "unknown option --destroy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_listens_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_is_destroyed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_lives_again_is_destroyed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_ended_is_taken_away, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_store, setup, teardown),
        cmocka_unit_test_setup_teardown(the_store_is_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(all_are_asked_first, setup, teardown),
        cmocka_unit_test_setup_teardown(the_list_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(the_list_fails_without_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(all_within_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(xl_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(of_what_it_is_an_option, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
