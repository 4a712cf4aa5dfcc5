/* SPDX-License-Identifier: MIT */
/*
 * bench: what the paths that a guest's kernel uses cost. Started fully virtualized, it does what
 * such a kernel does in place of a hypercall where the two differ (hvm.c).
 *
 * Each operation is run in a loop between two readings of the TSC; the time of an empty loop is
 * taken off, and the least of several rounds counts, because a round may be disturbed but never
 * helped. Results are lines `name count`, or `name unavailable`: this kind of kernel has nothing of
 * the sort, or the hypervisor refused it, once at least; so no refusal is taken for a cheap
 * operation.
 *
 * Under an emulator that counts instructions (QEMU: -icount shift=0,sleep=off, one CPU) a TSC
 * tick is a number of instructions, and the count is exact and the same in every run. How many
 * ticks an instruction has is measured first, with a loop of known length, so the binary
 * needs no knowledge of the TSC's frequency. Elsewhere the unit is "instructions of a simple
 * loop", which compares, but is not a time.
 *
 * Command line: rounds=N (20), loops=N (200), and only=NAME[,NAME], the rows to be measured; all of
 * them have loops with fewer where one takes long (struct bench). event_round_trip needs two vCPUs,
 * event_round_trip_domains another domain, which answers (domains.c): answer=1 makes a guest that
 * one, peer= and port= name it to this.
 *
 * calibrate=1: in place of all these the rows of machine.c, in ticks of the TSC, by a fully
 * virtualized kernel: what the CPU at hand takes for what the report (tests/bench/compare) has
 * constants for. They stand between two marks, behind the CPU's name and the ticks of a million
 * loops of a cycle each, by which who reads them (tests/bench/calibrate) has cycles.
 */
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>
#include <guest/time.h>

#include "bench.h"

#define CALIBRATION 1000000ul /* iterations of two instructions each */

static unsigned long rounds, loops;
static uint64_t ticks_per_million; /* ticks of 1,000,000 instructions */
static uint64_t empty;             /* ticks of an empty loop */
static bool calibrating;           /* and so ticks are shown as they are */

static long op_empty(unsigned int n)
{
    REPEAT(n, barrier());
    return 0;
}

/* The ticks of the quickest round; 0: something was refused. */
static uint64_t best_of(long (*op)(unsigned int n), unsigned long in_all, unsigned long each)
{
    uint64_t best = UINT64_MAX;

    for (unsigned long r = 0; r < in_all; r++) {
        uint64_t begin = rdtsc(), ticks;

        if (op((unsigned int)each) < 0)
            return 0;
        ticks = rdtsc() - begin;
        if (ticks < best)
            best = ticks;
    }
    return best;
}

static uint64_t ticks_of_instructions(void)
{
    uint64_t best = UINT64_MAX;

    for (int r = 0; r < 5; r++) {
        uint64_t begin = rdtsc(), n = CALIBRATION, ticks;

        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
        ticks = rdtsc() - begin;
        if (ticks < best)
            best = ticks;
    }
    return best * 1000000 / (2 * CALIBRATION);
}

/* Before a row: no handler of the last one takes what this one does not expect. */
static void forget_handlers(void)
{
    for (unsigned int vector = 0; vector < VECTOR_EVENT; vector++)
        trap_set_handler(vector, NULL);
    trap_set_handler(VECTOR_SYSCALL, NULL);
}

/* Once: it is done at all, and state that is made lazily is there afterwards. */
static void do_once(void *arg)
{
    const struct bench **b = arg;

    if ((*b)->op(1) < 0)
        *b = NULL;
}

/* 0: it is not to be had. */
static uint64_t ticks_of(const struct bench *b, unsigned long in_all, unsigned long each)
{
    const struct bench *done = b;
    struct trap_catch c;

    forget_handlers();
    if (!b->op || (b->prepare && b->prepare()))
        return 0;
    if (trap_catch(&c, do_once, &done) || !done)
        return 0;
    return best_of(b->op, in_all, each);
}

static void measure(const struct bench *b)
{
    unsigned long in_all = b->most && b->most < rounds ? b->most : rounds;
    unsigned long each = b->most && b->most / in_all < loops ? b->most / in_all : loops;
    uint64_t ticks = ticks_of(b, in_all, each), overhead = empty * each / loops;

    if (!ticks) {
        printf("%-28s unavailable\n", b->name);
        return;
    }
    ticks = ticks > overhead ? ticks - overhead : 0;
    if (!calibrating)
        ticks = ticks * 1000000 / ticks_per_million;
    printf("%-28s %lu\n", b->name, (ticks + each / 2) / each);
}

/* ---- which rows ---- */

static const struct bench *const groups[] = {
    call_rows,   cpu_rows,   event_rows, table_rows, root_rows,   exception_rows,
    memory_rows, grant_rows, user_rows,  vcpu_rows,  domain_rows,
};
static const struct bench *const calibration[] = {machine_rows};

static const struct bench *group(unsigned int g)
{
    if (calibrating)
        return g < ARRAY_SIZE(calibration) ? calibration[g] : NULL;
    return g < ARRAY_SIZE(groups) ? groups[g] : NULL;
}

static const struct bench *find(const struct bench *rows, const char *name, size_t len)
{
    for (const struct bench *b = rows; b->name; b++)
        if (strlen(b->name) == len && !memcmp(b->name, name, len))
            return b;
    return NULL;
}

/* The same row as this kind of kernel does it. */
static const struct bench *in_our_way(const struct bench *b)
{
    const struct bench *other = is_pv() ? NULL : find(hvm_rows, b->name, strlen(b->name));

    return other ? other : b;
}

static size_t word_length(const char *list)
{
    size_t len = 0;

    while (list[len] && list[len] != ',')
        len++;
    return len;
}

static bool listed(const char *list, const char *name)
{
    for (;; list++) {
        size_t len = word_length(list);

        if (len == strlen(name) && !memcmp(list, name, len))
            return true;
        list += len;
        if (!*list)
            return false;
    }
}

/* False, and said: one of these names no row. */
static bool all_known(const char *list)
{
    for (;; list++) {
        size_t len = word_length(list);
        const struct bench *b = NULL;

        for (unsigned int g = 0; !b && group(g); g++)
            b = find(group(g), list, len);
        if (!b) {
            printf("bench: only=: there is no row \"%.*s\"\n", (int)len, list);
            return false;
        }
        list += len;
        if (!*list)
            return true;
    }
}

/* Of a guest whose page tables are nested; it knows no date. */
static void say_machine(void)
{
    uint32_t name[13] = {0};
    const char *at = (const char *)name;

    for (uint32_t i = 0; i < 3; i++)
        cpuid(0x80000002 + i, 0, &name[4 * i]);
    while (*at == ' ')
        at++;
    printf("CALIBRATION-BEGIN bench nested - %s\n", at);
    printf("%-28s %lu\n", "million_loops", 2 * ticks_per_million);
}

static void measure_rows(const char *only)
{
    for (unsigned int g = 0; group(g); g++)
        for (const struct bench *b = group(g); b->name; b++)
            if (!only || listed(only, b->name))
                measure(in_our_way(b));
}

int guest_main(void)
{
    long version = HYPERVISOR_xen_version(XENVER_version, NULL);
    xen_extraversion_t extra = "";
    static char only[MAX_GUEST_CMDLINE];
    bool some = cmdline_get("only", only, sizeof(only));

    if (!words_are_known())
        return 1;
    HYPERVISOR_xen_version(XENVER_extraversion, extra);
    rounds = cmdline_number("rounds", 20);
    loops = cmdline_number("loops", 200);
    if (!rounds || !loops || loops > 1000000) {
        printf("bench: rounds and loops must be positive, loops at most 1000000\n");
        return 1;
    }
    if (cmdline_number("answer", 0))
        return answer_next_domain();
    calibrating = cmdline_number("calibrate", 0);
    if (calibrating && is_pv()) {
        printf("bench: calibrate: a paravirtualized kernel has no CPU that it could measure\n");
        return 1;
    }
    if (some && !all_known(only))
        return 1;
    ticks_per_million = ticks_of_instructions();
    empty = best_of(op_empty, rounds, loops);
    printf("BENCH-BEGIN version %ld.%ld%s, %lu ticks per million instructions\n", version >> 16,
           version & 0xffff, extra, ticks_per_million);
    printf("%-28s %s\n", "an operation", calibrating ? "ticks" : "instructions");
    if (calibrating)
        say_machine();
    measure_rows(some ? only : NULL);
    if (calibrating)
        printf("CALIBRATION-END\n");
    printf("BENCH-END\n");
    return 0;
}
