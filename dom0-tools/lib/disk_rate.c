/* SPDX-License-Identifier: MIT */
/*
 * Limits of a disk's rate: see disk_rate.h.
 */
#include "disk_rate.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <linux/major.h>

#define MAX_SWEPT 64 /* the rest is swept the next time */
/* For a second parvisd serves nobody, if one who has a file is stopped. */
#define LOOKS   500u
#define STEP_US 2000u

static const char *const files[NR_DISK_RATES] = {
    [DISK_READ_BYTES] = "/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device",
    [DISK_WRITE_BYTES] = "/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device",
    [DISK_READ_IOPS] = "/sys/fs/cgroup/blkio/blkio.throttle.read_iops_device",
    [DISK_WRITE_IOPS] = "/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device",
};

bool disk_rates_any(const struct disk_rates *r)
{
    for (unsigned int i = 0; i < NR_DISK_RATES; i++) {
        if (r->of[i])
            return true;
    }
    return false;
}

/* Whoever has it is done in no time, unless he is stopped. 0, or an errno. */
static int lock_soon(FILE *f)
{
    for (unsigned int look = 1; flock(fileno(f), LOCK_EX | LOCK_NB) < 0; look++) {
        if (errno != EWOULDBLOCK || look == LOOKS)
            return errno == EWOULDBLOCK ? EBUSY : errno;
        usleep(STEP_US);
    }
    return 0;
}

/* Locked until it is closed; NULL and errno. Each write is a command to the kernel: it is not
 * buffered. */
static FILE *open_locked(const char *path)
{
    FILE *f = fopen(path, "r+e");
    int err = f ? lock_soon(f) : 0;

    if (err == 0)
        return f;
    fclose(f);
    errno = err;
    return NULL;
}

/* ABI: "major:minor limit"; 0 takes the limit away. */
static int put(FILE *f, unsigned int major, unsigned int minor, uint64_t limit)
{
    return dprintf(fileno(f), "%u:%u %llu", major, minor, (unsigned long long)limit) < 0 ? -errno
                                                                                         : 0;
}

/* The next device that has a limit. */
static bool next_limited(FILE *f, unsigned int *major, unsigned int *minor)
{
    return fscanf(f, "%u:%u %*u", major, minor) == 2;
}

static bool is_limited(FILE *f, unsigned int major, unsigned int minor)
{
    unsigned int m, n;

    while (next_limited(f, &m, &n)) {
        if (m == major && n == minor)
            return true;
    }
    return false;
}

int disk_rates_set(unsigned int major, unsigned int minor, const struct disk_rates *r)
{
    int rc = 0;

    for (unsigned int i = 0; i < NR_DISK_RATES && rc == 0; i++) {
        FILE *f = open_locked(files[i]);

        if (!f)
            rc = r->of[i] || errno != ENOENT ? -errno : 0;
        else if (r->of[i] || is_limited(f, major, minor))
            rc = put(f, major, minor, r->of[i]);
        if (f)
            fclose(f);
    }
    return rc;
}

static bool is_left(unsigned int major, unsigned int minor)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/block/loop%u/loop/backing_file", minor);
    return major == LOOP_MAJOR && access(path, F_OK) < 0;
}

static void sweep(FILE *f)
{
    unsigned int major, minor, left[MAX_SWEPT], nr = 0;

    while (nr < MAX_SWEPT && next_limited(f, &major, &minor)) {
        if (is_left(major, minor))
            left[nr++] = minor;
    }
    for (unsigned int i = 0; i < nr; i++) {
        int rc = put(f, LOOP_MAJOR, left[i], 0);

        if (rc)
            fprintf(stderr, "loop%u: its limit is left: errno %d\n", left[i], -rc);
    }
}

void disk_rates_sweep(void)
{
    for (unsigned int i = 0; i < NR_DISK_RATES; i++) {
        FILE *f = open_locked(files[i]);

        if (f) {
            sweep(f);
            fclose(f);
        }
    }
}
