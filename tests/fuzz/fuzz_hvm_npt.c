/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes operations on nested page tables (tests/unit/hvm_npt_random.c), with a recount of all
 * references.
 */
#include "../unit/hvm_npt_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct npt_random_result result = {0};

    npt_random_run(data, n, &result);
    return 0;
}
