/* SPDX-License-Identifier: MIT */
/*
 * The memory map while it is put together. The oracle is an array with the type of each of 256
 * units: after every change the map says the same as the array, is sorted, joined and without
 * overlaps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/boot_config.h>

#define UNITS     256
#define UNIT_SIZE 0x1000ull

static struct boot_info bi;
static uint32_t model[UNITS];

static void check(void)
{
    uint32_t shown[UNITS] = {0};

    for (uint32_t i = 0; i < bi.nr_mem; i++) {
        const struct boot_mem *m = &bi.mem[i], *next = &bi.mem[i + 1];

        assert_true(m->size > 0);
        if (i + 1 < bi.nr_mem) {
            assert_true(m->start + m->size <= next->start);
            assert_false(m->start + m->size == next->start && m->type == next->type);
        }
        for (uint64_t at = m->start; at < m->start + m->size; at += UNIT_SIZE)
            shown[at / UNIT_SIZE] = m->type;
    }
    assert_memory_equal(shown, model, sizeof(model));
}

static void test_random(void **state)
{
    (void)state;
    srand(7);
    for (unsigned int round = 0; round < 300; round++) {
        memset(&bi, 0, sizeof(bi));
        memset(model, 0, sizeof(model));
        for (unsigned int step = 0; step < 60; step++) {
            unsigned int first = (unsigned int)rand() % UNITS;
            unsigned int n = (unsigned int)rand() % (UNITS - first + 1) % 40;
            uint32_t type = (uint32_t)rand() % 5 + 1;
            int add = rand() % 2;

            assert_int_equal(
                (add ? memmap_add : memmap_set)(&bi, first * UNIT_SIZE, n * UNIT_SIZE, type), 0);
            for (unsigned int i = first; i < first + n; i++)
                if (!add || type != BOOT_MEM_RAM || !model[i])
                    model[i] = type;
            check();
        }
    }
}

/* A range that runs over the end of the address space is cut there. */
static void test_end_of_space(void **state)
{
    (void)state;
    memset(&bi, 0, sizeof(bi));
    assert_int_equal(memmap_set(&bi, ~0ull - 0xfff, 0x10000, BOOT_MEM_RESERVED), 0);
    assert_int_equal(bi.nr_mem, 1);
    assert_int_equal(bi.mem[0].start + bi.mem[0].size, ~0ull);
    assert_int_equal(memmap_set(&bi, 0x1000, 0, BOOT_MEM_RAM), 0);
    assert_int_equal(bi.nr_mem, 1);
}

/* One entry more than there is room for is an error, and nothing is written behind the array. */
static void test_full(void **state)
{
    (void)state;
    memset(&bi, 0, sizeof(bi));
    for (uint64_t i = 0; i < BOOT_MAX_MEM; i++)
        assert_int_equal(memmap_set(&bi, i * 2 * UNIT_SIZE, UNIT_SIZE, BOOT_MEM_RAM), 0);
    assert_int_equal(memmap_set(&bi, BOOT_MAX_MEM * 2 * UNIT_SIZE, UNIT_SIZE, BOOT_MEM_RAM), -1);
    assert_int_equal(bi.nr_mem, BOOT_MAX_MEM);
    assert_int_equal(bi.modules[0].size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_end_of_space),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
