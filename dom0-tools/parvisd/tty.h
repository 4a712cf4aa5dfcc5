/* SPDX-License-Identifier: MIT */
/*
 * A console's terminal: what `xl console`, xenconsole and virsh open.
 *
 * Each bound console has a pseudo terminal, whose path stands in the store (console/tty;
 * serial/0/tty too for a guest without paravirtual ways, where they look first). It is one more
 * reader of the history: who opens it when nobody has it open gets all from the first byte, as
 * `pvctl console` does; and what is typed into it goes to the guest beside what `pvctl console`
 * has. Of several that have it open each gets a part, as with any terminal; Debian's tools lock it
 * for that.
 *
 * A terminal has its own buffer, and who opened it need not read: the guest is never held back
 * for it. What is in the buffer when the last one closes it is thrown away, so that the next
 * starts at the first byte. Opens and closes are counted by inotify, and we keep the other end
 * open ourselves: without that the kernel would say at each look that nobody is there. Where more
 * was to be told than its queue takes, it is looked who has them open (pts.h): a count that may be
 * too high, as a descriptor may have been handed on, so from then on it is looked at each close.
 *
 * At the domain's end it stays for TTY_PARTS_MS, or until its last words are read. It is root's
 * alone (mode 0600). A new daemon makes a new one; xenconsole follows the path.
 */
#ifndef PARVIS_TTY_H
#define PARVIS_TTY_H

#include <stdint.h>

#include "history.h"
#include "host.h"

#define TTY_PARTS_MS 1000u

struct console;
struct tty;

/* From here on consoles get terminals. Returns what becomes readable when tty_events() has work, or
 * a negative errno. */
int __must_check tty_start(void);
/* Makes the terminal of a console that is bound, and writes it to the store. Without one (no more
 * descriptors, no store) the console is served all the same: the log says why. */
void tty_open(struct host *h, struct console *c);
/* The console lets go of it. */
void tty_part(struct console *c);
/* Moves what the history has to it, as far as that goes now. */
void tty_pump(struct console *c);
/* Somebody opened, closed, typed, or has room. */
void tty_events(struct host *h);
/* Closes those that have parted; returns ms until the next try, or -1. */
int tty_go_on(void);
/* Closes all, at once. */
void tty_stop(void);

#endif
