/* SPDX-License-Identifier: MIT */
/*
 * Memory functions of the machine build and of the minimal guest.
 *
 * The compiler calls memcpy, memmove, memset and memcmp on its own, so they must exist under these
 * names. Copies use the string instructions, which are the fastest way on every CPU since 2013 and
 * short everywhere else. On the host the C library's versions (and the sanitizers' checks of them)
 * take their place.
 *
 * Locks: none. Trust: the arguments are the program's own memory; the hypervisor reaches guest
 * memory through port/guest_access.h only.
 */
#include <parvis/string.h>

void *memcpy(void *to, const void *from, size_t n)
{
    void *dest = to;
    size_t words = n / 8, rest = n % 8;

    __asm__ volatile("rep movsq" : "+D"(dest), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(dest), "+S"(from), "+c"(rest) : : "memory");
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
