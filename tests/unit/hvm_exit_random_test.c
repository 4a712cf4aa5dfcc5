/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's program for a fixed set of inputs: 1,500 random lives of 2,000 bytes. What a longer
 * run of the fuzzer found is added as a test of its own where it belongs.
 */
#include "core_test.h"

#include "hvm_exit_random.h"

static void random_lives(void **state)
{
    uint8_t data[2000];
    unsigned int seed;

    (void)state;
    for (unsigned int life = 1; life <= 1500; life++) {
        seed = life;
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)(rand_r(&seed) >> 5);
        exit_random_run(data, sizeof(data));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
