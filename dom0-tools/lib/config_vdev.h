/* SPDX-License-Identifier: MIT */
/*
 * Names of disks in a guest, and their numbers in the block protocol. Linux calls each of them xvd:
 * sda is its xvda too. The names of other days stand in files of other days.
 */
#ifndef PARVIS_TOOLS_CONFIG_VDEV_H
#define PARVIS_TOOLS_CONFIG_VDEV_H

#include <stdbool.h>

/* What is accepted, for messages. */
#define VDEV_NAMES                                                                                 \
    "xvda to xvdz, sda to sdp, hda to hdd, and a partition number 1 to 15 (of hd to 63) if any"

/* false: it is no such name. */
bool vdev_number(const char *name, unsigned int *vdev);

#endif
