/* SPDX-License-Identifier: MIT */
/*
 * A small JSON writer to standard output: two spaces a level, one member a line.
 *
 * Strings are taken as UTF-8; control characters are escaped, those beyond ASCII too. Another byte
 * that is not ASCII is passed on as it is.
 */
#include "pvctl.h"

static unsigned int depth;
static bool first = true, one_line;

void json_one_line(void)
{
    one_line = true;
}

static void separate(void)
{
    if (!first)
        fputs(one_line ? ", " : ",", stdout);
    if (depth && !one_line)
        printf("\n%*s", (int)(2 * depth), "");
    first = false;
}

static void put_quoted(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        unsigned char ch = (unsigned char)*s, next = (unsigned char)s[1];

        if (ch == '"' || ch == '\\')
            printf("\\%c", ch);
        else if (ch < 0x20 || ch == 0x7f)
            printf("\\u%04x", ch);
        else if (ch == 0xc2 && next >= 0x80 && next < 0xa0)
            printf("\\u%04x", (unsigned char)*++s);
        else
            putchar(ch);
    }
    putchar('"');
}

static bool after_key;

void json_open(char bracket)
{
    if (!after_key)
        separate();
    after_key = false;
    putchar(bracket);
    depth++;
    first = true;
}

void json_close(char bracket)
{
    depth--;
    if (!first && !one_line)
        printf("\n%*s", (int)(2 * depth), "");
    putchar(bracket);
    first = false;
    if (depth == 0) {
        putchar('\n');
        first = true;
    }
}

void json_key(const char *key)
{
    separate();
    put_quoted(key);
    fputs(": ", stdout);
    after_key = true;
}

void json_string(const char *key, const char *value)
{
    json_key(key);
    after_key = false;
    put_quoted(value);
}

void json_item(const char *value)
{
    separate();
    put_quoted(value);
}

void json_number(const char *key, unsigned long long value)
{
    json_key(key);
    after_key = false;
    printf("%llu", value);
}

void json_decimal(const char *key, double value)
{
    json_key(key);
    after_key = false;
    printf("%.1f", value);
}

void json_bool(const char *key, bool value)
{
    json_key(key);
    after_key = false;
    fputs(value ? "true" : "false", stdout);
}
