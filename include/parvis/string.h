/* SPDX-License-Identifier: MIT */
/*
 * The small part of a C library that the hypervisor, its loader and the minimal guest share:
 * hypervisor/lib. Memory, strings, numbers, and text by format.
 *
 * Functions of the standard's names do what the standard says; where there is a C library (in the
 * unit tests and the tools) it takes the place of lib/memory.c and lib/string.c. The others of a
 * usual name go by one of their own underneath, since a C library may have them too.
 */
#ifndef PARVIS_STRING_H
#define PARVIS_STRING_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* lib/memory.c: the compiler calls these on its own. */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* lib/string.c */
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
char *strchr(const char *s, int c);

/* lib/strlcpy.c: copies at most size - 1 characters and ends with 0; returns the length of from. */
#define strlcpy lib_strlcpy
size_t strlcpy(char *to, const char *from, size_t size);

/* lib/number.c: the n characters of text as digits, decimal or with 0x. False when there are none,
 * others, or too many for 64 bits; then *value is untouched. */
bool parse_number(const char *text, size_t n, uint64_t *value);

/* lib/printf.c: %d %i %u %x %X %o %c %s %p %% with width, precision, 0, -, #, +, hh, h, l, ll, z.
 * The text is cut to what fits and always ended. Returns the length it would have had. */
#define vsnprintf lib_vsnprintf
#define snprintf  lib_snprintf
int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
int snprintf(char *buf, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
