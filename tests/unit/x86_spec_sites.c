/* SPDX-License-Identifier: MIT */
/*
 * That code which is not for a machine is overwritten so that what stands behind it runs next, and
 * nothing else (x86/spec_sites.c); and that an index stays below its bound (port/nospec.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <port/nospec.h>
#include <x86/speculation.h>

/* ---- sites ---- */

#define CODE 400u
static uint8_t code[CODE];

/* What runs next behind an instruction at `at`, of those that may be written. */
static unsigned int behind(unsigned int at)
{
    static const uint8_t nop[] = {1, 0, 0, 4, 5, 0, 7, 8};
    int32_t far;

    switch (code[at]) {
    case 0xeb:
        return at + 2 + code[at + 1];
    case 0xe9:
        memcpy(&far, &code[at + 1], sizeof(far));
        return at + 5 + (unsigned int)far;
    case 0x90:
        return at + 1;
    case 0x66:
        return code[at + 1] == 0x90 ? at + 2 : behind(at + 1);
    default: /* 0f 1f /0, with no operand behind it, or one of 8 or 32 bits */
        assert_int_equal(code[at], 0x0f);
        assert_int_equal(code[at + 1], 0x1f);
        switch (code[at + 2]) {
        case 0x00:
            return at + 3;
        case 0x40:
            return at + nop[3];
        case 0x44:
            return at + nop[4];
        case 0x80:
            return at + nop[6];
        default:
            assert_int_equal(code[at + 2], 0x84);
            return at + nop[7];
        }
    }
}

static struct spec_site site(const struct spec_site *where, unsigned int at, unsigned int length,
                             uint32_t measures)
{
    return (struct spec_site){(int32_t)(code + at - (const uint8_t *)where), length, measures};
}

/* Alone, of each length: it is passed by one instruction, and what is around it is as it was. */
static void a_site_is_left_out(void **state)
{
    static struct spec_site s[1];

    (void)state;
    for (unsigned int n = 1; n <= 200; n += n < 12 ? 1 : 27) {
        memset(code, 0xcc, CODE);
        s[0] = site(&s[0], 7, n, 4);
        spec_patch(s, s + 1, 3);
        assert_int_equal(behind(7), 7 + n);
        assert_int_equal(code[6], 0xcc);
        assert_int_equal(code[7 + n], 0xcc);
    }
}

static void sites_that_stay(void **state)
{
    static struct spec_site s[2];

    (void)state;
    memset(code, 0xcc, CODE);
    s[0] = site(&s[0], 0, 20, 4 | 8);
    s[1] = site(&s[1], 30, 20, SITE_UNLESS | 2);
    spec_patch(s, s + 2, 8);
    for (unsigned int i = 0; i < 50; i++)
        assert_int_equal(code[i], 0xcc);
    spec_patch(s, s + 2, 2);
    assert_int_equal(behind(0), 20);
    assert_int_equal(behind(30), 50);
}

/* Three in one, which begins where the first does: with none of them it is one jump; else those
 * that stay do, and the others are passed. */
static void sites_in_sites(void **state)
{
    static struct spec_site s[4];

    (void)state;
    for (uint32_t measures = 0; measures < 8; measures++) {
        memset(code, 0xcc, CODE);
        s[0] = site(&s[0], 10, 100, 7);
        for (unsigned int i = 0; i < 3; i++)
            s[1 + i] = site(&s[1 + i], 10 + 30 * i, 30, 1u << i);
        spec_patch(s, s + 4, measures);
        if (!measures)
            assert_int_equal(behind(10), 110);
        for (unsigned int i = 0; i < 3 && measures; i++) {
            if (measures >> i & 1)
                assert_int_equal(code[10 + 30 * i], 0xcc);
            else
                assert_int_equal(behind(10 + 30 * i), 40 + 30 * i);
        }
        assert_int_equal(code[110], 0xcc);
    }
}

/* Of jumps to the thunk each, wherever it begins, and of all else nothing, becomes a return. */
static void returns_at_once(void **state)
{
    static const uint8_t stop[5] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc};
    const uint8_t *thunk = code + 300;

    (void)state;
    for (unsigned int at = 0; at + 5 <= CODE; at++) {
        int32_t behind = (int32_t)(300 - at - 5);

        for (unsigned int other = 0; other < 3; other++) {
            memset(code, 0x90, CODE);
            code[at] = other == 1 ? 0xe8 : 0xe9;
            behind += other == 2;
            memcpy(&code[at + 1], &behind, sizeof(behind));
            spec_return_at_once(code, code + CODE, thunk);
            if (other)
                assert_int_equal(code[at], other == 1 ? 0xe8 : 0xe9);
            else
                assert_memory_equal(&code[at], stop, sizeof(stop));
            for (unsigned int i = 0; i < CODE; i++)
                if (i < at || i >= at + 5)
                    assert_int_equal(code[i], 0x90);
        }
    }
}

/* ---- indices ---- */

static void indices_stay_below(void **state)
{
    static const uint64_t bounds[] = {1, 2, 64, 4096, 1ull << 32, 1ull << 63, UINT64_MAX};

    (void)state;
    assert_int_equal(index_nospec(0, 0), 0);
    assert_int_equal(index_nospec(UINT64_MAX, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        uint64_t n = bounds[i];

        assert_int_equal(index_nospec(0, n), 0);
        assert_int_equal(index_nospec(n - 1, n), n - 1);
        assert_int_equal(index_nospec(n / 2, n), n / 2);
        assert_int_equal(index_nospec(n, n), 0);
        assert_int_equal(index_nospec(UINT64_MAX, n), 0);
        assert_int_equal(index_nospec(UINT64_MAX - 1, n), n == UINT64_MAX ? n - 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_is_left_out), cmocka_unit_test(sites_that_stay),
        cmocka_unit_test(sites_in_sites),     cmocka_unit_test(returns_at_once),
        cmocka_unit_test(indices_stay_below),
    };

    return cmocka_run_group_tests_name("x86_spec_sites", tests, NULL, NULL);
}
