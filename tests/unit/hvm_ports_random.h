/* SPDX-License-Identifier: MIT */
/* Random lives of a fully virtualized domain's devices: hvm_ports_random.c. Used by the fuzzer and,
 * with fixed inputs, by a unit test. */
#ifndef TESTS_UNIT_HVM_PORTS_RANDOM_H
#define TESTS_UNIT_HVM_PORTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Plays the bytes; ends the program when something does not hold. */
void hvm_ports_run(const uint8_t *data, size_t n);

#endif
