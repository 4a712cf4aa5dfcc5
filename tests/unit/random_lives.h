/* SPDX-License-Identifier: MIT */
/*
 * What random bytes are played as, which a file says for each program, and what is checked. The
 * fuzzer draws them (tests/fuzz/fuzz_lives.c); a unit test plays a fixed set (random_lives_test.c).
 */
#ifndef TESTS_UNIT_RANDOM_LIVES_H
#define TESTS_UNIT_RANDOM_LIVES_H

#include <stddef.h>
#include <stdint.h>

extern const struct random_lives {
    /* Plays the bytes; ends the program when something does not hold. */
    void (*play)(const uint8_t *data, size_t size);
    unsigned int lives; /* of the unit test, */
    size_t bytes;       /* of so many bytes each */
} random_lives;

#endif
