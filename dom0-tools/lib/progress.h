/* SPDX-License-Identifier: MIT */
/*
 * What takes long says how far it is: one line on standard error, written over again and
 * again, if that is a terminal and the work has taken a second.
 */
#ifndef PARVIS_TOOLS_PROGRESS_H
#define PARVIS_TOOLS_PROGRESS_H

#include <stdint.h>

/* "NAME: WHAT 40 %". With done == total the line is cleared. */
void progress(const char *name, const char *what, uint64_t done, uint64_t total);

#endif
