/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the decoder of instructions: eight bytes for the registers, the rest is code.
 */
#include "../unit/insn_check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint64_t seed;

    if (n < sizeof(seed))
        return 0;
    memcpy(&seed, data, sizeof(seed));
    insn_check(data + sizeof(seed), n - sizeof(seed), seed);
    return 0;
}
