/* SPDX-License-Identifier: MIT */
/*
 * Who has a pseudo terminal open, asked of /proc: each descriptor of each process is a link to what
 * it is of. That is a look at one moment; what happens to a terminal inotify tells.
 */
#ifndef PARVIS_PTS_H
#define PARVIS_PTS_H

#include "error.h"

/* Calls fn with the number N of /dev/pts/N for each descriptor of one, ours among them. -errno:
 * there may be more. */
int __must_check pts_each(void (*fn)(unsigned int number));

#endif
