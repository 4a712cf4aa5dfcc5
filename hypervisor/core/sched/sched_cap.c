/* SPDX-License-Identifier: MIT */
/*
 * Caps: at most so many percent of one CPU for all vCPUs of a domain together.
 *
 * Time is cut into periods. What a domain uses is charged to the period; when its share is used up,
 * the domain is parked: its vCPUs stay runnable for themselves (steal time grows) but are not
 * chosen until the period ends, when a timer lets them go on. What was used beyond the share (a
 * slice is not cut to the nanosecond) is carried over, so in the long run the cap is exact.
 *
 * Lock: runqueue.lock.
 */
#include <core/sched/sched.h>
#include <core/state/domain.h>
#include <port/machine.h>

#define CAP_PERIOD MILLISECS(100)

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

void sched_cap_charge(struct domain *d, s_time_t ns, s_time_t now)
{
    struct sched_domain *s = &d->sched;

    if (likely(!s->cap))
        return;
    s->cap_used += (uint64_t)ns;
    new_periods(s, now);
    if (s->cap_used >= share_of(s) && !s->parked) {
        sched_park(d);
        timer_set(&s->cap_timer, s->cap_period_start + CAP_PERIOD);
    }
}

s_time_t sched_cap_left(const struct domain *d)
{
    const struct sched_domain *s = &d->sched;

    if (likely(!s->cap))
        return INT64_MAX / 2;
    return s->cap_used >= share_of(s) ? 0 : (s_time_t)(share_of(s) - s->cap_used);
}

static void period_over(void *data)
{
    struct domain *d = data;
    struct sched_domain *s = &d->sched;
    bool over;
    struct vcpu *v;

    spin_lock(&runqueue.lock);
    new_periods(s, clock_now());
    over = s->cap && s->cap_used >= share_of(s);
    if (over)
        timer_set(&s->cap_timer, s->cap_period_start + CAP_PERIOD);
    else
        s->parked = false;
    spin_unlock(&runqueue.lock);
    if (over)
        return;
    for_each_vcpu (d, v)
        vcpu_wake(v);
}

void sched_init_domain(struct domain *d)
{
    d->sched.weight = SCHED_WEIGHT_DEFAULT;
    d->sched.cap = 0;
    timer_init(&d->sched.cap_timer, period_over, d);
}

void sched_destroy_domain(struct domain *d)
{
    timer_kill(&d->sched.cap_timer);
}

void sched_set_domain(struct domain *d, uint16_t weight, uint16_t cap)
{
    spin_lock(&runqueue.lock);
    d->sched.weight = weight;
    d->sched.cap = cap;
    d->sched.cap_used = 0;
    d->sched.cap_period_start = clock_now();
    if (d->sched.parked)
        timer_set(&d->sched.cap_timer, clock_now());
    spin_unlock(&runqueue.lock);
}
