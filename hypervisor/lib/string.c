/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions of the machine build.
 *
 * The compiler calls memcpy, memmove, memset and memcmp on its own, so they must exist under these
 * names. Copies use the string instructions, which are the fastest way on every CPU since 2013 and
 * short everywhere else. Nothing here is used on the host: there the C library's versions (and the
 * sanitizers' checks of them) take their place.
 *
 * Locks: none. Trust: the arguments are hypervisor memory; guest memory is reached through
 * port/guest_access.h only.
 */
#include <hv/string.h>

void *memcpy(void *to, const void *from, size_t n)
{
    void *dest = to;

    __asm__ volatile("rep movsb" : "+D"(dest), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    const char *src = from;
    char *dest = to;

    if (dest <= src || dest >= src + n)
        return memcpy(to, from, n);
    while (n--)
        dest[n] = src[n];
    return to;
}

void *memset(void *to, int c, size_t n)
{
    void *dest = to;

    if ((((uintptr_t)to | n) & 7) == 0) {
        uint64_t word = (uint8_t)c * 0x0101010101010101ull;
        n /= 8;
        __asm__ volatile("rep stosq" : "+D"(dest), "+c"(n) : "a"(word) : "memory");
    } else {
        __asm__ volatile("rep stosb" : "+D"(dest), "+c"(n) : "a"(c) : "memory");
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *s)
{
    const char *p = s;

    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i])
        i++;
    return i;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)(uintptr_t)s;
}
