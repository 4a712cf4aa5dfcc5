/* SPDX-License-Identifier: MIT */
/*
 * The timers of a vCPU: one that goes off once, one periodic; both raise VIRQ_TIMER. And the
 * timeout of SCHEDOP_poll.
 *
 * set_timer_op is the older way to set the first. ABI: 0 stops it; a time far in the past or
 * absurdly far ahead is taken for a guest whose arithmetic overflowed, and goes off soon rather
 * than never.
 *
 * XSA-20: a period is at least a millisecond and bounded, so that neither the sum nor the number of
 * interrupts gets out of hand.
 *
 * Race: a callback may run on another CPU while the guest sets or stops its timer. One that goes
 * off was due: an event that comes just behind the guest's change is one from just before it. The
 * periodic one looks for a period, which is 0 before its timer is stopped, and sets itself again
 * only where nobody has set it since. A poll's may end the next poll, as an event that is late
 * does.
 *
 * Locks: the timer queue's.
 */
#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/event/vcpu_timer.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/vcpu.h>

#define PERIOD_MIN MILLISECS(1)
#define PERIOD_MAX ((s_time_t)1 << 62)
#define FAR_AHEAD  ((s_time_t)1 << 50) /* 13 days */

static void singleshot_expired(void *data)
{
    count_event_anywhere(data, COUNTER_timers);
    send_vcpu_virq(data, VIRQ_TIMER);
}

static void periodic_expired(void *data)
{
    struct vcpu *v = data;
    s_time_t now = clock_now(), period = READ_ONCE(v->period);
    s_time_t next = READ_ONCE(v->periodic.deadline) + period;

    if (!period)
        return;
    /* Ticks that were missed are not made up for. */
    if (next <= now)
        next = now + period;
    count_event_anywhere(v, COUNTER_timers);
    send_vcpu_virq(v, VIRQ_TIMER);
    timer_set_again(&v->periodic, next);
}

static void poll_expired(void *data)
{
    struct vcpu *v = data;

    if (READ_ONCE(v->pause_flags) & VPF_polling)
        vcpu_unblock(v); /* model: poll_expired.end */
}

void vcpu_timer_init(struct vcpu *v)
{
    timer_init(&v->singleshot, singleshot_expired, v);
    timer_init(&v->periodic, periodic_expired, v);
    timer_init(&v->poll_timer, poll_expired, v);
}

void vcpu_timer_kill_all(struct vcpu *v)
{
    timer_kill(&v->singleshot);
    timer_kill(&v->periodic);
    timer_kill(&v->poll_timer);
}

long vcpu_set_singleshot(struct vcpu *v, const struct vcpu_set_singleshot_timer *set)
{
    s_time_t at = (s_time_t)MIN(set->timeout_abs_ns, (uint64_t)INT64_MAX);

    if (v != current)
        return refused(-XEN_EINVAL, "timer of vcpu %u", v->vcpu_id);
    if ((set->flags & VCPU_SSHOTTMR_future) && at < clock_now())
        return -XEN_ETIME;
    timer_set(&v->singleshot, at);
    return 0;
}

long vcpu_set_periodic(struct vcpu *v, const struct vcpu_set_periodic_timer *set)
{
    uint64_t period = set->period_ns;

    if (period < (uint64_t)PERIOD_MIN || period > (uint64_t)PERIOD_MAX - (uint64_t)clock_now())
        return refused(-XEN_EINVAL, "a period of %lu ns", period);
    WRITE_ONCE(v->period, (s_time_t)period);
    timer_set(&v->periodic, clock_now() + (s_time_t)period);
    return 0;
}

/* ABI: see above */
static __noinline s_time_t soon_if_absurd(s_time_t at)
{
    s_time_t now = clock_now();

    return at < 0 || (at > now && at - now > FAR_AHEAD) ? now + MILLISECS(100) : at;
}

long do_set_timer_op(int64_t timeout)
{
    struct vcpu *v = current;

    if (timeout == 0) {
        timer_stop(&v->singleshot);
        return 0;
    }
    /* What is not far from when v began to run is no farther from now, and the clock is dear. */
    if (unlikely(timeout < 0 || timeout > v->sched.state_since + FAR_AHEAD))
        timeout = soon_if_absurd(timeout);
    timer_set(&v->singleshot, timeout);
    return 0;
}
