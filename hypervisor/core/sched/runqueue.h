/* SPDX-License-Identifier: MIT */
/* Between the parts of the scheduler (sched.c, runqueue.c, sched_exchange.c, sched_cap.c). The run
 * queue's lock is held around all of it. */
#ifndef CORE_RUNQUEUE_H
#define CORE_RUNQUEUE_H

#include <core/sched/sched.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>

/* --- sched.c --- */
/* c is to choose again then. The timer is not moved at each switch: it may go off before. */
void sched_set_turn(struct cpu *c, s_time_t ends);

/* --- runqueue.c --- */
/* Brings d's virtual time, and what its cap leaves it, up to now. */
void sched_account(struct domain *d, s_time_t now);
uint64_t sched_used(const struct vcpu *v, s_time_t now); /* what brothers are compared by, in ns */
/* A vCPU of d begins to wait, or to leave its CPU able to run; and no more. */
void sched_begin_wait(struct domain *d, s_time_t now);
void sched_end_wait(struct domain *d, s_time_t now);
/* v, which waits or rests, into its place in the queue, and out. */
void sched_insert(struct vcpu *v, s_time_t now);
void sched_remove(struct vcpu *v, s_time_t now);
/* Of those in a domain's queue that may run on one of these CPUs, who used least. */
struct vcpu *sched_first_of(const struct list *queue, uint64_t cpus);
/* Who of those that wait is to run on c; NULL: none may. */
struct vcpu *sched_first_for(const struct cpu *c, s_time_t now);
/* u, whose domain is accounted for, as is v's, does not come after v. */
bool sched_before(const struct vcpu *u, const struct vcpu *v, s_time_t now);

/* --- sched_exchange.c --- */
/* v waits: some CPU is told, if one should take it. wakes: it has just begun to, and was on none.
 */
void sched_find_cpu(struct vcpu *v, bool wakes, s_time_t now);
/* Somebody waits or rests: who runs without a slice gets one. */
void sched_nobody_is_alone(s_time_t now);
/* Is somebody kept waiting by who could run on a CPU that idles? For who has chosen. */
void sched_fill_idle(s_time_t now);
/* The CPUs that idle, and those from which a chain leads there. */
uint64_t sched_leads_to_idle(void);
/* A CPU was told to choose that may take v, or is to take it. */
bool sched_is_told_of(const struct vcpu *v);
/* The first in a domain's queue that could have one of these CPUs, and was given none yet.
 * for_cpus: the affinities of all in it, and maybe of some who went. */
struct vcpu *sched_waits_for(const struct list *queue, uint64_t *for_cpus, uint64_t cpus);

/* --- affinity.c --- */
bool sched_may_run_anywhere(const struct vcpu *v);

/* --- sched_cap.c --- */
void sched_cap_charge(struct sched_domain *s, s_time_t elapsed);
/* With a cap: how many more may be active; less than 0: one too many is. */
int sched_cap_room(const struct sched_domain *s);
/* v, which can run and does not, is one too many. */
void sched_rest(struct vcpu *v, s_time_t now);
/* As many of d's are active as may be. */
void sched_cap_look(struct domain *d, s_time_t now);
/* Somebody is about to be chosen in prev's place, or not: is it the turn of one who rests? */
void sched_cap_turn(struct vcpu *prev, s_time_t now);
/* CPUs idle, and nobody waits: may some that rest use them? */
void sched_cap_fill_idle(s_time_t now);
/* How long a vCPU of d, which is accounted for, runs when others wait; and when nobody does. */
s_time_t sched_slice_of(const struct domain *d, bool alone);

/* Whom c was to take may go elsewhere. */
static inline void sched_drop_next(struct cpu *c)
{
    c->next->sched.wanted_by = NULL;
    c->next = NULL;
}

/* Of those that rest, who used least. */
static inline struct vcpu *sched_first_resting(const struct sched_domain *s)
{
    return list_empty(&s->resting) ? NULL : list_entry(s->resting.next, struct vcpu, sched.link);
}

static inline bool sched_cap_over(const struct sched_domain *s)
{
    return unlikely(s->cap) && sched_cap_room(s) < 0;
}

static inline uint64_t bit_of(const struct cpu *c)
{
    return 1ull << c->id;
}

static inline uint64_t started_cpus(void)
{
    return ~0ull >> (64 - machine_nr_cpus());
}

static inline struct cpu *lowest(uint64_t cpus)
{
    return cpu_by_id((unsigned int)__builtin_ctzll(cpus));
}

#endif
