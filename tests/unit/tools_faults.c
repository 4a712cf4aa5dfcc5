/* SPDX-License-Identifier: MIT */
/*
 * What cannot be told is not taken for nothing: a process that has no file descriptor left takes no
 * disk for nobody's, no maker for one that is gone, and no domain for one without devices.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices.h"
#include "disk_held.h"
#include "kept.h"
#include "lifecycle_support.h"
#include "restart.h"
#include "state.h"
#include "traffic.h"

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);

static int no_loop, no_list, no_number; /* errno */

int __wrap_open(const char *path, int flags, ...)
{
    if (strcmp(path, "/dev/loop2") != 0)
        return __real_open(path, flags, 0600);
    errno = no_loop;
    return no_loop ? -1 : __real_open("/dev/null", O_RDONLY);
}

DIR *__wrap_opendir(const char *path)
{
    if (strcmp(path, "/sys/block") != 0)
        return __real_opendir(path);
    errno = no_list;
    return no_list ? NULL : __real_opendir(state_path("block"));
}

static int identify_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    (void)major, (void)minor;
    *out = (struct disk_id){.dev = 3, .ino = 4};
    return -no_number;
}

static const int absent[] = {ENOENT, ENXIO, ENODEV, ENOMEDIUM};
#define NR_ABSENT (sizeof(absent) / sizeof(absent[0]))

static int setup(void **state)
{
    static struct device_system model;
    int rc = lifecycle_setup(state);

    model = *device_system;
    model.identify_number = identify_number;
    model.held = disk_held;
    device_system = &model;
    no_loop = no_list = no_number = 0;
    return rc || state_prepare(NULL);
}

/* By a loop device on the same file. */
static void disks_that_are_mounted(void **state)
{
    const struct disk_id id = {.dev = 3, .ino = 4};
    char path[160];

    (void)state;
    snprintf(path, sizeof(path), "%s", state_path("block"));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(state_path("block/loop2"), 0700), 0);
    assert_int_equal(disk_held("/none", &id, false), 0);
    for (size_t i = 0; i < NR_ABSENT; i++) {
        no_loop = absent[i];
        assert_int_equal(disk_held("/none", &id, false), 0);
        no_loop = 0;
        no_number = absent[i];
        assert_int_equal(disk_held("/none", &id, false), 0);
        no_number = 0;
    }
    no_loop = EMFILE;
    assert_int_equal(disk_held("/none", &id, true), -EMFILE);
    no_number = EIO;
    assert_int_equal(disk_held("/none", &id, true), -EIO);
    no_list = ENOMEM;
    assert_int_equal(disk_held("/none", &id, true), -ENOMEM);
    no_list = ENOENT;
    assert_int_equal(disk_held("/none", &id, true), 0);
    assert_int_equal(rmdir(state_path("block/loop2")), 0);
    assert_int_equal(rmdir(path), 0);
}

static void disks_of_others(void **state)
{
    const struct disk_id id = {.dev = 3, .ino = 4};
    const struct disk_config d = {.source = (char *)"/a.img", .target = (char *)"xvda"};
    const struct domain_config c = {.name = (char *)"two"};
    const char *back = "/local/domain/0/backend/vbd/5/51712";
    struct error e = {0};
    char path[96];

    (void)state;
    snprintf(path, sizeof(path), "%s/physical-device", back);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "7:2"), 0);
    snprintf(path, sizeof(path), "%s/mode", back);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "w"), 0);
    assert_int_equal(disk_share_check(&f->host, 0, &c, 6, &d, &id, &e), -EBUSY);
    for (size_t i = 0; i < NR_ABSENT; i++) {
        no_number = absent[i];
        assert_int_equal(disk_share_check(&f->host, 0, &c, 6, &d, &id, &e), 0);
    }
    no_number = EMFILE;
    assert_int_equal(disk_share_check(&f->host, 0, &c, 6, &d, &id, &e), -EMFILE);
}

/* Whatever opens something gets EMFILE. */
static void no_descriptors(struct rlimit *before)
{
    struct rlimit none;
    int next = dup(STDERR_FILENO);

    close(next);
    getrlimit(RLIMIT_NOFILE, before);
    none = *before;
    none.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &none);
}

static void count(void *n, const char *name)
{
    assert_string_equal(name, "web");
    ++*(unsigned int *)n;
}

static void without_descriptors(void **state)
{
    const uint8_t uuid[16] = {1};
    struct live_domain l = {.name = "web", .d.domid = 7};
    struct traffic t;
    struct state_entry s;
    struct error e = {0};
    struct rlimit before;
    unsigned int n = 0;

    (void)state;
    assert_int_equal(state_claim(&f->host, "web", uuid, true, &e), 0);
    assert_int_equal(state_keep("web", 7, "<domain/>", &e), 0);
    assert_int_equal(restart_intend("web", 7), 0);
    assert_int_equal(kept_settle_name(&f->host, &l, &e), 0); /* it has ended */
    no_descriptors(&before);
    assert_int_equal(state_get("web", &s), 0);
    assert_false(s.abandoned);
    assert_int_equal(restart_each(count, &n), -EMFILE);
    assert_int_equal(kept_settle_name(&f->host, &l, &e), -EMFILE);
    assert_int_equal(traffic_read(&t), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(restart_each(count, &n), 0);
    assert_int_equal(n, 1);
    state_release("web", UINT32_MAX, uuid);
    restart_forget("web");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, lifecycle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(disks_that_are_mounted),
        T(disks_of_others),
        T(without_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
