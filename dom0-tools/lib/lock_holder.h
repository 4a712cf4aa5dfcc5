/* SPDX-License-Identifier: MIT */
/*
 * Who has a lock: for a person who waits for it.
 *
 * The kernel knows who took it (/proc/locks), and what that process was started as. One that was
 * stopped, by ^Z, keeps what it has: that is said, too.
 */
#ifndef PARVIS_TOOLS_LOCK_HOLDER_H
#define PARVIS_TOOLS_LOCK_HOLDER_H

#include <sys/stat.h>

#define LOCK_HOLDER 96u

/* "stopped process 4711 (pvctl create web.xml)"; "another process" where that cannot be told. */
void lock_holder(const struct stat *file, char out[LOCK_HOLDER]);

#endif
