/* SPDX-License-Identifier: MIT */
/*
 * A fixed run of the random lives: short, the same every time. tests/fuzz/fuzz_pv.c is the endless
 * form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_random.h"

static void fixed_runs(void **state)
{
    static uint8_t data[2000];
    uint64_t seed = 0x11fe;

    (void)state;
    for (unsigned int run = 0; run < 150; run++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            data[i] = (uint8_t)(seed >> 33);
        }
        pv_random_run(data, sizeof(data), 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fixed_runs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
