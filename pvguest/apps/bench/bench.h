/* SPDX-License-Identifier: MIT */
/*
 * One measured operation: a name, a function that does it n times, and, when it needs
 * something, a function that prepares it (non-zero: cannot be measured here).
 *
 * REPEAT is the loop that all of them use, so that the same overhead can be taken off: two
 * instructions an iteration.
 */
#ifndef BENCH_H
#define BENCH_H

struct bench {
    const char *name;
    void (*op)(unsigned int n);
    int (*prepare)(void);
};

/* Both end with an entry without a name. What a fully virtualized kernel does in another way is in
 * the second: without op, not at all. */
extern const struct bench benches[], hvm_benches[];

#define REPEAT(n, ...)                                                                             \
    for (unsigned int i_ = (n); i_; i_--) {                                                        \
        __VA_ARGS__;                                                                               \
    }

#endif
