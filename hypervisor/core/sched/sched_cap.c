/* SPDX-License-Identifier: MIT */
/*
 * Caps: at most so many percent of one CPU for all vCPUs of a domain together. And what else is set
 * for a domain.
 *
 * Time is cut into periods. What a domain uses is charged to the period; when its share is used up,
 * the domain is parked: its vCPUs stay runnable for themselves (steal time grows) but are not
 * chosen until the period ends, when a timer lets them go on. With several of them on CPUs the rest
 * of a share is used so much faster, and each gets so much less of a slice. What was used beyond
 * the share (the others hear of the end a moment later) is carried over, so in the long run the cap
 * is exact.
 *
 * Lock: runqueue.lock.
 */
#include <core/sched/runqueue.h>
#include <port/current.h>
#include <port/machine.h>

#define CAP_PERIOD MILLISECS(100)
#define LONG_SLICE SECONDS(1) /* a guest's clock is renewed then */
#define LEAST_LEFT MICROSECS(50)
/* Below this weight slices are shorter, so that a domain does not leap too far ahead. */
#define LIGHT       64
#define SLICE_LEAST MILLISECS(1)

static uint64_t share_of(const struct sched_domain *s)
{
    return (uint64_t)CAP_PERIOD / 100 * s->cap;
}

/* Begins the period that now lies in; what was used too much stays on the account. */
static void new_periods(struct sched_domain *s, s_time_t now)
{
    uint64_t periods, paid;

    if (now - s->cap_period_start < CAP_PERIOD)
        return;
    periods = (uint64_t)(now - s->cap_period_start) / (uint64_t)CAP_PERIOD;
    paid = MIN(periods, 1000000) * share_of(s);
    s->cap_used = s->cap_used > paid ? s->cap_used - paid : 0;
    s->cap_period_start += (s_time_t)(periods * (uint64_t)CAP_PERIOD);
}

void sched_cap_charge(struct sched_domain *s, uint64_t ns, s_time_t now)
{
    if (likely(!s->cap))
        return;
    s->cap_used += ns;
    new_periods(s, now);
}

bool sched_cap_over(const struct sched_domain *s)
{
    return unlikely(s->cap) && s->cap_used >= share_of(s);
}

static s_time_t cut(const struct sched_domain *s, s_time_t slice)
{
    s_time_t left;

    if (likely(!s->cap))
        return slice;
    left = sched_cap_over(s) ? 0 : (s_time_t)((share_of(s) - s->cap_used) / MAX(s->running, 1u));
    return MIN(slice, MAX(left, LEAST_LEFT));
}

s_time_t sched_slice_of(const struct domain *d)
{
    return cut(&d->sched, d->sched.slice);
}

s_time_t sched_long_slice_of(const struct domain *d)
{
    return cut(&d->sched, LONG_SLICE);
}

/* The CPUs that run d choose again. */
static void raise_cpus_of(const struct domain *d)
{
    for (uint64_t m = runqueue.busy_cpus; m; m &= m - 1) {
        struct cpu *c = cpu_by_id((unsigned int)__builtin_ctzll(m));

        if (c->running->domain == d)
            cpu_raise(c, CPU_WORK_SCHEDULE);
    }
}

void sched_park(struct domain *d)
{
    sched_set_parked(d, true, 0);
    timer_set(&d->sched.cap_timer, d->sched.cap_period_start + CAP_PERIOD);
    raise_cpus_of(d);
}

static void unpark(struct domain *d, s_time_t now)
{
    struct list *at;

    sched_account(d, now);
    sched_forget_lag(&d->sched, runqueue.latitude);
    sched_set_parked(d, false, now);
    list_for_each (at, &d->sched.vcpus)
        sched_find_cpu(list_entry(at, struct vcpu, sched.link), now);
}

static void period_over(void *data)
{
    struct domain *d = data;
    struct sched_domain *s = &d->sched;
    s_time_t now;

    spin_lock(&runqueue.lock);
    now = clock_now();
    new_periods(s, now);
    if (sched_cap_over(s))
        timer_set(&s->cap_timer, s->cap_period_start + CAP_PERIOD);
    else if (s->parked)
        unpark(d, now);
    spin_unlock(&runqueue.lock);
}

static void set_weight(struct sched_domain *s, uint16_t weight)
{
    s->weight = MAX(weight, (uint16_t)1);
    s->slice = MIN(MAX(SCHED_SLICE * s->weight / LIGHT, SLICE_LEAST), SCHED_SLICE);
    s->slice_worth = (uint64_t)s->slice * SCHED_WEIGHT_DEFAULT / s->weight;
}

void sched_init_domain(struct domain *d)
{
    set_weight(&d->sched, SCHED_WEIGHT_DEFAULT);
    list_init(&d->sched.vcpus);
    list_init(&d->sched.link);
    timer_init(&d->sched.cap_timer, period_over, d);
    spin_lock(&runqueue.lock);
    d->sched.vtime = runqueue.vtime;
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
    s_time_t now;

    spin_lock(&runqueue.lock);
    now = clock_now();
    sched_account(d, now);
    set_weight(s, weight);
    s->cap = cap;
    s->cap_used = 0;
    s->cap_period_start = now;
    if (s->parked)
        unpark(d, now);
    raise_cpus_of(d); /* their slices are others now */
    spin_unlock(&runqueue.lock);
}
