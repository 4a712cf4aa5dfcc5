/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's program for a fixed set of inputs: 4,000 random lives of 1,000 bytes. What a longer
 * run of the fuzzer found is added as a test of its own where it belongs.
 */
#include "core_test.h"

#include "hvm_lapic_random.h"

static void random_lives(void **state)
{
    uint8_t data[1000];
    unsigned int seed;

    (void)state;
    for (unsigned int life = 1; life <= 4000; life++) {
        seed = life;
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)(rand_r(&seed) >> 5);
        lapic_random_run(data, sizeof(data));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
