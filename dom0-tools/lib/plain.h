/* SPDX-License-Identifier: MIT */
/*
 * What a guest printed, as text: for a terminal that is not the guest's.
 *
 * On an interactive console the guest may move the cursor, set titles, ask the terminal for
 * answers. Where its output is only shown (the history of a domain that has ended, the
 * hypervisor's log, the cause of an end) it may not: control characters become ^X, as `cat -v`
 * shows them, but for newline, carriage return and tab. UTF-8 passes, except for the 32
 * control characters that it has beyond ASCII; bytes that are none become '?'.
 *
 * A stream comes in pieces; struct plain keeps what a piece left unfinished.
 */
#ifndef PARVIS_TOOLS_PLAIN_H
#define PARVIS_TOOLS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain {
    uint8_t begun[4]; /* of a character */
    uint8_t have, want;
    bool line; /* in which our own words stand, too */
};

#define PLAIN_GROWS 3u /* so many times as long it may become, and 4 bytes */

/* Returns how many bytes went to out, at most PLAIN_GROWS * len + 4. */
size_t plain_text(struct plain *p, const char *in, size_t len, char *out);
/* One line in place: every control character, newline too, and every byte that is no text becomes
 * '?'. What it was cut off in the midst of does too, and so do characters that turn the direction
 * of what stands behind them, or end a line: what is quoted changes nothing of what is not. */
void plain_line(char *s);

#endif
