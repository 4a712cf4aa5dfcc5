/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing whole paravirtual domains: the bytes choose what three of them, of two vCPUs each, do
 * (tests/unit/pv_random.c). The oracles are the model of the TLBs and all the recounts; after all
 * domains are destroyed every frame must be free again.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/pv_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    pv_random_run(data, n, 8);
    return 0;
}
