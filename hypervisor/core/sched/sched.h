/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by weight, with an optional cap, accounted by timestamp at
 * every switch.
 *
 * Each vCPU carries virtual time = CPU time used / weight. The runnable vCPU with the least virtual
 * time runs next, for a slice. A vCPU that wakes gets no credit for having slept beyond one slice:
 * waking cannot be farmed. CPU time is accounted at each switch, never sampled.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <core/sched/timer.h>
#include <hv/list.h>
#include <hv/types.h>
#include <port/lock.h>

struct vcpu;
struct cpu;
struct domain;

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_SLICE          MILLISECS(10)

/* The machine's one queue. Its lock guards all of it, the sched part of each vCPU and domain, and
 * who runs: cpu->running changes under it. */
struct runqueue {
    spinlock_t lock;
    /* Struct vcpu.sched.link, least virtual time first: who could run and is on no CPU */
    struct list runnable;
    uint64_t min_vtime; /* never goes back */
    /* Bit per CPU: */
    uint64_t idle_cpus;  /* nobody runs there, and it was not told to look yet */
    uint64_t busy_cpus;  /* somebody runs there */
    uint64_t alone_cpus; /* of them: without a slice, for nobody waited */
};
extern struct runqueue runqueue;

/* Run states, as VCPUOP_get_runstate_info shows them. */
struct sched_vcpu {
    struct list link;
    bool queued; /* in runqueue.runnable; then on_cpu is NULL */
    /* Whose registers and page tables have v's; NULL: no CPU's. Set when v is chosen, cleared by
     * that CPU when v has left it */
    struct cpu *on_cpu;
    unsigned int last_cpu; /* where it ran last */
    uint64_t vtime;
    s_time_t switched_in; /* when it last got the CPU */
    uint32_t state;       /* RUNSTATE_* */
    s_time_t state_since;
    uint64_t time[4]; /* ns spent in each RUNSTATE_* */
};

struct sched_domain {
    uint16_t weight;
    uint16_t cap; /* percent of one CPU; 0: none */
    s_time_t cap_period_start;
    uint64_t cap_used;
    bool parked; /* over its cap until the period ends */
    struct timer cap_timer;
};

/* --- caps (core/sched/sched_cap.c) --- */
void sched_init_domain(struct domain *d);
void sched_destroy_domain(struct domain *d);
/* XEN_DOMCTL_SCHEDOP_putinfo. Weight 1 to 65535; cap in percent, 0: none. */
void sched_set_domain(struct domain *d, uint16_t weight, uint16_t cap);
/* With the lock: what ran, how long one may run, and that d used up its share (sched.c) */
void sched_cap_charge(struct domain *d, s_time_t ns, s_time_t now);
s_time_t sched_cap_left(const struct domain *d);
void sched_park(struct domain *d);

void sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);
void sched_init(void);
void sched_init_cpu(struct cpu *c); /* c->idle is set */
void sched_yield(void);             /* the current one goes behind the next runnable one */
void sched_schedule(void);          /* exit path: picks who runs and switches `current` */
/* A vCPU is runnable when it has no reason to pause (v->pause_count, d->pause_count, VPF_* in
 * v->pause_flags). Call after a change of those: puts it on or takes it off its queue, pre-empts if
 * it is due. */
void vcpu_wake(struct vcpu *v);
void vcpu_sleep(struct vcpu *v); /* does not wait: who runs leaves at its CPU's exit path */
bool vcpu_runnable(const struct vcpu *v);
void vcpu_runstate_get(struct vcpu *v, void *runstate /* struct vcpu_runstate_info */);

#endif
