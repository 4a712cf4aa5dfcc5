/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by a domain's weight, over all CPUs, with an optional cap,
 * accounted by timestamp at every switch.
 *
 * Each domain carries virtual time = CPU time that its vCPUs used while anybody waited / weight. Of
 * the vCPUs that can run on a CPU, one of the domain with the least virtual time is next, for a
 * slice. Who wakes has little credit for having slept: runqueue.c says how much at most.
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

/* The run queue's times, or what they were when a domain was last accounted. */
struct sched_clocks {
    s_time_t passed;    /* until when the others have gone: the latest that any CPU's clock said */
    s_time_t contended; /* for how long somebody waited */
    s_time_t scarce;    /* for how long nobody did, nor did a CPU idle */
    /* Everybody's part of the used CPUs, in virtual time: while nobody waited, and while scarce */
    uint64_t parts, scarce_parts;
};

/* The machine's one queue: core/sched/runqueue.c. Its lock guards all of it, the sched part of each
 * vCPU and domain, and who runs: cpu->running changes under it. */
struct runqueue {
    spinlock_t lock;
    struct list all;     /* struct domain.sched.in_all */
    struct list domains; /* struct domain.sched.link: whose vCPUs wait */
    struct list resting; /* struct domain.sched.in_resting: some of whose vCPUs rest */
    uint64_t vtime;      /* about the least of theirs; goes back only with all of them */
    uint64_t front;      /* the least of theirs, or vtime, if that is more */
    uint64_t latitude;   /* so far behind it one may be who sleeps */
    s_time_t narrowed;   /* when gaps between levels were last narrowed */
    uint64_t weights;    /* of the domains that run, together */
    struct sched_clocks clocks;
    /* Bit per CPU: */
    uint64_t idle_cpus;  /* nobody runs there, and it was not told to look yet */
    uint64_t busy_cpus;  /* somebody runs there */
    uint64_t alone_cpus; /* of them: without a slice, for nobody waited */
    uint64_t told_cpus;  /* they were told to choose, and have not yet */
};
extern struct runqueue runqueue;

struct sched_vcpu {
    struct list link; /* in its domain's sched.vcpus, or sched.resting */
    bool queued;      /* it is there; then on_cpu is NULL */
    bool resting;     /* it is in sched.resting */
    bool stuck;       /* it is queued, and waits for so long that another may be active too */
    bool leaving;     /* it counts as waiting, but its CPU has not left it yet */
    /* Whose registers and page tables have v's; NULL: no CPU's. Set when v is chosen, cleared by
     * that CPU when v has left it */
    struct cpu *on_cpu;
    struct cpu *wanted_by; /* the CPU whose `next` it is */
    unsigned int last_cpu; /* where it ran last */
    uint64_t pinned_from;  /* its affinity before SCHEDOP_pin_override; 0: it has none */
    uint64_t used;         /* CPU time, in ns, until switched_in; kept near that of its brothers */
    s_time_t switched_in;  /* when it last got a CPU, or became active */
    /* As VCPUOP_get_runstate_info shows them */
    uint32_t state; /* RUNSTATE_* */
    s_time_t state_since;
    uint64_t time[4]; /* ns spent in each RUNSTATE_* */
};

struct sched_domain {
    uint16_t weight;
    uint16_t rest;           /* of what it used: less than 1 of vtime, in ns times 256 / weight */
    uint16_t cap;            /* percent of one CPU; 0: none */
    bool cap_dry;            /* cap_left was used up */
    unsigned int running;    /* vCPUs on CPUs */
    unsigned int waiting;    /* vCPUs that wait or are leaving */
    struct list in_all;      /* in runqueue.all, until it is dying */
    struct list vcpus, link; /* vCPUs that wait, who used least first; in runqueue.domains */
    uint64_t waiting_for;    /* the affinities of `vcpus`, and maybe of some who went */
    unsigned int stuck;      /* how many of them are */
    struct list resting, in_resting; /* vCPUs kept out by the cap, as above; in runqueue.resting */
    uint64_t resting_for;            /* their affinities, likewise */
    uint64_t vtime;                  /* as of `seen` */
    s_time_t kept_waiting;           /* when one of its vCPUs last ended a long wait */
    struct sched_clocks seen;        /* so much of runqueue.clocks is in vtime */
    s_time_t slice;                  /* by weight */
    uint64_t slice_worth;            /* in virtual time */
    s_time_t cap_left;               /* what its cap leaves it now: ns, times percent of a CPU */
    struct timer cap_timer;
};

/* --- caps (core/sched/sched_cap.c) --- */
void sched_init_domain(struct domain *d);
void sched_destroy_domain(struct domain *d);
/* XEN_DOMCTL_SCHEDOP_putinfo. Weight 1 to 65535; cap in percent, 0: none. */
void sched_set_domain(struct domain *d, uint16_t weight, uint16_t cap);

/* --- where a vCPU may run (core/sched/affinity.c) --- */
/* -XEN_EINVAL: none of these CPUs is there. -XEN_EBUSY: it is pinned. */
int __must_check sched_set_affinity(struct vcpu *v, uint64_t cpus);
/* SCHEDOP_pin_override: cpu -1 undoes it. */
int __must_check sched_pin(struct vcpu *v, int cpu);

void sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);
void sched_init(void);
void sched_init_cpu(struct cpu *c); /* c->idle is set */
void vcpu_yield(void);              /* the current one goes behind the next runnable one */
void sched_schedule(void);          /* exit path: picks who runs and switches `current` */
/* A vCPU is runnable when it has no reason to pause (v->pause_count, d->pause_count, VPF_* in
 * v->pause_flags). Call after a change of those: puts it on or takes it off the queue, pre-empts if
 * it is due. */
void vcpu_wake(struct vcpu *v);
void vcpu_sleep(struct vcpu *v); /* does not wait: who runs leaves at its CPU's exit path */
bool vcpu_runnable(const struct vcpu *v);
void vcpu_runstate_get(struct vcpu *v, void *runstate /* struct vcpu_runstate_info */);

#endif
