/* SPDX-License-Identifier: MIT */
/*
 * pvctl's verbs that ask a guest for something (memory, vCPUs, a key, an interrupt) or say what it
 * is (number, name, uptime, devices), on a model of a machine: what stands in the store and in the
 * kept configuration afterwards, and in which words they refuse. Whichever call fails, it is told,
 * and nothing stays half done.
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

#include "lifecycle_support.h"
#include "pvctl_support.h"
#include "state.h"
#include "store.h"

static struct fake_domain *web, *db;

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    if (rc == 0) {
        web = pvctl_runs("web");
        db = pvctl_runs("db");
    }
    return rc;
}

static const char *entry(const struct fake_domain *d, const char *key)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", d->d.domid, key);
    return fake_read(f, path);
}

static void put(const struct fake_domain *d, const char *key, const char *value)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", d->d.domid, key);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, value), 0);
}

static bool keeps(const struct fake_domain *d, const char *text)
{
    char *xml;
    bool found;

    assert_int_equal(state_read_xml(d->d.domid, &xml), 0);
    found = strstr(xml, text) != NULL;
    free(xml);
    return found;
}

/* Each has 4096 KiB, and may have no more. */
static void sets_memory(void **state)
{
    (void)state;
    pvctl_ends("mem-set web 3MiB", 0, "");
    assert_string_equal(pvctl_said, "");
    assert_string_equal(entry(web, "memory/target"), "3072");
    assert_int_equal(web->max_kib, 3072 + 1024);
    assert_true(keeps(web, "<currentMemory unit='KiB'>3072<"));
    assert_true(keeps(web, "<memory unit='KiB'>4096<"));
    pvctl_ends("mem-set web db 4", 0, "");
    assert_string_equal(entry(web, "memory/target"), "4096");
    assert_string_equal(entry(db, "memory/target"), "4096");
    pvctl_ends("setmem web 2050", 0, ""); /* virsh's KiB; whole pages */
    assert_string_equal(entry(web, "memory/target"), "2052");
    pvctl_ends("mem-set web 5M", 2,
               "web: 5 MiB (5120 KiB) is not between 2 MiB and 4 MiB (4096 KiB), the most it may");
    pvctl_ends("mem-set web 1M", 2,
               "web: 1 MiB (1024 KiB) is not between 2 MiB and 4 MiB (4096 KiB)");
    pvctl_ends("mem-set web 0", 2, "web: 0 KiB is not between");
    assert_string_equal(entry(web, "memory/target"), "2052");
    assert_int_equal(web->max_kib, 2052 + 1024);
}

static void sets_most(void **state)
{
    (void)state;
    pvctl_ends("mem-max web 8M", 0, "");
    assert_string_equal(entry(web, "memory/static-max"), "8192");
    assert_int_equal(web->max_kib, 8192 + 1024);
    assert_true(keeps(web, "<memory unit='KiB'>8192<"));
    assert_true(keeps(web, "<currentMemory unit='KiB'>4096<"));
    pvctl_ends("mem-set web 8M", 0, "");
    pvctl_ends("setmaxmem web 8191", 0, ""); /* 8192 in whole pages */
    pvctl_ends("setmaxmem web 8188", 2,
               "web: 8188 KiB is not between 8 MiB (8192 KiB), which it is to have ");
    pvctl_ends("mem-max web 17T", 2, "(18253611008 KiB) is not between 8 MiB (8192 KiB), which");
}

/* The control domain can be asked too, and gets back what it gave. */
static void of_the_control_domain(void **state)
{
    struct fake_domain *zero = fake_domain(f, 0);
    uint64_t max_pages = zero->d.max_pages, nr_pages = zero->d.nr_pages;

    (void)state;
    zero->d.nr_pages = zero->d.max_pages = 4096;
    pvctl_ends("mem-set 0 17M", 2,
               "Domain-0: 17 MiB (17408 KiB) is not between 2 MiB and 16 MiB (16384 KiB)");
    pvctl_ends("mem-set Domain-0 8M", 0, "");
    zero->d.nr_pages = 2048;
    assert_int_equal(zero->max_kib, 8192 + 1024);
    pvctl_ends("mem-set Domain-0 16M", 0, "");
    assert_int_equal(zero->max_kib, 16384 + 1024);
    assert_string_equal(entry(zero, "memory/target"), "16384");
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, "/local/domain/0/memory"), 0);
    zero->d.max_pages = max_pages;
    zero->d.nr_pages = nr_pages;
}

static void no_such_size(void **state)
{
    static const char *const sizes[] = {"x",   "-1", "5Q",  "5M5", "1.5G", "99999999999999999999",
                                        "16E", "M",  "0x10"};
    char line[64];

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(line, sizeof(line), "mem-set web -- %s", sizes[i]);
        pvctl_ends(line, 2, "pvctl mem-set: this is no size such as 256M or 1GiB: ");
        snprintf(line, sizeof(line), "mem-max web -- %s", sizes[i]);
        pvctl_ends(line, 2, "pvctl mem-max: this is no size such as 256M or 1GiB: ");
    }
}

static void waits_for_memory(void **state)
{
    (void)state;
    web->d.nr_pages = 1024;
    pvctl_ends("mem-set --wait web 4M", 0, "web: 4096 KiB\n");
    pvctl_ends("mem-set --timeout 1 web 2M", 1,
               "pvctl: web: it has 4 MiB (4096 KiB) after 1 s, and was asked for 2 MiB (2048 KiB): "
               "has its kernel a ");
}

static void sets_vcpus(void **state)
{
    (void)state;
    pvctl_ends("vcpu-set web db 1", 0, "");
    assert_string_equal(entry(web, "cpu/0/availability"), "online");
    assert_string_equal(entry(web, "cpu/1/availability"), "offline");
    assert_string_equal(entry(db, "cpu/1/availability"), "offline");
    assert_true(keeps(web, " current='1'"));
    pvctl_ends("setvcpus web 2", 0, "");
    assert_string_equal(entry(web, "cpu/1/availability"), "online");
    assert_false(keeps(web, "current="));
    pvctl_ends("vcpu-set web 3", 2, "pvctl: web: 3 vCPUs: it can use 1 to 2; more are given when ");
    pvctl_ends("vcpu-set web 0", 2, "pvctl: web: 0 vCPUs: it can use 1 to 2");
    pvctl_ends("vcpu-set web two", 2, "pvctl vcpu-set: this is no number of vCPUs: two; ");
    pvctl_ends("vcpu-set web 99999999999999999999", 2, "it can use 1 to 2");
}

static void presses_keys(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", web->d.domid);
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0); /* it is the guest's */
    pvctl_ends("sysrq web db t", 0, "");
    assert_string_equal(entry(web, "control/sysrq"), "t");
    assert_string_equal(entry(db, "control/sysrq"), "t");
    pvctl_ends("sysrq web te", 2, "pvctl sysrq: a key is one letter or digit, not te; ");
    pvctl_ends("sysrq web /", 2, "pvctl sysrq: a key is one letter or digit, not /; ");
    pvctl_ends("sysrq Domain-0 b", 1,
               "pvctl: Domain-0: the control domain cannot press such a key of itself\n");
}

static void triggers(void **state)
{
    (void)state;
    pvctl_ends("trigger web nmi", 0, "");
    assert_int_equal(web->nmis, 1);
    pvctl_ends("trigger web nmi 1", 0, "");
    assert_int_equal(web->nmis, 3);
    pvctl_ends("inject-nmi db", 0, "");
    assert_int_equal(db->nmis, 1);
    pvctl_ends("trigger web nmi 2", 2, "pvctl: web: there is no vCPU 2: it has 2\n");
    pvctl_ends("trigger web nmi x", 2, "pvctl: web: this is no vCPU's number: x\n");
    pvctl_ends("trigger web", 2, "pvctl trigger: missing argument WHAT; ");
    pvctl_ends("trigger web reset", 2, "pvctl trigger: neither nmi nor power: reset; ");
    pvctl_ends("trigger web power", 1,
               "pvctl: web: a pv guest has no power button; `pvctl shutdown`");
    web->d.kind = KIND_HVM;
    pvctl_ends("trigger web power", 0, "");
    assert_true(web->pressed);
    web->d.kind = KIND_PV;
    web->d.shutdown = true;
    pvctl_ends("trigger web nmi", 1, "pvctl: web: it has ended (");
    assert_int_equal(web->nmis, 3);
}

/* Who has ended, knows of no store, or has none, is not asked. */
static void not_asked(void **state)
{
    static const char *const verbs[][3] = {{"mem-set", "3M", "memory/target"},
                                           {"mem-max", "5M", "memory/target"},
                                           {"vcpu-set", "1", NULL},
                                           {"sysrq", "t", "vm"}};
    char line[64], path[96];

    (void)state;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        snprintf(line, sizeof(line), "%s nobody %s", verbs[i][0], verbs[i][1]);
        pvctl_ends(line, 3, "pvctl: nobody: no such domain\n");
        snprintf(line, sizeof(line), "%s web %s", verbs[i][0], verbs[i][1]);
        web->d.kind = KIND_HVM;
        pvctl_ends(line, 1, "pvctl: web: it is an hvm guest, which knows of no store: ");
        web->d.kind = KIND_PV;
        web->d.shutdown = true;
        pvctl_ends(line, 1, "pvctl: web: it has ended (");
        web->d.shutdown = false;
        if (!verbs[i][2])
            continue;
        snprintf(path, sizeof(path), "/local/domain/%u/%s", web->d.domid, verbs[i][2]);
        assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0);
        pvctl_ends(line, 1, "pvctl: web: it cannot be asked, for ");
        put(web, verbs[i][2], "4096");
    }
}

static void says_what_it_is(void **state)
{
    char line[STORE_VM_LEN + 16], vm[STORE_VM_LEN];

    (void)state;
    snprintf(line, sizeof(line), "%u\n%u\n", web->d.domid, db->d.domid);
    pvctl_ends("domid web db", 0, line);
    pvctl_ends("domid Domain-0", 0, "0\n");
    snprintf(line, sizeof(line), "domname %u 0", db->d.domid);
    pvctl_ends(line, 0, "db\nDomain-0\n");
    pvctl_ends("uptime web", 0, " 0 days 00:00:0");
    pvctl_ends("uptime --json Domain-0", 0, "\"uptime_s\": ");
    store_vm_path(vm, web->d.domid, web->d.uuid);
    snprintf(line, sizeof(line), "%s/start_time", vm);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, line, "99999999999.00"), 0);
    pvctl_ends("uptime --json web", 0, "\"uptime_s\": 0\n"); /* the clock was set back */
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, line), 0);
    pvctl_ends("uptime web", 0, " -\n");
    pvctl_ends("uptime --json web", 0, "\"id\": ");
    assert_null(strstr(pvctl_said, "uptime_s"));
    web->d.nr_pages = 1024 + 64;
    pvctl_ends("list --unit MiB web", 0, " 4.2 ");
    pvctl_ends("list --unit MiB web", 0, "  Mem(MiB) ");
    web->d.nr_pages = 1024;
    pvctl_ends("list -u m web", 0, "     Mem(M) ");
    pvctl_ends("list -u b web", 0, " 4194304 ");
    pvctl_ends("list --unit parsec", 2, "pvctl list: there is no such unit: parsec; ");
}

static void back_end(const struct fake_domain *d, const char *kind, const char *key,
                     const char *value)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%s", kind, d->d.domid, key);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, value), 0);
}

static void lists_devices(void **state)
{
    char path[96];

    (void)state;
    pvctl_ends("block-list --json web", 0, "[]\n");
    back_end(web, "vbd", "51712/dev", "xvda");
    back_end(web, "vbd", "51712/mode", "w");
    back_end(web, "vbd", "51712/params", "/srv/we\033b.img");
    back_end(web, "vbd", "51712/state", "4");
    back_end(web, "vif", "0/mac", "00:16:3e:00:00:01");
    back_end(web, "vif", "0/state", "99");
    pvctl_ends("domblklist web", 0, "  51712  xvda     w     -      connected     /srv/we?b.img\n");
    pvctl_ends("block-list --json", 0, "\"device\": 51712,\n    \"target\": \"xvda\"");
    assert_null(strstr(pvctl_said, "\"type\""));
    pvctl_ends("network-list db web", 0,
               "      0  00:16:3e:00:00:01  -            -              unknown ");
    pvctl_ends("block-list nobody web", 3, "xvda");
    f->store_dead = true;
    assert_int_equal(pvctl_run("block-list web"), 5);
    f->store_dead = false;
    snprintf(path, sizeof(path), "/local/domain/0/backend");
    assert_int_equal(f->host.ops->store_rm(&f->host, 0, path), 0);
}

/* Whichever call fails, it is told, and the limit of memory and the wish agree. */
static void any_call_may_fail(void **state)
{
    static const char *const lines[] = {"mem-set web 3M", "mem-max web 9M",  "vcpu-set web 1",
                                        "sysrq web t",    "trigger web nmi", "uptime web",
                                        "block-list web"};
    int status;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        uint64_t at = 0;

        do {
            f->calls = 0;
            f->fail_at = ++at;
            f->fail_with = -EIO;
            status = pvctl_run(lines[i]);
            if (status && !strstr(pvctl_said, "pvctl: "))
                fail_msg("`pvctl %s`, call %d: status %d, and nothing said", lines[i], (int)at,
                         status);
        } while (f->calls >= at);
        f->fail_at = 0;
        assert_int_equal(status, 0);
    }
}

/* A domain that others made has no name but the store's, and no kept configuration; the rest is
 * done. */
static void of_others(void **state)
{
    (void)state;
    assert_int_equal(unlink(state_path("names/web")), 0);
    assert_int_equal(unlink(state_path("domains/%u.xml", web->d.domid)), 0);
    pvctl_ends("mem-set web 3M", 0, "");
    assert_string_equal(entry(web, "memory/target"), "3072");
    assert_int_not_equal(access(state_path("domains/%u.xml", web->d.domid), F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, lifecycle_teardown)
    const struct CMUnitTest tests[] = {
        T(sets_memory),      T(sets_most),       T(of_the_control_domain), T(no_such_size),
        T(waits_for_memory), T(sets_vcpus),      T(presses_keys),          T(triggers),
        T(not_asked),        T(says_what_it_is), T(lists_devices),         T(any_call_may_fail),
        T(of_others),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
