/* SPDX-License-Identifier: MIT */
/*
 * Whether the CPUs' TSCs are one clock.
 *
 * When a CPU starts, the boot CPU asks it for its TSC some hundred times, through one cache line,
 * and reads its own before it asks and when it has the answer. Were the two one clock, the answer
 * would lie between: what it lies outside is a warp, time that a guest would see go back when it
 * changes the CPU, or hears of the time on another. What is smaller than the way of a message
 * between the two nobody can see.
 *
 * Where no warp is seen, all CPUs count from one base, and when it is known besides that the TSCs
 * do not change their rate, guests are told that time is stable: they need not ask which CPU they
 * are on. Else the CPU gets a base of its own, in the middle of what the answers allow, so that the
 * hypervisor's clock is still one; a vCPU is told anew of the clock whenever it gets a CPU, and not
 * that it is stable. Against TSCs whose rates differ there is no help here.
 *
 * A TSC is never written: firmware does it worse, and a wrong write takes time from everyone.
 */
#include <core/base/log.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#include "regs.h"
#include "x86.h"

#define ROUNDS  500u
#define MOST_NS MILLISECS(2) /* where CPUs are threads of a busy machine, answers take long */

enum turn { NOBODY, ASKED, ANSWERED, DONE };

static struct {
    enum turn turn;
    uint64_t tsc, adjust;
} line __aligned(64);

static int64_t largest_warp; /* 0: none was seen */

static uint64_t read_adjust(void)
{
    uint64_t adjust = 0;

    if (cpu_has.tsc_adjust)
        (void)machine_rdmsr_safe(MSR_TSC_ADJUST, &adjust);
    return adjust;
}

static void pass_turn(enum turn to, unsigned int cpu)
{
    struct wait w = WAIT("the comparison of TSCs", cpu);

    __atomic_store_n(&line.turn, to, __ATOMIC_RELEASE);
    while (__atomic_load_n(&line.turn, __ATOMIC_ACQUIRE) == to)
        spin_wait(&w);
}

void tsc_compare_ap(void)
{
    struct wait w = WAIT("the comparison of TSCs", 0);
    enum turn turn;

    for (;;) {
        turn = __atomic_load_n(&line.turn, __ATOMIC_ACQUIRE);
        if (turn == ASKED) {
            line.tsc = clock_ticks();
            line.adjust = read_adjust();
            __atomic_store_n(&line.turn, ANSWERED, __ATOMIC_RELEASE);
        } else if (turn == DONE) {
            __atomic_store_n(&line.turn, NOBODY, __ATOMIC_RELEASE);
            return;
        } else {
            spin_wait(&w);
        }
    }
}

/* By how much the boot CPU's TSC is ahead of ap's: at least *low, at most *high. */
static void bracket(const struct cpu *ap, int64_t *low, int64_t *high)
{
    uint64_t before, after, end = clock_ticks() + clock_ticks_for(MOST_NS);
    unsigned int n = 0;

    *low = INT64_MIN;
    *high = INT64_MAX;
    do {
        before = clock_ticks();
        pass_turn(ASKED, ap->id);
        after = clock_ticks();
        *low = MAX(*low, (int64_t)(before - line.tsc));
        *high = MIN(*high, (int64_t)(after - line.tsc));
    } while (++n < ROUNDS && after < end);
}

void tsc_compare_boot(struct cpu *ap)
{
    int64_t low, high, warp;

    bracket(ap, &low, &high);
    warp = MAX(MAX(low, -high), 0);
    ap->arch.tsc_base = this_cpu()->arch.tsc_base;
    if (warp) {
        ap->arch.tsc_base -= (uint64_t)(low + (high - low) / 2);
        tsc_differs();
        largest_warp = MAX(largest_warp, warp);
        log_warning("CPU %u: its TSC is %ld ticks %s the boot CPU's", ap->id, warp,
                    low > 0 ? "behind" : "ahead of");
    }
    if (line.adjust != read_adjust())
        log_warning("CPU %u: the firmware left TSC_ADJUST at %#lx there, at %#lx on the boot CPU",
                    ap->id, line.adjust, read_adjust());
    pass_turn(DONE, ap->id);
}

void tsc_report(void)
{
    log_info("TSCs compared: the largest warp seen is %ld ticks; guests are told that time is %s",
             largest_warp, clock_stable() ? "stable" : "not stable");
}
