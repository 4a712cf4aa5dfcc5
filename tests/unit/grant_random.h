/* SPDX-License-Identifier: MIT */
/*
 * Random operations on grants, drawn from a stream of bytes: the same for the fuzzer and for the
 * short fixed run in the unit tests.
 *
 * Three guests, one of them the control domain, grant each other their frames, map and unmap, copy,
 * swap, write over entries and page tables that are in use, give frames back, end and come anew.
 * After every few operations all uses of grants and all references are recounted; at the end every
 * frame must come back.
 */
#ifndef TESTS_GRANT_RANDOM_H
#define TESTS_GRANT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void grant_random_run(const uint8_t *data, size_t n, unsigned int every);

#endif
