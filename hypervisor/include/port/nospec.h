/* SPDX-License-Identifier: MIT */
/*
 * Port: a number of a guest's that is an index, for a CPU that runs ahead of the check of it.
 *
 * A check is a branch, which a CPU guesses: with a number that is too large it may read beyond the
 * table, and what it does with what it found leaves traces that the guest can see (XSA-254,
 * variant 1; 289). So where a table's bounds are known, the number comes out of index_nospec():
 * there it is computed, and not guessed, that it is below the bound. What becomes of a number
 * that is too large is the check's to say, as ever. tests/style.py knows where it must be
 * (tests/nospec.py).
 */
#ifndef PORT_NOSPEC_H
#define PORT_NOSPEC_H

#include <hv/types.h>

/* All bits where i is below n, else 0. The compiler does not know that it was checked. */
static inline uint64_t mask_nospec(uint64_t i, uint64_t n)
{
    uint64_t mask;

    __asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(i), "rm"(n) : "cc");
    return mask;
}

/* i where it is below n, else 0. */
static inline uint64_t index_nospec(uint64_t i, uint64_t n)
{
    return i & mask_nospec(i, n);
}

#endif
