/* SPDX-License-Identifier: MIT */
/*
 * Port: atomic operations, as thin names over the compiler's builtins (sequentially consistent), so
 * that both builds share them. Words that a guest may write at the same time (pending bits, grant
 * flags) are touched only through these.
 */
#ifndef PORT_ATOMIC_H
#define PORT_ATOMIC_H

#include <hv/types.h>

#define cmpxchg(p, old, new)                                                                       \
    ({                                                                                             \
        typeof(*(p)) cmpxchg_old = (old);                                                          \
        __atomic_compare_exchange_n(p, &cmpxchg_old, new, false, __ATOMIC_SEQ_CST,                 \
                                    __ATOMIC_SEQ_CST);                                             \
        cmpxchg_old; /* what was there */                                                          \
    })
#define xchg(p, v)              __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_add_return(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, v) __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_or(p, v)         ((void)__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_and(p, v)        ((void)__atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
/* Lets the CPU rest. Who waits for another CPU calls spin_wait() (port/wait.h). */
#define cpu_relax() __builtin_ia32_pause()
#define smp_mb()    __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()   __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()   __atomic_thread_fence(__ATOMIC_RELEASE)

/* Bit operations on an array of 64-bit words; nr is checked by the caller. */
static inline bool test_bit(const uint64_t *words, unsigned int nr)
{
    return (READ_ONCE(words[nr / 64]) >> (nr % 64)) & 1;
}

static inline bool test_and_set_bit(uint64_t *words, unsigned int nr)
{
    uint64_t bit = 1ull << (nr % 64);
    return __atomic_fetch_or(&words[nr / 64], bit, __ATOMIC_SEQ_CST) & bit;
}

static inline bool test_and_clear_bit(uint64_t *words, unsigned int nr)
{
    uint64_t bit = 1ull << (nr % 64);
    return __atomic_fetch_and(&words[nr / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

#endif
