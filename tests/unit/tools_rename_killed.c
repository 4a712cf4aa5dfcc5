/* SPDX-License-Identifier: MIT */
/*
 * A domain gets another name, and the daemon that gives it is killed, at each step once: under the
 * next one it has one name, the old or the new, and the store, what is kept of it and its console
 * say that. One that crashes and is put aside is so under the next daemon, and lives again.
 */
#define _GNU_SOURCE
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

#include <xen/sched.h>

#include "client.h"
#include "collector.h"
#include "config.h"
#include "daemon_support.h"
#include "fake_parts.h"
#include "killed_calls.h"
#include "policy.h"
#include "reaper.h"
#include "restart.h"
#include "state.h"

static uint32_t domid;
static const uint8_t claim[16] = {1}; /* pvctl's, of the new name */

static void begin(void)
{
    char path[64];

    assert_int_equal(daemon_setup(NULL), 0);
    serve("web", "destroy", &domid);
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "web"), 0);
    assert_int_equal(state_claim(&f->host, "shop", claim, true, NULL), 0);
}

/* Asks for it; false: it came through. */
static bool killed(uint64_t at)
{
    bool died = true;
    char text[64];
    int fd;

    snprintf(text, sizeof(text), "%u web shop", domid);
    f->calls = 0;
    f->kill_at = at;
    expect_leaks(true);
    if (setjmp(f->killed) == 0) {
        fd = ask(D_RENAME, text);
        f->kill_at = 0;
        next_is(fd, D_OK, "");
        close(fd);
        died = false;
    }
    expect_leaks(false);
    f->kill_at = 0;
    return died;
}

/* What it knew is forgotten, and what it had is given back: its files, and their locks. */
static void daemon_died(int first)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "%s", getenv("PARVIS_RUN"));
    setenv("PARVIS_RUN", "/nonexistent", 1);
    f->store_dead = true;
    f->transactions = 0;
    client_close_all();
    reaper_close(&f->host);
    console_close_all(&f->host);
    f->store_dead = false;
    setenv("PARVIS_RUN", dir, 1);
    closefrom(first);
}

static void assert_one_name(void)
{
    struct state_entry s;
    bool is_new = state_get("shop", &s) == 0;
    const char *name = is_new ? "shop" : "web";
    char path[64], *xml;

    assert_int_equal(state_get(is_new ? "web" : "shop", &s), -ENOENT);
    assert_int_equal(state_get(name, &s), 0);
    assert_int_equal(s.domid, domid);
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_string_equal(fake_read(f, path), name);
    assert_int_equal(state_read_xml(domid, &xml), 0);
    snprintf(path, sizeof(path), "<name>%s</name>", name);
    assert_non_null(strstr(xml, path));
    free(xml);
    assert_non_null(console_by_domid(domid));
    assert_string_equal(console_by_domid(domid)->name, name);
}

static void has_one_name(void **state)
{
    unsigned int old = 0;
    bool died = true;
    uint64_t at;
    int first;

    (void)state;
    for (at = 1; died; at++) {
        begin();
        first = dup(0);
        died = killed(at);
        state_release("shop", UINT32_MAX, claim);
        if (died) {
            struct state_entry s;

            old += state_get("web", &s) == 0;
            daemon_died(first);
            collector_look(&f->host);
            policy_check(&f->host);
        } else {
            close(first);
        }
        assert_one_name();
        assert_int_equal(daemon_teardown(NULL), 0);
    }
    assert_true(old > 3 && at > 6);
}

/* Acts upon its end; false: it came through. */
static bool killed_aside(uint64_t at)
{
    bool died = true;

    f->calls = 0;
    f->kill_at = at;
    expect_leaks(true);
    if (setjmp(f->killed) == 0) {
        policy_check(&f->host);
        died = false;
    }
    expect_leaks(false);
    f->kill_at = 0;
    return died;
}

/* What is kept of it and the store say who it is now, and that it stays as it is. */
static void assert_is_said(const char *name)
{
    char uuid[37], path[64], text[80], *xml;

    uuid_format(fake_domain(f, domid)->d.uuid, uuid);
    assert_int_equal(state_read_xml(domid, &xml), 0);
    snprintf(text, sizeof(text), "<uuid>%s</uuid>", uuid);
    assert_non_null(strstr(xml, text));
    assert_non_null(strstr(xml, name));
    assert_non_null(strstr(xml, "<on_crash>preserve</on_crash>"));
    free(xml);
    snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
    snprintf(text, sizeof(text), "/local/domain/%u/vm/%s", domid, uuid);
    assert_string_equal(fake_read(f, path), text);
}

/* It is ours, by the name that it was put aside by, once; the next life is to be, and has its disk.
 */
static void assert_is_aside(uint64_t at)
{
    const char *name = name_of(domid);
    struct state_entry s;
    char path[64];

    if (strncmp(name, "web-2", 5) != 0 || strchr(name + 4, '-') || state_get(name, &s) ||
        s.domid != domid)
        fail_msg("killed at call %llu: it is called %s", (unsigned long long)at, name);
    if (!restart_intended("web"))
        fail_msg("killed at call %llu: it is not to live again", (unsigned long long)at);
    assert_string_equal(s.former, "web");
    assert_int_equal(state_get("web", &s), -ENOENT);
    assert_non_null(console_by_domid(domid));
    assert_string_equal(console_by_domid(domid)->name, name);
    assert_is_said(name);
    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state", domid);
    assert_null(fake_read(f, path));
}

/* It crashes, is put aside, and the daemon is killed meanwhile, at each step once. */
static void is_put_aside(void **state)
{
    bool died = true;
    uint64_t at;
    int first;

    (void)state;
    for (at = 1; died; at++) {
        char path[64];

        assert_int_equal(daemon_setup(NULL), 0);
        domid = serve_one("rename-restart");
        snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
        assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "web"), 0);
        add_disk(domid);
        clock_ms += 2 * RESTART_MIN_MS;
        fake_shutdown(f, domid, SHUTDOWN_crash);
        first = dup(0);
        died = killed_aside(at);
        if (died) {
            daemon_died(first);
            collector_look(&f->host);
            policy_check(&f->host);
        } else {
            close(first);
        }
        assert_is_aside(at);
        assert_int_equal(daemon_teardown(NULL), 0);
    }
    assert_true(at > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(has_one_name),
                                       cmocka_unit_test(is_put_aside)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
