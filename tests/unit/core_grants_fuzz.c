/* SPDX-License-Identifier: MIT */
/*
 * A fixed run of the random operations on grants: short, the same every time, recounted after each
 * operation. tests/fuzz/fuzz_grant.c is the endless form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "grant_random.h"

static void fixed_runs(void **state)
{
    static uint8_t data[2000];
    uint64_t seed = 0x6a17;

    (void)state;
    for (unsigned int run = 0; run < 60; run++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            data[i] = (uint8_t)(seed >> 33);
        }
        grant_random_run(data, sizeof(data), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fixed_runs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
