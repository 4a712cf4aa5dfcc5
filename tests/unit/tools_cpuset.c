/* SPDX-License-Identifier: MIT */
/*
 * Sets of CPUs as people write them: what a list means, which lists are none, and that each set is
 * written in a way that reads back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpuset.h"

static void lists(void **state)
{
    static const struct {
        const char *text;
        uint64_t set;
    } cases[] = {
        {"0", 1},
        {"63", UINT64_C(1) << 63},
        {"0-3,5,^2", 0x2b},
        {"0-63", UINT64_MAX},
        {"all", UINT64_MAX},
        {"all,^0", UINT64_MAX - 1},
        {"0-7,^2-5", 0xc3},
        {"^0,0", 1}, /* from left to right */
        {" 1 , 3 ", 0xa},
        {"1,1,1-1", 2},
        {"007", 0x80},
    };
    uint64_t set;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wrong = cpuset_parse(cases[i].text, &set);

        if (wrong || set != cases[i].set)
            fail_msg("'%s': %s, %#lx", cases[i].text, wrong, set);
    }
}

static void no_lists(void **state)
{
    static const char syntax[] = "it is no list of CPUs such as 0-3,5,^2 or all";
    static const struct {
        const char *text, *wrong;
    } cases[] = {
        {"", syntax},
        {" ", syntax},
        {",", syntax},
        {"1,", syntax},
        {",1", syntax},
        {"1,,2", syntax},
        {"-1", syntax},
        {"1-", syntax},
        {"1-2-3", syntax},
        {"1 2", syntax},
        {"^", syntax},
        {"^^1", syntax},
        {"+1", syntax},
        {"0x1", syntax},
        {"cpu0", syntax},
        {"alle", syntax},
        {"64", "there is no CPU above 63"},
        {"0-64", "there is no CPU above 63"},
        {"18446744073709551616", "there is no CPU above 63"},
        {"3-1", "a range ends before it begins"},
        {"^2", "it names no CPU"},
        {"0-3,^0-3", "it names no CPU"},
        {"all,^all", "it names no CPU"},
    };
    uint64_t set = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wrong = cpuset_parse(cases[i].text, &set);

        if (!wrong || strcmp(wrong, cases[i].wrong) != 0)
            fail_msg("'%s': %s", cases[i].text, wrong);
    }
    assert_int_equal(set, 7);
}

static void written_sets_read_back(void **state)
{
    char text[CPUSET_TEXT];
    uint64_t set, back;

    (void)state;
    cpuset_format(0x2b, text);
    assert_string_equal(text, "0-1,3,5");
    cpuset_format(0, text);
    assert_string_equal(text, "");
    cpuset_format(UINT64_MAX, text);
    assert_string_equal(text, "0-63");
    srandom(6);
    for (unsigned int i = 0; i < 10000; i++) {
        set = i == 0 ? 0x5555555555555555
              : i == 1
                  ? 0xaaaaaaaaaaaaaaaa
                  : ((uint64_t)random() << 42 ^ (uint64_t)random() << 20 ^ (uint64_t)random()) | 1;
        cpuset_format(set, text);
        assert_null(cpuset_parse(text, &back));
        assert_int_equal(back, set);
    }
}

static void absent_ones(void **state)
{
    (void)state;
    assert_int_equal(cpuset_absent(0xf, 4), 0);
    assert_int_equal(cpuset_absent(0x1f, 4), 0x10);
    assert_int_equal(cpuset_absent(0x30, 4), 0x30);
    assert_int_equal(cpuset_absent(UINT64_MAX, 4), 0);
    assert_int_equal(cpuset_absent(UINT64_MAX - 4, 4), 0); /* all,^2 */
    assert_int_equal(cpuset_absent(UINT64_MAX - 16, 4), UINT64_MAX - 31);
    assert_int_equal(cpuset_absent(UINT64_MAX, 64), 0);
    assert_int_equal(cpuset_absent(1, 64), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(no_lists),
        cmocka_unit_test(written_sets_read_back),
        cmocka_unit_test(absent_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
