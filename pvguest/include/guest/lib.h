/* SPDX-License-Identifier: MIT */
/*
 * What every file of a guest kernel wants: the small part of a C library (parvis/string.h, the same
 * code that the hypervisor uses), printf(), and a few macros.
 */
#ifndef GUEST_LIB_H
#define GUEST_LIB_H

#include <parvis/string.h>

#define ARRAY_SIZE(a)       (sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)        (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)    (*(volatile __typeof__(x) *)&(x) = (v))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

/* The compiler may not move memory accesses across. x86 keeps stores and loads in order. */
#define barrier() __asm__ volatile("" : : : "memory")
/* Neither compiler nor processor moves anything across. */
#define mb()        __asm__ volatile("mfence" : : : "memory")
#define cpu_relax() __asm__ volatile("pause")

/* Up to 511 characters to the console. */
int printf(const char *fmt, ...) __printf(1, 2);

#endif
