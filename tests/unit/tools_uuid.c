/* SPDX-License-Identifier: MIT */
/*
 * Universally unique identifiers: written, read, and made, on a kernel without random numbers too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "config.h"

static bool no_random;

/* The linker puts it in the place of getrandom(). */
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __real_getrandom(void *buf, size_t len, unsigned int flags);

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
    if (no_random) {
        errno = EINVAL; /* a kernel that does not know the flag */
        return -1;
    }
    return __real_getrandom(buf, len, flags);
}

static void made(void **state)
{
    uint8_t last[16] = {0};

    (void)state;
    for (int i = 0; i < 8; i++) {
        uint8_t uuid[16];

        no_random = i >= 4;
        uuid_make(uuid);
        assert_int_equal(uuid[6] & 0xf0, 0x40); /* version 4 */
        assert_int_equal(uuid[8] & 0xc0, 0x80); /* the usual variant */
        assert_memory_not_equal(uuid, last, 16);
        memcpy(last, uuid, 16);
    }
    no_random = false;
}

static void written_and_read(void **state)
{
    static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
    static const char *const not_one[] = {
        "",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeefff",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233 4455 6677 8899 aabbccddeeff",
    };
    uint8_t uuid[16], before[16];
    char out[37];

    (void)state;
    assert_true(uuid_parse("00112233445566778899AABBCCDDEEFF", uuid));
    uuid_format(uuid, out);
    assert_string_equal(out, text);
    memcpy(before, uuid, 16);
    for (size_t i = 0; i < sizeof(not_one) / sizeof(not_one[0]); i++)
        assert_false(uuid_parse(not_one[i], uuid));
    assert_memory_equal(uuid, before, 16); /* untouched by a refusal */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(made), cmocka_unit_test(written_and_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
