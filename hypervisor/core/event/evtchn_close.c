/* SPDX-License-Identifier: MIT */
/*
 * Closing ports: one, all of a domain's (EVTCHNOP_reset), and at its end.
 *
 * An interdomain port is closed with both domains' locks; the other end becomes unbound, open to
 * the same domain again. As locks of one rank are taken by address, the own lock is dropped to take
 * both, and everything is looked at again after that.
 *
 * XSA-344: closing all gives way now and then and remembers how far it came. The guest's reset and
 * the teardown have a place each for that: a reset that was left half done must not make the
 * teardown skip ports, for a peer would go on sending to a domain that is gone. XSA-343: sends and
 * closes are safe against each other because each holds the lock of the port it looks at.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <xen/errno.h>

#define PORTS_PER_CHECK 32 /* a closing is some 500 instructions */

static void unlock_with_peer(struct domain *d, struct domain *remote)
{
    if (remote && remote != d) {
        spin_unlock_pair(&d->evtchn.lock, &remote->evtchn.lock);
        put_domain(remote);
    } else {
        spin_unlock(&d->evtchn.lock);
    }
}

/* Takes both locks when port is connected to another domain: *remote, or NULL. It cannot change
 * while they are held. Another domain is referenced from before the own lock is dropped: it might
 * end meanwhile. */
static void lock_with_peer(struct domain *d, evtchn_port_t port, struct domain **remote)
{
    struct evtchn_table *t = &d->evtchn;
    struct domain *rd = NULL; /* another one */

    for (;;) {
        const struct evtchn *chn;
        struct domain *now = NULL;

        if (rd)
            spin_lock_pair(&t->lock, &rd->evtchn.lock);
        else
            spin_lock(&t->lock);
        chn = evtchn_named(t, port);
        if (chn && chn->state == EVTCHNSTAT_interdomain)
            now = chn->u.interdomain.remote;
        if (now == rd || (now == d && !rd)) {
            *remote = now;
            return;
        }
        if (now && now != d)
            get_knownalive_domain(now); /* its port is open: its teardown is not at the end */
        unlock_with_peer(d, rd);
        rd = now == d ? NULL : now;
    }
}

static void clear_virq(struct domain *d, uint32_t virq, evtchn_port_t port)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v->virq_port[virq] == port)
            v->virq_port[virq] = 0;
}

/* Locks as lock_with_peer() takes them. */
static int close_locked(struct domain *d, struct domain *remote, evtchn_port_t port, bool by_guest)
{
    struct evtchn *chn = evtchn_from_port(&d->evtchn, port), *other;

    if (by_guest && chn->hv_fn)
        return -XEN_EINVAL;
    switch (chn->state) {
    case EVTCHNSTAT_closed:
    case ECS_RESERVED:
        return -XEN_EINVAL;
    case EVTCHNSTAT_pirq:
        pirq_unbind(d, chn->u.pirq);
        break;
    case EVTCHNSTAT_virq:
        clear_virq(d, chn->u.virq, port);
        break;
    case EVTCHNSTAT_interdomain:
        other = evtchn_from_port(&remote->evtchn, chn->remote_port);
        if (other != chn) {
            WRITE_ONCE(other->state, EVTCHNSTAT_unbound);
            other->u.remote_dom = d->domain_id;
        }
        break;
    default:
        break;
    }
    evtchn_free_port(d, port);
    return 0;
}

int evtchn_close(struct domain *d, evtchn_port_t port, bool by_guest)
{
    struct domain *remote;
    int rc = -XEN_EINVAL;

    lock_with_peer(d, port, &remote);
    if (evtchn_named(&d->evtchn, port))
        rc = close_locked(d, remote, port, by_guest);
    unlock_with_peer(d, remote);
    return rc ? refused(rc, "port %u of d%u is not open, or not the guest's to close", port,
                        d->domain_id)
              : 0;
}

/* The next port to be closed, from one on; `end`: there is none before. */
static evtchn_port_t next_open(struct domain *d, evtchn_port_t port, evtchn_port_t end, bool hv)
{
    struct evtchn_table *t = &d->evtchn;

    spin_lock(&t->lock);
    for (; port < end; port++) {
        const struct evtchn *chn = evtchn_named(t, port);

        if (chn && chn->state != EVTCHNSTAT_closed && (hv || !chn->hv_fn))
            break;
    }
    spin_unlock(&t->lock);
    return port;
}

/* Race: two resets at once go their own ways through the ports. Either may take the place that the
 * other left: all below it has been closed. */
int evtchn_close_all(struct domain *d, bool hv)
{
    evtchn_port_t *place = &d->evtchn.close_next[hv], first = READ_ONCE(*place), port = first;

    while (port < d->evtchn.max_ports) {
        evtchn_port_t end = MIN(ROUND_UP(port + 1, PORTS_PER_CHECK), d->evtchn.max_ports);

        /* Each turn gets beyond where it began. */
        if (port % PORTS_PER_CHECK == 0 && port != first && hypercall_preempt_check()) {
            WRITE_ONCE(*place, port);
            return -XEN_ERESTART;
        }
        port = next_open(d, port, end, hv);
        if (port < end && evtchn_close(d, port++, !hv))
            log_guest(d, "d%u: port %u was closed meanwhile", d->domain_id, port - 1);
    }
    WRITE_ONCE(*place, 0);
    return 0;
}
