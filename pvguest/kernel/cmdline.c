/* SPDX-License-Identifier: MIT */
/*
 * The command line: words separated by spaces, key=value. start_info holds it in an array of
 * fixed size that a full-length line leaves unterminated, so no read goes past the array.
 */
#include <guest/kernel.h>

bool cmdline_get(const char *key, char *buf, size_t size)
{
    const char *line = (const char *)start_info->cmd_line;
    size_t end = strnlen(line, sizeof(start_info->cmd_line)), key_len = strlen(key);
    size_t i = 0;

    while (i < end) {
        size_t word = i, len;

        while (i < end && line[i] != ' ')
            i++;
        len = i - word;
        if (len > key_len && !memcmp(line + word, key, key_len) && line[word + key_len] == '=') {
            len -= key_len + 1;
            if (len >= size)
                len = size - 1;
            memcpy(buf, line + word + key_len + 1, len);
            buf[len] = '\0';
            return true;
        }
        i++;
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
