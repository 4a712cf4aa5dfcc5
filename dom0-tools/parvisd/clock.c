/* SPDX-License-Identifier: MIT */
/*
 * The daemon's clock: milliseconds that never go back. A file of its own, so that tests have
 * a clock that goes when they say.
 */
#include <time.h>

#include "console.h"

uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
