/* SPDX-License-Identifier: MIT */
/*
 * Is a disk in use in the control domain itself?
 *
 * A file system that is mounted here, a disk to swap on, a volume of LVM, RAID or the device
 * mapper: the kernel holds what is below it, and lets nobody else open that exclusively. So this
 * asks for it, of the block device itself and of each loop device that stands on the same disk or
 * file, and gives it back at once. What is mounted read-only may be given to a guest that only
 * reads it.
 *
 * Which guests have it is not asked here (disk_share.h). Race: who mounts it behind this is not
 * met.
 */
#ifndef PARVIS_TOOLS_DISK_HELD_H
#define PARVIS_TOOLS_DISK_HELD_H

#include <stdbool.h>

#include "disk_share.h"

/* 0, -EBUSY, or why that cannot be told. path is one of its names, id what is behind that. */
int disk_held(const char *path, const struct disk_id *id, bool readonly);

#endif
