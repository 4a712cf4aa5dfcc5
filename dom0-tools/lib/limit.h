/* SPDX-License-Identifier: MIT */
/*
 * A limit for system calls that would wait for ever, and take none themselves: connect() to a
 * socket whose owner is stopped, flock() of a file whose holder is.
 *
 * When the time is over such a call returns with EINTR, and does so again after as long again:
 * a signal that comes just before the call is not the only one. One limit at a time, for one
 * thread.
 */
#ifndef PARVIS_TOOLS_LIMIT_H
#define PARVIS_TOOLS_LIMIT_H

#include <stdbool.h>

void limit_set(unsigned int ms); /* at least 1 */
bool limit_passed(void);
void limit_clear(void);

#endif
