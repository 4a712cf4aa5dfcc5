/* SPDX-License-Identifier: MIT */
/*
 * Being told to stop in the middle: INT, TERM, HUP, QUIT.
 *
 * Who makes something that must be undone catches these signals first. From then on they
 * only set a flag; between two steps the maker asks for it, finds an error like any other,
 * and unwinds by the same way. When all is undone it lets the signal have its effect, so
 * that whoever sent it sees a process that ended of it. Undoing does not ask.
 */
#ifndef PARVIS_TOOLS_INTERRUPT_H
#define PARVIS_TOOLS_INTERRUPT_H

#include "error.h"

/* From here on the signals wait. One that the process ignores (nohup) stays ignored. */
void interrupt_catch(void);
/* 0, or -EINTR: "NAME: interrupted by SIGTERM". */
int __must_check interrupt_check(const char *name, struct error *e);
/* Has one come? For loops that wait. */
int interrupt_came(void);
/* The signals have their own effect again, and one that has come has it now. */
void interrupt_release(void);

#endif
