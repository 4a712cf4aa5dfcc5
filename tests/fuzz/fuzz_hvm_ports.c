/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing the devices of a fully virtualized domain: the bytes choose accesses to its ports, what
 * passes of time, and what the other end of its console does (tests/unit/hvm_ports_random.c, which
 * says what must hold after each).
 */
#include "../unit/hvm_ports_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    hvm_ports_run(data, n);
    return 0;
}
