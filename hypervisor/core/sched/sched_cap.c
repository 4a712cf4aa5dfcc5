/* SPDX-License-Identifier: MIT */
/*
 * Caps: at most so many percent of one CPU for all vCPUs of a domain together. And what else is set
 * for a domain.
 *
 * A domain with a cap of 334 has three vCPUs that are active all the time, and a fourth for a third
 * of it. Active is who runs or waits to run; the others, runnable for themselves (steal time
 * grows), rest: they are in no queue but the domain's own, so that for the rest of the scheduler
 * the domain is one with fewer vCPUs. Those that rest become active in turns: in the place of one
 * that sleeps, or has used a slice more than they have.
 *
 * Its account (cap_left) grows with time as the cap says, and shrinks by what the domain uses.
 * While there is something on it, one more may be active than whole CPUs are in the cap; when it is
 * used up the domain is dry, and one rests, until a portion has gathered again. So a share is not
 * used by all vCPUs at once, with nobody to use the CPUs when it is gone. While nobody else waits
 * it harms nobody to use a share before its time: the account may be overdrawn. (Else several that
 * are dry at one time leave CPUs idle which others need at another.)
 *
 * vCPUs of a capped domain with affinities of their own take turns as well. Who is active and waits
 * for its one CPU is found stuck, and another is active too: at once, when that one could have a
 * CPU that idles, by itself or by an exchange; soon, when it could wait where none of them waits.
 * But nobody is spared the turn of one that has to run where others need the CPU.
 *
 * Lock: runqueue.lock.
 */
#include <core/sched/runqueue.h>
#include <port/current.h>
#include <port/machine.h>

#define PERIOD     MILLISECS(100) /* cap_left holds the share of so long, at least */
#define WORTH      (MILLISECS(10) * 100)
#define LONG_SLICE SECONDS(1) /* a guest's clock is renewed then */
#define LEAST_LEFT MICROSECS(50)
#define STUCK      MICROSECS(100)
#define STUCK_LATE MICROSECS(500) /* it is noticed */
/* Below this weight slices are shorter, so that a domain does not leap too far ahead. */
#define LIGHT       64
#define SLICE_LEAST MILLISECS(1)

/* How fast cap_left grows, or shrinks. */
static s_time_t rate(const struct sched_domain *s)
{
    return (s_time_t)s->cap - 100 * (s_time_t)s->running;
}

/* What gathers until one more may be active: in a period, or what is worth a switch. */
static s_time_t portion(const struct sched_domain *s)
{
    return s->cap % 100u ? MIN(s->cap % 100u * PERIOD, WORTH) : WORTH;
}

/* What is left, with what may be overdrawn. */
static s_time_t left(const struct sched_domain *s)
{
    return s->cap_left + s->cap * PERIOD;
}

/* Of those that rest, who could have a CPU that idles. */
static struct vcpu *could_run(struct sched_domain *s)
{
    return sched_waits_for(&s->resting, &s->resting_for, sched_leads_to_idle());
}

/* And who a CPU where none of those that wait may run. */
static struct vcpu *could_wait_elsewhere(const struct sched_domain *s)
{
    uint64_t cpus = started_cpus();
    const struct vcpu *v;

    list_for_each (v, &s->vcpus, sched.link)
        cpus &= ~v->affinity;
    return sched_first_of(&s->resting, cpus);
}

/* What has gathered until one more may be active: to begin before its time takes a CPU that idles,
 * and a portion of what may be overdrawn. */
static s_time_t gathered(struct sched_domain *s)
{
    return could_run(s) || left(s) < portion(s) ? left(s) : s->cap_left;
}

/* It holds two portions at least: one gathers while with the other a CPU is waited for. */
void sched_cap_charge(struct sched_domain *s, s_time_t elapsed)
{
    s->cap_left =
        MIN(s->cap_left + MIN(elapsed, LONG_SLICE) * rate(s), MAX(s->cap * PERIOD, 2 * portion(s)));
}

int sched_cap_room(const struct sched_domain *s)
{
    return (int)(s->cap / 100u + !s->cap_dry) - (int)(s->running + s->waiting - s->stuck);
}

s_time_t sched_slice_of(const struct domain *d, bool alone)
{
    const struct sched_domain *s = &d->sched;
    s_time_t slice = alone ? LONG_SLICE : s->slice;

    if (likely(!s->cap) || rate(s) >= 0)
        return slice;
    return MIN(slice, MAX((s->cap_left > 0 ? s->cap_left : left(s)) / -rate(s), LEAST_LEFT));
}

void sched_rest(struct vcpu *v, s_time_t now)
{
    v->sched.resting = true;
    sched_insert(v, now);
    sched_nobody_is_alone(now);
}

static void activate(struct vcpu *v, s_time_t now)
{
    sched_remove(v, now);
    sched_begin_wait(v->domain, now);
    sched_insert(v, now);
    v->sched.switched_in = now;
    sched_find_cpu(v, false, now);
}

/* Who waits in vain keeps nobody from being active who could run at once; nor, when it has waited
 * for long, who could wait elsewhere. Once stuck it stays so: it has its place in the queue. */
static void find_stuck(struct sched_domain *s, s_time_t now)
{
    bool run = could_run(s), elsewhere = could_wait_elsewhere(s);
    struct vcpu *v;

    list_for_each (v, &s->vcpus, sched.link) {
        s_time_t waited = now - MAX(v->sched.state_since, v->sched.switched_in);

        s->stuck -= v->sched.stuck;
        v->sched.stuck |= (run && !sched_is_told_of(v)) || (elsewhere && waited >= STUCK);
        s->stuck += v->sched.stuck;
    }
}

/* As many are active as may be; it is looked at again when it may be one more. */
static void fit(struct domain *d, s_time_t now)
{
    struct sched_domain *s = &d->sched;
    s_time_t soon = INT64_MAX;
    struct vcpu *v;

    find_stuck(s, now);
    while (sched_cap_over(s) && !list_empty(&s->vcpus)) {
        v = list_entry(s->vcpus.prev, struct vcpu, sched.link);
        sched_remove(v, now);
        sched_rest(v, now);
    }
    while ((!s->cap || sched_cap_room(s) > 0) && !list_empty(&s->resting)) {
        v = s->stuck ? could_run(s) : sched_first_resting(s); /* who gains by it; else by turns */
        if (!v)
            v = could_wait_elsewhere(s);
        activate(v ? v : sched_first_resting(s), now);
        find_stuck(s, now);
    }
    if (s->waiting > s->stuck && could_wait_elsewhere(s))
        soon = STUCK_LATE;
    if (s->cap_dry && rate(s) > 0)
        soon = MIN(soon, MAX(portion(s) - gathered(s), 0) / rate(s) + LEAST_LEFT);
    if (sched_first_resting(s) && soon < INT64_MAX)
        timer_set(&s->cap_timer, now + soon);
}

/* When it has so much. */
static bool is_dry(const struct sched_domain *s, s_time_t has)
{
    return s->cap && (left(s) <= 0 || (s->cap_dry && has < portion(s)));
}

void sched_cap_look(struct domain *d, s_time_t now)
{
    struct sched_domain *s = &d->sched;

    sched_account(d, now);
    s->cap_dry = is_dry(s, gathered(s));
    fit(d, now);
}

void sched_cap_turn(struct vcpu *prev, s_time_t now)
{
    struct sched_domain *s = &prev->domain->sched;
    struct vcpu *v;

    /* Overdrawn: who waits comes first. But prev may overdraw where a CPU idles; to have it rest,
     * and at once be active, would be to cross the exchange that makes it room there. */
    if (s->cap_left < 0 && rate(s) < 0 && !(prev->affinity & sched_leads_to_idle()) &&
        (this_cpu()->next || sched_first_for(this_cpu(), now))) {
        s->cap_dry = true;
        fit(prev->domain, now);
    } else {
        sched_cap_look(prev->domain, now);
    }
    v = sched_first_resting(s);
    if (v && !sched_cap_over(s) &&
        (!vcpu_runnable(prev) || sched_used(prev, now) >= v->sched.used + (uint64_t)s->slice))
        activate(v, now);
}

/* One walk, for one; the CPU that is told chooses, and looks for the next. */
void sched_cap_fill_idle(s_time_t now)
{
    struct domain *d;

    list_for_each (d, &runqueue.resting, sched.in_resting) {
        struct sched_domain *s = &d->sched;

        sched_account(d, now);
        if (s->running >= s->cap / 100u + !is_dry(s, left(s)) || !could_run(s))
            continue;
        sched_cap_look(d, now);
        return;
    }
}

static void portion_gathered(void *data)
{
    spin_lock(&runqueue.lock);
    sched_cap_look(data, clock_now());
    spin_unlock(&runqueue.lock);
}

static void set_weight(struct sched_domain *s, uint16_t weight)
{
    if (s->running)
        runqueue.weights += MAX(weight, (uint16_t)1) - s->weight;
    s->weight = MAX(weight, (uint16_t)1);
    s->slice = MIN(MAX(SCHED_SLICE * s->weight / LIGHT, SLICE_LEAST), SCHED_SLICE);
    s->slice_worth = (uint64_t)s->slice * SCHED_WEIGHT_DEFAULT / s->weight;
}

void sched_init_domain(struct domain *d)
{
    set_weight(&d->sched, SCHED_WEIGHT_DEFAULT);
    list_init(&d->sched.vcpus);
    list_init(&d->sched.link);
    list_init(&d->sched.resting);
    list_init(&d->sched.in_resting);
    timer_init(&d->sched.cap_timer, portion_gathered, d);
    spin_lock(&runqueue.lock);
    sched_account(d, clock_now());
    d->sched.vtime = runqueue.front;
    list_insert_before(&runqueue.all, &d->sched.in_all);
    spin_unlock(&runqueue.lock);
}

void sched_destroy_domain(struct domain *d)
{
    timer_kill(&d->sched.cap_timer);
    spin_lock(&runqueue.lock);
    list_del(&d->sched.in_all);
    spin_unlock(&runqueue.lock);
}

void sched_set_domain(struct domain *d, uint16_t weight, uint16_t cap)
{
    struct sched_domain *s = &d->sched;
    struct vcpu *v;

    spin_lock(&runqueue.lock);
    sched_account(d, clock_now());
    set_weight(s, weight);
    if (cap != s->cap)
        s->cap_left = 0;
    s->cap = cap;
    sched_cap_look(d, clock_now());
    for_each_vcpu (d, v) /* their slices are others now */
        if (v->sched.on_cpu)
            cpu_raise(v->sched.on_cpu, CPU_WORK_SCHEDULE);
    spin_unlock(&runqueue.lock);
}
