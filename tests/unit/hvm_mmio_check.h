/* SPDX-License-Identifier: MIT */
/* What is made of any bytes as an instruction that touches a device, against another decoder: for
 * unit tests and the fuzzer. */
#ifndef TESTS_HVM_MMIO_CHECK_H
#define TESTS_HVM_MMIO_CHECK_H

#include <hv/types.h>

/* Code of 32 or 64 bits. Aborts where the two differ. The length, or 0: none of those. */
unsigned int mmio_check(const uint8_t *code, size_t n, unsigned int bits);

#endif
