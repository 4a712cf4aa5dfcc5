/* SPDX-License-Identifier: MIT */
/*
 * Where the daemon's messages go.
 *
 * Guests have lines written there, with each crash one or two, and the file is in memory, mostly.
 * So there are LOG_BYTES of it, and as many of what was before, in FILE.old; older ones are lost.
 */
#ifndef PARVIS_LOG_H
#define PARVIS_LOG_H

#include <stdbool.h>

#define LOG_BYTES (256 << 10)

/* Descriptor 2 is this file from now on, for children too. false: it cannot be; that is told. */
bool log_open(const char *path);
/* Between two rounds of the daemon's work: a file that is full becomes FILE.old. */
void log_turn(void);

#endif
