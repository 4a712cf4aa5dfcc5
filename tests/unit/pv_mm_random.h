/* SPDX-License-Identifier: MIT */
/*
 * Random operations on page tables, drawn from a stream of bytes: the same for the fuzzer and for
 * the short fixed run in the unit tests.
 *
 * A control domain and a guest do all that may be done with page tables: mmu_update,
 * update_va_mapping, pins, base tables, grant maps, emulated writes, calls abandoned half way, on a
 * small set of frames so that they collide. The oracle is the recount (host_recount()), and at
 * the end every frame must come back.
 */
#ifndef TESTS_PV_MM_RANDOM_H
#define TESTS_PV_MM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Makes a machine, carries out what the bytes say, recounting after every `every` operations, and
 * ends the machine. Aborts when something is wrong. */
void mm_random_run(const uint8_t *data, size_t n, unsigned int every);

#endif
