/* SPDX-License-Identifier: MIT */
/*
 * strlcpy: the one way to copy a string into a fixed buffer.
 *
 * It always ends the copy with 0 (unless size is 0) and returns the length of what it was asked to
 * copy, so that a caller sees truncation as: result >= size. On its own because the host build,
 * which has a C library for the rest, needs it too.
 */
#include <parvis/string.h>

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t len = strlen(from);

    if (size) {
        size_t n = len < size ? len : size - 1;

        memcpy(to, from, n);
        to[n] = 0;
    }
    return len;
}
