/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry for all that plays random bytes as lives: tests/unit/random_lives.h. */
#include "../unit/random_lives.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    random_lives.play(data, size);
    return 0;
}
