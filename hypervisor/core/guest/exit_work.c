/* SPDX-License-Identifier: MIT */
/*
 * What a CPU does before it goes back to a guest, when something is pending: the flush that others
 * wait for, timers, console rings, the dead, and who runs next.
 *
 * cpu->pending is set by anyone, taken by the CPU itself, all bits at once but for the flushes'; a
 * bit that is set meanwhile is seen at the exit path's next look. The scheduler comes last, as the
 * others may wake somebody.
 *
 * The exit path looks again as long as there is work, but not for a flush that somebody asked for
 * behind serve_flush() here: its interrupt waits and brings the CPU back as soon as the guest is
 * entered. So a CPU that is asked without end takes its other interrupts too, and its timers run.
 */
#include <core/base/tlb.h>
#include <core/console/console.h>
#include <core/life/life.h>
#include <core/sched/sched.h>
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/upcalls.h>

void cpu_do_pending(void)
{
    struct cpu *c = this_cpu();
    uint32_t work;

    if (READ_ONCE(c->pending) & CPU_WORK_FLUSHES)
        /* model: cpu_do_pending.serve */
        serve_flush(); /* first: others wait */
    /* model: cpu_do_pending.taken */
    work = __atomic_fetch_and(&c->pending, CPU_WORK_FLUSHES, __ATOMIC_SEQ_CST);
    if (work & CPU_WORK_TIMER)
        timers_run(); /* model: cpu_do_pending.do */
    if (work & CPU_WORK_CONSOLE)
        console_work();
    if (work & CPU_WORK_REAP)
        domains_reap();
    work |= READ_ONCE(c->pending);
    if (work & CPU_WORK_SCHEDULE) {
        atomic_and(&c->pending, ~CPU_WORK_SCHEDULE);
        sched_schedule();
        tlb_keep_young(); /* at least once a second, while a guest runs */
    }
}
