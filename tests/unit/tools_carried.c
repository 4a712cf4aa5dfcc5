/* SPDX-License-Identifier: MIT */
/*
 * What was set of a living domain goes on in its next life: weight, cap, and where each vCPU may
 * run. Also by a daemon that is not the one in which the former life ended; not for a domain that
 * somebody else makes of the name; and what can't be carried over is told, and holds nothing up.
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

#include <xen/sched.h>

#include "collector.h"
#include "daemon_support.h"
#include "devices.h"
#include "policy.h"
#include "restart.h"
#include "state.h"

/* A domain of the name web, on which somebody has set something, reboots. */
static void set_and_reboot(void)
{
    struct fake_domain *d;
    uint32_t domid;

    serve("web", "restart", &domid);
    d = fake_domain(f, domid);
    d->sched = (struct host_sched){.weight = 700, .cap = 50};
    d->affinity[0] = 2;
    fake_shutdown(f, domid, SHUTDOWN_reboot);
}

/* The next life is made: by the process that parvisd has started for it, or by another one. */
static const struct fake_domain *next_life(bool by_restarter)
{
    struct console *c = console_by_name("web");
    char request[32];
    uint32_t domid;
    int fd;

    turn();
    assert_int_not_equal(c->restarter, 0);
    assert_int_equal(waitpid(c->restarter, NULL, 0), c->restarter);
    if (by_restarter)
        c->restarter = getpid(); /* we act for it */
    make_guest("web", "restart", &domid);
    snprintf(request, sizeof(request), "%u %u web", domid, console_port(domid));
    fd = ask(D_SERVE, request);
    next_is(fd, D_OK, "");
    close(fd);
    c->restarter = 0;
    return fake_domain(f, domid);
}

static void goes_on(void **state)
{
    const char *said;
    const struct fake_domain *d;

    (void)state;
    daemon_hear();
    set_and_reboot();
    policy_check(&f->host);
    d = next_life(true);
    said = daemon_heard();
    assert_int_equal(d->sched.weight, 700);
    assert_int_equal(d->sched.cap, 50);
    assert_int_equal(d->affinity[0], 2);
    assert_null(strstr(said, "life"));
    /* It is for one life: it lives, so nothing is kept. */
    assert_int_not_equal(access(state_path("carried/web"), F_OK), 0);
}

/* The daemon is killed when the former life is gone and the next one is not there. */
static void goes_on_under_the_next_daemon(void **state)
{
    const struct fake_domain *d;

    (void)state;
    set_and_reboot();
    policy_check(&f->host);
    console_close_all(&f->host);
    collector_look(&f->host);
    d = next_life(true);
    assert_int_equal(d->sched.weight, 700);
    assert_int_equal(d->sched.cap, 50);
    assert_int_equal(d->affinity[0], 2);
}

/* Nor can what was kept be read: the next life is made without it, and that is told. */
static void what_was_kept_cannot_be_read(void **state)
{
    const struct fake_domain *d;
    const char *said;

    (void)state;
    set_and_reboot();
    policy_check(&f->host);
    console_close_all(&f->host);
    assert_int_equal(unlink(restart_carried_path("web")), 0);
    assert_int_equal(mkdir(restart_carried_path("web"), 0700), 0);
    daemon_hear();
    collector_look(&f->host);
    said = daemon_heard();
    assert_int_equal(rmdir(restart_carried_path("web")), 0);
    assert_non_null(strstr(said, "parvisd: web: its weight, cap and CPUs are not known: "));
    d = next_life(true);
    assert_int_equal(d->sched.weight, 256);
    assert_int_equal(d->affinity[0], UINT64_MAX);
}

static void not_of_another_domain(void **state)
{
    const struct fake_domain *d;

    (void)state;
    set_and_reboot();
    policy_check(&f->host);
    d = next_life(false);
    assert_int_equal(d->sched.weight, 256);
    assert_int_equal(d->affinity[0], UINT64_MAX);
}

/* No room for a file: this daemon has it in memory. */
static void a_full_disk(void **state)
{
    const char *said;
    const struct fake_domain *d;

    (void)state;
    set_and_reboot();
    assert_int_equal(rmdir(state_path("tmp")), 0);
    daemon_hear();
    policy_check(&f->host);
    said = daemon_heard();
    assert_non_null(strstr(said, "are not kept for a parvisd after this one: "));
    assert_int_equal(mkdir(state_path("tmp"), 0700), 0);
    d = next_life(true);
    assert_int_equal(d->sched.cap, 50);
    assert_int_equal(d->affinity[0], 2);
}

static void how_it_ended_on_a_full_disk(void **state)
{
    const char *said;
    uint32_t domid;

    (void)state;
    serve("web", "preserve", &domid);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    assert_int_equal(rmdir(state_path("tmp")), 0);
    daemon_hear();
    policy_check(&f->host);
    said = daemon_heard();
    assert_int_equal(mkdir(state_path("tmp"), 0700), 0);
    assert_non_null(strstr(said, "parvisd: web: keeping how it ended: "));
    assert_string_equal(console_by_name("web")->how, "powered off (preserved)");
}

static int get_no_sched(struct host *h, uint32_t domid, struct host_sched *out)
{
    (void)h, (void)domid, (void)out;
    return -ENOMEM;
}

static int get_no_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t *cpus)
{
    (void)h, (void)domid, (void)vcpu, (void)cpus;
    return -ENOMEM;
}

static int set_no_sched(struct host *h, uint32_t domid, const struct host_sched *s)
{
    (void)h, (void)domid, (void)s;
    return -ENOMEM;
}

static int set_no_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t cpus)
{
    (void)h, (void)domid, (void)vcpu, (void)cpus;
    return -ENOMEM;
}

/* A reboot on a machine that refuses something; what the log says of it. */
static const struct fake_domain *reboots_on(const struct host_ops *ops, const char *says)
{
    const struct host_ops *real = f->host.ops;
    const struct fake_domain *d;
    const char *said;

    f->host.ops = ops;
    set_and_reboot();
    daemon_hear();
    policy_check(&f->host);
    d = next_life(true);
    said = daemon_heard();
    f->host.ops = real;
    if (!strstr(said, says))
        fail_msg("the log says: %s", said);
    return d;
}

static void without_the_share(void **state)
{
    struct host_ops ops = *f->host.ops;
    const struct fake_domain *d;

    (void)state;
    ops.domain_get_sched = get_no_sched;
    d = reboots_on(&ops,
                   "): its weight and cap are not known to its next life: not enough memory\n");
    assert_int_equal(d->sched.weight, 256);
    assert_int_equal(d->affinity[0], 2);
}

static void without_the_pins(void **state)
{
    struct host_ops ops = *f->host.ops;
    const struct fake_domain *d;

    (void)state;
    ops.vcpu_get_affinity = get_no_affinity;
    d = reboots_on(&ops, "): where vCPU 0 may run is not known to its next life: not enough ");
    assert_int_equal(d->sched.cap, 50);
    assert_int_equal(d->affinity[0], UINT64_MAX);
}

static void the_share_is_refused(void **state)
{
    struct host_ops ops = *f->host.ops;
    const struct fake_domain *d;

    (void)state;
    ops.domain_set_sched = set_no_sched;
    d = reboots_on(&ops, "): weight and cap of its former life could not be set: not enough ");
    assert_int_equal(d->affinity[0], 2);
}

static void the_pins_are_refused(void **state)
{
    struct host_ops ops = *f->host.ops;
    const struct fake_domain *d;

    (void)state;
    ops.vcpu_set_affinity = set_no_affinity;
    d = reboots_on(&ops,
                   "): vCPU 0 could not be pinned as in its former life: not enough memory\n");
    assert_int_equal(d->sched.cap, 50);
}

/* A life ends before its maker has done the last step, and lingers: there is another all the same.
 */
static void ends_before_it_is_made(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    const uint8_t uuid[16] = {'w'};
    char former[128];
    uint32_t domid;
    pid_t restarter;

    (void)state;
    model.backend_lives = still_there;
    device_system = &model;
    serve("web", "restart", &domid);
    add_disk(domid);
    lingering = 3;
    /* It is a next life itself, which has the configuration of the former one. */
    snprintf(former, sizeof(former), "%s", restart_path("web"));
    assert_int_equal(link(state_path("domains/%u.xml", domid), former), 0);
    assert_int_equal(state_claim_number("web", domid, uuid, NULL), 0);
    fake_shutdown(f, domid, SHUTDOWN_reboot);
    policy_check(&f->host);
    assert_int_equal(state_commit("web", domid, uuid, NULL), 0);
    assert_true(restart_intended("web"));
    for (int i = 0; i < 5; i++) {
        clock_ms += 20;
        turn();
    }
    restarter = console_by_name("web")->restarter;
    assert_int_not_equal(restarter, 0);
    assert_int_equal(waitpid(restarter, NULL, 0), restarter);
    device_system = real;
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(goes_on),
        T(ends_before_it_is_made),
        T(goes_on_under_the_next_daemon),
        T(what_was_kept_cannot_be_read),
        T(not_of_another_domain),
        T(a_full_disk),
        T(how_it_ended_on_a_full_disk),
        T(without_the_share),
        T(without_the_pins),
        T(the_share_is_refused),
        T(the_pins_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
