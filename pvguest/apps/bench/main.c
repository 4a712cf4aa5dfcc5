/* SPDX-License-Identifier: MIT */
/*
 * bench: what the paths that a guest's kernel uses cost. Started fully virtualized, it does what
 * such a kernel does in place of a hypercall where the two differ (ops_hvm.c).
 *
 * Each operation is run in a loop between two readings of the TSC; the time of an empty loop is
 * taken off, and the least of several rounds counts, because a round may be disturbed but never
 * helped. Results are lines `name count`.
 *
 * Under an emulator that counts instructions (QEMU: -icount shift=0,sleep=off, one CPU) a TSC
 * tick is a number of instructions, and the count is exact and the same in every run. How many
 * ticks an instruction has is measured first, with a loop of known length, so the binary
 * needs no knowledge of the TSC's frequency. Elsewhere the unit is "instructions of a simple
 * loop", which compares, but is not a time.
 *
 * Command line: rounds=N (20), loops=N (200).
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/time.h>

#include "bench.h"

#define CALIBRATION 1000000ul /* iterations of two instructions each */

static unsigned long rounds, loops;
static uint64_t ticks_per_million; /* ticks of 1,000,000 instructions */
static uint64_t empty;             /* ticks of an empty loop */

static void op_empty(unsigned int n)
{
    REPEAT(n, barrier());
}

static uint64_t best_of(void (*op)(unsigned int n))
{
    uint64_t best = UINT64_MAX;

    for (unsigned long r = 0; r < rounds; r++) {
        uint64_t begin = rdtsc(), ticks;

        op((unsigned int)loops);
        ticks = rdtsc() - begin;
        if (ticks < best)
            best = ticks;
    }
    return best;
}

static uint64_t calibrate(void)
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

static void measure(const struct bench *b)
{
    uint64_t ticks, count;

    if (!b->op || (b->prepare && b->prepare())) {
        printf("%-28s unavailable\n", b->name);
        return;
    }
    b->op(1); /* a first time: lazily made state */
    ticks = best_of(b->op);
    ticks = ticks > empty ? ticks - empty : 0;
    count = ticks * 1000000 / ticks_per_million;
    printf("%-28s %lu\n", b->name, (count + loops / 2) / loops);
}

/* The same row as this kind of kernel does it. */
static const struct bench *in_our_way(const struct bench *b)
{
    for (const struct bench *h = hvm_benches; !is_pv() && h->name; h++)
        if (!strcmp(h->name, b->name))
            return h;
    return b;
}

int guest_main(void)
{
    long version = HYPERVISOR_xen_version(XENVER_version, NULL);
    xen_extraversion_t extra = "";

    HYPERVISOR_xen_version(XENVER_extraversion, extra);
    rounds = cmdline_number("rounds", 20);
    loops = cmdline_number("loops", 200);
    if (!rounds || !loops || loops > 1000000) {
        printf("bench: rounds and loops must be positive, loops at most 1000000\n");
        return 1;
    }
    ticks_per_million = calibrate();
    empty = best_of(op_empty);
    printf("BENCH-BEGIN version %ld.%ld%s, %lu ticks per million instructions\n", version >> 16,
           version & 0xffff, extra, ticks_per_million);
    printf("%-28s instructions\n", "an operation");
    for (const struct bench *b = benches; b->name; b++)
        measure(in_our_way(b));
    printf("BENCH-END\n");
    return 0;
}
