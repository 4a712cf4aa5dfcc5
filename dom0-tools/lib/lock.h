/* SPDX-License-Identifier: MIT */
/*
 * A lock between processes: a file that one of them holds (flock).
 *
 * The kernel drops it when the holder ends, whatever it ends of. A holder that is stopped
 * would stop all others with it, so nobody waits for ever; and on a terminal it is said, after half
 * a second, who is waited for.
 *
 * Of several that one process has, what is kept of a domain (kept.h) is the first; behind it come a
 * transaction of the store (store.c) or the files of disks' limits (disk_rate.c), one at a time.
 * Who has the names (state_lock()), the definitions (definition.c) or the kernels (kernel_cache.c)
 * waits for no other.
 */
#ifndef PARVIS_TOOLS_LOCK_H
#define PARVIS_TOOLS_LOCK_H

#include "error.h"

#define LOCK_LIMIT_MS 30000u

/* Takes the lock, waiting at most so long. Returns a file descriptor, whose close() gives the lock
 * back, or a negative errno; -EBUSY: somebody else has it still. */
int __must_check lock_take(const char *path, unsigned int limit_ms);
/* The same of a file that is open; 0 or a negative errno. */
int __must_check lock_take_open(int fd, unsigned int limit_ms);
/* Why lock_take() failed; somebody else who has it is named. Returns rc. */
int __must_check lock_refused(struct error *e, int rc, const char *path);

#endif
