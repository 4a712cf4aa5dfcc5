/* SPDX-License-Identifier: MIT */
/*
 * Shows that the loader withstands hostile files: a fixed corpus for the fuzzer's entry point.
 *
 * Good kernels of several shapes are cut at each length of their headers, and damaged: each byte of
 * headers and notes gets values that sit on edges, each aligned word likewise, and some thousand
 * files have several places damaged at random (a fixed seed, so every run is the same run). The
 * fuzzer's oracle judges each; this test fails when it aborts or when a sanitizer speaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PVH     32u  /* in an input's first byte: fuzz_loader.c */
#define HEADERS 420u /* ELF header, program headers, notes */

static const struct simple_kernel shapes[] = {
    {.paddr = 0x10000, .size = 0x3000, .hypercall_page = 0x11000},
    {.virt_base = 0xffffffff80000000ULL,
     .paddr = 0x100000,
     .size = 0x2100,
     .init_p2m = 0x8000000000ULL,
     .mod_start_pfn = true},
    {.virt_base = 0x7fc00000, .paddr = 0x1000, .size = 0x1000, .init_p2m = 0x80000000},
    {.virt_base = 0xffffffff80000000ULL, .paddr = 0x100000, .size = 0x2100, .pvh_entry = 0x100010},
};
#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* An input for the fuzzer: one byte of configuration, then the file. */
static uint8_t *make_input(unsigned int shape, uint8_t config, size_t *size)
{
    uint8_t *file = make_simple_kernel(&shapes[shape], size);
    uint8_t *input = malloc(*size + 1);

    input[0] = config | (shapes[shape].pvh_entry ? PVH : 0);
    memcpy(input + 1, file, *size);
    free(file);
    (*size)++;
    return input;
}

static void good_files(void **state)
{
    (void)state;
    for (unsigned int shape = 0; shape < NR_SHAPES; shape++) {
        for (unsigned int config = 0; config < 32; config++) {
            size_t size;
            uint8_t *input = make_input(shape, (uint8_t)config, &size);

            assert_int_equal(LLVMFuzzerTestOneInput(input, size), 0);
            free(input);
        }
    }
}

static void cut_files(void **state)
{
    (void)state;
    for (unsigned int shape = 0; shape < NR_SHAPES; shape++) {
        size_t size;
        uint8_t *input = make_input(shape, 7, &size);

        for (size_t length = 0; length < HEADERS; length++)
            assert_int_equal(LLVMFuzzerTestOneInput(input, length), 0);
        free(input);
    }
}

static void damaged_bytes(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

    (void)state;
    for (unsigned int shape = 0; shape < NR_SHAPES; shape++) {
        size_t size;
        uint8_t *input = make_input(shape, 6, &size);

        for (size_t at = 1; at < HEADERS; at++) {
            uint8_t was = input[at];

            for (unsigned int v = 0; v < sizeof(values); v++) {
                input[at] = values[v];
                LLVMFuzzerTestOneInput(input, size);
            }
            input[at] = was;
        }
        assert_int_equal(LLVMFuzzerTestOneInput(input, size), 0);
        free(input);
    }
}

static void damaged_words(void **state)
{
    static const uint64_t values[] = {0,
                                      1,
                                      0xfff,
                                      UINT64_MAX,
                                      UINT64_MAX - 0xfff,
                                      1ULL << 63,
                                      1ULL << 47,
                                      0xffff800000000000ULL,
                                      0xffff87ffffffffffULL,
                                      0xffff880000000000ULL,
                                      0xfffffffffff00000ULL,
                                      1ULL << 52};

    (void)state;
    for (unsigned int shape = 0; shape < NR_SHAPES; shape++) {
        size_t size;
        uint8_t *input = make_input(shape, 5, &size);

        for (size_t at = 1; at < HEADERS; at += 4) {
            uint8_t was[8];

            memcpy(was, input + at, 8);
            for (unsigned int v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                memcpy(input + at, &values[v], 8);
                LLVMFuzzerTestOneInput(input, size);
            }
            memcpy(input + at, was, 8);
        }
        assert_int_equal(LLVMFuzzerTestOneInput(input, size), 0);
        free(input);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void damaged_at_random(void **state)
{
    uint32_t seed = 2026;

    (void)state;
    for (unsigned int round = 0; round < 3000; round++) {
        size_t size;
        uint8_t *input = make_input(round % NR_SHAPES, (uint8_t)next_random(&seed), &size);
        unsigned int places = 1 + next_random(&seed) % 4;

        while (places--) {
            size_t at = 1 + next_random(&seed) % HEADERS;
            uint8_t bit = (uint8_t)(1u << next_random(&seed) % 8);

            input[at] = next_random(&seed) & 1 ? input[at] ^ bit : (uint8_t)next_random(&seed);
        }
        assert_int_equal(LLVMFuzzerTestOneInput(input, size), 0);
        free(input);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),        cmocka_unit_test(cut_files),
        cmocka_unit_test(damaged_bytes),     cmocka_unit_test(damaged_words),
        cmocka_unit_test(damaged_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
