/* SPDX-License-Identifier: MIT */
/*
 * The console: where printf() goes and where typed characters come from.
 *
 * An ordinary domain has a ring: one shared page with two byte queues, out (2048 bytes) and in
 * (1024), and an event channel to tell the other side that a queue changed. A domain without
 * a ring (the control domain, or before console_init()) uses the console_io hypercall, which a
 * hypervisor may refuse to ordinary domains; the text is then lost, which is why the kernel
 * looks for the ring first of all.
 *
 * Output waits while the ring is full, so nothing is lost as long as somebody drains it. After
 * panic it does not wait for ever.
 */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

void console_init(void);
/* Input needs an event handler, which needs what comes later than the console itself. */
void console_start_events(void);
void console_write(const char *text, size_t len);
/* From now on do not wait for the reader longer than a bounded time. */
void console_dying(void);
/* Waits until the other side has taken everything. */
void console_flush(void);

/* A character, or -1 when there is none now. */
int console_getc(void);
/* True when console_getc() would return one. */
bool console_has_input(void);
const char *console_kind(void);

#endif
