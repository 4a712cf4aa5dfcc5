/* SPDX-License-Identifier: MIT */
/*
 * The end of a domain: everything it has goes back, in bounded steps.
 *
 * domain_kill() is called again as long as it returns -XEN_ERESTART; d->relinquish_step says where
 * it goes on. The steps are in the order in which things hold each other: nobody may send to it or
 * map its grants any more; then what it has mapped of others; then the page tables of its vCPUs;
 * then its frames; then the pages that the hypervisor shared with it; at the end what it kept for
 * it. A frame that another domain still has mapped stays owned by the dead domain until it is
 * unmapped, and the struct stays with it.
 *
 * Lock: d->lock for the mark; the caller (domctl: one operation a domain at a time) makes sure that
 * two do not kill the same domain at once.
 */
#include <core/base/log.h>
#include <core/base/log_share.h>
#include <core/console/console.h>
#include <core/domain/claim.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/in_flight.h>
#include <core/event/pirq.h>
#include <core/event/vcpu_timer.h>
#include <core/grant/grant_table.h>
#include <core/life/life.h>
#include <core/life/relinquish.h>
#include <core/life/vcpu_info.h>
#include <core/life/watchdog.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/current.h>
#include <xen/errno.h>

enum step { MARK, EVENTS, MAPPINGS, VCPUS, IN_FLIGHT, MEMORY, SHARED, TABLES, LAST, DONE };

/* Nobody of d runs from here on, and nothing wakes it. */
static void mark_dying(struct domain *d)
{
    struct vcpu *v;

    spin_lock(&d->lock);
    spin_lock(&d->evtchn.lock); /* Race: whoever makes a port looks at `dying` under this lock */
    WRITE_ONCE(d->dying, true);
    spin_unlock(&d->evtchn.lock);
    spin_unlock(&d->lock);
    domain_pause(d);
    domain_console_end(d);
    log_share_leave(d);
    domain_watchdog_kill(d);
    sched_destroy_domain(d);
    for_each_vcpu (d, v)
        vcpu_timer_kill_all(v);
    claim_end(d);
    if (control_domain == d)
        control_domain = NULL;
}

static int unmap_vcpu_infos(struct domain *d)
{
    struct vcpu *v;

    pirq_table_free(d);
    console_ring_detach(d);
    for_each_vcpu (d, v)
        vcpu_info_unmap(v);
    return d->ops->relinquish_vcpus(d);
}

static int unshare_pages(struct domain *d)
{
    struct vcpu *v;
    struct shared_info *s = d->shared_info;

    for_each_vcpu (d, v)
        v->vcpu_info = &v->own_info;
    WRITE_ONCE(d->shared_info, NULL);
    unshare_hv_page(s);
    return grant_table_free_frames(d);
}

/* What the hypervisor kept for the living. The struct stays as long as somebody has a frame of d
 * mapped; this does not, or a domain with large tables could leave them behind at each end. */
static int release_tables(struct domain *d)
{
    struct vcpu *v;
    int rc = grant_table_release_tables(d);

    if (rc)
        return rc;
    spin_lock(&d->evtchn.lock);
    evtchn_free_tables(d);
    spin_unlock(&d->evtchn.lock);
    for_each_vcpu (d, v)
        d->ops->vcpu_free(v);
    return 0;
}

static int do_step(struct domain *d, enum step step)
{
    switch (step) {
    case MARK:
        mark_dying(d);
        return 0;
    case EVENTS:
        return evtchn_close_all(d, true);
    case MAPPINGS:
        return grant_table_release_mappings(d);
    case VCPUS:
        return unmap_vcpu_infos(d);
    case IN_FLIGHT:
        return in_flight_end(d);
    case MEMORY:
        return relinquish_memory(d);
    case SHARED:
        return unshare_pages(d);
    case TABLES:
        return release_tables(d);
    default: /* LAST: the struct waits for references */
        send_global_virq(VIRQ_DOM_EXC);
        put_domain(d);
        return 0;
    }
}

int domain_kill(struct domain *d)
{
    if (d == current->domain)
        return refused(-XEN_EINVAL, "a domain cannot destroy itself");
    while (d->relinquish_step < DONE) {
        int rc = do_step(d, (enum step)d->relinquish_step);

        if (rc)
            return rc;
        d->relinquish_step++;
    }
    return 0;
}
