/* SPDX-License-Identifier: MIT */
/*
 * What a CPU does before it goes back to a guest, when something is pending: the flush that others
 * wait for, timers, console rings, the dead, and who runs next.
 *
 * cpu->pending is set by anyone, taken by the CPU itself, all bits at once but for the flushes'; a
 * bit that is set meanwhile is seen at the exit path's next look. The scheduler comes last, as the
 * others may wake somebody.
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
        serve_flush(); /* first: others wait */
    work = __atomic_fetch_and(&c->pending, CPU_WORK_FLUSHES, __ATOMIC_SEQ_CST);
    if (work & CPU_WORK_TIMER)
        timers_run();
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
