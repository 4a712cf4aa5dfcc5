/* SPDX-License-Identifier: MIT */
/*
 * Port: tells the sanitizers of the host build which of the allocator's memory is in use. Nothing
 * in the machine build.
 */
#ifndef PORT_SANITIZE_H
#define PORT_SANITIZE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE 1
#endif
#endif

#ifdef SANITIZE
void __asan_poison_memory_region(void const volatile *p, size_t n);
void __asan_unpoison_memory_region(void const volatile *p, size_t n);
#define sanitize_poison(p, n)   __asan_poison_memory_region(p, n)
#define sanitize_unpoison(p, n) __asan_unpoison_memory_region(p, n)
#else
#define sanitize_poison(p, n)   ((void)(p), (void)(n))
#define sanitize_unpoison(p, n) ((void)(p), (void)(n))
#endif

/* A function that looks at memory which may be anybody's by then, and trusts nothing of it. */
#define __no_sanitize __attribute__((no_sanitize("address", "thread")))

#endif
