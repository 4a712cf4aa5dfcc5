/* SPDX-License-Identifier: MIT */
/*
 * Bytes out to the machine's console.
 *
 * What the log, the control domain and boot-time domains have to say goes out in the order in which
 * it comes; a newline becomes the two characters that a terminal wants.
 *
 * Lock: out_lock (RANK_CONSOLE): what one writes at once is not torn by another.
 */
#include <core/base/console_out.h>
#include <port/lock.h>
#include <port/machine.h>

static spinlock_t out_lock = SPINLOCK_INIT(RANK_CONSOLE);

void console_write(const char *s, size_t n)
{
    spin_lock(&out_lock);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            machine_console_putc('\r');
        machine_console_putc(s[i]);
    }
    spin_unlock(&out_lock);
}
