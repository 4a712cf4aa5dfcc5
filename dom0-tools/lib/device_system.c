/* SPDX-License-Identifier: MIT */
/*
 * What devices.c asks of the control domain's Linux: loop devices, bridges, sysfs. System
 * calls, no programs: a domain with four disks starts no shell, and one with interfaces none but
 * the scripts that it names.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <linux/sockios.h>

#include "devices.h"
#include "disk_held.h"
#include "script_process.h"

#define LOOP_TRIES 16
#define LOOP_DEPTH 4 /* loop devices on loop devices */

static int block_number(const char *path, unsigned int *maj, unsigned int *min)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISBLK(st.st_mode))
        return -ENOTBLK;
    *maj = major(st.st_rdev);
    *min = minor(st.st_rdev);
    return 0;
}

/* The number of the disk that a partition is on; 0 for anything else. */
static uint64_t whole_disk(unsigned int maj, unsigned int min)
{
    unsigned int m = 0, n = 0;
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", maj, min);
    if (access(path, F_OK) < 0)
        return 0;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", maj, min);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%u:%u", &m, &n) != 2)
        m = n = 0;
    fclose(f);
    return makedev(m, n);
}

static int loop_status(unsigned int number, struct loop_info64 *info)
{
    char path[32];
    int fd, rc;

    snprintf(path, sizeof(path), "/dev/loop%u", number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    rc = fd < 0 ? -errno : ioctl(fd, LOOP_GET_STATUS64, info) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A loop device is what it was made of: a file, or another block device; a partition of one is a
 * part of that. */
static int identify_number(unsigned int maj, unsigned int min, struct disk_id *out)
{
    uint64_t dev = makedev(maj, min), whole = whole_disk(maj, min);

    *out = (struct disk_id){.block = true};
    for (unsigned int depth = 0; depth < LOOP_DEPTH; depth++) {
        struct loop_info64 info;
        int rc;

        if (major(whole) == LOOP_MAJOR) {
            out->part = dev;
            out->part_of = dev = whole;
        }
        if (major(dev) != LOOP_MAJOR)
            break;
        rc = loop_status(minor(dev), &info);
        if (rc)
            return rc;
        if (!info.lo_rdevice) {
            out->block = false;
            out->dev = info.lo_device;
            out->ino = info.lo_inode;
            return 0;
        }
        dev = info.lo_rdevice;
        whole = whole_disk(major(dev), minor(dev));
    }
    out->dev = dev;
    out->whole = whole;
    return 0;
}

static int identify_path(const char *path, struct disk_id *out)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISBLK(st.st_mode))
        return identify_number(major(st.st_rdev), minor(st.st_rdev), out);
    *out = (struct disk_id){.dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

static int check_file(const char *path, bool readonly)
{
    struct stat st;
    int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK), rc = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        rc = -errno;
    else if (!S_ISREG(st.st_mode))
        rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    else if (st.st_size < 512)
        rc = -ENODATA;
    close(fd);
    return rc;
}

/* A block device behind a loop device keeps its blocks, and is read and written past the cache, as
 * without one between. */
static int set_up_block(int file, struct loop_config *config)
{
    struct stat st;
    int size;

    if (fstat(file, &st) < 0)
        return -errno;
    if (!S_ISBLK(st.st_mode))
        return 0;
    if (ioctl(file, BLKSSZGET, &size) < 0)
        return -errno;
    config->block_size = (unsigned int)size;
    config->info.lo_flags |= LO_FLAGS_DIRECT_IO;
    return 0;
}

/* AUTOCLEAR: the device is free again when the last who has it open closes it. Race: another
 * program may take the number that the kernel called free; then the next. */
static int loop_attach(const char *path, bool readonly, char *dev, size_t size)
{
    int mode = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC, rc = -EBUSY;
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), file = open(path, mode);
    struct loop_config config = {.fd = (unsigned int)file};

    if (control < 0 || file < 0)
        rc = -errno;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (readonly ? LO_FLAGS_READ_ONLY : 0);
    rc = rc == -EBUSY && set_up_block(file, &config) ? -errno : rc;
    snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", path);
    for (int i = 0; i < LOOP_TRIES && rc == -EBUSY; i++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE), loop;

        if (number < 0) {
            rc = -errno;
            break;
        }
        snprintf(dev, size, "/dev/loop%d", number);
        loop = open(dev, mode);
        rc = loop < 0 ? -errno : ioctl(loop, LOOP_CONFIGURE, &config) < 0 ? -errno : loop;
        if (loop >= 0 && rc < 0)
            close(loop);
    }
    if (file >= 0)
        close(file);
    if (control >= 0)
        close(control);
    return rc;
}

static void loop_let_go(int fd)
{
    close(fd);
}

static int check_bridge(const char *bridge)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", bridge);
    return access(path, F_OK) < 0 ? -ENODEV : 0;
}

static bool has_interface(const char *ifname)
{
    return if_nametoindex(ifname) != 0;
}

static int set_up(int s, const char *ifname)
{
    struct ifreq r = {0};

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
    if (ioctl(s, SIOCGIFFLAGS, &r) < 0)
        return -errno;
    r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
    return ioctl(s, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

static int bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    struct ifreq r = {0};
    int s, rc = 0;

    if (!has_interface(ifname))
        return -ENODEV;
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -errno;
    if (rename) {
        snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
        snprintf(r.ifr_newname, sizeof(r.ifr_newname), "%s", rename);
        rc = ioctl(s, SIOCSIFNAME, &r) < 0 ? -errno : 0;
        ifname = rename;
    }
    if (rc == 0 && bridge) {
        memset(&r, 0, sizeof(r));
        snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", bridge);
        r.ifr_ifindex = (int)if_nametoindex(ifname);
        rc = ioctl(s, SIOCBRADDIF, &r) < 0 ? -errno : 0;
    }
    rc = rc ? rc : set_up(s, ifname);
    close(s);
    return rc;
}

/* Not by its link in /sys/bus/xen-backend/devices, which goes before the kernel asks the store once
 * more: with xenstored killed meanwhile, as a machine that is switched off does, it would hold the
 * device's lock for ever, and not switch off. */
static bool backend_lives(const char *device)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/devices/%s", device);
    return access(path, F_OK) == 0;
}

/* The driver makes this file when it has opened the disk. */
static bool backend_serves(const char *device)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/%s/physical_device", device);
    return access(path, F_OK) == 0;
}

/* The loop device is held open meanwhile: while the back end has it, nobody gets its number. */
static void unlimit(const char *device, unsigned int maj, unsigned int min)
{
    static const struct disk_rates none;
    char path[32];
    int fd, rc;

    if (maj != LOOP_MAJOR)
        return;
    snprintf(path, sizeof(path), "/dev/loop%u", min);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    rc = fd >= 0 && backend_serves(device) ? disk_rates_set(maj, min, &none) : 0;
    if (rc)
        fprintf(stderr, "%s: its limit is left: %s\n", path, strerror(-rc));
    if (fd >= 0)
        close(fd);
}

static void sleep_ms(unsigned int ms)
{
    usleep(ms * 1000);
}

/* The control domain's start (etc/rc) makes it before its prompt comes, and renames it in the end.
 */
static bool starting(void)
{
    return access("/run/devices-starting", F_OK) == 0;
}

static const struct device_system real = {
    .block_number = block_number,
    .identify_path = identify_path,
    .identify_number = identify_number,
    .check_file = check_file,
    .held = disk_held,
    .loop_attach = loop_attach,
    .loop_let_go = loop_let_go,
    .limit = disk_rates_set,
    .unlimit = unlimit,
    .sweep_limits = disk_rates_sweep,
    .check_bridge = check_bridge,
    .bridge_join = bridge_join,
    .backend_lives = backend_lives,
    .backend_serves = backend_serves,
    .sleep_ms = sleep_ms,
    .starting = starting,
    .has_interface = has_interface,
    .script_check = script_check,
    .script_start = script_start,
    .script_look = script_look,
    .script_kill = script_kill,
};

const struct device_system *device_system = &real;
