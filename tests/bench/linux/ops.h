/* SPDX-License-Identifier: MIT */
/*
 * Operations of Linux that are measured: what an application asks of its kernel, each in a loop.
 */
#ifndef BENCH_LINUX_OPS_H
#define BENCH_LINUX_OPS_H

#include <stddef.h>

struct op {
    const char *name;
    unsigned int times; /* how often it is done between two readings of the counter */
    void (*run)(unsigned int times);
    void (*prepare)(void); /* NULL: nothing. Once, before */
    void (*finish)(void);
};

/* Ended by one without a name. */
extern const struct op calls[], memory[], processes[], messages[], disk[];

/* This program, as it can be executed again; with ENDS_AT_ONCE as its argument it does that. */
#define ENDS_AT_ONCE "--end"
extern const char *self;

/* A system call of the program's failed: what it was, and why; ends. */
void failed(const char *what) __attribute__((noreturn));

/* The result, unless it is below 0. */
long must(long result, const char *what);

#endif
