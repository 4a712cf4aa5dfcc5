/* SPDX-License-Identifier: MIT */
/*
 * linux-ops: what operations of Linux cost an application, on whatever it runs.
 *
 *     linux-ops [--runs N] [NAME ...]
 *     linux-ops [--runs N] --time NAME COMMAND
 *
 * Each operation is done many times between two readings of the CPU's time-stamp counter, and that
 * N times over (3); a line says the ticks of one, and how often it was done in each of the N:
 * `op NAME LEAST MEDIAN MOST TIMES`. Under QEMU with -icount shift=0,sleep=off a tick is an
 * instruction. An interrupt of the machine falls into a run where it falls: that is the spread.
 * With --time the operation is a command of the shell's, and done once in each run. Without a name
 * all are done but those that write to a disk.
 *
 * Where a run begins and where it ends a no-op with a number of its own is executed: a plugin of
 * the QEMU around it (tests/bench/compare/events_plugin.c) counts between the two.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>
#include <x86intrin.h>

#include "ops.h"

#define MOST_RUNS 99

static const struct op *const groups[] = {calls, memory, processes, messages, disk};

const char *self;

void failed(const char *what)
{
    fprintf(stderr, "linux-ops: %s: %s\n", what, strerror(errno));
    exit(1);
}

long must(long result, const char *what)
{
    if (result < 0)
        failed(what);
    return result;
}

static unsigned long long ticks(void)
{
    _mm_lfence();
    return __rdtsc();
}

/* A no-op of seven bytes, with a number as its displacement that no compiler comes upon. */
#define MARK_BEGIN   "0x6f705f62"
#define MARK_END     "0x6f705f65"
#define MARK(number) __asm__ volatile("nopl " number "(%%rax)" ::: "memory")

static int by_size(const void *a, const void *b)
{
    const unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

    return (x > y) - (x < y);
}

/* What --time measures; it sees each run, the first too. */
static const char *command;

static void run_command(unsigned int times)
{
    while (times--)
        if (system(command))
            failed(command);
}

static void measure(const struct op *op, unsigned int runs)
{
    unsigned long long each[MOST_RUNS];

    if (op->prepare)
        op->prepare();
    if (!command)
        op->run(op->times); /* what is made on first use */
    for (unsigned int i = 0; i < runs; i++) {
        unsigned long long begin;

        MARK(MARK_BEGIN);
        begin = ticks();
        op->run(op->times);
        each[i] = (ticks() - begin + op->times / 2) / op->times;
        MARK(MARK_END);
    }
    if (op->finish)
        op->finish();
    qsort(each, runs, sizeof(each[0]), by_size);
    printf("op %s %llu %llu %llu %u\n", op->name, each[0], each[runs / 2], each[runs - 1],
           op->times);
    fflush(stdout);
}

static const struct op *find(const char *name)
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (const struct op *op = groups[g]; op->name; op++)
            if (!strcmp(op->name, name))
                return op;
    return NULL;
}

/* Where mappings lie decides which page tables come and go with them: everywhere the same. */
static void place_alike(char **argv)
{
    int how = personality(0xffffffff);

    if (how & ADDR_NO_RANDOMIZE)
        return;
    must(personality((unsigned int)how | ADDR_NO_RANDOMIZE), "personality");
    execv("/proc/self/exe", argv);
    failed("/proc/self/exe");
}

static int usage(const char *why, const char *what)
{
    fprintf(stderr,
            "linux-ops: %s%s\nusage: linux-ops [--runs N] [NAME ... | --time NAME COMMAND]\n", why,
            what);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned long runs = 3;
    int next = 1;

    self = argv[0];
    if (argc > 1 && !strcmp(argv[1], ENDS_AT_ONCE))
        return 0;
    place_alike(argv);
    if (argc > 1 && !strcmp(argv[1], "--runs")) {
        char *end = "";

        runs = argc > 2 ? strtoul(argv[2], &end, 10) : 0;
        if (*end || runs < 1 || runs > MOST_RUNS)
            return usage("--runs is a number from 1 to 99", "");
        next = 3;
    }
    if (next < argc && !strcmp(argv[next], "--time")) {
        if (argc - next != 3)
            return usage("--time has a name and a command", "");
        command = argv[next + 2];
        measure(&(struct op){argv[next + 1], 1, run_command, NULL, NULL}, (unsigned int)runs);
        return 0;
    }
    for (int i = next; i < argc; i++)
        if (!find(argv[i]))
            return usage("there is no operation ", argv[i]);
    for (int i = next; i < argc; i++)
        measure(find(argv[i]), (unsigned int)runs);
    for (size_t g = 0; next == argc && g < sizeof(groups) / sizeof(groups[0]); g++)
        for (const struct op *op = groups[g]; op->name; op++)
            if (groups[g] != disk)
                measure(op, (unsigned int)runs);
    return 0;
}
