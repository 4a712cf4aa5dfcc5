/* SPDX-License-Identifier: MIT */
/*
 * An attach and a detach that are killed, at each step once: whatever was done by then, the next
 * attach and the next detach do what they are to do, and store and configuration agree then.
 *
 * The process that is killed jumps out of the call; what the kernel gives back of one, its files
 * and by them its locks, is given back here.
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

#include "daemon_support.h"
#include "devices.h"
#include "fake_parts.h"
#include "hotplug.h"
#include "killed_calls.h"
#include "state.h"

static uint32_t domid;
static bool guest_listens;        /* it connects, and lets go when it is asked */
static bool nic;                  /* instead of a disk */
static bool made_up;              /* the interface's address is */
static bool only_read;            /* the disk is to be */
static bool elsewhere;            /* the disk comes by another name */
static uint64_t limit;            /* of what it may write; of an interface's rate */
static struct disk_rates limited; /* what the disk's loop device has */

static int keep_limit(unsigned int major, unsigned int minor, const struct disk_rates *rates)
{
    (void)major, (void)minor;
    limited = *rates;
    return 0;
}

static void set_entry(struct fake_entry *e, const char *to)
{
    free(e->value);
    e->value = strdup(to);
}

/* A network back end is connected when its interface is on a bridge, whatever its front end is. */
static const char *connected(const char *path)
{
    char status[96];

    snprintf(status, sizeof(status), "/local/domain/0/backend/vif/%u/0/hotplug-status", domid);
    return guest_listens && (!strstr(path, "/backend/vif/") || fake_read(f, status)) ? "4" : "2";
}

/* The drivers come to their turn. */
static void drive(unsigned int ms)
{
    (void)ms;
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *e = &f->entries[i];

        if (!e->path || !e->value || !strstr(e->path, "/state"))
            continue;
        if (strstr(e->path, "/backend/") && strcmp(e->value, "5") == 0)
            set_entry(e, "6");
        else if (strcmp(e->value, "1") == 0 || strcmp(e->value, "2") == 0)
            set_entry(e, connected(e->path));
    }
}

static int attach(void)
{
    struct domain_config c = {.name = strdup("web")};
    struct live_domain l;
    struct error e = {0};
    unsigned int id;
    int rc = lifecycle_find(&f->host, "web", &l, &e);

    if (nic) {
        c.nics = calloc(1, sizeof(*c.nics));
        c.nr_nics = 1;
        *c.nics = (struct nic_config){.bridge = strdup("xenbr0"),
                                      .mac = {0, 0x16, 0x3e, 0, 0, 7},
                                      .mac_given = !made_up,
                                      .rate_kib = (uint32_t)limit};
    } else {
        c.disks = calloc(1, sizeof(*c.disks));
        c.nr_disks = 1;
        *c.disks = (struct disk_config){.source = strdup("/srv/b.img"),
                                        .target = strdup(elsewhere ? "xvdc" : "xvdb"),
                                        .vdev = elsewhere ? 51744 : 51728,
                                        .readonly = only_read,
                                        .rates.of[DISK_WRITE_BYTES] = limit};
    }
    rc = rc    ? rc
         : nic ? hotplug_add_nic(&f->host, &l, &c, &id, &e)
               : hotplug_add_disk(&f->host, &l, &c, &e);
    domain_config_free(&c);
    return rc;
}

static int detach(void)
{
    struct live_domain l;
    struct error e = {0};
    int rc = lifecycle_find(&f->host, "web", &l, &e);

    return rc    ? rc
           : nic ? hotplug_remove_nic(&f->host, &l, made_up ? "0" : "00:16:3e:00:00:07", false, &e)
                 : hotplug_remove_disk(&f->host, &l, elsewhere ? "xvdc" : "xvdb", false, &e);
}

/* Runs it, killed at this call; false: it came through. */
static bool killed(int (*process)(void), uint64_t at)
{
    int first = dup(0);
    bool died = true;

    f->calls = 0;
    f->kill_at = at;
    expect_leaks(true);
    if (setjmp(f->killed) == 0) {
        assert_int_equal(process(), 0);
        died = false;
    }
    expect_leaks(false);
    f->kill_at = 0;
    if (died) {
        fake_process_died(f);
        closefrom(first);
    } else {
        close(first);
    }
    return died;
}

static const char *back_entry(const char *key)
{
    char path[96];

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u/%s", nic ? "vif" : "vbd", domid,
             nic ? 0 : 51728, key);
    return fake_read(f, path);
}

static bool kept(void)
{
    char *xml;
    bool has;

    assert_int_equal(state_read_xml(domid, &xml), 0);
    has = strstr(xml, nic ? "<interface" : "/srv/b.img") != NULL;
    free(xml);
    return has;
}

static bool stored(void)
{
    return back_entry("state") != NULL;
}

static void begin(struct device_system *model)
{
    assert_int_equal(daemon_setup(NULL), 0);
    make_guest("web", "destroy", &domid);
    *model = willing_system;
    model->sleep_ms = drive;
    model->limit = keep_limit;
    device_system = model;
}

/* Nothing of it is left, and it may come again. */
static void assert_usable(void)
{
    assert_false(stored());
    assert_false(kept());
    assert_int_equal(attach(), 0);
    assert_true(stored() && kept());
    assert_int_equal(detach(), 0);
    assert_false(stored() || kept());
    assert_int_equal(daemon_teardown(NULL), 0);
}

/* Whatever there is of it goes by the next detach. */
static void detach_rest(void)
{
    bool any = stored() || kept();

    assert_int_equal(detach(), any ? 0 : -ENOENT);
}

static void attach_killed(void)
{
    struct device_system model;
    bool died = true;
    uint64_t at;

    for (at = 1; died; at++) {
        begin(&model);
        died = killed(attach, at);
        assert_true(stored() || !kept());
        drive(0);
        if (!kept())
            assert_int_equal(attach(), 0);
        assert_true(stored() && kept());
        assert_true(!nic || back_entry("hotplug-status")); /* it is on its bridge */
        assert_int_equal(detach(), 0);
        assert_usable();
        begin(&model);
        died = killed(attach, at);
        detach_rest();
        assert_usable();
    }
    assert_true(at > 20);
}

/* What a killed attach has left may be written: who then gives it to be read only is not told that
 * it is. */
static void attach_killed_then_only_read(void **state)
{
    struct device_system model;
    bool died = true;

    (void)state;
    nic = false;
    guest_listens = true;
    for (uint64_t at = 1; died; at++) {
        int rc;

        begin(&model);
        died = killed(attach, at);
        drive(0);
        only_read = true;
        rc = attach();
        only_read = false;
        assert_string_equal(back_entry("mode"), rc ? "w" : "r");
        assert_true(rc == 0 || rc == -EEXIST);
        assert_int_equal(detach(), 0);
        assert_usable();
    }
}

/* Who gives the same disk by another name is not told that the domain has it already, by one that
 * nobody uses; and that one goes. */
static void attach_killed_then_elsewhere(void **state)
{
    struct device_system model;
    unsigned int left = 0;
    bool died = true;

    (void)state;
    nic = guest_listens = false;
    for (uint64_t at = 1; died; at++) {
        begin(&model);
        died = killed(attach, at);
        left += stored() && !kept();
        if (kept())
            assert_int_equal(detach(), 0);
        elsewhere = true;
        assert_int_equal(attach(), 0);
        assert_false(stored());
        assert_true(kept());
        assert_int_equal(detach(), 0);
        elsewhere = false;
        assert_usable();
    }
    assert_true(left > 3);
}

/* What a killed attach has left has another limit, or none: who then gives it with one is not told
 * that it has come while that does not hold. */
static void attach_killed_then_limited(void **state)
{
    (void)state;
    guest_listens = true;
    for (int way = 0; way < 2; way++) {
        struct device_system model;
        bool died = true;

        nic = way;
        for (uint64_t at = 1; died; at++) {
            int rc;

            begin(&model);
            died = killed(attach, at);
            drive(0);
            limit = 8192;
            rc = attach();
            limit = 0;
            assert_true(rc == 0 || rc == -EEXIST);
            if (rc == 0 && nic)
                assert_string_equal(back_entry("rate"), "419430,50000");
            else if (rc == 0)
                assert_int_equal(limited.of[DISK_WRITE_BYTES], 8192);
            assert_int_equal(detach(), 0);
            assert_usable();
        }
    }
}

/* How often this is in what is kept. */
static unsigned int times_kept(const char *text)
{
    unsigned int n = 0;
    char *xml;

    assert_int_equal(state_read_xml(domid, &xml), 0);
    for (const char *at = strstr(xml, text); at; at = strstr(at + 1, text))
        n++;
    free(xml);
    return n;
}

static unsigned int interfaces_stored(void)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        const char *path = f->entries[i].path;

        n += path && strstr(path, "/backend/vif/") && strstr(path, "/state");
    }
    return n;
}

/* Nobody knows the address that a killed attach made up: all the same the next leaves one interface
 * there, and not that one beside it. */
static void attach_killed_without_address(void **state)
{
    (void)state;
    nic = made_up = true;
    for (int way = 0; way < 2; way++) {
        struct device_system model;
        bool died = true;

        guest_listens = way;
        for (uint64_t at = 1; died; at++) {
            begin(&model);
            died = killed(attach, at);
            drive(0);
            if (!kept())
                assert_int_equal(attach(), 0);
            assert_int_equal(interfaces_stored(), 1);
            assert_int_equal(times_kept("<interface"), 1);
            assert_int_equal(times_kept(back_entry("mac")), 1);
            assert_true(back_entry("hotplug-status")); /* it is on its bridge */
            assert_int_equal(detach(), 0);
            assert_usable();
        }
    }
    made_up = false;
}

static void detach_killed(void)
{
    struct device_system model;
    bool died = true;
    uint64_t at;

    for (at = 1; died; at++) {
        begin(&model);
        assert_int_equal(attach(), 0);
        died = killed(detach, at);
        assert_true(stored() || !kept());
        detach_rest();
        assert_usable();
    }
    assert_true(at > 10);
}

static void each_way(void (*test)(void))
{
    for (int way = 0; way < 4; way++) {
        nic = way & 1;
        guest_listens = way & 2;
        test();
    }
}

static void attach_is_killed(void **state)
{
    (void)state;
    each_way(attach_killed);
}

static void detach_is_killed(void **state)
{
    (void)state;
    each_way(detach_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(attach_is_killed),
                                       cmocka_unit_test(attach_killed_then_only_read),
                                       cmocka_unit_test(attach_killed_then_elsewhere),
                                       cmocka_unit_test(attach_killed_then_limited),
                                       cmocka_unit_test(attach_killed_without_address),
                                       cmocka_unit_test(detach_is_killed)};

    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
