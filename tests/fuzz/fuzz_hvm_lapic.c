/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry for the local APICs of four vCPUs: tests/unit/hvm_lapic_random.c says what is
 * played and what is checked. */
#include "../unit/hvm_lapic_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lapic_random_run(data, size);
    return 0;
}
