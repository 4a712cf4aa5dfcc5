/* SPDX-License-Identifier: MIT */
/*
 * lib/: memory, strings and formatting agree with the C library's wherever both know how; a short
 * buffer is never overrun and always ended; what is unknown is copied as it stands; a number is all
 * digits and fits. And a walk along a list (hv/list.h) is one along its members, wherever the head
 * lies.
 */
#include "core_test.h"

#include <hv/list.h>
#include <parvis/string.h>
#pragma GCC diagnostic ignored "-Wformat"
#undef snprintf
#undef vsnprintf

/* core_lib_names.h */
extern typeof(memcpy) lib_memcpy;
extern typeof(memmove) lib_memmove;
extern typeof(memset) lib_memset;
extern typeof(memcmp) lib_memcmp;
extern typeof(strlen) lib_strlen;
extern typeof(strnlen) lib_strnlen;
extern typeof(strcmp) lib_strcmp;
extern typeof(strchr) lib_strchr;

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char ours[128], theirs[128];                                                               \
        int a = lib_snprintf(ours, sizeof(ours), __VA_ARGS__);                                     \
        int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                     \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(a, b);                                                                    \
    } while (0)

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
    assert_int_equal(lib_snprintf(out, sizeof(out), "%.3s", text),
                     3); /* ASan: no byte more is read */
    assert_string_equal(out, "abc");
}

static void short_buffers(void **state)
{
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        char *exact = malloc(n); /* ASan watches its end */

        assert_int_equal(lib_snprintf(exact, n, "%s-%d", "hello", 123), 9);
        assert_int_equal(strlen(exact), n < 10 ? n - 1 : 9);
        assert_memory_equal(exact, "hello-123", strlen(exact));
        free(exact);
    }
    assert_int_equal(lib_snprintf(NULL, 0, "%d", 12345), 5);
}

static void unknown_and_broken(void **state)
{
    char out[32];
    const char *unknown = "%q %", *volatile null = NULL, *wide = "%99999999d";

    (void)state;
    lib_snprintf(out, sizeof(out), unknown);
    assert_string_equal(out, "%q %");
    assert_true(lib_snprintf(out, sizeof(out), wide, 1) >= 1000); /* bounded, and no overflow */
    lib_snprintf(out, sizeof(out), "%s", null);
    assert_string_equal(out, "(null)");
}

static void strlcpy_cuts_and_tells(void **state)
{
    char out[4] = "xxx";

    (void)state;
    assert_int_equal(lib_strlcpy(out, "abcdef", sizeof(out)), 6);
    assert_string_equal(out, "abc");
    assert_int_equal(lib_strlcpy(out, "", sizeof(out)), 0);
    assert_string_equal(out, "");
    out[0] = 'q';
    assert_int_equal(lib_strlcpy(out, "abc", 0), 3);
    assert_int_equal(out[0], 'q');
}

static void digits(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"0123", true, 123},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"0xffffffffffffffff", true, UINT64_MAX},
        {"0x10000000000000000", false, 0},
        {"0xfF4", true, 0xff4},
        {"0x0", true, 0},
        {"", false, 0},
        {"0x", false, 0},
        {"x1", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1g", false, 0},
        {"0xfg", false, 0},
        {"ff", false, 0},
        {"0X1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 77;

        assert_int_equal(parse_number(rows[i].text, strlen(rows[i].text), &value), rows[i].good);
        assert_int_equal(value, rows[i].good ? rows[i].value : 77);
    }
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

/* Short words of few letters, so that many are alike or begin alike. */
static void strings_like_libc(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 2000; i++) {
        char a[8] = "", b[8] = "", c = "ab\xff"[rand() % 4];

        for (int n = rand() % 7; n >= 0; n--)
            a[n] = "ab\xff"[rand() % 3];
        for (int n = rand() % 7; n >= 0; n--)
            b[n] = "ab\xff"[rand() % 3];
        a[7] = b[7] = 0;
        assert_int_equal(lib_strlen(a), strlen(a));
        assert_int_equal(lib_strnlen(a, (size_t)(i % 8)), strnlen(a, (size_t)(i % 8)));
        assert_int_equal(sign(lib_strcmp(a, b)), sign(strcmp(a, b)));
        assert_ptr_equal(lib_strchr(a, c), strchr(a, c));
        assert_int_equal(sign(lib_memcmp(a, b, (size_t)(i % 9))),
                         sign(memcmp(a, b, (size_t)(i % 9))));
    }
}

/* Every position, length and overlap of a small buffer; the bytes around stay. */
static void memory_like_libc(void **state)
{
    unsigned char ours[48], theirs[48];

    (void)state;
    for (size_t from = 0; from < 24; from++)
        for (size_t to = 0; to < 24; to++)
            for (size_t n = 0; n <= 24; n++) {
                for (size_t i = 0; i < sizeof(ours); i++)
                    ours[i] = theirs[i] = (unsigned char)i;
                assert_ptr_equal(lib_memmove(ours + to, ours + from, n), ours + to);
                memmove(theirs + to, theirs + from, n);
                assert_memory_equal(ours, theirs, sizeof(ours));
                assert_ptr_equal(lib_memset(ours + to, (int)from - 12, n), ours + to);
                memset(theirs + to, (int)from - 12, n);
                assert_memory_equal(ours, theirs, sizeof(ours));
                assert_ptr_equal(lib_memcpy(ours, theirs + from, n), ours);
                assert_memory_equal(ours, theirs + from, n);
            }
}

static void a_walk_along_a_list(void **state)
{
    struct member {
        unsigned int number;
        struct list link;
    } __aligned(64) members[3];
    struct {
        uint64_t before[2]; /* what would be around the head is not aligned */
        struct list head;
    } __aligned(64) owner;
    const struct member *m;

    (void)state;
    list_init(&owner.head);
    for (unsigned int nr = 0; nr <= ARRAY_SIZE(members); nr++) {
        unsigned int seen = 0;

        list_for_each (m, &owner.head, link)
            assert_ptr_equal(m, &members[seen++]);
        assert_int_equal(seen, nr);
        if (nr < ARRAY_SIZE(members))
            list_insert_before(&owner.head, &members[nr].link);
    }
    list_for_each (m, &owner.head, link)
        if (m == &members[1])
            break;
    assert_ptr_equal(m, &members[1]);
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
        cmocka_unit_test(digits),
        cmocka_unit_test(strings_like_libc),
        cmocka_unit_test(memory_like_libc),
        cmocka_unit_test(a_walk_along_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
