/* SPDX-License-Identifier: MIT */
/*
 * Watchdogs: a domain asks to be ended unless it says again in time that it is alive. Each domain
 * has two timers.
 *
 * Race: one that goes off while the domain says that it is alive was due: it said so too late.
 *
 * Lock: d->lock guards which are in use. The callback runs without it; domain_shutdown() takes it.
 */
#include <core/base/log.h>
#include <core/life/life.h>
#include <core/life/watchdog.h>
#include <core/state/domain.h>
#include <port/machine.h>
#include <port/nospec.h>
#include <xen/errno.h>
#include <xen/sched.h>

static void expired(void *data)
{
    struct domain *d = data;

    if (READ_ONCE(d->dying) || READ_ONCE(d->shutting_down))
        return;
    log_end(d, LOG_WARNING, "%s (domain %u): its watchdog was not reset in time", d->name,
            d->domain_id);
    domain_shutdown(d, SHUTDOWN_watchdog);
}

void domain_watchdog_init(struct domain *d)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++)
        timer_init(&d->watchdog[i], expired, d);
}

void domain_watchdog_kill(struct domain *d)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++)
        timer_kill(&d->watchdog[i]);
}

/* The lock is held. */
static long start_one(struct domain *d, s_time_t deadline)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++) {
        if (d->watchdog_used & 1u << i)
            continue;
        d->watchdog_used |= 1u << i;
        timer_set(&d->watchdog[i], deadline);
        return i + 1;
    }
    return -XEN_ENOSPC;
}

long domain_watchdog_set(struct domain *d, uint32_t id, uint32_t timeout_s)
{
    s_time_t deadline = clock_now() + SECONDS(timeout_s);
    long rc = 0;

    if (id > ARRAY_SIZE(d->watchdog))
        return refused(-XEN_EINVAL, "there is no watchdog %u", id);
    if (id == 0 && timeout_s == 0)
        return refused(-XEN_EINVAL, "a watchdog of 0 seconds");
    id = (uint32_t)index_nospec(id, ARRAY_SIZE(d->watchdog) + 1);
    spin_lock(&d->lock);
    if (id == 0) {
        rc = start_one(d, deadline);
    } else if (!(d->watchdog_used & 1u << (id - 1))) {
        rc = -XEN_EINVAL;
    } else if (timeout_s == 0) {
        d->watchdog_used &= ~(1u << (id - 1));
        timer_stop(&d->watchdog[id - 1]);
    } else {
        timer_set(&d->watchdog[id - 1], deadline);
    }
    spin_unlock(&d->lock);
    return rc;
}
