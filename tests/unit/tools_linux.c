/* SPDX-License-Identifier: MIT */
/*
 * What the control domain's Linux is asked for (device_system.c), on a model of its answers: loop
 * devices, bridges, and what /sys tells of disks and back ends. The linker puts this file's
 * functions in the place of the system calls; what is not about /dev or /sys goes to the real ones.
 */
#define _GNU_SOURCE /* nftw */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/loop.h>
#include <linux/major.h>
#include <linux/sockios.h>

#include <cmocka.h>

#include "devices.h"

#define NR_LOOPS   32
#define CONTROL_FD 500
#define LOOP_FD    501 /* of number 0 */

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __wrap_access(const char *path, int mode);
int __real_access(const char *path, int mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);
DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
unsigned int __wrap_if_nametoindex(const char *name);

static char dir[64];

/* ---- loop devices ---- */

static struct {
    struct loop_info64 info; /* of which LOOP_GET_STATUS64 tells */
    unsigned int flags;      /* with which it was configured */
    int mode;                /* with which it was opened */
    bool made, taken;        /* taken: another program was quicker */
    int held;                /* so often it is not to be opened exclusively */
} loops[NR_LOOPS];
static int open_fds, next_free;
static int no_control, no_loop, no_free, no_status; /* errno */

static int open_device(int errnum, int fd)
{
    if (errnum) {
        errno = errnum;
        return -1;
    }
    open_fds++;
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    int number;

    if (strcmp(path, "/dev/loop-control") == 0)
        return open_device(no_control, CONTROL_FD);
    if (sscanf(path, "/dev/loop%d", &number) == 1) {
        if ((flags & O_EXCL) && loops[number].held && loops[number].held--)
            return open_device(EBUSY, -1);
        loops[number].mode = flags & O_ACCMODE;
        return open_device(no_loop, LOOP_FD + number);
    }
    return __real_open(path, flags, 0600);
}

int __wrap_close(int fd)
{
    if (fd < CONTROL_FD)
        return __real_close(fd);
    open_fds--;
    return 0;
}

static int answer(int errnum)
{
    errno = errnum;
    return errnum ? -1 : 0;
}

static int configure(int number, const struct loop_config *c)
{
    struct stat st;

    if (loops[number].taken)
        return answer(EBUSY);
    assert_int_equal(fstat((int)c->fd, &st), 0);
    loops[number].made = true;
    loops[number].flags = c->info.lo_flags;
    loops[number].info.lo_inode = st.st_ino;
    return 0;
}

/* ---- bridges ---- */

static char up[IFNAMSIZ], bridge[IFNAMSIZ], new_name[IFNAMSIZ];
static int no_such[4]; /* errno of a request: rename, add, get flags, set flags */

unsigned int __wrap_if_nametoindex(const char *name)
{
    return strcmp(name, "vif1.0") == 0 || strcmp(name, new_name) == 0 ? 7 : 0;
}

static int interface(unsigned long request, struct ifreq *r)
{
    switch (request) {
    case SIOCSIFNAME:
        assert_string_equal(r->ifr_name, "vif1.0");
        strcpy(new_name, r->ifr_newname);
        return answer(no_such[0]);
    case SIOCBRADDIF:
        assert_int_equal(r->ifr_ifindex, 7);
        strcpy(bridge, r->ifr_name);
        return answer(no_such[1]);
    case SIOCGIFFLAGS:
        r->ifr_flags = IFF_BROADCAST;
        return answer(no_such[2]);
    case SIOCSIFFLAGS:
        assert_int_equal(r->ifr_flags, IFF_BROADCAST | IFF_UP);
        strcpy(up, r->ifr_name);
        return answer(no_such[3]);
    default:
        fail_msg("ioctl %lx", request);
        return -1;
    }
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
    int number = fd - LOOP_FD;

    if (fd == CONTROL_FD) {
        assert_int_equal(request, LOOP_CTL_GET_FREE);
        return no_free ? answer(no_free) : next_free++;
    }
    if (fd < CONTROL_FD)
        return interface(request, arg);
    if (request == LOOP_CONFIGURE)
        return configure(number, arg);
    assert_int_equal(request, LOOP_GET_STATUS64);
    *(struct loop_info64 *)arg = loops[number].info;
    return answer(no_status);
}

/* ---- /sys and block devices ---- */

static const char *inside(const char *path)
{
    static char real[256];

    if (strncmp(path, "/sys/", 5) != 0 && strcmp(path, "/proc/self/mountinfo") != 0)
        return path;
    snprintf(real, sizeof(real), "%s%s", dir, path);
    return real;
}

int __wrap_access(const char *path, int mode)
{
    return __real_access(inside(path), mode);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return __real_fopen(inside(path), mode);
}

DIR *__wrap_opendir(const char *path)
{
    return __real_opendir(inside(path));
}

int __wrap_stat(const char *path, struct stat *st)
{
    unsigned int maj, min;

    if (sscanf(path, "/dev/block/%u:%u", &maj, &min) != 2)
        return __real_stat(path, st);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFBLK | 0600;
    st->st_rdev = makedev(maj, min);
    return 0;
}

static void put(const char *path, const char *text)
{
    char command[512];

    snprintf(command, sizeof(command), "mkdir -p $(dirname %s/sys/%s) && echo '%s' >%s/sys/%s", dir,
             path, text, dir, path);
    assert_int_equal(system(command), 0);
}

static const char *file(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/parvis-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    memset(loops, 0, sizeof(loops));
    memset(no_such, 0, sizeof(no_such));
    next_free = no_control = no_loop = no_free = no_status = 0;
    up[0] = bridge[0] = new_name[0] = '\0';
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(open_fds, 0); /* what was opened was closed, on every way out */
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- tests ---- */

static void disks_have_numbers(void **state)
{
    unsigned int maj, min;
    struct disk_id id, other;

    (void)state;
    put("devices/sda/dev", "8:0");
    put("devices/sda/sda1/partition", "1");
    put("dev/block/8:0/dev", "8:0");
    assert_int_equal(symlink("../../devices/sda/sda1", file("sys/dev/block/8:1")), 0);
    put("devices/odd/sdb1/partition", "1"); /* whose disk has no number */
    assert_int_equal(symlink("../../devices/odd/sdb1", file("sys/dev/block/8:17")), 0);
    put("devices/bad/dev", "nonsense");
    put("devices/bad/sdc1/partition", "1");
    assert_int_equal(symlink("../../devices/bad/sdc1", file("sys/dev/block/8:33")), 0);
    assert_int_equal(device_system->block_number("/dev/block/8:1", &maj, &min), 0);
    assert_int_equal(maj, 8);
    assert_int_equal(min, 1);
    assert_int_equal(device_system->block_number("/dev/null", &maj, &min), -ENOTBLK);
    assert_int_equal(device_system->block_number(file("none"), &maj, &min), -ENOENT);
    assert_int_equal(device_system->identify_path("/dev/block/8:1", &id), 0);
    assert_true(id.block);
    assert_int_equal(id.dev, makedev(8, 1));
    assert_int_equal(id.whole, makedev(8, 0));
    assert_int_equal(device_system->identify_number(8, 0, &id), 0);
    assert_int_equal(id.whole, 0);
    assert_int_equal(device_system->identify_number(8, 17, &id), 0);
    assert_int_equal(id.whole, 0);
    assert_int_equal(device_system->identify_number(8, 33, &id), 0);
    assert_int_equal(id.whole, 0);
    assert_int_equal(device_system->identify_path(dir, &id), 0);
    assert_int_equal(device_system->identify_path(file("."), &other), 0);
    assert_int_equal(id.dev, other.dev);
    assert_int_equal(id.ino, other.ino);
    assert_false(id.block);
    assert_int_equal(device_system->identify_path(file("none"), &id), -ENOENT);
}

/* A loop device is what it was made of, through other loop devices. */
static void loops_are_followed(void **state)
{
    struct disk_id id;

    (void)state;
    loops[1].info = (struct loop_info64){.lo_device = 3, .lo_inode = 4};
    assert_int_equal(device_system->identify_number(LOOP_MAJOR, 1, &id), 0);
    assert_false(id.block);
    assert_int_equal(id.dev, 3);
    assert_int_equal(id.ino, 4);
    loops[2].info.lo_rdevice = makedev(LOOP_MAJOR, 3);
    loops[3].info.lo_rdevice = makedev(8, 0);
    assert_int_equal(device_system->identify_number(LOOP_MAJOR, 2, &id), 0);
    assert_true(id.block);
    assert_int_equal(id.dev, makedev(8, 0));
    /* One that is made of itself is not followed for ever. */
    loops[4].info.lo_rdevice = makedev(LOOP_MAJOR, 4);
    assert_int_equal(device_system->identify_number(LOOP_MAJOR, 4, &id), 0);
    assert_int_equal(id.dev, makedev(LOOP_MAJOR, 4));
    no_status = ENXIO;
    assert_int_equal(device_system->identify_number(LOOP_MAJOR, 1, &id), -ENXIO);
    no_loop = EACCES;
    assert_int_equal(device_system->identify_number(LOOP_MAJOR, 1, &id), -EACCES);
}

static void files_are_checked(void **state)
{
    FILE *out = __real_fopen(file("disk"), "w");

    (void)state;
    assert_int_equal(device_system->check_file(file("disk"), false), -ENODATA);
    fprintf(out, "%512s", "");
    fclose(out);
    assert_int_equal(device_system->check_file(file("disk"), false), 0);
    assert_int_equal(device_system->check_file(file("disk"), true), 0);
    assert_int_equal(device_system->check_file(file("none"), true), -ENOENT);
    assert_int_equal(device_system->check_file(dir, true), -EISDIR);
    assert_int_equal(device_system->check_file("/dev/null", true), -EINVAL);
}

static int attach(bool readonly, char dev[32])
{
    return device_system->loop_attach(file("disk"), readonly, dev, 32);
}

/* The number that was free may be another's by the time that it is asked for. */
static void files_become_loops(void **state)
{
    char dev[32];
    int fd;

    (void)state;
    assert_int_equal(attach(false, dev), -ENOENT);
    fclose(__real_fopen(file("disk"), "w"));
    loops[0].taken = loops[1].taken = true;
    fd = attach(false, dev);
    assert_int_equal(fd, LOOP_FD + 2);
    assert_string_equal(dev, "/dev/loop2");
    assert_true(loops[2].made);
    assert_int_equal(loops[2].flags, LO_FLAGS_AUTOCLEAR);
    assert_int_equal(loops[2].mode, O_RDWR);
    device_system->loop_let_go(fd);
    fd = attach(true, dev);
    assert_int_equal(fd, LOOP_FD + 3);
    assert_int_equal(loops[3].flags, LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY);
    assert_int_equal(loops[3].mode, O_RDONLY);
    device_system->loop_let_go(fd);
    for (int i = 4; i < NR_LOOPS; i++)
        loops[i].taken = true;
    assert_int_equal(attach(false, dev), -EBUSY); /* it gives up */
    no_loop = ENXIO;
    assert_int_equal(attach(false, dev), -ENXIO);
    no_free = ENOSPC;
    assert_int_equal(attach(false, dev), -ENOSPC);
    no_control = EACCES;
    assert_int_equal(attach(false, dev), -EACCES);
}

static void interfaces_join_bridges(void **state)
{
    static const int errors[] = {EEXIST, ELOOP, ENODEV, EPERM};

    (void)state;
    put("class/net/xenbr0/bridge/x", "");
    assert_int_equal(device_system->check_bridge("xenbr0"), 0);
    assert_int_equal(device_system->check_bridge("eth0"), -ENODEV);
    assert_int_equal(device_system->bridge_join("vif2.0", NULL, "xenbr0"), -ENODEV);
    assert_int_equal(device_system->bridge_join("vif1.0", NULL, "xenbr0"), 0);
    assert_string_equal(bridge, "xenbr0");
    assert_string_equal(up, "vif1.0");
    assert_string_equal(new_name, "");
    assert_int_equal(device_system->bridge_join("vif1.0", "web0", "xenbr0"), 0);
    assert_string_equal(new_name, "web0");
    assert_string_equal(up, "web0");
    bridge[0] = up[0] = '\0';
    assert_int_equal(device_system->bridge_join("vif1.0", NULL, NULL), 0); /* on none */
    assert_string_equal(bridge, "");
    assert_string_equal(up, "vif1.0");
    for (int i = 0; i < 4; i++) {
        memset(no_such, 0, sizeof(no_such));
        no_such[i] = errors[i];
        assert_int_equal(device_system->bridge_join("vif1.0", "web0", "xenbr0"), -errors[i]);
    }
}

static void back_ends(void **state)
{
    (void)state;
    assert_false(device_system->backend_lives("vbd-5-51712"));
    put("bus/xen-backend/devices/vbd-5-51712/state", "4");
    assert_false(device_system->backend_lives("vbd-5-51712")); /* what it is on, and not it */
    put("devices/vbd-5-51712/state", "4");
    assert_true(device_system->backend_lives("vbd-5-51712"));
    assert_false(device_system->backend_serves("vbd-5-51712"));
    put("bus/xen-backend/devices/vbd-5-51712/physical_device", "7:0");
    assert_true(device_system->backend_serves("vbd-5-51712"));
    device_system->sleep_ms(1);
}

static void assert_said(const char *name, const char *text)
{
    char said[256] = "";
    FILE *f = __real_fopen(file(name), "r");

    assert_non_null(f);
    said[fread(said, 1, sizeof(said) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(said, text);
}

#define BLKIO     "fs/cgroup/blkio/blkio.throttle."
#define READ_BPS  BLKIO "read_bps_device"
#define WRITE_BPS BLKIO "write_bps_device"

/* A loop device has the limits that it was given, and none that is left of another; the kernel's
 * file shows here what it had, and then each command. */
static void limits_are_set(void **state)
{
    const struct disk_rates some = {{4096, 0, 0, 20}}, none = {{0}};

    (void)state;
    assert_int_equal(device_system->limit(LOOP_MAJOR, 3, &none), 0);
    assert_int_equal(device_system->limit(LOOP_MAJOR, 3, &some), -ENOENT);
    put(READ_BPS, "7:33 5\n7:3 6");
    put(WRITE_BPS, "7:3 7");
    put(BLKIO "read_iops_device", "8:3 8");
    put(BLKIO "write_iops_device", "");
    assert_int_equal(device_system->limit(LOOP_MAJOR, 3, &some), 0);
    assert_said("sys/" WRITE_BPS, "7:3 7\n7:3 0");
    assert_said("sys/" BLKIO "read_iops_device", "8:3 8\n");
    put(READ_BPS, "7:33 5\n7:3 6");
    device_system->unlimit("vbd-5-51712", LOOP_MAJOR, 3); /* which has gone */
    assert_said("sys/" READ_BPS, "7:33 5\n7:3 6\n");
    put("bus/xen-backend/devices/vbd-5-51712/physical_device", "7:3");
    device_system->unlimit("vbd-5-51712", 8, 3);
    assert_said("sys/" READ_BPS, "7:33 5\n7:3 6\n");
    device_system->unlimit("vbd-5-51712", LOOP_MAJOR, 3);
    assert_said("sys/" READ_BPS, "7:33 5\n7:3 6\n7:3 0");
}

/* What nothing is behind has no limit, and nobody's other limits are touched. */
static void limits_are_swept(void **state)
{
    (void)state;
    put(READ_BPS, "7:3 5\n8:0 6\n7:4 7\n7:5 8");
    put("block/loop4/loop/backing_file", "/srv/a.img");
    device_system->sweep_limits();
    assert_said("sys/" READ_BPS, "7:3 5\n8:0 6\n7:4 7\n7:5 8\n7:3 07:5 0");
}

/* By each loop device on the same file; both may read. */
static void mounted_files_are_seen(void **state)
{
    const struct disk_id id = {.dev = 3, .ino = 4};

    (void)state;
    put("block/loop1/size", "8");
    put("block/loop2/size", "8");
    loops[1].info = (struct loop_info64){.lo_device = 3, .lo_inode = 5};
    loops[2].info = (struct loop_info64){.lo_device = 3, .lo_inode = 4};
    loops[1].held = INT_MAX;
    assert_int_equal(device_system->held(file("disk"), &id, false), 0);
    loops[2].held = 5; /* by others who ask as we do */
    assert_int_equal(device_system->held(file("disk"), &id, false), 0);
    assert_int_equal(loops[2].held, 0);
    loops[2].held = INT_MAX;
    assert_int_equal(device_system->held(file("disk"), &id, false), -EBUSY);
    assert_int_equal(device_system->held(file("disk"), &id, true), -EBUSY);
    put("../proc/self/mountinfo", "30 1 7:1 / /a rw - ext2 /dev/loop1 rw\n"
                                  "31 1 7:2 / /b ro - ext2 /dev/loop2 ro,errors=continue");
    assert_int_equal(device_system->held(file("disk"), &id, true), 0);
    assert_int_equal(device_system->held(file("disk"), &id, false), -EBUSY);
    put("../proc/self/mountinfo", "31 1 7:2 / /b ro - ext2 /dev/loop2 rw");
    assert_int_equal(device_system->held(file("disk"), &id, true), -EBUSY);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(disks_have_numbers), T(loops_are_followed),      T(files_are_checked),
        T(files_become_loops), T(interfaces_join_bridges), T(back_ends),
        T(limits_are_set),     T(limits_are_swept),        T(mounted_files_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
