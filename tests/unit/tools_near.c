/* SPDX-License-Identifier: MIT */
/* The word that was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"

static void near_words(void **state)
{
    static const struct {
        const char *typed, *word;
        int near;
    } cases[] = {{"vcpu", "vcpus", 1},
                 {"memroy", "memory", 1},
                 {"nmae", "name", 1},
                 {"lits", "list", 1},
                 {"", "a", 0},
                 {"xyz", "abc", 0},
                 {"cpu", "uuid", 0},
                 {"a", "b", 0},
                 {"destory", "destroy", 1},
                 {"shutdwn", "shutdown", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct near n = {NULL, 0};

        near_try(&n, cases[i].typed, cases[i].word);
        if ((n.word != NULL) != cases[i].near)
            fail_msg("%s, %s", cases[i].typed, cases[i].word);
        near_try(&n, cases[i].typed, cases[i].typed);
        assert_string_equal(n.word, cases[i].typed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(near_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
