/* SPDX-License-Identifier: MIT */
/*
 * Names and signals: who has a name, who may have it next, and what is left of a maker that is told
 * to stop in the middle.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "interrupt.h"
#include "lifecycle.h"
#include "lifecycle_support.h"
#include "reap.h"
#include "state.h"

static void names_are_unique(void **state)
{
    struct domain_config c = config("web");
    struct error e;
    uint32_t domid = start("web");

    (void)state;
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "web: a domain of this name exists already"));
    c = config("web"); /* it is the name that is told: that domain may well have its disks */
    c.nr_disks = 1;
    c.disks = calloc(1, sizeof(*c.disks));
    c.disks->source = strdup("/gone");
    c.disks->target = strdup("xvda");
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "web: a domain of this name exists already"));
    c = config("other");
    memcpy(c.uuid, fake_domain(f, domid)->d.uuid, 16);
    c.uuid_given = true;
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "<uuid>"));
    /* Destroyed by somebody who tells nobody: the name is free again. */
    f->host.ops->domain_destroy(&f->host, domid);
    domid = start("web");
    assert_non_null(fake_domain(f, domid));
}

/* xl's domains have names in the store alone. */
static void names_of_others(void **state)
{
    const struct host_create made = {.max_vcpus = 1, .uuid = {9}};
    struct domain_config c = config("shop");
    struct error e = {0};
    char path[64];
    uint32_t domid;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &made, &domid), 0);
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "shop"), 0);
    snprintf(path, sizeof(path), "/libxl/%u/type", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "pv"), 0);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, "/libxl/4000/type", "pv"), 0);
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "which xl or virsh made, has this name"));
    /* What it left in the store is no domain. */
    f->host.ops->domain_destroy(&f->host, domid);
    start("shop");
}

/* A maker that died while it held the name does not keep it; a live one does. */
static void stale_claims(void **state)
{
    struct state_entry s;
    struct domain_config c = config("web");
    struct error e = {0};
    char target[96];
    uint8_t uuid[16] = {1};

    (void)state;
    assert_int_equal(state_prepare(NULL), 0);
    snprintf(target, sizeof(target), "making.%d/01234567-89ab-cdef-0123-456789abcdef", 0x3ffffff);
    assert_int_equal(symlink(target, state_path("names/web")), 0);
    assert_int_equal(state_get("web", &s), 0);
    assert_true(s.abandoned && s.maker == 0x3ffffff && s.domid == UINT32_MAX);
    start("web");
    assert_int_equal(state_get("web", &s), 0);
    assert_true(!s.abandoned && !s.maker && s.domid != UINT32_MAX);
    /* A link that says nothing sensible counts as absent. */
    assert_int_equal(symlink("nonsense", state_path("names/odd")), 0);
    start("odd");
    /* Held: neither the name nor the uuid can be had. */
    assert_int_equal(state_claim(&f->host, "new", uuid, false, &e), 0);
    assert_int_equal(state_get("new", &s), 0);
    assert_true(!s.abandoned && s.maker == getpid());
    free(c.name);
    c.name = strdup("new");
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "new: a domain of this name is being created by process"));
    c = config("twin");
    memcpy(c.uuid, uuid, 16);
    c.uuid_given = true;
    assert_int_equal(try_start(&c, &e), -EEXIST);
    assert_non_null(strstr(e.text, "twin: <uuid>: new, which is being created, has this uuid"));
    state_release("new", UINT32_MAX, uuid);
    assert_int_equal(state_get("new", &s), -ENOENT);
}

/* Who keeps a page of a dead domain keeps nobody from having its uuid. */
static void the_dying_hold_no_uuid(void **state)
{
    struct domain_config c = config("next");
    uint32_t domid = start("web");
    struct error e;

    (void)state;
    fake_domain(f, domid)->d.dying = true;
    memcpy(c.uuid, fake_domain(f, domid)->d.uuid, 16);
    c.uuid_given = true;
    assert_int_equal(try_start(&c, &e), 0);
}

/* What is being made has its name already, and is nobody else's to touch; of two with one name the
 * one that these tools know is meant. */
static void names_of_the_unfinished(void **state)
{
    struct live_domain l;
    struct error e = {0};
    struct host_create other = {.max_vcpus = 1};
    uint32_t domid, foreign;
    char path[64];
    struct domain_config c = config("web");

    (void)state;
    assert_int_equal(lifecycle_make(&f->host, &c, &service, &domid, &e), 0);
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    assert_true(l.ours && l.maker == getpid() && l.d.domid == domid);
    assert_int_equal(lifecycle_go(&f->host, &c, &service, domid, false, &e), 0);
    assert_false(fake_domain(f, domid)->d.paused);
    domain_config_free(&c);
    /* Others made one and named it in the store alone. */
    assert_int_equal(f->host.ops->domain_create(&f->host, &other, &foreign), 0);
    snprintf(path, sizeof(path), "/local/domain/%u/name", foreign);
    f->host.ops->store_write(&f->host, 0, path, "web");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    assert_int_equal(l.d.domid, domid);
    assert_int_equal(l.maker, 0);
    reap("web", "destroyed");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    assert_int_equal(l.d.domid, foreign);
    assert_int_equal(f->host.ops->domain_create(&f->host, &other, &foreign), 0);
    snprintf(path, sizeof(path), "/local/domain/%u/name", foreign);
    f->host.ops->store_write(&f->host, 0, path, "web");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), -EBUSY);
    assert_non_null(strstr(e.text, "have this name; give the number"));
    /* A name is shown, and no terminal obeys it. */
    f->host.ops->store_write(&f->host, 0, path, "w\x1b[2J\neb\x9b[m");
    snprintf(path, sizeof(path), "%u", foreign);
    assert_int_equal(lifecycle_find(&f->host, path, &l, &e), 0);
    assert_string_equal(l.name, "w?[2J?eb?[m");
}

/* Names are written by one at a time: a domain whose name cannot be made its own goes. */
static void without_the_lock(void **state)
{
    struct domain_config c = config("web");
    struct error e = {0};
    uint32_t domid;

    (void)state;
    assert_int_equal(lifecycle_make(&f->host, &c, &service, &domid, &e), 0);
    unlink(state_path("lock"));
    assert_int_equal(mkdir(state_path("lock"), 0700), 0); /* nobody can have it */
    assert_int_equal(lifecycle_go(&f->host, &c, &service, domid, false, &e), -EISDIR);
    assert_non_null(strstr(e.text, "/lock: "));
    domain_config_free(&c);
    assert_null(fake_domain(f, domid));
    assert_int_equal(rmdir(state_path("lock")), 0);
    assert_null(fake_is_clean(f));
    assert_no_state("web");
}

/* The store did not answer when it went: its name, by which its entries are found and removed
 * later, is not another's before. */
static void entries_are_left(void **state)
{
    uint32_t domid = start("web");
    struct domain_config c = config("web");
    struct error e = {0};
    struct live_domain l;
    struct state_entry s;
    struct reap r;

    (void)state;
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    f->store_dead = f->store_slow = true;
    assert_int_equal(lifecycle_reap(&f->host, &l.d, "web", "destroyed", &service, &e), -ETIME);
    f->store_dead = f->store_slow = false;
    assert_null(fake_domain(f, domid));
    assert_int_equal(state_get("web", &s), 0);
    assert_true(s.ending);
    assert_int_equal(try_start(&c, &e), -EBUSY);
    assert_non_null(strstr(e.text, "is gone, its entries in the store are left: try again later"));
    c = config("shop"); /* its uuid is where they are, too */
    memcpy(c.uuid, s.uuid, 16);
    c.uuid_given = true;
    assert_int_equal(try_start(&c, &e), -EBUSY);
    reap_begin(&r, domid, s.uuid, "web", "destroyed");
    assert_int_equal(reap_wait(&f->host, &r, &e), 0);
    start("web");
}

/* A signal at any step: all is undone, and the message says so. */
static void any_step_may_be_interrupted(void **state)
{
    uint64_t at;

    (void)state;
    for (at = 1;; at++) {
        struct domain_config c = config("web");
        struct error e;
        const char *left;
        int rc;

        interrupt_catch(); /* before the first step, here: the test must not end of it */
        f->calls = 0;
        f->signal_at = at;
        f->failed_call = NULL;
        rc = try_start(&c, &e);
        f->signal_at = 0;
        signal(SIGTERM, SIG_IGN);
        interrupt_release();
        signal(SIGTERM, SIG_DFL);
        if (rc == 0) {
            reap("web", "destroyed");
            assert_null(fake_is_clean(f));
            break;
        }
        assert_non_null(f->failed_call);
        left = fake_is_clean(f);
        if (left)
            fail_msg("%s is left after a signal in %s (call %llu)", left, f->failed_call,
                     (unsigned long long)at);
        assert_no_state("web");
        assert_string_equal(e.text, "web: interrupted by SIGTERM");
    }
    assert_true(at > 35);
}

#define T(test) cmocka_unit_test_setup_teardown(test, lifecycle_setup, lifecycle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_are_unique),
        T(names_of_others),
        T(stale_claims),
        T(the_dying_hold_no_uuid),
        T(names_of_the_unfinished),
        T(without_the_lock),
        T(entries_are_left),
        T(any_step_may_be_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
