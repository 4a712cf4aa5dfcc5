/* SPDX-License-Identifier: MIT */
/*
 * What a guest printed may not control the terminal that shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plain.h"

/* The whole in one piece, and byte by byte: the same. */
static void becomes(const char *in, const char *out)
{
    struct plain whole = {0}, bytes = {0};
    char got[256];
    size_t n = plain_text(&whole, in, strlen(in), got);

    got[n] = '\0';
    assert_string_equal(got, out);
    n = 0;
    for (size_t i = 0; in[i]; i++)
        n += plain_text(&bytes, in + i, 1, got + n);
    got[n] = '\0';
    assert_string_equal(got, out);
}

static void texts(void **state)
{
    (void)state;
    becomes("plain\r\n\ttext\n", "plain\r\n\ttext\n");
    becomes("\x1b[2J\x1b]0;title\x07", "^[[2J^[]0;title^G");
    becomes("a\x7f\x08z", "a^?^Hz");
    becomes("gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80",
            "gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80");
    becomes("\xc2\x9b"
            "2J\xc2\xa0.",
            "?2J\xc2\xa0."); /* CSI in UTF-8; a blank that is none */
    becomes("\x9b"
            "2J\xff\xc0\x80.",
            "?2J???.");
    /* ESC, and CSI, in more bytes than they need; a half of a surrogate pair; beyond the last. */
    becomes("\xe0\x80\x9b[2J\xf0\x80\x80\x9b[2J\xe0\x82\x9b"
            "2J",
            "?[2J?[2J?2J");
    becomes("\xed\xa0\x80.\xf4\x90\x80\x80.", "?.?.");
    becomes("\xe2\x82"
            "cut\xe2\x82\x1b.",
            "?cut?^[.");
}

/* Whatever comes, at most what the header says goes out, and no control character. */
static void random_bytes(void **state)
{
    struct plain p = {0};

    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        char in[32], out[sizeof(in) * PLAIN_GROWS + 4];
        size_t len = (size_t)rand() % sizeof(in), n;

        for (size_t k = 0; k < len; k++)
            in[k] = (char)rand();
        n = plain_text(&p, in, len, out);
        assert_true(n <= len * PLAIN_GROWS + 4);
        for (size_t k = 0; k < n; k++) {
            uint8_t c = (uint8_t)out[k];

            assert_true((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r' || c == '\t');
        }
    }
}

static void line_becomes(const char *in, const char *out)
{
    char *line = strdup(in);

    plain_line(line);
    assert_string_equal(line, out);
    free(line);
}

static void lines(void **state)
{
    (void)state;
    line_becomes("crashed\x1b[31m: \xc2\x9b"
                 "5n\n",
                 "crashed?[31m: ?5n?");
    line_becomes("", "");
    /* right to left and the other way, and what begins a line: at both ends of each range */
    line_becomes(
        "a\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9z",
        "a???????z");
    line_becomes(
        "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xd8\x9b",
        "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xd8\x9b");
    line_becomes("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    line_becomes("a\tb\rc\x7f", "a?b?c?");
    line_becomes("\x9b[2J\xe0\x80\x9b[2J\xff", "?[2J?[2J?"); /* CSI in one byte, ESC in three */
    line_becomes("cut \xf0\x9f\x98", "cut ?");
    line_becomes("\xc3", "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
