/* SPDX-License-Identifier: MIT */
/* Between the parts of the scheduler (sched.c, runqueue.c, sched_exchange.c, sched_cap.c). The run
 * queue's lock is held around all of it. */
#ifndef CORE_RUNQUEUE_H
#define CORE_RUNQUEUE_H

#include <core/sched/sched.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>

/* --- runqueue.c --- */
/* Brings d's virtual time, and what it used of its cap, up to now. */
void sched_account(struct domain *d, s_time_t now);
uint64_t sched_used(const struct vcpu *v, s_time_t now); /* CPU time of v's own, in ns */
/* d comes back: it has at most saved up what rq->latitude allows. */
void sched_forget_lag(struct sched_domain *s, uint64_t but);
/* v runs from now on; and until now. Its domain is accounted for. */
void sched_begin(struct vcpu *v, s_time_t now);
void sched_end(struct vcpu *v, s_time_t now);
/* A vCPU of d begins to wait, or to leave its CPU able to run; and no more. */
void sched_begin_wait(struct domain *d, s_time_t now);
void sched_end_wait(struct domain *d);
/* d is among those who compete for CPUs or, over its cap, is not. */
void sched_set_parked(struct domain *d, bool parked, s_time_t now);
/* v, which waits, into its place in the queue, and out. */
void sched_insert(struct vcpu *v);
void sched_remove(struct vcpu *v);
/* Who of those that wait is to run on c; NULL: none may. */
struct vcpu *sched_first_for(const struct cpu *c, s_time_t now);
/* u, whose domain is accounted for, as is v's, does not come after v. */
bool sched_before(const struct vcpu *u, const struct vcpu *v, s_time_t now);

/* --- sched_exchange.c --- */
/* v waits: some CPU is told, if one should take it. */
void sched_find_cpu(struct vcpu *v, s_time_t now);
/* Is somebody kept waiting by who could run on a CPU that idles? For who has chosen. */
void sched_fill_idle(s_time_t now);

/* --- affinity.c --- */
bool sched_may_run_anywhere(const struct vcpu *v);

/* --- sched_cap.c --- */
void sched_cap_charge(struct sched_domain *s, uint64_t ns, s_time_t now);
bool sched_cap_over(const struct sched_domain *s);
/* How long a vCPU of d runs when others wait; and when nobody does. Its domain is accounted for. */
s_time_t sched_slice_of(const struct domain *d);
s_time_t sched_long_slice_of(const struct domain *d);
void sched_park(struct domain *d);

/* Whom c was to take may go elsewhere. */
static inline void sched_drop_next(struct cpu *c)
{
    c->next->sched.wanted_by = NULL;
    c->next = NULL;
}

static inline uint64_t bit_of(const struct cpu *c)
{
    return 1ull << c->id;
}

#endif
