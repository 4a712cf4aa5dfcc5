/* SPDX-License-Identifier: MIT */
/*
 * A file that has its name only when it is whole.
 *
 * It is written beside its place, as NAME.PROCESS.part, and renamed: who looks for it sees nothing,
 * or what was there before, or all of it, after a power cut, too: it is on the disk before it has
 * its name. Whoever writes one catches signals first (interrupt.h), so that the part is taken away
 * again; what is killed leaves it, under a name that says whose it was: the next who writes there
 * takes it away.
 */
#ifndef PARVIS_TOOLS_NEW_FILE_H
#define PARVIS_TOOLS_NEW_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct new_file {
    int fd;
    char path[PATH_MAX], part[PATH_MAX];
};

/* Takes away the parts in this folder whose processes are no more: of files of this name (NULL:
 * any). */
void new_file_sweep(const char *folder, const char *name);
/* Readable by its owner alone. What is there already must be a regular file. */
int __must_check new_file_open(struct new_file *f, const char *path, struct error *e);
/* What is written to it takes the control domain's memory. */
bool new_file_in_memory(const struct new_file *f);
/* All of it, at this place. */
int __must_check new_file_write(struct new_file *f, const void *data, size_t size, uint64_t at,
                                struct error *e);
/* It is whole, and so many bytes long; closed, on failure too. */
int __must_check new_file_keep(struct new_file *f, uint64_t size, struct error *e);
/* It is not to be. */
void new_file_drop(struct new_file *f);

#endif
