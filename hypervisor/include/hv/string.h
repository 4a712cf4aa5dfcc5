/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c: what the compiler itself calls, and a few more. On the host these are the C
 * library's.
 */
#ifndef HV_STRING_H
#define HV_STRING_H

#include <hv/types.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies at most size - 1 characters and ends with 0; returns the length of from. */
size_t hv_strlcpy(char *to, const char *from, size_t size);

#endif
