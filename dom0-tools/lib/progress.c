/* SPDX-License-Identifier: MIT */
/*
 * What takes long says how far it is: see progress.h.
 */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 1000
#define STEP_MS     200

static uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress(const char *name, const char *what, uint64_t done, uint64_t total)
{
    static uint64_t next;
    static bool shown;
    uint64_t now = clock_ms();

    if (next == 0)
        next = now + PATIENCE_MS;
    if (done >= total) {
        if (shown)
            fputs("\r\033[K", stderr);
        shown = false;
        next = 0;
    } else if (now >= next && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%s: %s %u %%", name, what, (unsigned int)(done * 100 / total));
        shown = true;
        next = now + STEP_MS;
    }
}
