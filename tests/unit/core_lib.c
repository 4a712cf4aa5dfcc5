/* SPDX-License-Identifier: MIT */
/*
 * lib/: formatting agrees with the C library's wherever both know the conversion; a short buffer is
 * never overrun and always ended; what is unknown is copied as it stands.
 */
#include "core_test.h"

#include <core/base/log.h>
#pragma GCC diagnostic ignored "-Wformat"
#undef snprintf
#undef vsnprintf

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[128], theirs[128];                                                               \
        int a = hv_snprintf(ours, sizeof(ours), __VA_ARGS__);                                      \
        int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                     \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(a, b);                                                                    \
    } while (0)

size_t hv_strlcpy(char *to, const char *from, size_t size);

static void numbers(void **state)
{
    (void)state;
    SAME("%d %i %u %x %X %o", 0, -1, 3000000000u, 0xabcdef, 0xABCDEF, 0755);
    SAME("%ld %lu %lx %lld %llu", INT64_MIN, UINT64_MAX, UINT64_MAX, (long long)INT64_MIN, ~0ull);
    SAME("%zu %hhu %hd", (size_t)-1, (unsigned char)200, (short)-3);
    SAME("[%5d][%-5d][%05d][%+d][% d]", 42, 42, -42, 42, 42);
    SAME("[%.3d][%8.3x][%-8.3x][%08.3d]", 7, 0xf, 0xf, 7);
    SAME("[%#x][%#X][%#lx][%#06x][%#x]", 255, 255, 1ul << 40, 0xab, 0);
    SAME("[%.0d][%.0x]", 0, 0);
    SAME("[%*d][%-*d][%*d]", 6, 1, 6, 2, -6, 3);
}

static void strings(void **state)
{
    (void)state;
    SAME("[%s][%10s][%-10s][%.2s][%10.2s]", "abc", "abc", "abc", "abc", "abc");
    SAME("[%.*s][%.*s]", 2, "abc", 0, "abc");
    SAME("[%c][%3c][%-3c][%%]", 'x', 'y', 'z');
    SAME("%s", "");
    SAME("%p", (void *)0x1234);
}

static void not_terminated(void **state)
{
    char text[3] = {'a', 'b', 'c'}, out[8];

    (void)state;
    assert_int_equal(hv_snprintf(out, sizeof(out), "%.3s", text),
                     3); /* ASan: no byte more is read */
    assert_string_equal(out, "abc");
}

static void short_buffers(void **state)
{
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        char *exact = malloc(n); /* ASan watches its end */

        assert_int_equal(hv_snprintf(exact, n, "%s-%d", "hello", 123), 9);
        assert_int_equal(strlen(exact), n < 10 ? n - 1 : 9);
        assert_memory_equal(exact, "hello-123", strlen(exact));
        free(exact);
    }
    assert_int_equal(hv_snprintf(NULL, 0, "%d", 12345), 5);
}

static void unknown_and_broken(void **state)
{
    char out[32];
    const char *unknown = "%q %", *volatile null = NULL, *wide = "%99999999d";

    (void)state;
    hv_snprintf(out, sizeof(out), unknown);
    assert_string_equal(out, "%q %");
    assert_true(hv_snprintf(out, sizeof(out), wide, 1) >= 1000); /* bounded, and no overflow */
    hv_snprintf(out, sizeof(out), "%s", null);
    assert_string_equal(out, "(null)");
}

static void strlcpy_cuts_and_tells(void **state)
{
    char out[4] = "xxx";

    (void)state;
    assert_int_equal(hv_strlcpy(out, "abcdef", sizeof(out)), 6);
    assert_string_equal(out, "abc");
    assert_int_equal(hv_strlcpy(out, "", sizeof(out)), 0);
    assert_string_equal(out, "");
    out[0] = 'q';
    assert_int_equal(hv_strlcpy(out, "abc", 0), 3);
    assert_int_equal(out[0], 'q');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(not_terminated),
        cmocka_unit_test(short_buffers),
        cmocka_unit_test(unknown_and_broken),
        cmocka_unit_test(strlcpy_cuts_and_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
