/* SPDX-License-Identifier: MIT */
/*
 * Random operations on nested page tables, drawn from a stream of bytes: the same for the fuzzer
 * and for the fixed run of the unit tests.
 *
 * A domain maps blocks of frames, large and small, aligned or not, takes frames out, gives some
 * back for good, holds references for a while, all in a few places that lie across the borders of
 * tables; now and then there is no memory for tables. What every call has to say is known from a
 * list, and the list is what npt_lookup() has to say; references are recounted from scratch. At the
 * end the domain is destroyed, and every frame must have come back.
 */
#ifndef TESTS_HVM_NPT_RANDOM_H
#define TESTS_HVM_NPT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct npt_random_result {
    unsigned int mapped, large, unmapped, no_memory;
};

/* Aborts when something is wrong; adds to what was done. */
void npt_random_run(const uint8_t *data, size_t n, struct npt_random_result *result);

#endif
