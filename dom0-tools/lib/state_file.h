/* SPDX-License-Identifier: MIT */
/*
 * Files of the state directory: where they are, and that each is the old or the new one, whoever
 * reads it and whoever is killed. What they say: state.h.
 */
#ifndef PARVIS_TOOLS_STATE_FILE_H
#define PARVIS_TOOLS_STATE_FILE_H

#include <stddef.h>

#include "error.h"

/* A path under the state directory, printf-style, in a static buffer of this thread. */
const char *state_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Writes a file, or leaves it as it was. */
int __must_check state_write_file(const char *path, const char *text);
int __must_check state_write_bytes(const char *path, const void *bytes, size_t len);
/* A symbolic link instead of what has the name. */
int __must_check state_write_link(const char *path, const char *target);
/* A whole file, malloc'ed. -EFBIG: it has more than 4 MiB, and is none of ours. */
int __must_check state_read_file(const char *path, char **out);

#endif
