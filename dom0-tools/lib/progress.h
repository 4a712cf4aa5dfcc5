/* SPDX-License-Identifier: MIT */
/*
 * What takes long says how far it is: one line on standard error, written over again and
 * again, if that and standard output are a terminal and the work has taken half a second. Where
 * the work ends, by whatever way, the line is empty again: also when a signal ends the process.
 */
#ifndef PARVIS_TOOLS_PROGRESS_H
#define PARVIS_TOOLS_PROGRESS_H

#include <poll.h>
#include <stdint.h>

/* "NAME: WHAT 40 %". With done == total the line is cleared. */
void progress(const char *name, const char *what, uint64_t done, uint64_t total);
/* poll(), which meanwhile shows "NAME: WHAT, 3 s"; the line is clear when it returns. */
int progress_poll(struct pollfd *p, nfds_t n, int timeout_ms, const char *name, const char *what);
/* This line, at once, until progress_clear(). */
void progress_line(const char *text);
/* Before something else is printed. */
void progress_clear(void);

#endif
