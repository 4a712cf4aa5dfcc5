/* SPDX-License-Identifier: MIT */
/*
 * What holds of the decoder for any bytes: it stays within them, needs all that it says it used and
 * no more, and an operand is of a possible size. Ends the program when it does not.
 */
#ifndef TESTS_INSN_CHECK_H
#define TESTS_INSN_CHECK_H

#include <hv/x86_insn.h>

/* n bytes of code, on registers made from seed. */
void insn_check(const uint8_t *code, size_t n, uint64_t seed);

#endif
