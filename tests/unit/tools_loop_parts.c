/* SPDX-License-Identifier: MIT */
/*
 * A partition of a loop device is a part of the file behind it: who has the one has the other.
 *
 * The machine has two loop devices on one file, of which each has two partitions, and one on a
 * disk's partition. The device mapper has made a device of the first, one of that, and one of the
 * disk's partition: who has one of them has what it stands upon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/loop.h>
#include <linux/major.h>

#include <cmocka.h>

#include "devices.h"
#include "disk_held.h"

#define LOOP_FD 501 /* of number 0 */

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_access(const char *path, int mode);
FILE *__wrap_fopen(const char *path, const char *mode);
DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

static const struct loop_info64 loops[] = {
    {.lo_device = 3, .lo_inode = 4},
    {.lo_device = 3, .lo_inode = 4},
    {.lo_rdevice = 0x801},
    {.lo_rdevice = 0x10301}, /* loop0p1: makedev(259, 1) */
};
#define NR_LOOPS (int)(sizeof(loops) / sizeof(loops[0]))
static bool mounted[NR_LOOPS]; /* it, or a partition of it */
static int open_fds;

/* Partitions, and the disks that they are on. */
static const struct {
    const char *number, *disk;
} partitions[] = {
    {"259:1", "7:0\n"}, {"259:2", "7:0\n"}, {"259:3", "7:1\n"},
    {"259:4", "7:2\n"}, {"8:1", "8:0\n"},
};

/* What stands upon what by the device mapper, and the number of that. */
static const struct {
    const char *upper, *name, *number;
} slaves[] = {{"253:0", "loop0", "7:0\n"},
              {"253:1", "dm-0", "253:0\n"},
              {"253:2", "sda1", "8:1\n"},
              {"253:3", "dm-3", "253:3\n"}}; /* upon more than we follow */
#define NR_SLAVES (sizeof(slaves) / sizeof(slaves[0]))

/* "/sys/dev/block/253:0/slaves/loop0/dev" */
static const char *number_of(const char *path)
{
    char have[64];

    for (size_t i = 0; i < NR_SLAVES; i++) {
        snprintf(have, sizeof(have), "/sys/dev/block/%s/slaves/%s/dev", slaves[i].upper,
                 slaves[i].name);
        if (strcmp(path, have) == 0)
            return slaves[i].number;
    }
    return NULL;
}

/* "/sys/dev/block/259:1/FILE"; NULL: it is no partition. */
static const char *disk_of(const char *path)
{
    for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++) {
        size_t len = strlen(partitions[i].number);

        if (strncmp(path, "/sys/dev/block/", 15) == 0 && path[15 + len] == '/' &&
            strncmp(path + 15, partitions[i].number, len) == 0)
            return partitions[i].disk;
    }
    return NULL;
}

int __wrap_access(const char *path, int mode)
{
    (void)mode;
    errno = ENOENT;
    return disk_of(path) ? 0 : -1;
}

static int refused; /* the number of what is below is not read: why; 0 = it is */

FILE *__wrap_fopen(const char *path, const char *mode)
{
    const char *number = number_of(path), *disk = number ? number : disk_of(path);

    (void)mode;
    errno = ENOENT;
    if (number && refused) {
        errno = refused;
        return NULL;
    }
    return disk ? fmemopen((char *)(uintptr_t)disk, strlen(disk), "r") : NULL;
}

static char block[32];

DIR *__wrap_opendir(const char *path)
{
    char own[64];
    unsigned int major, minor;

    snprintf(own, sizeof(own), "%s", block);
    if (sscanf(path, "/sys/dev/block/%u:%u/slaves", &major, &minor) == 2)
        snprintf(own, sizeof(own), "%s/%u:%u", block, major, minor);
    else
        assert_string_equal(path, "/sys/block");
    return __real_opendir(own);
}

int __wrap_open(const char *path, int flags, ...)
{
    int number;

    errno = ENOENT;
    if (sscanf(path, "/dev/loop%d", &number) != 1 || number >= NR_LOOPS)
        return -1;
    errno = EBUSY;
    if ((flags & O_EXCL) && mounted[number])
        return -1;
    open_fds++;
    return LOOP_FD + number;
}

int __wrap_close(int fd)
{
    if (fd < LOOP_FD)
        return __real_close(fd);
    open_fds--;
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
    assert_int_equal(request, LOOP_GET_STATUS64);
    memcpy(arg, &loops[fd - LOOP_FD], sizeof(loops[0]));
    return 0;
}

static struct disk_id of(unsigned int major, unsigned int minor)
{
    struct disk_id id;

    assert_int_equal(device_system->identify_number(major, minor, &id), 0);
    assert_int_equal(open_fds, 0);
    return id;
}

static bool overlap(struct disk_id a, struct disk_id b)
{
    assert_int_equal(disk_overlap(&a, &b), disk_overlap(&b, &a));
    return disk_overlap(&a, &b);
}

static void parts_are_of_the_file(void **state)
{
    const struct disk_id file = {.dev = 3, .ino = 4}, other = {.dev = 3, .ino = 5};

    (void)state;
    assert_false(of(259, 1).block);
    assert_true(overlap(of(259, 1), file));
    assert_true(overlap(of(259, 2), of(LOOP_MAJOR, 0)));
    assert_true(overlap(of(259, 1), of(LOOP_MAJOR, 1)));
    assert_false(overlap(of(259, 1), other));
    assert_true(overlap(of(259, 1), of(259, 1)));
    assert_false(overlap(of(259, 1), of(259, 2)));
    /* Where it begins in the file is another thing on each loop device. */
    assert_true(overlap(of(259, 2), of(259, 3)));
    /* Made of a partition, it is a part of that, and of the disk. */
    assert_true(overlap(of(259, 4), of(8, 1)));
    assert_true(overlap(of(259, 4), of(8, 0)));
    assert_false(overlap(of(259, 4), of(8, 2)));
    /* A loop device on a partition of another. */
    assert_true(overlap(of(LOOP_MAJOR, 3), file));
    assert_true(overlap(of(LOOP_MAJOR, 3), of(259, 1)));
    assert_false(overlap(of(LOOP_MAJOR, 3), of(259, 2)));
}

/* The control domain has mounted a partition by one loop device: no other way to the file is free,
 * but the other partitions of that device are. */
static void what_is_mounted_is_held(void **state)
{
    struct disk_id id = of(259, 1);

    (void)state;
    assert_int_equal(disk_held("/none", &id, false), 0);
    mounted[0] = true;
    assert_int_equal(disk_held("/none", &id, false), 0);
    id = of(259, 3);
    assert_int_equal(disk_held("/none", &id, false), -EBUSY);
    mounted[0] = false;
    assert_int_equal(open_fds, 0);
}

static bool stands_on(struct disk_id upper, struct disk_id lower)
{
    int stands = disk_stands_on(&upper, &lower);

    assert_int_equal(open_fds, 0);
    assert_true(stands >= 0);
    return stands;
}

/* A domain has one disk, which it may write alone. */
static const char *disk_of_another;

static int list_one(struct host *h, host_txn_t t, const char *path, char ***out, unsigned int *n)
{
    const char *name = strcmp(path, "/local/domain/0/backend/vbd") == 0 ? "5" : "51712";
    char **list = malloc(sizeof(*list) + 8);

    (void)h, (void)t;
    list[0] = (char *)(list + 1);
    strcpy(list[0], name);
    *out = list;
    *n = 1;
    return 0;
}

static int read_one(struct host *h, host_txn_t t, const char *path, char **out)
{
    const char *key = strrchr(path, '/') + 1;

    (void)h, (void)t;
    *out = strdup(strcmp(key, "physical-device") == 0 ? disk_of_another
                  : strcmp(key, "mode") == 0          ? "w"
                                                      : "0");
    return 0;
}

static int shares(struct disk_id id, bool shareable)
{
    static const struct host_ops ops = {.store_list = list_one, .store_read = read_one};
    const struct domain_config c = {.name = (char *)(uintptr_t) "web"};
    const struct disk_config disk = {.source = (char *)(uintptr_t) "/dev/a",
                                     .target = (char *)(uintptr_t) "xvda",
                                     .shareable = shareable};
    struct host h = {.ops = &ops};
    struct error e = {0};

    return disk_share_check(&h, 0, &c, 7, &disk, &id, &e);
}

static void what_stands_upon_it(void **state)
{
    const struct disk_id file = {.dev = 3, .ino = 4}, other = {.dev = 3, .ino = 5};
    struct disk_id upper;

    (void)state;
    assert_true(stands_on(of(253, 0), file));
    assert_true(stands_on(of(253, 0), of(LOOP_MAJOR, 1)));
    assert_true(stands_on(of(253, 1), file));
    assert_false(stands_on(of(253, 1), other));
    assert_true(stands_on(of(253, 2), of(8, 1)));
    assert_true(stands_on(of(253, 2), of(8, 0)));
    assert_false(stands_on(of(253, 2), of(8, 2)));
    assert_false(stands_on(of(8, 1), of(253, 2)));
    assert_false(stands_on(file, of(253, 0)));
    disk_of_another = "8:1";
    assert_int_equal(shares(of(8, 1), false), -EBUSY);
    assert_int_equal(shares(of(253, 2), false), -EBUSY);
    assert_int_equal(shares(of(253, 1), false), 0);
    disk_of_another = "fd:2"; /* what is below it, which nobody else may write, is shared by us */
    assert_int_equal(shares(of(8, 1), true), -EBUSY);
    assert_int_equal(shares(of(8, 2), true), 0);
    upper = of(253, 3); /* what is not known is not given away */
    assert_int_equal(disk_stands_on(&upper, &file), -ELOOP);
    refused = EMFILE;
    assert_int_equal(disk_stands_on(&upper, &file), -EMFILE);
    refused = ENOENT; /* it has gone meanwhile */
    assert_int_equal(disk_stands_on(&upper, &file), 0);
    refused = 0;
    assert_int_equal(open_fds, 0);
}

static int make_block(void **state)
{
    (void)state;
    strcpy(block, "/tmp/loop_parts.XXXXXX");
    if (!mkdtemp(block))
        return -1;
    for (size_t i = 0; i < NR_SLAVES; i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/%s", block, slaves[i].upper);
        if (mkdir(path, 0700) < 0)
            return -1;
        snprintf(path, sizeof(path), "%s/%s/%s", block, slaves[i].upper, slaves[i].name);
        if (mkdir(path, 0700) < 0)
            return -1;
    }
    for (int i = 0; i < NR_LOOPS; i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/loop%d", block, i);
        if (mkdir(path, 0700) < 0)
            return -1;
    }
    return 0;
}

static int remove_block(void **state)
{
    (void)state;
    for (int i = 0; i < NR_LOOPS; i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/loop%d", block, i);
        rmdir(path);
    }
    for (size_t i = 0; i < NR_SLAVES; i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/%s/%s", block, slaves[i].upper, slaves[i].name);
        rmdir(path);
        snprintf(path, sizeof(path), "%s/%s", block, slaves[i].upper);
        rmdir(path);
    }
    return rmdir(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_of_the_file),
        cmocka_unit_test_setup_teardown(what_is_mounted_is_held, make_block, remove_block),
        cmocka_unit_test_setup_teardown(what_stands_upon_it, make_block, remove_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
