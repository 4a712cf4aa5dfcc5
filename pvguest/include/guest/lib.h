/* SPDX-License-Identifier: MIT */
/*
 * The small part of a C library that a guest kernel wants: memory and string functions,
 * number parsing, and formatted printing. Freestanding: nothing here knows of the hypervisor
 * except printf(), which hands its text to the console.
 *
 * Formats: %d %i %u %x %X %p %s %c %%, flags 0 and -, width, precision for %s, and the lengths
 * l, ll, z.
 */
#ifndef GUEST_LIB_H
#define GUEST_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)       (sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)        (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)    (*(volatile __typeof__(x) *)&(x) = (v))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

/* The compiler may not move memory accesses across. x86 keeps stores and loads in order. */
#define barrier() __asm__ volatile("" : : : "memory")
/* Neither compiler nor processor moves anything across. */
#define mb()        __asm__ volatile("mfence" : : : "memory")
#define cpu_relax() __asm__ volatile("pause")

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *what);

/* Copies at most size - 1 bytes and always terminates. Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

/* base 0: 0x prefix means hexadecimal. Stops at the first character that is no digit. */
unsigned long strtoul(const char *s, const char **end, unsigned int base);

/* Return the length that the whole text has, whether or not it fitted (as in C99). */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int printf(const char *fmt, ...) __printf(1, 2);

#endif
