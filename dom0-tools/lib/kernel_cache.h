/* SPDX-License-Identifier: MIT */
/*
 * Kernels that were unpacked, kept for the next domain that begins with the same file.
 *
 * A distribution's kernel unpacks for seconds, to the same bytes each time. What came of it is kept
 * in kernels/ of the state directory, which is memory (tmpfs): as many bytes as the unpacked kernel
 * has (Debian's: 66 MB), of at most KERNEL_CACHE_MOST kernels, those used last. None is kept where
 * less than KERNEL_CACHE_LEAVE would be available then, and where less is at a later create all are
 * let go. Files in that directory may be removed at any time.
 *
 * A file is the same as before if its device, inode, size, and times of change are, to the
 * nanosecond: of its content (mtime), and of anything about it (ctime), which nobody can set back.
 * Of what is on a disk these tell it from others of the disk alone, and whoever fills a disk writes
 * there what he likes: two that come one after the other as one device, as with loop0, would be
 * one. So the number that Linux gives a disk each time that one comes (diskseq, since 5.15) belongs
 * to it; where there is none nothing is kept. A file system that shows no disk has a device number
 * without a major, which the next one may have after it: of those only what lies in memory (tmpfs,
 * ramfs) is kept, whose times are this kernel's own; not what btrfs, overlayfs, NFS, 9p or FUSE
 * say.
 *
 * What was written while it was read is not kept: the file must have been left alone from before it
 * was read until it was unpacked. And a file that was just changed may be changed again without a
 * new time, as the kernel's clock of files ticks slowly: it is not kept before it is
 * KERNEL_CACHE_AGE_S old. What no time shows is a change through a mapping of a file in tmpfs: a
 * program that does that to a kernel in use goes unseen until the file is replaced or touched.
 *
 * Only an owner of the state directory, root, can change what is kept there. It is mapped, not
 * read: files get their name when they are whole, and are never written again.
 */
#ifndef PARVIS_TOOLS_KERNEL_CACHE_H
#define PARVIS_TOOLS_KERNEL_CACHE_H

#include <sys/stat.h>

#include "kernel_image.h"

#define KERNEL_CACHE_MOST  2u
#define KERNEL_CACHE_AGE_S 3
#define KERNEL_CACHE_LEAVE (64ULL << 20) /* bytes of memory */
#define KERNEL_CACHE_NAME  160u

/* As kernel_image_open(), but what is kept is not unpacked again. That nothing could be kept is no
 * error. */
int __must_check kernel_cache_open(const char *path, uint64_t limit, struct file_image *out,
                                   struct error *e);
/* By what a file is known; disk: 0 where it is on none. */
void kernel_cache_name(const struct stat *st, uint64_t disk, char out[KERNEL_CACHE_NAME]);

/* Where the kernel says what disks there are; tests have another. */
extern const char *kernel_cache_disks;

#endif
