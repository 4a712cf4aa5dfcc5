/* SPDX-License-Identifier: MIT */
#ifndef CORE_CONSOLE_OUT_H
#define CORE_CONSOLE_OUT_H

#include <hv/types.h>

/* Raw, to the console: core/base/console_out.c. What finds no room is lost. */
void console_write(const char *s, size_t n);
/* For guests. false: there is no room, and nothing was written; console_send() says when there is.
 */
bool __must_check console_try_write(const char *s, size_t n);
/* For how many bytes there is room now, all of them newlines. */
size_t console_room(void);
/* console_send() is to say when there is room. false: nobody has to wait. */
bool __must_check console_wait(void);
/* The UART's interrupt. true: somebody waits, and now there is room. */
bool console_send(void);
/* From here on bytes wait for the UART's interrupts; or (the end is near) nothing waits any more
 * but who writes. */
void console_queue(bool on);

#endif
