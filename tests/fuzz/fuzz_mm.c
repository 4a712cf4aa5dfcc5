/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing direct paging: the bytes choose operations on the page tables of two domains
 * (tests/unit/pv_mm_random.c); every reference and type is recounted from scratch after every few,
 * and after both domains are destroyed every frame must be free again.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/pv_mm_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mm_random_run(data, n, 4);
    return 0;
}
