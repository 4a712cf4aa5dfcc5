/* SPDX-License-Identifier: MIT */
/*
 * Limits of a disk's rate: how much a guest may read and write a second, in bytes and in requests.
 *
 * Linux' block back end has none. Linux' block layer has: its controller blkio (cgroup v1) holds
 * each device to what is written for it, whoever in that group asks, and all threads of the kernel
 * are in the first group. So a limited disk is a loop device of its own, over the file or over the
 * block device, and the limit is this device's. It holds from before the guest sees the disk, a
 * guest that leaves its disk and comes back finds it, and nobody has to live for it to hold. (The
 * controller of cgroup v2 has no limits for the first group; threads of the back end, which are new
 * whenever a guest connects, would be without one until somebody has moved them.)
 *
 * A limit would outlive its loop device's contents: the next that gets the number would have it.
 * Race: so who takes a number sets it, also to none; what is left at a number that nothing is
 * behind is swept away, with the lock of that file, and whoever sets a limit has put something
 * behind the number before.
 */
#ifndef PARVIS_TOOLS_DISK_RATE_H
#define PARVIS_TOOLS_DISK_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum disk_rate {
    DISK_READ_BYTES,
    DISK_WRITE_BYTES,
    DISK_READ_IOPS,
    DISK_WRITE_IOPS,
    NR_DISK_RATES
};

/* All of them of one disk; 0 = without limit. */
struct disk_rates {
    uint64_t of[NR_DISK_RATES];
};

bool disk_rates_any(const struct disk_rates *r);

/* Of the block device of this number. -ENOENT: the controller is not mounted; -EBUSY: another has
 * one of its files locked. */
int disk_rates_set(unsigned int major, unsigned int minor, const struct disk_rates *r);
/* Takes away what is left of loop devices that are no more. */
void disk_rates_sweep(void);

#endif
