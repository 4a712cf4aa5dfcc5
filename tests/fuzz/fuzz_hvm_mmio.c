/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the decoder of instructions that touch a device: a byte for 32 or 64 bits, the rest is
 * code.
 */
#include "../unit/hvm_mmio_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n)
        mmio_check(data + 1, n - 1, data[0] & 1 ? 64 : 32);
    return 0;
}
