/* SPDX-License-Identifier: MIT */
/*
 * The command line: words separated by spaces, key=value. start_info holds it in an array of
 * fixed size that a full-length line leaves unterminated, so no read goes past the array.
 */
#include <guest/kernel.h>

bool cmdline_next(size_t *at, const char **word, size_t *len)
{
    const char *line = (const char *)start_info->cmd_line;
    size_t end = strnlen(line, sizeof(start_info->cmd_line)), begin;

    while (*at < end && line[*at] == ' ')
        ++*at;
    begin = *at;
    while (*at < end && line[*at] != ' ')
        ++*at;
    *word = line + begin;
    *len = *at - begin;
    return *len;
}

bool cmdline_get(const char *key, char *buf, size_t size)
{
    size_t at = 0, len, key_len = strlen(key);
    const char *word;

    while (cmdline_next(&at, &word, &len)) {
        if (len > key_len && !memcmp(word, key, key_len) && word[key_len] == '=') {
            len -= key_len + 1;
            if (len >= size)
                len = size - 1;
            memcpy(buf, word + key_len + 1, len);
            buf[len] = '\0';
            return true;
        }
    }
    return false;
}

unsigned long cmdline_number(const char *key, unsigned long otherwise)
{
    char text[32];
    uint64_t n;

    if (!cmdline_get(key, text, sizeof(text)) || !parse_number(text, strlen(text), &n))
        return otherwise;
    return n;
}
