/* SPDX-License-Identifier: MIT */
/*
 * Whether the CPUs' TSCs are one clock.
 *
 * When a CPU starts, the boot CPU asks it for its TSC some hundred times, through one cache line of
 * that CPU's, and reads its own before it asks and when it has the answer. Were the two one clock,
 * the answer would lie between: what it lies outside is a warp, time that a guest would see go back
 * when it changes the CPU, or hears of the time on another. What is smaller than the way of a
 * message between the two nobody can see.
 *
 * Where no warp is seen, all CPUs count from one base, and when it is known besides that the TSCs
 * do not change their rate, guests are told that time is stable: they need not ask which CPU they
 * are on. Else the CPU gets a base of its own, in the middle of what the answers allow, so that the
 * hypervisor's clock is still one; a vCPU is told anew of the clock whenever it gets a CPU, and not
 * that it is stable. Against TSCs whose rates differ there is no help here.
 *
 * One that does not answer in time is given up, by the same word that it answers with: only one of
 * the two can have changed it.
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

#define ROUNDS   500u
#define MOST_NS  MILLISECS(2) /* where CPUs are threads of a busy machine, answers take long */
#define PATIENCE SECONDS(2)

enum { NOBODY, ASKED, ANSWERED, DONE, GIVEN_UP }; /* struct tsc_answer.turn */

static int64_t largest_warp; /* 0: none was seen */

static uint64_t read_adjust(void)
{
    uint64_t adjust = 0;

    if (cpu_has.tsc_adjust)
        (void)machine_rdmsr_safe(MSR_TSC_ADJUST, &adjust);
    return adjust;
}

/* False: ap has done nothing until then, and is given up. */
static bool pass_turn(struct cpu *ap, uint32_t to, uint64_t until)
{
    uint32_t *turn = &ap->arch.tsc_answer.turn;
    struct wait w = WAIT("the comparison of TSCs", ap->id);

    __atomic_store_n(turn, to, __ATOMIC_RELEASE);
    while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == to && (int64_t)(clock_ticks() - until) < 0)
        spin_wait(&w);
    return cmpxchg(turn, to, GIVEN_UP) != to;
}

bool tsc_compare_ap(void)
{
    struct tsc_answer *mine = &this_cpu()->arch.tsc_answer;
    struct wait w = WAIT("the comparison of TSCs", 0);

    for (;;) {
        switch (__atomic_load_n(&mine->turn, __ATOMIC_ACQUIRE)) {
        case ASKED:
            mine->tsc = clock_ticks();
            mine->adjust = read_adjust();
            (void)cmpxchg(&mine->turn, ASKED, ANSWERED);
            break;
        case DONE:
            return cmpxchg(&mine->turn, DONE, NOBODY) == DONE;
        case GIVEN_UP:
            return false;
        default:
            spin_wait(&w);
        }
    }
}

/* By how much the boot CPU's TSC is ahead of ap's: at least *low, at most *high. */
static bool bracket(struct cpu *ap, int64_t *low, int64_t *high)
{
    uint64_t before, after, begin = clock_ticks(), end = begin + clock_ticks_for(MOST_NS);
    uint64_t until = begin + clock_ticks_for(PATIENCE);
    unsigned int n = 0;

    *low = INT64_MIN;
    *high = INT64_MAX;
    do {
        before = clock_ticks();
        if (!pass_turn(ap, ASKED, until))
            return false;
        after = clock_ticks();
        *low = MAX(*low, (int64_t)(before - ap->arch.tsc_answer.tsc));
        *high = MIN(*high, (int64_t)(after - ap->arch.tsc_answer.tsc));
    } while (++n < ROUNDS && after < end);
    return true;
}

bool tsc_compare_boot(struct cpu *ap)
{
    int64_t low, high, warp;

    if (!bracket(ap, &low, &high))
        return false;
    warp = MAX(MAX(low, -high), 0);
    ap->arch.tsc_base = this_cpu()->arch.tsc_base;
    if (warp)
        ap->arch.tsc_base -= (uint64_t)(low + (high - low) / 2);
    if (!pass_turn(ap, DONE, clock_ticks() + clock_ticks_for(PATIENCE)))
        return false;
    if (warp) {
        tsc_differs();
        largest_warp = MAX(largest_warp, warp);
        log_warning("CPU %u: its TSC is %ld ticks %s the boot CPU's", ap->id, warp,
                    low > 0 ? "behind" : "ahead of");
    }
    if (ap->arch.tsc_answer.adjust != read_adjust())
        log_warning("CPU %u: the firmware left TSC_ADJUST at %#lx there, at %#lx on the boot CPU",
                    ap->id, ap->arch.tsc_answer.adjust, read_adjust());
    return true;
}

void tsc_report(void)
{
    log_info("TSCs compared: the largest warp seen is %ld ticks; guests are told that time is %s",
             largest_warp, clock_stable() ? "stable" : "not stable");
}
