/* SPDX-License-Identifier: MIT */
/*
 * The few functions of the C library that portable code (lib/printf.c) calls and that gnu-efi's
 * library does not have. The hypervisor's own are in lib/string.c, which cannot be linked here:
 * gnu-efi brings memcpy() and memset().
 */
#include <hv/string.h>

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i])
        i++;
    return i;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (!*s)
            return NULL;
    }
    return (char *)s;
}
