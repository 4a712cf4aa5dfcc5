/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes: what may still know an old translation, and how it is made to forget it. The idea
 * and its reasons are in core/base/tlb.c.
 */
#ifndef HV_TLB_H
#define HV_TLB_H

#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

struct domain;

/* cpu->tlb_time of a CPU that knows nothing of any guest. */
#define TLB_EMPTY (1ull << 63)

#define ALL_CPUS (~0ull)

/* The clock ticks when somebody needs a flush; others read it often: a line of its own. */
extern struct tlb_clock {
    uint32_t now;
} __aligned(64) tlb_clock_line;
extern uint64_t tlb_cpus; /* that may run guests: atomic */

/* The stamp of what may be in TLBs until now. Read when nobody can reach it any more, behind a full
 * barrier. */
static inline uint32_t tlb_clock(void)
{
    return __atomic_load_n(&tlb_clock_line.now, __ATOMIC_ACQUIRE);
}

/* Loads CR3 and flushes this CPU's TLB, which counts. Race: the clock is read before the flush, so
 * that what is stamped meanwhile counts as not flushed. */
static inline void load_cr3(uint64_t cr3)
{
    uint32_t began = tlb_clock(); /* model: load_cr3.clock */

    machine_load_cr3(cr3, false);                                     /* model: load_cr3.flush */
    __atomic_store_n(&this_cpu()->tlb_time, began, __ATOMIC_RELEASE); /* model: load_cr3.time */
}

void tlb_init_cpu(struct cpu *c); /* from here on it is asked to flush */

/* Around the change of CR3 from a table of prev's to one of next's; NULL: the hypervisor's own. */
void tlb_switch_begin(struct domain *prev, struct domain *next);
void tlb_switch_end(struct domain *prev, struct domain *next);

/* What d's frames (NULL: any domain's) were mapped as until stamp is in no TLB any more. */
void flush_tlb_stamp(struct domain *d, uint32_t stamp);
/* Whether that is so already, of any domain's frames. */
bool tlb_forgot(uint32_t stamp);

/* This CPU; those of the set that may know translations of d: all, or (elsewhere it may be more)
 * those of one address. They are done when these return. */
void flush_tlb_local(void);
void flush_tlb_domain(struct domain *d, uint64_t cpus);
void flush_tlb_one_domain(struct domain *d, uint64_t cpus, gva_t va);

void flush_cache_all(void); /* writes back and empties the caches of all CPUs */

/* Does what other CPUs ask of this one (CPU_WORK_FLUSHES). */
void serve_flush(void);
/* Often enough that the clock cannot go round meanwhile. */
void tlb_keep_young(void);

#endif
