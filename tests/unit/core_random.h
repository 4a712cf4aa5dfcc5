/* SPDX-License-Identifier: MIT */
/* Random lives of three domains: core_random.c. Used by the fuzzer and, with fixed inputs, by a
 * unit test. */
#ifndef TESTS_UNIT_CORE_RANDOM_H
#define TESTS_UNIT_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Plays the bytes as hypercalls of a control domain and two guests; ends the program when an
 * invariant breaks or a frame is lost. */
void core_random_run(const uint8_t *data, size_t size);

#endif
