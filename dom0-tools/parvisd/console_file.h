/* SPDX-License-Identifier: MIT */
/*
 * Consoles' files, console/NAME.log: what is kept of a console when its domain has ended, or the
 * daemon ends, and what a daemon after it goes on with.
 */
#ifndef PARVIS_CONSOLE_FILE_H
#define PARVIS_CONSOLE_FILE_H

struct console;

void console_save(const struct console *c);
/* A daemon before this one left the history of this console in a file: takes it up. */
void console_resume(struct console *c);

#endif
