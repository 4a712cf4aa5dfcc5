/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: who runs next on a CPU.
 *
 * All CPUs share one run queue. A vCPU's virtual time is the CPU time it used, scaled by 256 /
 * weight. The queue is in order of virtual time; a CPU takes the first that may run there, for a
 * slice at most. Time is accounted by the clock at each switch, so nobody gets anything by leaving
 * just before a tick. A vCPU that wakes is set to at least one slice before the queue's minimum:
 * sleeping saves up no more than that, and it pre-empts who runs only when it is behind by
 * WAKE_GRAIN, so that wake-ups cannot be farmed.
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
#include <core/sched/sched.h>
#include <core/sched/vcpu_time.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

#define WAKE_GRAIN    MICROSECS(500)
#define CLOCK_REFRESH SECONDS(1)

struct runqueue runqueue = {.lock = SPINLOCK_INIT(RANK_SCHED)};

bool vcpu_runnable(const struct vcpu *v)
{
    const struct domain *d = v->domain;

    return !(READ_ONCE(v->pause_flags) | READ_ONCE(v->pause_count) | READ_ONCE(d->pause_count)) &&
           !READ_ONCE(d->sched.parked);
}

static uint64_t bit_of(const struct cpu *c)
{
    return 1ull << c->id;
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

    if (READ_ONCE(v->domain->sched.parked) && !why)
        return RUNSTATE_runnable;
    return why & own && !(why & ~own) ? RUNSTATE_blocked : RUNSTATE_offline;
}

static uint32_t state_off_cpu(const struct vcpu *v)
{
    return vcpu_runnable(v) ? RUNSTATE_runnable : idle_state(v);
}

/* The first that may run on c; NULL: nobody waits for it. */
static struct vcpu *first_for(const struct cpu *c)
{
    struct list *at;

    list_for_each (at, &runqueue.runnable) {
        struct vcpu *v = list_entry(at, struct vcpu, sched.link);

        if (likely(v->affinity & bit_of(c)))
            return v;
    }
    return NULL;
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

/* Virtual time as of now of one that runs. */
static uint64_t vtime_now(const struct vcpu *v, s_time_t now)
{
    return v->sched.vtime +
           (now > v->sched.switched_in ? scaled(v, now - v->sched.switched_in) : 0);
}

/* Charges v, which runs here, for the time until now. */
static void account(struct vcpu *v, s_time_t now)
{
    const struct vcpu *first = first_for(this_cpu());
    uint64_t low;

    if (now > v->sched.switched_in) {
        v->sched.vtime += scaled(v, now - v->sched.switched_in);
        sched_cap_charge(v->domain, now - v->sched.switched_in, now);
        v->sched.switched_in = now;
    }
    low = first ? MIN(v->sched.vtime, first->sched.vtime) : v->sched.vtime;
    WRITE_ONCE(runqueue.min_vtime, MAX(runqueue.min_vtime, low));
}

/* Of the CPUs that v may run on, the one whose vCPU has used most; NULL: nobody there is ahead of v
 * by the grain. */
static struct cpu *whom_to_preempt(const struct vcpu *v, s_time_t now)
{
    uint64_t most = v->sched.vtime + (uint64_t)WAKE_GRAIN;
    struct cpu *victim = NULL;

    for (uint64_t m = runqueue.busy_cpus & v->affinity; m; m &= m - 1) {
        struct cpu *c = cpu_by_id((unsigned int)__builtin_ctzll(m));
        uint64_t t = vtime_now(c->running, now);

        if (t > most) {
            most = t;
            victim = c;
        }
    }
    return victim;
}

/* v waits. An idle CPU is told, or one whose vCPU gives way; and from now on there are slices. */
static void find_cpu_for(const struct vcpu *v, s_time_t now)
{
    uint64_t idle = runqueue.idle_cpus & v->affinity, last = 1ull << v->sched.last_cpu;
    struct cpu *c;

    if (idle) {
        c = cpu_by_id(idle & last ? v->sched.last_cpu : (unsigned int)__builtin_ctzll(idle));
        runqueue.idle_cpus &= ~bit_of(c);
        cpu_raise(c, CPU_WORK_SCHEDULE);
        return;
    }
    c = whom_to_preempt(v, now);
    if (c) {
        runqueue.alone_cpus &= ~bit_of(c);
        cpu_raise(c, CPU_WORK_SCHEDULE);
    }
    for (; runqueue.alone_cpus; runqueue.alone_cpus &= runqueue.alone_cpus - 1)
        timer_set(&cpu_by_id((unsigned int)__builtin_ctzll(runqueue.alone_cpus))->slice,
                  now + SCHED_SLICE);
}

static void enqueue(struct vcpu *v, s_time_t now)
{
    struct list *at;

    if (v->sched.state != RUNSTATE_runnable)
        set_state(v, RUNSTATE_runnable, now);
    list_for_each (at, &runqueue.runnable)
        if (list_entry(at, struct vcpu, sched.link)->sched.vtime > v->sched.vtime)
            break;
    list_insert_before(at, &v->sched.link);
    v->sched.queued = true;
    find_cpu_for(v, now);
}

static struct vcpu *choose(const struct cpu *c, struct vcpu *prev)
{
    struct vcpu *first = first_for(c);

    if (!is_idle(prev) && vcpu_runnable(prev) && prev->affinity & bit_of(c) &&
        (!first || prev->sched.vtime <= first->sched.vtime))
        return prev;
    return first ? first : c->idle;
}

/* next runs on c now: the masks say so, and its slice begins. */
static void begin_slice(struct cpu *c, const struct vcpu *next, s_time_t now)
{
    struct runqueue *rq = &runqueue;
    s_time_t slice = SCHED_SLICE;

    rq->idle_cpus &= ~bit_of(c);
    rq->busy_cpus |= bit_of(c);
    rq->alone_cpus &= ~bit_of(c);
    if (is_idle(next)) {
        rq->idle_cpus |= bit_of(c);
        rq->busy_cpus &= ~bit_of(c);
        timer_stop(&c->slice);
        return;
    }
    if (list_empty(&rq->runnable)) {
        rq->alone_cpus |= bit_of(c);
        slice = CLOCK_REFRESH;
    }
    timer_set(&c->slice, now + MIN(slice, sched_cap_left(next->domain)));
}

static void slice_over(void *data)
{
    cpu_raise(data, CPU_WORK_SCHEDULE);
}

/* v has left this CPU: from here on another may take it, or free it. */
static void context_saved(struct vcpu *v)
{
    spin_lock(&runqueue.lock);
    __atomic_store_n(&v->sched.on_cpu, NULL, __ATOMIC_RELEASE);
    if (vcpu_runnable(v))
        enqueue(v, clock_now());
    spin_unlock(&runqueue.lock);
}

/* The second half, without the lock: the machine, and what the guests see of time. */
static void switch_vcpus(struct vcpu *prev, struct vcpu *next, s_time_t now)
{
    if (!is_idle(prev))
        vcpu_runstate_write(prev); /* its page tables are still loaded */
    machine_context_switch(prev, next);
    if (!is_idle(prev))
        context_saved(prev);
    if (!is_idle(next)) {
        vcpu_time_refresh(next, now);
        vcpu_areas_switched_in(next);
    }
}

void sched_schedule(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *prev = c->running, *next;
    s_time_t now;

    spin_lock(&runqueue.lock);
    now = clock_now();
    if (!is_idle(prev))
        account(prev, now);
    next = choose(c, prev);
    if (next != prev) {
        set_state(prev, state_off_cpu(prev), now);
        if (!is_idle(next)) {
            dequeue(next);
            WRITE_ONCE(next->sched.on_cpu, c);
            WRITE_ONCE(next->sched.last_cpu, c->id);
            next->sched.switched_in = now;
        }
        set_state(next, RUNSTATE_running, now);
        c->running = next;
    }
    begin_slice(c, next, now);
    spin_unlock(&runqueue.lock);
    if (next != prev)
        switch_vcpus(prev, next, now);
    else if (!is_idle(next))
        vcpu_time_refresh(next, now);
}

void vcpu_wake(struct vcpu *v)
{
    uint64_t floor;

    spin_lock(&runqueue.lock);
    if (!v->sched.queued && !v->sched.on_cpu && vcpu_runnable(v)) {
        floor = scaled(v, SCHED_SLICE);
        floor = runqueue.min_vtime > floor ? runqueue.min_vtime - floor : 0;
        v->sched.vtime = MAX(v->sched.vtime, floor);
        enqueue(v, clock_now());
    }
    spin_unlock(&runqueue.lock);
}

/* The lock is held. */
static void sleep_locked(struct vcpu *v)
{
    struct cpu *c = v->sched.on_cpu;

    if (vcpu_runnable(v))
        return;
    if (c) { /* when it leaves already, context_saved() looks */
        if (c->running == v)
            cpu_raise(c, CPU_WORK_SCHEDULE);
        return;
    }
    if (v->sched.queued)
        dequeue(v);
    set_state(v, idle_state(v), clock_now()); /* blocked and paused as well, for instance */
}

void vcpu_sleep(struct vcpu *v)
{
    spin_lock(&runqueue.lock);
    sleep_locked(v);
    spin_unlock(&runqueue.lock);
}

void sched_park(struct domain *d)
{
    struct vcpu *v;

    d->sched.parked = true;
    for_each_vcpu (d, v)
        sleep_locked(v);
}

void sched_yield(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *v = c->running;
    const struct vcpu *first;

    spin_lock(&runqueue.lock);
    account(v, clock_now());
    first = first_for(c);
    if (first) {
        v->sched.vtime = MAX(v->sched.vtime, first->sched.vtime + 1);
        cpu_raise(c, CPU_WORK_SCHEDULE);
    }
    spin_unlock(&runqueue.lock);
}

void sched_init(void)
{
    spin_lock_init(&runqueue.lock, RANK_SCHED);
    list_init(&runqueue.runnable);
    runqueue.min_vtime = 0;
    runqueue.idle_cpus = runqueue.busy_cpus = runqueue.alone_cpus = 0;
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
    v->sched.vtime = READ_ONCE(runqueue.min_vtime);
    list_init(&v->sched.link);
}

/* It was seen on no CPU; who cleared on_cpu is through with it when the lock was had once. */
void sched_destroy_vcpu(struct vcpu *v)
{
    spin_lock(&runqueue.lock);
    if (v->sched.queued)
        dequeue(v);
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
    for (unsigned int i = 0; i < ARRAY_SIZE(info->time); i++)
        info->time[i] = v->sched.time[i];
    if (now > v->sched.state_since)
        info->time[v->sched.state] += (uint64_t)(now - v->sched.state_since);
    spin_unlock(&runqueue.lock);
}
