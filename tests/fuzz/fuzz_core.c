/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry for random hypercalls of three domains: tests/unit/core_random.c says what is
 * played and what is checked. */
#include "../unit/core_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    core_random_run(data, size);
    return 0;
}
