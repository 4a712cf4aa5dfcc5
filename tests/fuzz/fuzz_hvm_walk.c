/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes walks through a guest's own page tables: registers, tables and accesses come from the
 * input, and each walk is held against the oracle (tests/unit/hvm_walk_random.c).
 */
#include "../unit/hvm_walk_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct domain *d;

    if (!d)
        d = walk_guest_init();
    walk_random_run(d, data, n);
    return 0;
}
