/* SPDX-License-Identifier: MIT */
/*
 * What the daemon does when a domain ends: reaped, preserved, started again, tidied up after; who
 * is told.
 */
#include <errno.h>
#include <poll.h>
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

#include "client.h"
#include "collector.h"
#include "daemon.h"
#include "daemon_support.h"
#include "devices.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"

static char *file_text(const char *path)
{
    char *text = calloc(1, 4096);
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    assert_true(fread(text, 1, 4095, in) > 0);
    fclose(in);
    return text;
}

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
    assert_int_equal(console_by_name("web")->quick, 1);
    turn();
    next_is(fd, D_END, "crashed: triple fault (preserved)");
    close(fd);
    assert_int_equal(f->host.ops->domain_list(&f->host, domid, &left, 1, &n), 0);
    assert_int_equal(n, 1);
    assert_true(left.shutdown);
    f->log = NULL;
}

/* Who waits for a reboot is told of the end, and then of the new life. */
static void waits_for_the_next_life(void **state)
{
    uint32_t domid, next;
    char id[16];
    int fd;

    (void)state;
    fake_pvctl("exit 0");
    serve("web", "restart", &domid);
    snprintf(id, sizeof(id), "%u", domid);
    fd = ask(D_WAIT, id);
    next_is(fd, D_OK, "");
    fake_shutdown(f, domid, SHUTDOWN_reboot);
    policy_check(&f->host);
    next_is(fd, D_END, "rebooted");
    turn();
    serve("web", "destroy", &next);
    wait_child();
    snprintf(id, sizeof(id), "%u", next);
    next_is(fd, D_NEXT, id);
    next_is(fd, 0, "");
    close(fd);
}

/* What cannot be known is left as it is: a domain without a configuration that can be read is
 * preserved. */
static void without_its_records(void **state)
{
    uint32_t web;
    FILE *out;

    (void)state;
    serve("web", "destroy", &web);
    out = fopen(state_path("domains/%u.xml", web), "w");
    fputs("<domain", out);
    fclose(out);
    fake_shutdown(f, web, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_non_null(fake_domain(f, web));
    assert_string_equal(console_by_name("web")->how, "powered off (preserved)");
    unlink(state_path("domains/%u.xml", web));
    console_by_name("web")->handled = false;
    policy_check(&f->host);
    assert_non_null(fake_domain(f, web));
}

/* Without the store a domain goes all the same, and its entries when the store is back; one that
 * the hypervisor does not let go is tried again. */
static void what_fails_is_tried_again(void **state)
{
    struct state_entry s;
    uint32_t domid;
    char *ended;

    (void)state;
    serve("web", "destroy", &domid);
    f->will_not_die = true;
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_non_null(fake_domain(f, domid));
    f->will_not_die = false;
    f->store_dead = true;
    f->host.ops->domain_destroy(&f->host, domid);
    clock_ms += COLLECT_AGAIN_MS;
    turn();
    assert_int_equal(state_get("web", &s), 0);
    clock_ms += COLLECT_AGAIN_MS - 1;
    f->store_dead = false;
    turn();
    assert_int_equal(state_get("web", &s), 0);
    clock_ms += 1;
    turn();
    assert_int_equal(state_get("web", &s), -ENOENT);
    ended = state_read_ended("web");
    assert_string_equal(ended, "powered off");
    free(ended);
    assert_null(fake_is_clean(f));
}

/* What would start again and again for ever is not started a fifth time. */
static void short_lives_are_counted(void **state)
{
    uint32_t domid;
    char *ended;

    (void)state;
    fake_pvctl("exit 0");
    serve("web", "restart", &domid);
    for (unsigned int life = 1; life <= RESTART_MAX_QUICK; life++) {
        clock_ms += RESTART_MIN_MS / 2;
        fake_shutdown(f, domid, SHUTDOWN_poweroff);
        policy_check(&f->host);
        if (life < RESTART_MAX_QUICK) {
            turn();
            serve("web", "restart", &domid);
            wait_child();
        }
    }
    turn();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child */
    ended = state_read_ended("web");
    assert_string_equal(ended, "powered off; not restarted: 4 times in a row within 2 s");
    free(ended);
    assert_null(fake_is_clean(f));
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

#define KILLED_NOTE "\r\n[parvisd was started again; what came before is not kept]\r\n"

static void adopts(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = make_guest("web", "destroy", &domid);

    (void)state;
    say(ring, "alive", 5);
    collector_look(&f->host);
    /* The one before was killed. */
    history_says("web", "alive" KILLED_NOTE);
    /* The next daemon goes on where this one ended. */
    console_close_all(&f->host);
    say(ring, " again", 6);
    collector_look(&f->host);
    history_says("web", "alive" KILLED_NOTE " again");
}

/* What the one before has kept cannot be read: its log says why, the console that it is lost. */
static void what_was_kept_cannot_be_read(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = make_guest("web", "destroy", &domid);
    const char *said;

    (void)state;
    assert_int_equal(mkdir(state_path("console/web.log"), 0700), 0);
    say(ring, "alive", 5);
    daemon_hear();
    collector_look(&f->host);
    said = daemon_heard();
    assert_int_equal(rmdir(state_path("console/web.log")), 0);
    assert_non_null(strstr(said, "parvisd: web: reading its console from "));
    assert_non_null(strstr(said, "/console: Is a directory\n"));
    history_says("web", "alive" KILLED_NOTE);
}

/* A reboot goes by its own word, and not by that of a crash or of a power-off. */
static void reboots_by_policy(void **state)
{
    uint32_t domid;

    (void)state;
    domid = serve_with("<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>"
                       "<on_crash>restart</on_crash>");
    clock_ms += 2 * RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_reboot);
    policy_check(&f->host);
    turn();
    assert_null(fake_domain(f, domid));
    assert_false(console_by_name("web")->restarting);
    assert_string_equal(console_by_name("web")->how, "rebooted");
    domid = serve_with("<on_reboot>preserve</on_reboot><on_crash>restart</on_crash>");
    clock_ms += 2 * RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_reboot);
    policy_check(&f->host);
    turn();
    assert_non_null(fake_domain(f, domid));
    assert_string_equal(console_by_name("web")->how, "rebooted (preserved)");
}

/* ---- taking away beside everything else ---- */

static void must_not_sleep(unsigned int ms)
{
    fail_msg("the daemon slept %u ms", ms);
}

/* A back end that the kernel keeps for long: the others are served, who asked waits. */
static bool hears(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

static void nobody_waits_for_a_back_end(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    uint32_t domid, other;
    struct xencons_interface *ring = serve("other", "destroy", &other);
    const char *request;
    char id[16];
    int fd, waiter;

    (void)state;
    model.backend_lives = still_there;
    model.sleep_ms = must_not_sleep;
    serve("web", "destroy", &domid);
    device_system = &model;
    add_disk(domid);
    lingering = 200;
    snprintf(id, sizeof(id), "%u", domid);
    waiter = ask(D_WAIT, id);
    next_is(waiter, D_OK, "");
    fd = daemon_connect(NULL);
    request = destroys(domid, NULL, "web");
    assert_int_equal(daemon_send(fd, D_REAP, request, strlen(request)), 0);
    for (int i = 0; i < 100; i++) {
        clock_ms += 20;
        turn();
        say(ring, "x", 1);
        fire("other");
    }
    assert_int_equal(console_by_name("other")->history.total, 100);
    assert_true(reaper_has_name("web"));
    assert_non_null(fake_domain(f, domid));
    assert_false(hears(fd));
    assert_false(hears(waiter)); /* of an end, while the domain is still to be seen */
    for (int i = 0; i < 110; i++) {
        clock_ms += 20;
        turn();
    }
    assert_null(fake_domain(f, domid));
    next_is(fd, D_OK, "");
    close(fd);
    next_is(waiter, D_END, "destroyed");
    close(waiter);
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

/* The successor's configuration is handed on in memory; why it failed becomes how it ended. */
static void restarts(void **state)
{
    uint32_t domid;
    char *ended, *given, id[16];
    int fd, waiter;

    (void)state;
    fake_pvctl("echo 'pvctl: web: keeping its configuration: No space left' >&2; exit 1");
    serve("web", "restart", &domid);
    assert_int_equal(state_read_xml(domid, &given), 0);
    fd = ask(D_CONSOLE, "web");
    next_is(fd, D_OK, "");
    snprintf(id, sizeof(id), "%u", domid);
    waiter = ask(D_WAIT, id);
    next_is(waiter, D_OK, "");
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    assert_null(state_read_ended("web")); /* it has not ended for good */
    next_is(waiter, D_END, "powered off");
    turn();
    wait_child();
    turn();
    next_is(waiter, D_END,
            "powered off; not created again: web: keeping its configuration: No space left");
    next_is(waiter, 0, "");
    close(waiter);
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
        T(reaps_by_policy),
        T(preserves_by_policy),
        T(tidies_up),
        T(adopts),
        T(what_was_kept_cannot_be_read),
        T(reboots_by_policy),
        T(nobody_waits_for_a_back_end),
        T(makers_wait_for_the_reaper),
        T(restarts),
        T(waits_for_the_next_life),
        T(short_lives_are_counted),
        T(what_fails_is_tried_again),
        T(without_its_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
