/* SPDX-License-Identifier: MIT */
/*
 * The log: a ring in memory that holds everything, and the UART, which gets what is important
 * enough.
 *
 * A position in the ring is a 32-bit count of all bytes ever written; a reader that fell behind is
 * moved to the oldest byte that is left. Lines are put in whole: formatted into a buffer of the
 * stack first, cut when longer than it.
 *
 * Lock: log_lock (RANK_CONSOLE, the innermost): anything may print.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/base/log_share.h>
#include <parvis/string.h>
#include <port/lock.h>
#include <port/machine.h>

#define RING_SIZE 65536u
#define LINE_SIZE 512

static spinlock_t log_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char ring[RING_SIZE];
static uint32_t written, cleared;
static enum log_level uart_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    uart_level = level;
}

static void log_line(enum log_level level, const char *s, size_t n)
{
    spin_lock(&log_lock);
    for (size_t i = 0; i < n; i++)
        ring[written++ % RING_SIZE] = s[i];
    spin_unlock(&log_lock);
    if (level <= uart_level)
        console_write(s, n);
}

/* Ends the line in buf, which has len characters (or would have, had it room), with a newline. */
static size_t end_line(char *buf, size_t size, size_t len)
{
    len = MIN(len, size - 2);
    if (len == 0 || buf[len - 1] != '\n')
        buf[len++] = '\n';
    buf[len] = 0;
    return len;
}

static size_t put_prefix(char *buf, size_t size)
{
    s_time_t now = clock_now();

    return (size_t)snprintf(buf, size, "(parvis) [%4lu.%06lu] ", (uint64_t)(now / SECONDS(1)),
                            (uint64_t)(now % SECONDS(1) / 1000));
}

void log_printf(struct domain *d, bool end, enum log_level level, const char *fmt, ...)
{
    char buf[LINE_SIZE];
    size_t len = put_prefix(buf, sizeof(buf));
    va_list ap;

    va_start(ap, fmt);
    len += (size_t)vsnprintf(buf + len, sizeof(buf) - len, fmt, ap);
    va_end(ap);
    len = end_line(buf, sizeof(buf), len);
    if (!d || log_share_take(d, end, level, len))
        log_line(level, buf, len);
}

size_t log_read(char *to, size_t n, uint32_t *pos)
{
    size_t copied, to_end;

    spin_lock(&log_lock);
    if (written - cleared > RING_SIZE)
        cleared = written - RING_SIZE;
    /* A position outside what there is means: from the oldest. */
    if (written - *pos > written - cleared)
        *pos = cleared;
    copied = MIN(n, (size_t)(written - *pos));
    to_end = MIN(copied, (size_t)(RING_SIZE - *pos % RING_SIZE));
    memcpy(to, &ring[*pos % RING_SIZE], to_end);
    memcpy(to + to_end, ring, copied - to_end);
    *pos += (uint32_t)copied;
    spin_unlock(&log_lock);
    return copied;
}

void log_clear(void)
{
    spin_lock(&log_lock);
    cleared = written;
    spin_unlock(&log_lock);
}
