/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer's program for a fixed set of inputs. What a longer run of the fuzzer found is added as a
 * test of its own where it belongs.
 */
#include "core_test.h"

#include "random_lives.h"

static void fixed_lives(void **state)
{
    uint8_t *data = malloc(random_lives.bytes);
    unsigned int seed;

    (void)state;
    assert_non_null(data);
    for (unsigned int life = 1; life <= random_lives.lives; life++) {
        seed = life;
        for (size_t i = 0; i < random_lives.bytes; i++)
            data[i] = (uint8_t)(rand_r(&seed) >> 5);
        random_lives.play(data, random_lives.bytes);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fixed_lives)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
