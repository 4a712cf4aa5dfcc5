/* SPDX-License-Identifier: MIT */
/*
 * refused(): where an error that a guest caused is explained.
 *
 * A guest may provoke as many as it likes, so each domain may fill a few lines a second; the rest
 * is counted and the count is said (XSA-152). All of it comes out of the guest's share of the log.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

#define LINES_PER_SECOND 10

/* May d log one more line now? Says how many it could not, when a new second begins. */
static bool may_log(struct domain *d)
{
    uint64_t now = (uint64_t)clock_now(), since = READ_ONCE(d->refusals_logged_at), left;

    /* Race: of two vCPUs that meet a new second one begins it. */
    if (unlikely(now - since >= (uint64_t)SECONDS(1)) &&
        cmpxchg(&d->refusals_logged_at, since, now) == since) {
        left = xchg(&d->refusals, 0);
        if (left > LINES_PER_SECOND)
            log_guest(d, "d%u: %lu more requests were refused", d->domain_id,
                      left - LINES_PER_SECOND);
    }
    return atomic_add_return(&d->refusals, 1) <= LINES_PER_SECOND;
}

int refused_at(int rc, const char *file, int line, const char *fmt, ...)
{
    struct vcpu *v = current;
    char why[256] __uninitialized;
    va_list ap;

    if (!v || !may_log(v->domain))
        return rc;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    if (in_hypercall(v))
        log_guest(v->domain, "d%uv%u: %s: %s%s%s (error %d, %s:%d)", v->domain->domain_id,
                  v->vcpu_id, hypercall_name(v), v->hc_subop ? v->hc_subop : "",
                  v->hc_subop ? ": " : "", why, -rc, file, line);
    else
        log_guest(v->domain, "d%uv%u: %s (%s:%d)", v->domain->domain_id, v->vcpu_id, why, file,
                  line);
    return rc;
}
