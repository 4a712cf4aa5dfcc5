/* SPDX-License-Identifier: MIT */
/*
 * Domains that are to live again.
 *
 * Between the end of one life and the next a domain is nowhere but here: restart/NAME in the
 * state directory is its configuration. It is moved there before the old life is taken away,
 * which needs no room on a full disk, and goes when the name is the new life's
 * (state_commit()), or when it is written how the domain has ended for good
 * (state_write_ended()). So the file alone says whether somebody is still to be started, and
 * a daemon that is killed in between leaves it to the next one.
 */
#ifndef PARVIS_TOOLS_RESTART_H
#define PARVIS_TOOLS_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* The domain of this name and number is to live again; its configuration is moved. 0 too if that
 * was done before. */
int __must_check restart_intend(const char *name, uint32_t domid);
bool restart_intended(const char *name);
/* Keeps the configuration of the new life, if it is that of the former one: one file with two
 * names, for a disk that is full has no room for another. */
bool restart_keeps(const char *name, uint32_t domid, const char *xml);
/* It lives, or never will. */
void restart_forget(const char *name);
/* The file with its configuration, in a static buffer (state_path()). */
const char *restart_path(const char *name);
/* The file with what it takes along besides (parvisd/carried.h), in the same buffer. */
const char *restart_carried_path(const char *name);
/* Calls fn for each name. -errno: there may be more. */
int __must_check restart_each(void (*fn)(void *ctx, const char *name), void *ctx);

#endif
