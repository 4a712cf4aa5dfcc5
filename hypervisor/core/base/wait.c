/* SPDX-License-Identifier: MIT */
/*
 * The turns of a wait for another CPU (port/wait.h).
 *
 * What is waited for takes microseconds: a lock is held for a bounded time, a change of a type ends
 * within a slice, a flush is served at once. The clock is read every some turns only, so that a
 * short wait does not pay for it.
 */
#include <core/base/tlb.h>
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#define TURNS_PER_LOOK 1024u
#define PATIENCE_MS    5000u

static __noinline void look_at_clock(struct wait *w)
{
    uint64_t now = clock_ticks();

    if (!w->since)
        w->since = now;
    if (now - w->since <= clock_khz() * PATIENCE_MS || !clock_khz())
        return;
    if (w->cpu == NO_CPU)
        panic("CPU %u has waited %u ms for %s", this_cpu()->id, PATIENCE_MS, w->what);
    panic("CPU %u has waited %u ms for CPU %u: %s", this_cpu()->id, PATIENCE_MS, w->cpu, w->what);
}

void spin_wait(struct wait *w)
{
    if (unlikely(__atomic_load_n(&this_cpu()->pending, __ATOMIC_RELAXED) & CPU_WORK_FLUSHES))
        serve_flush();
    cpu_relax();
    if (unlikely(++w->turns % TURNS_PER_LOOK == 0))
        look_at_clock(w);
}
