/* SPDX-License-Identifier: MIT */
/*
 * pvctl as a process beside the daemon's part that runs in the test (daemon_support.h). It has a
 * copy of the model of the machine, and the clock goes for it as it waits: a second in ten
 * milliseconds.
 */
#ifndef PVCTL_PROCESS_H
#define PVCTL_PROCESS_H

#include <stdio.h>

int pvctl_main(int argc, char **argv); /* main() of pvctl.c, by another name */

extern char process_said[1 << 20];

/* In a process of its own: runs `pvctl LINE`, which says all that it says there. A word >FILE is
 * its standard output. */
void process_becomes(const char *line, FILE *out) __attribute__((noreturn));
/* `pvctl LINE` ends with this status, and says this and no more; each_turn, if there is one, is
 * called as often as the daemon turns. */
void process_ends(const char *line, int status, const char *says, void (*each_turn)(void));

#endif
