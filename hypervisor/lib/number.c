/* SPDX-License-Identifier: MIT */
/*
 * Numbers as people write them: decimal, or hexadecimal behind 0x. All of the text must be digits,
 * and the value must fit: a number that is half understood is a mistake of whoever wrote it.
 */
#include <parvis/string.h>

static unsigned int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned int)(c - 'A') + 10;
    return 16;
}

bool parse_number(const char *text, size_t n, uint64_t *value)
{
    unsigned int base = 10;
    uint64_t v = 0;

    if (n > 2 && text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
        n -= 2;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned int digit = digit_value(text[i]);

        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    if (n)
        *value = v;
    return n > 0;
}
