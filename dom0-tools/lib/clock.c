/* SPDX-License-Identifier: MIT */
/*
 * A clock that never goes back: see clock.h.
 */
#include "clock.h"

#include <time.h>

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t now_ms(void)
{
    return now_ns() / 1000000;
}
