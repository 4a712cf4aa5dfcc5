/* SPDX-License-Identifier: MIT */
/*
 * One physical CPU. Its fields are written by that CPU alone, but for `pending` (atomic, any CPU)
 * and what has a lock. Others read `running` and the times of the last flushes.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <core/sched/sched.h>
#include <core/sched/timer.h>
#include <hv/arch_cpu.h>
#include <hv/types.h>

struct vcpu;

/* The most that are started. Ids are dense from 0; a set of CPUs is a word, one bit for each. */
#define NR_CPUS 64
_Static_assert(NR_CPUS <= 64, "a set of CPUs is a word");

/* Bits of struct cpu.pending: work that the exit path does before it returns to a guest
 * (cpu_do_pending()). */
#define CPU_WORK_TIMER    (1u << 0) /* the timer interrupt came: run expired timers */
#define CPU_WORK_SCHEDULE (1u << 1) /* choose again who runs */
#define CPU_WORK_CONSOLE  (1u << 2) /* drain boot-time domains' console rings */
#define CPU_WORK_REAP     (1u << 3) /* free the domains on cpu->dead */
#define CPU_WORK_FLUSH    (1u << 4) /* flush the TLB: others wait for it */
#define CPU_WORK_WBINVD   (1u << 5) /* flush the caches: likewise */
#define CPU_WORK_FLUSHES  (CPU_WORK_FLUSH | CPU_WORK_WBINVD) /* (asm-offsets) */

struct cpu {
    struct vcpu *running; /* whose registers the exit path restores: `current` (asm-offsets) */
    uint32_t pending;     /* CPU_WORK_*: atomic (asm-offsets) */
    unsigned int id;
    /* A long hypercall gives way after this; 0: not begun. hypercall_preempt_check()
     * (asm-offsets) */
    s_time_t slice_end;
    uint8_t steps; /* hypercall_preempt_check_step() */
    bool delayed;  /* it flushed, or waited for another CPU: hypercall_delayed_check() */
    struct vcpu *idle;
    struct timer slice; /* goes off when it is to choose again, or before */
    s_time_t turn_ends; /* when that is: with the run queue's lock */
    struct vcpu *next;  /* it waits, and this CPU is to take it, whoever is first; or NULL */
    struct timer_queue timers;
    struct domain *dead; /* whose last reference went on this CPU: domains_reap() */
    struct timer reap;   /* for the next of them */
    struct arch_cpu arch;
    /* What the clocks were when its last flushes began: read by others, so a line of their own
     * (core/base/tlb.c) */
    uint64_t tlb_time __aligned(64); /* TLB_EMPTY: it knows nothing of any guest */
    uint32_t cache_time;
};

void cpu_raise(struct cpu *c, uint32_t work);

#endif
