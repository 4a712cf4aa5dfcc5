/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: who runs next on this CPU.
 *
 * A vCPU's virtual time is the CPU time it used, scaled by 256 / weight. The queue is in order of
 * virtual time; the first runs, for a slice at most. Time is accounted by the clock at each switch,
 * so nobody gets anything by leaving just before a tick. A vCPU that wakes is set to at least one
 * slice before the queue's minimum: sleeping saves up no more than that, and it pre-empts who runs
 * only when it is behind by WAKE_GRAIN, so that wake-ups cannot be farmed.
 *
 * Run states and the times spent in each (what the guest sees as steal time) change here and
 * nowhere else: set_state().
 *
 * Race: a reason to pause is set before vcpu_sleep() and cleared before vcpu_wake(), both look at
 * vcpu_runnable() under the lock, so whatever comes last decides. Nothing is kept on the
 * hypervisor's stack of who ran before: a switch is an assignment.
 *
 * Lock: runqueue.lock (RANK_SCHED) of the vCPU's CPU.
 */
#include <core/sched/sched.h>
#include <core/sched/vcpu_time.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>

#define WAKE_GRAIN    MICROSECS(500)
#define CLOCK_REFRESH SECONDS(1)

static struct runqueue *rq_of(const struct vcpu *v)
{
    return &cpu_by_id(v->sched.cpu)->rq;
}

bool vcpu_runnable(const struct vcpu *v)
{
    const struct domain *d = v->domain;

    return !(READ_ONCE(v->pause_flags) | READ_ONCE(v->pause_count) | READ_ONCE(d->pause_count)) &&
           !READ_ONCE(d->sched.parked);
}

static void set_state(struct vcpu *v, uint32_t state, s_time_t now)
{
    struct sched_vcpu *s = &v->sched;

    if (now > s->state_since)
        s->time[s->state] += (uint64_t)(now - s->state_since);
    s->state = state;
    s->state_since = now;
}

/* Not runnable: blocked when that is its own wish alone, else offline. */
static uint32_t idle_state(const struct vcpu *v)
{
    const uint32_t own = VPF_blocked | VPF_polling;

    if (v->domain->sched.parked && !v->pause_flags)
        return RUNSTATE_runnable;
    return v->pause_flags & own && !(v->pause_flags & ~own) ? RUNSTATE_blocked : RUNSTATE_offline;
}

static void enqueue(struct runqueue *rq, struct vcpu *v)
{
    struct list *at;

    list_for_each (at, &rq->runnable)
        if (list_entry(at, struct vcpu, sched.link)->sched.vtime > v->sched.vtime)
            break;
    list_insert_before(at, &v->sched.link);
    v->sched.queued = true;
}

/* NULL: nobody waits. */
static struct vcpu *first_of(const struct runqueue *rq)
{
    return list_empty(&rq->runnable) ? NULL
                                     : list_entry(rq->runnable.next, struct vcpu, sched.link);
}

static void dequeue(struct vcpu *v)
{
    list_del(&v->sched.link);
    v->sched.queued = false;
}

static uint64_t scaled(const struct vcpu *v, s_time_t ns)
{
    return (uint64_t)ns * SCHED_WEIGHT_DEFAULT / MAX(v->domain->sched.weight, 1);
}

/* Virtual time as of now of the one that runs. */
static uint64_t vtime_now(const struct vcpu *v, s_time_t now)
{
    return v->sched.vtime +
           (now > v->sched.switched_in ? scaled(v, now - v->sched.switched_in) : 0);
}

/* Charges v, which runs, for the time until now. The lock is held. */
static void account(struct runqueue *rq, struct vcpu *v, s_time_t now)
{
    const struct vcpu *first = first_of(rq);
    uint64_t low;

    if (now > v->sched.switched_in) {
        v->sched.vtime += scaled(v, now - v->sched.switched_in);
        sched_cap_charge(v->domain, now - v->sched.switched_in, now);
        v->sched.switched_in = now;
    }
    low = first ? MIN(v->sched.vtime, first->sched.vtime) : v->sched.vtime;
    rq->min_vtime = MAX(rq->min_vtime, low);
}

static struct vcpu *choose(struct cpu *c, struct vcpu *prev)
{
    struct vcpu *first = first_of(&c->rq);

    if (!is_idle(prev) && vcpu_runnable(prev) &&
        (!first || prev->sched.vtime <= first->sched.vtime))
        return prev;
    return first ? first : c->idle;
}

static void set_slice(struct cpu *c, const struct vcpu *v, s_time_t now)
{
    s_time_t slice = CLOCK_REFRESH;

    if (is_idle(v)) {
        timer_stop(&c->rq.slice);
        return;
    }
    if (!list_empty(&c->rq.runnable))
        slice = SCHED_SLICE;
    timer_set(&c->rq.slice, now + MIN(slice, sched_cap_left(v->domain)));
}

static void slice_over(void *data)
{
    cpu_raise(data, CPU_WORK_SCHEDULE);
}

/* From prev to next: states, machine, and what the guests see of time. */
static void switch_vcpus(struct cpu *c, struct vcpu *prev, struct vcpu *next, s_time_t now)
{
    if (!is_idle(prev)) {
        set_state(prev, vcpu_runnable(prev) ? RUNSTATE_runnable : idle_state(prev), now);
        vcpu_runstate_write(prev); /* its page tables are still loaded */
    }
    set_state(next, RUNSTATE_running, now);
    next->sched.switched_in = now;
    next->cpu_stack = c;
    c->running = next;
    machine_context_switch(prev, next);
    if (!is_idle(next)) {
        vcpu_time_refresh(next, now);
        vcpu_areas_switched_in(next);
    }
}

void sched_schedule(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *prev = c->running, *next;
    s_time_t now = clock_now();

    spin_lock(&c->rq.lock);
    if (!is_idle(prev))
        account(&c->rq, prev, now);
    next = choose(c, prev);
    if (next != prev) {
        if (!is_idle(prev) && vcpu_runnable(prev))
            enqueue(&c->rq, prev);
        if (!is_idle(next))
            dequeue(next);
    }
    set_slice(c, next, now);
    spin_unlock(&c->rq.lock);
    if (next != prev)
        switch_vcpus(c, prev, next, now);
    else if (!is_idle(next))
        vcpu_time_refresh(next, now);
}

void vcpu_wake(struct vcpu *v)
{
    struct cpu *c = cpu_by_id(v->sched.cpu);
    struct vcpu *running;
    s_time_t now = clock_now();
    uint64_t floor;

    spin_lock(&c->rq.lock);
    running = c->running;
    if (v->sched.queued || v == running || !vcpu_runnable(v)) {
        spin_unlock(&c->rq.lock);
        return;
    }
    set_state(v, RUNSTATE_runnable, now);
    floor = scaled(v, SCHED_SLICE);
    floor = c->rq.min_vtime > floor ? c->rq.min_vtime - floor : 0;
    v->sched.vtime = MAX(v->sched.vtime, floor);
    enqueue(&c->rq, v);
    if (is_idle(running) || v->sched.vtime + (uint64_t)WAKE_GRAIN < vtime_now(running, now))
        cpu_raise(c, CPU_WORK_SCHEDULE);
    else if (v->sched.link.next == v->sched.link.prev)
        timer_set(&c->rq.slice, now + SCHED_SLICE); /* it is the only other one: slices begin */
    spin_unlock(&c->rq.lock);
}

void vcpu_sleep(struct vcpu *v)
{
    struct cpu *c = cpu_by_id(v->sched.cpu);

    spin_lock(&c->rq.lock);
    if (v->sched.queued && !vcpu_runnable(v)) {
        dequeue(v);
        set_state(v, idle_state(v), clock_now());
    } else if (c->running == v) {
        cpu_raise(c, CPU_WORK_SCHEDULE);
    } else if (v->sched.state != RUNSTATE_running) {
        set_state(v, idle_state(v), clock_now()); /* blocked and paused as well, for instance */
    }
    spin_unlock(&c->rq.lock);
}

void sched_yield(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *v = c->running;
    const struct vcpu *first;

    spin_lock(&c->rq.lock);
    account(&c->rq, v, clock_now());
    first = first_of(&c->rq);
    if (first) {
        v->sched.vtime = MAX(v->sched.vtime, first->sched.vtime + 1);
        cpu_raise(c, CPU_WORK_SCHEDULE);
    }
    spin_unlock(&c->rq.lock);
}

void sched_init_cpu(struct cpu *c)
{
    spin_lock_init(&c->rq.lock, RANK_SCHED);
    list_init(&c->rq.runnable);
    c->rq.min_vtime = 0;
    timer_init(&c->rq.slice, slice_over, c, c->id);
}

void sched_init_vcpu(struct vcpu *v)
{
    v->sched.state = RUNSTATE_offline;
    v->sched.state_since = clock_now();
    v->sched.cpu = 0; /* one CPU schedules all domains */
    v->sched.vtime = rq_of(v)->min_vtime;
    list_init(&v->sched.link);
}

void sched_destroy_vcpu(struct vcpu *v)
{
    struct runqueue *rq = rq_of(v);

    spin_lock(&rq->lock);
    if (v->sched.queued)
        dequeue(v);
    spin_unlock(&rq->lock);
}

void vcpu_runstate_get(struct vcpu *v, void *runstate)
{
    struct vcpu_runstate_info *info = runstate;
    struct runqueue *rq = rq_of(v);
    s_time_t now;

    spin_lock(&rq->lock);
    now = clock_now();
    info->state = (int)v->sched.state;
    info->state_entry_time = (uint64_t)v->sched.state_since;
    for (unsigned int i = 0; i < ARRAY_SIZE(info->time); i++)
        info->time[i] = v->sched.time[i];
    if (now > v->sched.state_since)
        info->time[v->sched.state] += (uint64_t)(now - v->sched.state_since);
    spin_unlock(&rq->lock);
}
