/* SPDX-License-Identifier: MIT */
/*
 * All of it, or an error: what write(2) takes in parts, and signals may cut off.
 */
#ifndef PARVIS_TOOLS_WRITE_ALL_H
#define PARVIS_TOOLS_WRITE_ALL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Where the file is. 0 or a negative errno. */
int __must_check write_all(int fd, const void *data, size_t size);
/* At this place of it. */
int __must_check write_all_at(int fd, const void *data, size_t size, uint64_t at);

#endif
