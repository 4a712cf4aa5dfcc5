/* SPDX-License-Identifier: MIT */
/*
 * What the daemon lets another process do, since it takes long and the consoles must not wait: that
 * is pvctl, whose messages it keeps the last of. They go to a file in memory, which is never full
 * and whose reader is never gone: a script that pvctl runs prints there too, however much, and what
 * it starts may go on printing, which is kept until pvctl has ended, and no longer. pvctl is told
 * to end when the daemon does, and undoes what it has done.
 */
#ifndef PARVIS_CHILD_H
#define PARVIS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/* The program: "pvctl" where nobody says otherwise. */
void child_set_pvctl(const char *path);
/* `pvctl VERB FIRST [SECOND]`, and where its messages are read; negative errno: it was not started.
 */
pid_t child_start(const char *verb, const char *first, const char *second, int *messages);
/* It has ended: the last line that it said, without its name; *messages is closed. */
void child_last_message(int *messages, char *out, size_t size);

#endif
