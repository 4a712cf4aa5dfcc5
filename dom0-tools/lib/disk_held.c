/* SPDX-License-Identifier: MIT */
/*
 * Disks that the control domain uses itself: see disk_held.h.
 */
#include "disk_held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/major.h>

#include "devices.h"
#include "folder.h"

#define LOOKS   20u
#define STEP_MS 2u

/* Is the block device mounted, and each of its mounts read-only? A line of mountinfo has the
 * number as its third word, and ends with the options of the file system itself. */
static bool only_read(unsigned int maj, unsigned int min)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    bool mounted = false, written = false;

    while (f && fgets(line, sizeof(line), f)) {
        const char *options = strrchr(line, ' ');
        unsigned int m, n;

        if (sscanf(line, "%*s %*s %u:%u", &m, &n) != 2 || m != maj || n != min)
            continue;
        mounted = true;
        written |= !options || strncmp(options, " ro", 3) != 0;
    }
    if (f)
        fclose(f);
    return mounted && !written;
}

/* Race: another of us may ask at this moment, and gives it back at once; what is mounted stays so.
 * Returns what open() does. */
static int open_alone(const char *path)
{
    for (unsigned int try = 0;; try++) {
        int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);

        if (fd >= 0 || errno != EBUSY || try == LOOKS)
            return fd;
        device_system->sleep_ms(STEP_MS);
    }
}

static int check_device(const char *path, unsigned int maj, unsigned int min, bool readonly)
{
    int fd = open_alone(path), rc = fd < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return disk_is_absent(rc) || (rc == -EBUSY && readonly && only_read(maj, min)) ? 0 : rc;
}

/* A partition has been asked for itself: others of its loop device may be mounted. */
static int check_loop(unsigned int number, const struct disk_id *id, bool readonly)
{
    struct disk_id other;
    char path[32];
    int rc;

    if (id->part && id->part_of == makedev(LOOP_MAJOR, number))
        return 0;
    rc = device_system->identify_number(LOOP_MAJOR, number, &other);
    if (rc || !disk_overlap(id, &other))
        return disk_is_absent(rc) ? 0 : rc;
    snprintf(path, sizeof(path), "/dev/loop%u", number);
    return check_device(path, LOOP_MAJOR, number, readonly);
}

int disk_held(const char *path, const struct disk_id *id, bool readonly)
{
    int rc;
    DIR *dir = folder_open("/sys/block", &rc);
    const char *name;
    struct stat st;

    if (rc == 0 && stat(path, &st) == 0 && S_ISBLK(st.st_mode))
        rc = check_device(path, major(st.st_rdev), minor(st.st_rdev), readonly);
    while (rc == 0 && (name = folder_next(dir, &rc)) != NULL) {
        unsigned int number;

        if (sscanf(name, "loop%u", &number) == 1)
            rc = check_loop(number, id, readonly);
    }
    folder_close(dir);
    return rc;
}
