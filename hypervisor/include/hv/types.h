/* SPDX-License-Identifier: MIT */
/*
 * The basic types of the hypervisor.
 *
 * A machine frame number (mfn_t) and the number by which a guest names a frame in its hypercalls
 * (gfn_t) are one-member structs, so that the compiler refuses to mix them; which frame the second
 * means is for the kind of the guest to say (core/state/guest_ops.h). A guest address is an integer
 * (gva_t), never a C pointer: the only way to reach what it names is port/guest_access.h. Functions
 * that can fail return 0 or a negative XEN_E* (xen/errno.h) and are __must_check.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t n;
} mfn_t;

typedef struct {
    uint64_t n;
} gfn_t;

typedef uint64_t gva_t;   /* guest virtual address, as the guest passed it: unchecked */
typedef uint64_t paddr_t; /* machine physical address */
typedef int64_t s_time_t; /* nanoseconds since the hypervisor's clock started */

#define MFN(x)      ((mfn_t){(x)})
#define GFN(x)      ((gfn_t){(x)})
#define INVALID_MFN MFN(~0ull)
#define INVALID_GFN GFN(~0ull)

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.n == b.n;
}

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define __must_check __attribute__((warn_unused_result))
#define __packed     __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn   __attribute__((noreturn))
#define __unused     __attribute__((unused))   /* a parameter that others of the same type use */
#define __noinline   __attribute__((noinline)) /* keeps a rare path out of a straight one */
#define __inlined    inline __attribute__((always_inline)) /* a part of straight paths */
/* One of the ways that a function goes on, by a jump: all of them take its arguments, so that none
 * has to move, also those that one does not need. */
#ifdef __clang__
#define __jumped __attribute__((noinline))
#else
#define __jumped __attribute__((noipa))
#endif
/* Variables start as 0 (-ftrivial-auto-var-init), but for these few on hot paths, which are written
 * before they are read. */
#define __uninitialized __attribute__((uninitialized))
#define __printf(f, a)  __attribute__((format(printf, f, a)))

#define likely(x)                     __builtin_expect(!!(x), 1)
#define unlikely(x)                   __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)                 (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define MIN(a, b)                     ((a) < (b) ? (a) : (b))
#define MAX(a, b)                     ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to)               (((x) + (to)-1) & ~((typeof(x))(to)-1))
#define DIV_ROUND_UP(x, by)           (((x) + (by)-1) / (by))

/* Memory that another CPU, or a guest, may write at any time: read, and written, once, and whole;
 * in what order with others, they do not say. */
#define READ_ONCE(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)

#define SECONDS(n)   ((s_time_t)(n)*1000000000ll)
#define MILLISECS(n) ((s_time_t)(n)*1000000ll)
#define MICROSECS(n) ((s_time_t)(n)*1000ll)

#endif
