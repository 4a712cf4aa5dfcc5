/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: who runs next on a CPU.
 *
 * All CPUs share one run queue (runqueue.c). A CPU takes the vCPU that is first and may run there,
 * for a slice at most. Time is accounted by the clock at each switch, so nobody gets anything by
 * leaving just before a tick. Who wakes pre-empts who runs only when it is behind by a grain, so
 * that wake-ups cannot be farmed, and when that one has run for a moment (sched_exchange.c).
 *
 * Run states and the times spent in each (what the guest sees as steal time) change here and
 * nowhere else: set_state().
 *
 * A switch has two halves. Under the lock a vCPU is chosen: it leaves the queue, and its on_cpu is
 * set. Without the lock the registers and page tables are exchanged. Under the lock again, in
 * context_saved(), the on_cpu of the one that left is cleared, and only now is it queued if it can
 * run. So queued means on no CPU; and who sees on_cpu NULL knows that no CPU has anything of v.
 *
 * Race: a reason to pause is set before vcpu_sleep() and cleared before vcpu_wake(), both look at
 * vcpu_runnable() under the lock, so whatever comes last decides. While v has a CPU, vcpu_wake()
 * does nothing: the CPU looks at it in context_saved(). Who queues a vCPU takes the idle CPU that
 * it tells out of idle_cpus, so that two wake-ups wake two CPUs. Nothing is kept on the
 * hypervisor's stack of who ran before: a switch is an assignment.
 *
 * Lock: runqueue.lock (RANK_SCHED).
 */
#include <core/base/count.h>
#include <core/sched/runqueue.h>
#include <core/sched/vcpu_time.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

bool vcpu_runnable(const struct vcpu *v)
{
    /* Race: who lets it run may not be who queues it: what he did to it before is seen with it. */
    return !(__atomic_load_n(&v->pause_flags, __ATOMIC_ACQUIRE) |
             __atomic_load_n(&v->pause_count, __ATOMIC_ACQUIRE) |
             __atomic_load_n(&v->domain->pause_count, __ATOMIC_ACQUIRE));
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
    uint32_t why = READ_ONCE(v->pause_flags);

    return why & own && !(why & ~own) ? RUNSTATE_blocked : RUNSTATE_offline;
}

/* v waits: into the queue. It counts as waiting already. */
static void enqueue(struct vcpu *v, s_time_t now)
{
    bool wakes = v->sched.state != RUNSTATE_runnable;
    struct vcpu *first = v;

    if (wakes)
        set_state(v, RUNSTATE_runnable, now);
    if (unlikely(sched_cap_over(&v->domain->sched))) {
        sched_end_wait(v->domain, now);
        sched_rest(v, now);
        return;
    }
    sched_insert(v, now);
    /* A CPU that v can have is its brother's who used less, and may run at the same places. Else
     * who was put out took its CPU back by an exchange each time, and the brother waited on. */
    list_for_each (first, &v->domain->sched.vcpus, sched.link)
        if (first->affinity == v->affinity && !first->sched.wanted_by)
            break;
    sched_find_cpu(first, wakes, now);
}

/* One of d's waits, rests, or is active no more. */
static void another_may(struct domain *d)
{
    if (unlikely(d->sched.cap))
        sched_cap_look(d, clock_now());
}

static bool may_go_on(const struct vcpu *v, const struct cpu *c)
{
    return !is_idle(v) && vcpu_runnable(v) && v->affinity & bit_of(c) &&
           !sched_cap_over(&v->domain->sched);
}

/* Who runs next on c. *lost: who waits, may run here, and has to wait on. */
static struct vcpu *choose(struct cpu *c, struct vcpu *prev, s_time_t now, struct vcpu **lost)
{
    struct vcpu *first;

    if (c->next)
        return c->next; /* model: choose.next */
    first = sched_first_for(c, now);
    if (!may_go_on(prev, c) || (first && !sched_before(prev, first, now)))
        return first ? first : c->idle;
    *lost = first;
    return prev;
}

void sched_set_turn(struct cpu *c, s_time_t ends)
{
    c->turn_ends = ends;
    if (!timer_goes_off_here(&c->slice, ends))
        timer_set(&c->slice, ends);
}

/* next runs on c now: the masks say so, and its slice begins. Time was brought up to now before, by
 * who ran here or does: each was accounted for. Where nobody did, nor does, the CPU idled also
 * while it was told to look: that time counts so. */
static void begin_slice(struct cpu *c, const struct vcpu *next, s_time_t now)
{
    struct runqueue *rq = &runqueue;
    uint64_t me = bit_of(c);
    bool alone;

    rq->told_cpus &= ~me;
    if (is_idle(next)) {
        rq->idle_cpus |= me;
        rq->busy_cpus &= ~me;
        rq->alone_cpus &= ~me;
        c->turn_ends = INT64_MAX;
        return;
    }
    alone = list_empty(&rq->domains) && list_empty(&next->domain->sched.resting);
    rq->idle_cpus &= ~me;
    rq->busy_cpus |= me;
    rq->alone_cpus = alone ? rq->alone_cpus | me : rq->alone_cpus & ~me;
    sched_set_turn(c, now + sched_slice_of(next->domain, alone));
}

/* A turn began since the timer was set, or none. */
static void slice_over(void *data)
{
    struct cpu *c = data;

    spin_lock(&runqueue.lock);
    if (c->turn_ends <= clock_now())
        cpu_raise(c, CPU_WORK_SCHEDULE);
    else if (c->turn_ends < INT64_MAX)
        timer_set(&c->slice, c->turn_ends);
    spin_unlock(&runqueue.lock);
}

/* v, which was to leave at `now`, has left this CPU: from here on another may take it, or free it.
 */
static void context_saved(struct vcpu *v, s_time_t now)
{
    bool counted = v->sched.leaving;

    spin_lock(&runqueue.lock);
    v->sched.leaving = false;
    __atomic_store_n(&v->sched.on_cpu, NULL, __ATOMIC_RELEASE); /* model: context_saved.off */
    if (vcpu_runnable(v)) {                                     /* model: context_saved.look */
        if (!counted)
            sched_begin_wait(v->domain, now); /* model: context_saved.count */
        enqueue(v, now);
    } else if (v->sched.state == RUNSTATE_runnable) { /* it could go on, or was to rest */
        if (counted)
            sched_end_wait(v->domain, now); /* model: context_saved.uncount */
        set_state(v, idle_state(v), now);
    }
    another_may(v->domain);
    if (counted)
        sched_fill_idle(now); /* model: context_saved.fill */
    spin_unlock(&runqueue.lock);
}

/* The second half, without the lock: the machine, and what the guests see of time. */
static void switch_vcpus(struct vcpu *prev, struct vcpu *next, s_time_t now)
{
    if (!is_idle(prev))
        vcpu_runstate_write(prev);      /* its page tables are still loaded */
    machine_context_switch(prev, next); /* model: switch_vcpus.switch */
    if (!is_idle(prev))
        context_saved(prev, now); /* model: switch_vcpus.saved */
    if (!is_idle(next)) {
        vcpu_time_refresh(next, now);
        vcpu_areas_switched_in(next);
    }
}

/* The first half: prev no longer runs, next does. */
static void hand_over(struct cpu *c, struct vcpu *prev, struct vcpu *next, s_time_t now)
{
    uint32_t state = RUNSTATE_runnable;

    if (!is_idle(prev)) {
        prev->sched.leaving = vcpu_runnable(prev) && !sched_cap_over(&prev->domain->sched);
        prev->sched.used = sched_used(prev, now);
        if (!--prev->domain->sched.running)
            runqueue.weights -= prev->domain->sched.weight;
        if (prev->sched.leaving)
            sched_begin_wait(prev->domain, now);
        else if (!vcpu_runnable(prev))
            state = idle_state(prev);
    }
    set_state(prev, state, now);
    if (!is_idle(next)) {
        sched_account(next->domain, now);
        sched_remove(next, now);
        if (!next->domain->sched.running++)
            runqueue.weights += next->domain->sched.weight;
        next->sched.switched_in = now;
        count_event(next, COUNTER_switches);
        WRITE_ONCE(next->sched.on_cpu, c); /* model: hand_over.on_cpu */
        WRITE_ONCE(next->sched.last_cpu, c->id);
    }
    set_state(next, RUNSTATE_running, now);
    c->running = next; /* model: hand_over.running */
}

void sched_schedule(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *prev = c->running, *next, *lost = NULL;
    s_time_t now;

    spin_lock(&runqueue.lock);
    now = clock_now();
    if (!is_idle(prev)) {
        sched_account(prev->domain, now);
        if (unlikely(prev->domain->sched.cap))
            sched_cap_turn(prev, now);
    }
    next = choose(c, prev, now, &lost);
    if (next != prev)
        hand_over(c, prev, next, now);
    begin_slice(c, next, now);
    if (lost && !sched_may_run_anywhere(lost))
        sched_find_cpu(lost, false, now);
    if (!prev->sched.leaving)
        sched_fill_idle(now); /* model: sched_schedule.fill */
    spin_unlock(&runqueue.lock);
    if (next != prev)
        switch_vcpus(prev, next, now);
    else if (!is_idle(next))
        vcpu_time_refresh(next, now);
}

/* Without the lock: this CPU alone gives itself to a vCPU, and takes itself back. */
static bool has_this_cpu(const struct vcpu *v)
{
    return __atomic_load_n(&v->sched.on_cpu, __ATOMIC_RELAXED) == this_cpu();
}

void vcpu_wake(struct vcpu *v)
{
    s_time_t now;

    if (has_this_cpu(v)) /* model: vcpu_wake.own */
        return;
    spin_lock(&runqueue.lock);
    if (!v->sched.queued && !v->sched.on_cpu && vcpu_runnable(v)) { /* model: vcpu_wake.look */
        now = clock_now();
        sched_account(v->domain, now);
        sched_begin_wait(v->domain, now);
        enqueue(v, now);
        another_may(v->domain);
    }
    spin_unlock(&runqueue.lock);
}

void vcpu_sleep(struct vcpu *v)
{
    struct cpu *c;

    if (has_this_cpu(v)) {
        cpu_raise(this_cpu(), CPU_WORK_SCHEDULE); /* model: vcpu_sleep.own */
        return;
    }
    spin_lock(&runqueue.lock);
    c = v->sched.on_cpu;
    if (c) { /* when it leaves already, context_saved() looks */
        if (c->running == v && !vcpu_runnable(v))
            cpu_raise(c, CPU_WORK_SCHEDULE); /* model: vcpu_sleep.ask */
    } else if (!vcpu_runnable(v)) {
        if (v->sched.queued)
            sched_remove(v, clock_now());         /* model: vcpu_sleep.remove */
        set_state(v, idle_state(v), clock_now()); /* blocked and paused as well, for instance */
        another_may(v->domain);
    }
    spin_unlock(&runqueue.lock);
}

void vcpu_yield(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *v = c->running, *first;
    struct sched_domain *s = &v->domain->sched;

    spin_lock(&runqueue.lock);
    if (!list_empty(&runqueue.domains) || !list_empty(&s->resting)) {
        s_time_t now = clock_now();

        sched_account(v->domain, now);
        first = sched_first_for(c, now);
        if (!first)
            first = sched_first_of(&s->resting, bit_of(c)); /* its turn comes: sched_cap_turn() */
        if (first && first->domain == v->domain)
            v->sched.used +=
                MAX(sched_used(v, now),
                    first->sched.used + (uint64_t)(first->sched.resting ? s->slice : 1)) -
                sched_used(v, now);
        else if (first)
            s->vtime = MAX(s->vtime, first->domain->sched.vtime + 1);
        if (first)
            cpu_raise(c, CPU_WORK_SCHEDULE);
    }
    spin_unlock(&runqueue.lock);
}

void sched_init(void)
{
    runqueue =
        (struct runqueue){.lock = SPINLOCK_INIT(RANK_SCHED), .latitude = (uint64_t)SCHED_SLICE};
    list_init(&runqueue.all);
    list_init(&runqueue.domains);
    list_init(&runqueue.resting);
}

void sched_init_cpu(struct cpu *c)
{
    timer_init(&c->slice, slice_over, c);
    atomic_or(&c->pending, CPU_WORK_SCHEDULE); /* it says that it is there by choosing */
}

void sched_init_vcpu(struct vcpu *v)
{
    v->sched.state = RUNSTATE_offline;
    v->sched.state_since = clock_now();
    list_init(&v->sched.link);
}

/* It was seen on no CPU; who cleared on_cpu is through with it when the lock was had once. */
void sched_destroy_vcpu(struct vcpu *v)
{
    spin_lock(&runqueue.lock); /* model: sched_destroy_vcpu.lock */
    if (v->sched.queued)
        sched_remove(v, clock_now());
    spin_unlock(&runqueue.lock);
}

void vcpu_runstate_get(struct vcpu *v, void *runstate)
{
    struct vcpu_runstate_info *info = runstate;
    s_time_t now;

    spin_lock(&runqueue.lock);
    now = clock_now();
    info->state = (int)v->sched.state;
    info->state_entry_time = (uint64_t)v->sched.state_since;
    memcpy(info->time, v->sched.time, sizeof(info->time));
    if (now > v->sched.state_since)
        info->time[v->sched.state] += (uint64_t)(now - v->sched.state_since);
    spin_unlock(&runqueue.lock);
}
