/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain on a model of the machine: what creation leaves behind, and that
 * creation which fails anywhere leaves nothing.
 *
 * The builder and the loader are the real ones, with a small kernel made to order. Each call
 * that the toolstack makes is made to fail once, the first, the second, and so on until one
 * run passes; after each failure the machine must be as it was, and the message must be one
 * line that begins with the name of the domain or of the step.
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

#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/shared_info.h>

#include "lifecycle.h"
#include "lifecycle_support.h"
#include "lock.h"
#include "state.h"
#include "store.h"

static void entry_is(uint32_t domid, const char *key, const char *value)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, key);
    assert_non_null(fake_read(f, path));
    assert_string_equal(fake_read(f, path), value);
}

static void creates(void **state)
{
    uint32_t domid = start("web");
    const struct fake_domain *d = fake_domain(f, domid);
    char own[16], ro[16], path[64];
    const struct shared_info *shared = fake_frame(f, d->d.shared_info_frame);

    (void)state;
    assert_true(d->d.paused && d->has_context && d->vcpus_made && d->introduced && d->pinned);
    assert_int_equal(d->d.nr_pages, 1024);
    assert_int_equal(d->sched.weight, 300);
    assert_int_equal(d->sched.cap, 150);
    assert_int_equal(d->affinity[0], 1);
    assert_int_equal(d->affinity[1], 3); /* "all", of which there are two */
    assert_int_equal(served, 1);
    assert_int_equal(d->nr_grants, 2);
    assert_int_equal(d->grants[0].ref, GNTTAB_RESERVED_CONSOLE);
    assert_int_equal(d->grants[1].ref, GNTTAB_RESERVED_XENSTORE);
    assert_int_equal(shared->vcpu_info[0].evtchn_upcall_mask, 1);
    assert_int_equal(shared->vcpu_info[31].evtchn_upcall_mask, 1);
    entry_is(domid, "name", "web");
    entry_is(domid, "memory/target", "4096");
    entry_is(domid, "cpu/0/availability", "online");
    entry_is(domid, "cpu/1/availability", "offline");
    entry_is(domid, "console/port", "2");
    snprintf(own, sizeof(own), "n%u", domid);
    snprintf(ro, sizeof(ro), "n0 r%u", domid);
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", domid);
    assert_string_equal(fake_perms(f, path), own);
    snprintf(path, sizeof(path), "/local/domain/%u/control", domid);
    assert_string_equal(fake_perms(f, path), own); /* a guest says there what it can do */
    snprintf(path, sizeof(path), "/local/domain/%u", domid);
    assert_string_equal(fake_perms(f, path), ro);
    snprintf(path, sizeof(path), "/local/domain/%u/console/port", domid);
    assert_string_equal(fake_perms(f, path), ro);
}

static void reaps(void **state)
{
    struct live_domain l;
    struct error e = {0};
    char number[16];

    (void)state;
    snprintf(number, sizeof(number), "%u", start("one"));
    start("two");
    reap("two", "powered off");
    assert_string_equal(last_how, "powered off");
    assert_int_equal(lifecycle_find(&f->host, "one", &l, &e), 0);
    reap(number, "destroyed");
    assert_int_equal(released, 2);
    assert_null(fake_is_clean(f));
    assert_int_equal(lifecycle_find(&f->host, "two", &l, &e), -ESRCH);
    assert_non_null(strstr(e.text, "two: no such domain (the last of this name: powered off)"));
}

/* The kept configuration is the one that was given, with identity filled in. */
static void keeps_the_configuration(void **state)
{
    uint32_t domid = start("web");
    struct domain_config c;
    struct error e = {0};
    char *xml;

    (void)state;
    assert_int_equal(state_read_xml(domid, &xml), 0);
    if (domain_config_parse(xml, strlen(xml), "kept", &c, &e))
        fail_msg("%s", e.text);
    assert_string_equal(c.name, "web");
    assert_memory_equal(c.uuid, fake_domain(f, domid)->d.uuid, 16);
    assert_int_equal(c.max_vcpus, 2);
    assert_int_equal(c.vcpus, 1);
    domain_config_free(&c);
    free(xml);
    reap("web", "destroyed");
    assert_int_equal(state_read_xml(domid, &xml), -ENOENT);
}

static int write_one(struct host *h, host_txn_t t, void *path)
{
    return h->ops->store_write(h, t, path, "1");
}

static void conflicts_are_tried_again(void **state)
{
    char path[] = "/local/domain/9";

    (void)state;
    assert_int_equal(state_prepare(NULL), 0);
    f->conflicts = 3;
    assert_int_equal(store_transaction(&f->host, write_one, path), 0);
    assert_int_equal(f->conflicts, 0);
    assert_string_equal(fake_read(f, path), "1");
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0);
}

static int look_at_lock(struct host *h, host_txn_t t, void *arg)
{
    int *seen = arg;

    (void)h, (void)t;
    *seen = lock_take(state_path("store.lock"), 0);
    return 0;
}

/* Transactions of several tools would disturb each other: one has the lock, which ends with it. */
static void transactions_do_not_meet(void **state)
{
    int seen = 0;

    (void)state;
    assert_int_equal(state_prepare(NULL), 0);
    assert_int_equal(store_transaction(&f->host, look_at_lock, &seen), 0);
    assert_int_equal(seen, -EBUSY);
    seen = lock_take(state_path("store.lock"), 0);
    assert_true(seen >= 0);
    /* Who holds it for too long is not waited for. */
    assert_int_equal(lock_take(state_path("store.lock"), 10), -EBUSY);
    close(seen);
}

static void too_little_memory(void **state)
{
    struct domain_config c = config("big");
    struct error e;

    (void)state;
    c.memory_kib = c.current_kib = 1 << 20;
    assert_int_equal(try_start(&c, &e), -ENOMEM);
    assert_non_null(strstr(e.text, "<memory>"));
    assert_null(fake_is_clean(f));
    c = config("small");
    free(c.kernel);
    c.kernel = strdup("/no/such/kernel");
    assert_true(try_start(&c, &e) < 0);
    assert_non_null(strstr(e.text, "/no/such/kernel"));
    assert_null(fake_is_clean(f));
}

static void any_call_may_fail(void **state)
{
    static const int errors[] = {-ENOMEM, -ENOSYS, -EPERM, -EINVAL};
    uint64_t runs = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        for (uint64_t at = 1;; at++) {
            struct domain_config c = config("web");
            struct error e;
            const char *left;
            int rc;

            f->calls = 0;
            f->fail_at = at;
            f->fail_with = errors[i];
            f->failed_call = NULL;
            rc = try_start(&c, &e);
            f->fail_at = 0;
            runs++;
            if (!f->failed_call) {
                assert_int_equal(rc, 0);
                reap("web", "destroyed");
                assert_null(fake_is_clean(f));
                break;
            }
            if (rc == 0) {
                /* Not every refusal is fatal, but then the domain must be whole. */
                fail_msg("%s failed (call %llu) and nobody minded", f->failed_call,
                         (unsigned long long)at);
            }
            left = fake_is_clean(f);
            if (left)
                fail_msg("%s is left after %s failed (call %llu): %s", left, f->failed_call,
                         (unsigned long long)at, e.text);
            assert_no_state("web");
            assert_true(e.text[0] && !strchr(e.text, '\n'));
        }
    }
    assert_true(runs > 140);
}

/* Reaping goes on past what fails, and says so if the domain is still there. */
static void reaping_goes_on(void **state)
{
    struct live_domain l;
    struct error e = {0};

    (void)state;
    start("web");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    f->calls = 0;
    f->fail_at = 1; /* the pause */
    assert_int_equal(lifecycle_reap(&f->host, &l.d, "web", "destroyed", &service, &e), 0);
    assert_non_null(f->failed_call);
    assert_null(fake_is_clean(f));
    /* A second time: the domain is gone already, and that is no error. */
    f->fail_at = 0;
    assert_int_equal(lifecycle_reap(&f->host, &l.d, "web", "destroyed", &service, &e), 0);
}

static void lists(void **state)
{
    struct live_domain *l;
    struct error e = {0};
    uint32_t a = start("a"), b = start("b");
    size_t n;

    (void)state;
    fake_shutdown(f, b, SHUTDOWN_crash);
    f->calls = 0;
    assert_int_equal(lifecycle_list(&f->host, &l, &n, &e), 0);
    assert_true(f->calls <= 2); /* one call to the hypervisor, none to the store */
    assert_int_equal(n, 3);
    assert_string_equal(l[0].name, "Domain-0");
    for (size_t i = 1; i < n; i++) {
        assert_string_equal(l[i].name, l[i].d.domid == a ? "a" : "b");
        assert_string_equal(domain_state_text(&l[i].d), l[i].d.domid == a ? "paused" : "crashed");
    }
    free(l);
}

/* try_start(), and what it says on standard error. */
static int try_and_hear(struct domain_config *c, struct error *e, char said[512])
{
    FILE *file = tmpfile();
    int err = dup(STDERR_FILENO), rc;

    dup2(fileno(file), STDERR_FILENO);
    rc = try_start(c, e);
    dup2(err, STDERR_FILENO);
    close(err);
    rewind(file);
    said[fread(said, 1, 511, file)] = '\0';
    fclose(file);
    return rc;
}

static int no_room_in_a_grant(struct host *h, uint32_t domid, const struct host_grant *g,
                              unsigned int nr)
{
    (void)h, (void)domid, (void)g, (void)nr;
    return -EOVERFLOW;
}

/* On a machine with more than 16 TB; it is no fault of the configuration's. */
static void frames_beyond_what_a_grant_holds(void **state)
{
    const struct host_ops *real = f->host.ops;
    struct host_ops ops = *real;
    struct domain_config c = config("web");
    struct error e;

    (void)state;
    ops.grant_seed = no_room_in_a_grant;
    f->host.ops = &ops;
    assert_int_equal(try_start(&c, &e), -EOVERFLOW);
    f->host.ops = real;
    assert_int_equal(strncmp(e.text, "web: the store's page is frame 0x", 33), 0);
    assert_non_null(
        strstr(e.text, ", but a grant has no room for more than 32 bits of a frame's "));
    assert_null(fake_is_clean(f));
}

/* What the machine lacks is told before anything is made. */
static void cpus_that_are_not_there(void **state)
{
    struct error e;
    struct domain_config c = config("web");
    char said[512];

    (void)state;
    c.cap = 201;
    assert_int_equal(try_start(&c, &e), -ERANGE);
    assert_string_equal(e.text,
                        "web: <global_quota>: a cap of 201 % of a CPU; the machine has 2 CPUs");
    c = config("web");
    c.cpuset = 4;
    assert_int_equal(try_start(&c, &e), -ERANGE);
    assert_string_equal(e.text, "web: <vcpu>: there is no CPU 2: the machine has CPUs 0 to 1");
    c = config("web");
    c.pin[1] = 0x3c;
    assert_int_equal(try_start(&c, &e), -ERANGE);
    assert_string_equal(
        e.text, "web: <vcpupin>: vCPU 1: there are no CPUs 2-5: the machine has CPUs 0 to 1");
    assert_null(fake_is_clean(f));
    /* Some are there: that is enough, and said once. */
    c = config("some");
    c.cpuset = 6;
    c.pin[1] = 0x21;
    assert_int_equal(try_and_hear(&c, &e, said), 0);
    assert_string_equal(said, "pvctl: some: there are no CPUs 2,5: the machine has CPUs 0 to 1; "
                              "the others are used\n");
    /* All that there can be. */
    c = config("all");
    c.cpuset = UINT64_MAX;
    c.pin[1] = UINT64_MAX - 1;
    assert_int_equal(try_and_hear(&c, &e, said), 0);
    assert_string_equal(said, "");
    /* Nothing said, nothing set. */
    reap("some", "destroyed");
    reap("all", "destroyed");
    c = config("web");
    c.weight = c.cap = 0;
    c.cpuset = c.pin[1] = 0;
    assert_int_equal(try_start(&c, &e), 0);
    for (unsigned int i = 0; i < FAKE_DOMAINS; i++) {
        if (f->domains[i].live && f->domains[i].d.domid) {
            assert_int_equal(f->domains[i].sched.weight, 256);
            assert_int_equal(f->domains[i].sched.cap, 0);
            assert_int_equal(f->domains[i].affinity[0] & f->domains[i].affinity[1], UINT64_MAX);
        }
    }
    c = config("other");
    c.weight = 0; /* the cap alone */
    assert_int_equal(try_start(&c, &e), 0);
}

static void asks_for_shutdown(void **state)
{
    uint32_t domid = start("web");
    struct error e = {0};
    char path[64];

    (void)state;
    assert_int_equal(store_request_shutdown(&f->host, domid, "reboot", &e), 0);
    entry_is(domid, "control/shutdown", "reboot");
    /* It is the guest's: one that removes it is asked all the same, and again. */
    assert_false(store_request_taken(&f->host, domid));
    snprintf(path, sizeof(path), "/local/domain/%u/control", domid);
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0);
    assert_true(store_request_taken(&f->host, domid));
    assert_int_equal(store_request_shutdown(&f->host, domid, "poweroff", &e), 0);
    entry_is(domid, "control/shutdown", "poweroff");
    assert_true(store_request_shutdown(&f->host, 999, "reboot", &e) < 0);
    assert_non_null(strstr(e.text, "domain 999"));
}

/* How many pages of grants and ports of events it may have. */
static void limits(void **state)
{
    struct domain_config c = config("few"), usual = config("usual");
    struct live_domain l;
    struct error e = {0};

    (void)state;
    c.max_grant_frames = 7;
    c.max_event_channels = 500;
    assert_int_equal(try_start(&c, &e), 0);
    assert_int_equal(try_start(&usual, &e), 0);
    assert_int_equal(lifecycle_find(&f->host, "few", &l, &e), 0);
    assert_int_equal(fake_domain(f, l.d.domid)->created.max_grant_frames, 7);
    assert_int_equal(fake_domain(f, l.d.domid)->created.max_evtchn_port, 500);
    assert_int_equal(lifecycle_find(&f->host, "usual", &l, &e), 0);
    assert_int_equal(fake_domain(f, l.d.domid)->created.max_grant_frames, 64);
    assert_int_equal(fake_domain(f, l.d.domid)->created.max_evtchn_port, 1023);
}

/* A guest without a kernel, where GRUB is not installed: what is missing, and what has it. */
static void no_grub(void **state)
{
    struct domain_config c = config("web");
    struct error e = {0};

    (void)state;
    free(c.kernel);
    c.kernel = strdup("/no/such/grub");
    c.grub = true;
    assert_int_equal(try_start(&c, &e), -ENOENT);
    assert_non_null(strstr(e.text, "web: its file has no kernel, and GRUB"));
    assert_non_null(strstr(e.text, "/no/such/grub, of Debian's package grub-xen-host: No such"));
    assert_null(fake_is_clean(f));
}

static void actions(void **state)
{
    struct domain_config c = {
        .on_poweroff = END_PRESERVE, .on_reboot = END_RESTART, .on_crash = END_DESTROY};

    (void)state;
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_poweroff), END_PRESERVE);
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_reboot), END_RESTART);
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_crash), END_DESTROY);
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_watchdog), END_DESTROY);
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_suspend), END_PRESERVE);
    assert_int_equal(lifecycle_action(&c, 77), END_DESTROY);
    c.on_crash = END_COREDUMP_RESTART;
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_crash), END_COREDUMP_RESTART);
    c.on_reboot = END_RENAME_RESTART;
    assert_int_equal(lifecycle_action(&c, SHUTDOWN_reboot), END_RENAME_RESTART);
    assert_string_equal(shutdown_reason_text(SHUTDOWN_crash), "crashed");
    assert_string_equal(shutdown_reason_text(1000), "shut down for an unknown reason");
    assert_string_equal(shutdown_reason_word(SHUTDOWN_watchdog), "watchdog");
    assert_string_equal(shutdown_reason_word(1000), "unknown");
    assert_string_equal(domain_state_text(&(struct host_domain){.dying = true}), "dying");
    assert_string_equal(domain_state_text(&(struct host_domain){.running = true}), "running");
    assert_string_equal(domain_state_text(&(struct host_domain){.blocked = true}), "blocked");
    assert_string_equal(domain_state_text(&(struct host_domain){0}), "runnable");
}

/* One line, one cause, in words. */
static void errors(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(error_set(&e, 0, "first\n\x1b[2J"), -EINVAL);
    assert_int_equal(error_errno(&e, -ENOTCONN, "second"), -ENOTCONN);
    assert_string_equal(e.text, "first??[2J");
    e.code = 0;
    error_errno(&e, -ENOTCONN, "web");
    assert_non_null(strstr(e.text, "web: xenstored has ended (it cannot be started again"));
    e.code = 0;
    error_errno(&e, -ETIME, "web");
    assert_non_null(strstr(e.text, "web: xenstored does not answer in time (it runs"));
    assert_non_null(strstr(error_reason(-EACCES), "needs root"));
    assert_string_equal(error_reason(-ESRCH), "no such domain");
    assert_string_equal(error_reason(-ENOSPC), "No space left on device");
}

#define T(test) cmocka_unit_test_setup_teardown(test, lifecycle_setup, lifecycle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(creates),
        T(reaps),
        T(lists),
        T(frames_beyond_what_a_grant_holds),
        T(cpus_that_are_not_there),
        T(keeps_the_configuration),
        T(errors),
        T(limits),
        T(no_grub),
        T(actions),
        T(conflicts_are_tried_again),
        T(transactions_do_not_meet),
        T(reaping_goes_on),
        T(too_little_memory),
        T(asks_for_shutdown),
        T(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
