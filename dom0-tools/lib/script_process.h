/* SPDX-License-Identifier: MIT */
/*
 * A script of the machine's owner as a process: started, looked at, killed; never waited for.
 *
 * No shell stands between: the file is a program, or says in its first line what runs it. It is the
 * head of a process group of its own, so that a ^C at the terminal is for us alone, and that what
 * it has started can be killed with it. It reads nothing, and what it prints goes to our standard
 * error: there is no pipe that it could fill, and none that a process of its own would keep open.
 */
#ifndef PARVIS_TOOLS_SCRIPT_PROCESS_H
#define PARVIS_TOOLS_SCRIPT_PROCESS_H

#include "error.h"

/* Can it be run? -EISDIR: a directory; -EACCES: not executable; other errors of its path. */
int __must_check script_check(const char *path);
/* argv[0] is its path; it has this environment and no other. Its number, or a negative errno. */
int __must_check script_start(char *const argv[], char *const envp[]);
/* -EAGAIN: it runs. 0: it has ended, *status is that of waitpid(); it has no number any more. */
int __must_check script_look(int pid, int *status);
/* It and its group are to end at once; that it has is seen by script_look(). */
void script_kill(int pid);

#endif
