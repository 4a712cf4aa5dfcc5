/* SPDX-License-Identifier: MIT */
/*
 * The turns of a wait for another CPU (port/wait.h).
 *
 * What is waited for takes microseconds: a lock is held for a bounded time, a change of a type ends
 * within a slice, a flush is served at once. The clock is read every some turns only, so that a
 * short wait does not pay for it.
 *
 * The CPUs may be a host's virtual ones: of two, a busy host lets one run and keeps the other from
 * it, for seconds. So patience is long; a CPU that is really gone does not come back in any time.
 * What passes between two looks counts as a second at most: where it was more, this CPU has not run
 * either. And who waits in a queue begins to wait anew when the queue moves (x86/spinlock.c), as
 * each in it may have lost its CPU to the host for a while.
 */
#include <core/base/tlb.h>
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#define TURNS_PER_LOOK 1024u
#define PATIENCE_MS    30000u
#define MOST_A_LOOK_MS 1000u

static __noinline void look_at_clock(struct wait *w)
{
    uint64_t now = clock_ticks();

    if (w->looked)
        w->waited += MIN(now - w->looked, clock_khz() * MOST_A_LOOK_MS);
    w->looked = now;
    if (w->waited <= clock_khz() * PATIENCE_MS)
        return;
    if (w->cpu == NO_CPU)
        panic("CPU %u has waited %u ms for %s", this_cpu()->id, PATIENCE_MS, w->what);
    panic("CPU %u has waited %u ms for CPU %u: %s", this_cpu()->id, PATIENCE_MS, w->cpu, w->what);
}

void spin_wait(struct wait *w)
{
    if (unlikely(__atomic_load_n(&this_cpu()->pending, __ATOMIC_RELAXED) & CPU_WORK_FLUSHES))
        serve_flush();
    this_cpu()->delayed = true;
    cpu_relax();
    if (unlikely(++w->turns % TURNS_PER_LOOK == 0))
        look_at_clock(w);
}
