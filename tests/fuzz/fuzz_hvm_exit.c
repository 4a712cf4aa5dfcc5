/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry for the exits of a fully virtualized domain: tests/unit/hvm_exit_random.c says
 * what is played and what is checked. */
#include "../unit/hvm_exit_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exit_random_run(data, size);
    return 0;
}
