/* SPDX-License-Identifier: MIT */
/*
 * No two domains write one disk unaware of each other.
 *
 * Two file systems that are mounted over one disk destroy it. So a disk that somebody may write is
 * nobody else's, and a disk that several only read is everybody's, unless all who have it say
 * <shareable/>: they know how to share (a cluster's file system).
 *
 * What counts is not the name but what is behind it: a file is its file system and inode number,
 * whichever of its names it was given by; a block device is its number; a loop device is what it
 * was made of; a partition overlaps the whole disk that it is on, and so one of a loop device the
 * file behind that; and what the device mapper or RAID has made of devices stands upon each of
 * them.
 *
 * Who has which disk is known from the store, where each back end has an entry, whoever made it.
 */
#ifndef PARVIS_TOOLS_DISK_SHARE_H
#define PARVIS_TOOLS_DISK_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "host.h"

/* What is behind a name. */
struct disk_id {
    bool block;        /* a block device; else a file */
    uint64_t dev, ino; /* its number and 0; or file system and inode */
    uint64_t whole;    /* the number of the disk that a partition is on, else 0 */
    /* Of a partition of a loop device, which is a part of what that was made of: their numbers. */
    uint64_t part, part_of;
};

bool disk_overlap(const struct disk_id *a, const struct disk_id *b);
/* Does the device stand upon the other by the device mapper, RAID and the like, through several
 * of them? 1, 0, or -errno; -ELOOP: through more than we follow. Who has what is below does not
 * hold it against that. */
int __must_check disk_stands_on(const struct disk_id *upper, const struct disk_id *lower);
/* What a number or a device's name stands for could not be told, as there is nothing: a loop device
 * of which somebody has taken the file, a drive without a disk. After another error there may be
 * anything. */
bool disk_is_absent(int rc);

/* May the domain have this disk beside all that others have? 0; -EBUSY and who has it; or what the
 * store said. In a transaction nobody can take it before that ends. domid: whose own entry of
 * number disk->vdev does not count. */
int __must_check disk_share_check(struct host *h, host_txn_t t, const struct domain_config *c,
                                  uint32_t domid, const struct disk_config *disk,
                                  const struct disk_id *id, struct error *e);

#endif
