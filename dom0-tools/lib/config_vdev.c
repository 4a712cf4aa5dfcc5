/* SPDX-License-Identifier: MIT */
/*
 * Names of disks in a guest: see config_vdev.h.
 */
#include "config_vdev.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ABI: majors of Linux of old: a disk has 16 minors, of hd 64, two disks to a major. From the 17th
 * xvd on there is an extended form. */
#define SD_MAJOR  8u
#define HD_MAJOR  3u
#define HD2_MAJOR 22u
#define XVD_MAJOR 202u
#define EXTENDED  (1u << 28)

static const struct {
    const char *prefix;
    unsigned int disks, partitions;
} kinds[] = {{"xvd", 26, 15}, {"sd", 16, 15}, {"hd", 4, 63}};

static unsigned int number(char kind, unsigned int disk, unsigned int part)
{
    switch (kind) {
    case 's':
        return SD_MAJOR << 8 | disk << 4 | part;
    case 'h':
        return (disk < 2 ? HD_MAJOR : HD2_MAJOR) << 8 | (disk & 1) << 6 | part;
    default:
        return disk < 16 ? XVD_MAJOR << 8 | disk << 4 | part : EXTENDED | disk << 8 | part;
    }
}

/* Of a partition that is none, such as xvda0 or xvda01, nothing is made. */
bool vdev_number(const char *name, unsigned int *vdev)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix), digits;
        unsigned int disk, part;

        if (strncmp(name, kinds[i].prefix, len) != 0)
            continue;
        disk = (unsigned int)(unsigned char)name[len] - 'a';
        if (disk >= kinds[i].disks)
            return false;
        digits = strspn(name + len + 1, "0123456789");
        part = (unsigned int)strtoul(name + len + 1, NULL, 10);
        if (name[len + 1 + digits] || digits > 2 || name[len + 1] == '0' ||
            part > kinds[i].partitions)
            return false;
        *vdev = number(*kinds[i].prefix, disk, part);
        return true;
    }
    return false;
}
