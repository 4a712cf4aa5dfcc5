/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing grants: the bytes choose what three domains do with each other's frames
 * (tests/unit/grant_random.c). The oracle recounts uses against maptracks and page references
 * against mappings; after all domains are destroyed every frame must be free again.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/grant_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    grant_random_run(data, n, 4);
    return 0;
}
