/* SPDX-License-Identifier: MIT */
/*
 * event_channel_op: the operations on ports.
 *
 * Each changes state under the lock of the domain (two for a connection).
 *
 * The FIFO operations are refused: the 2-level ABI is all there is, and guests fall back to it.
 * XSA-47/107/188/358/359/505: impossible here.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <port/guest_access.h>
#include <xen/errno.h>
#include <xen/event_channel.h>

static long alloc_unbound(struct domain *self, struct evtchn_alloc_unbound *a)
{
    struct domain *d;
    int rc = get_domain_permitted(a->dom, &d);

    if (rc)
        return rc;
    if (a->remote_dom == DOMID_SELF)
        a->remote_dom = self->domain_id;
    rc = evtchn_alloc_unbound(d, a->remote_dom, NULL, &a->port);
    put_domain(d);
    return rc;
}

/* Both locks are held. */
static long connect(struct domain *ld, struct domain *rd, evtchn_port_t rport, evtchn_port_t *lport)
{
    struct evtchn *rchn = evtchn_named(&rd->evtchn, rport);
    const struct evtchn local = {
        .state = EVTCHNSTAT_interdomain, .remote_port = rport, .u.interdomain = {rd, rchn}};
    long rc;

    if (!rchn || rchn->state != EVTCHNSTAT_unbound || rchn->u.remote_dom != ld->domain_id)
        return -XEN_EINVAL;
    rc = evtchn_get_port(ld, &local, lport);
    if (rc)
        return rc;
    WRITE_ONCE(rchn->state, EVTCHNSTAT_interdomain);
    rchn->remote_port = *lport;
    rchn->u.interdomain.remote = ld;
    rchn->u.interdomain.end = evtchn_from_port(&ld->evtchn, *lport);
    /* ABI: an event may have been sent before somebody was there: the new end gets one. */
    evtchn_raise(ld, local.notify_vcpu, *lport);
    return 0;
}

static long bind_interdomain(struct domain *ld, struct evtchn_bind_interdomain *b)
{
    struct domain *rd = get_domain_for_guest(b->remote_dom);
    long rc;

    if (!rd)
        return -XEN_ESRCH;
    spin_lock_pair(&ld->evtchn.lock, &rd->evtchn.lock);
    rc = connect(ld, rd, b->remote_port, &b->local_port);
    spin_unlock_pair(&ld->evtchn.lock, &rd->evtchn.lock);
    if (rc)
        rc = refused((int)rc, "port %u of d%u does not wait for this domain", b->remote_port,
                     rd->domain_id);
    put_domain(rd);
    return rc;
}

static long bind_virq(struct domain *d, struct evtchn_bind_virq *b)
{
    struct vcpu *v = domain_vcpu(d, b->vcpu);

    if (!v)
        return refused(-XEN_ENOENT, "there is no vCPU %u", b->vcpu);
    return evtchn_bind_virq(v, b->virq, &b->port);
}

static long bind_ipi(struct domain *d, struct evtchn_bind_ipi *b)
{
    const struct evtchn ipi = {.state = EVTCHNSTAT_ipi, .notify_vcpu = (uint16_t)b->vcpu};
    int rc;

    if (!domain_vcpu(d, b->vcpu))
        return refused(-XEN_ENOENT, "there is no vCPU %u", b->vcpu);
    spin_lock(&d->evtchn.lock);
    rc = evtchn_get_port(d, &ipi, &b->port);
    spin_unlock(&d->evtchn.lock);
    return rc;
}

static long bind_pirq(struct domain *d, struct evtchn_bind_pirq *b)
{
    const struct evtchn pirq = {.state = EVTCHNSTAT_pirq, .u.pirq = b->pirq};
    int rc;

    if (!d->pirqs)
        return refused(-XEN_EPERM, "pirq %u: the domain has no hardware", b->pirq);
    spin_lock(&d->evtchn.lock);
    rc = evtchn_get_port(d, &pirq, &b->port);
    if (!rc) {
        rc = pirq_bind(d, b->pirq, b->port);
        if (rc)
            evtchn_free_port(d, b->port);
    }
    spin_unlock(&d->evtchn.lock);
    return rc;
}

static void fill_status(const struct evtchn *chn, struct evtchn_status *s)
{
    s->status = chn->state == ECS_RESERVED ? EVTCHNSTAT_closed : chn->state;
    s->vcpu = chn->notify_vcpu;
    switch (chn->state) {
    case EVTCHNSTAT_unbound:
        s->u.unbound.dom = chn->u.remote_dom;
        break;
    case EVTCHNSTAT_interdomain:
        s->u.interdomain.dom = chn->u.interdomain.remote->domain_id;
        s->u.interdomain.port = chn->remote_port;
        break;
    case EVTCHNSTAT_pirq:
        s->u.pirq = chn->u.pirq;
        break;
    case EVTCHNSTAT_virq:
        s->u.virq = chn->u.virq;
        break;
    default:
        break;
    }
}

static long status(const struct domain *self __unused, struct evtchn_status *s)
{
    const struct evtchn *chn;
    struct domain *d;
    int rc = get_domain_permitted(s->dom, &d);

    if (rc)
        return rc;
    spin_lock(&d->evtchn.lock);
    chn = evtchn_named(&d->evtchn, s->port);
    if (chn)
        fill_status(chn, s);
    else
        rc = -XEN_EINVAL; /* not logged: tools ask for port after port until they get this */
    spin_unlock(&d->evtchn.lock);
    put_domain(d);
    return rc;
}

static long bind_vcpu(struct domain *d, const struct evtchn_bind_vcpu *b)
{
    struct evtchn *chn;
    long rc = 0;

    if (!domain_vcpu(d, b->vcpu))
        return refused(-XEN_ENOENT, "there is no vCPU %u", b->vcpu);
    spin_lock(&d->evtchn.lock);
    chn = evtchn_named(&d->evtchn, b->port);
    if (!chn || chn->state == EVTCHNSTAT_closed || chn->state == EVTCHNSTAT_ipi ||
        chn->state == ECS_RESERVED ||
        (chn->state == EVTCHNSTAT_virq && !virq_is_global(chn->u.virq))) {
        rc = -XEN_EINVAL; /* ABI: an IPI or a vCPU's own VIRQ stays where it is */
    } else {
        WRITE_ONCE(chn->notify_vcpu, (uint16_t)b->vcpu); /* Race: senders hold their own lock */
    }
    spin_unlock(&d->evtchn.lock);
    return rc ? refused((int)rc, "port %u cannot be moved", b->port) : 0;
}

static long unmask(struct domain *d, const struct evtchn_unmask *u)
{
    return evtchn_unmask(d, u->port);
}

static long reset(struct domain *self __unused, const struct evtchn_reset *r)
{
    struct domain *d;
    int rc = get_domain_permitted(r->dom, &d);

    if (rc)
        return rc;
    rc = evtchn_close_all(d, false);
    put_domain(d);
    return rc;
}

static long close_port(struct domain *d, const struct evtchn_close *c)
{
    return evtchn_close(d, c->port, true);
}

static long send(struct domain *d, const struct evtchn_send *s)
{
    return evtchn_send(d, s->port);
}

/* ABI: a kernel asks for FIFO ports once, and for a priority of each vCPU's timer; it goes without.
 * No fault of its: not logged. */
static long left_out(struct domain *d __unused, const struct nothing *a __unused)
{
    return -XEN_ENOSYS;
}

/* clang-format off */
#define OPS(OP)                                                                          \
    OP(EVTCHNOP_send,             send,             const struct evtchn_send,       SUBOP_IN)    \
    OP(EVTCHNOP_unmask,           unmask,           const struct evtchn_unmask,     SUBOP_IN)    \
    OP(EVTCHNOP_alloc_unbound,    alloc_unbound,    struct evtchn_alloc_unbound,    SUBOP_INOUT) \
    OP(EVTCHNOP_bind_interdomain, bind_interdomain, struct evtchn_bind_interdomain, SUBOP_INOUT) \
    OP(EVTCHNOP_bind_virq,        bind_virq,        struct evtchn_bind_virq,        SUBOP_INOUT) \
    OP(EVTCHNOP_bind_ipi,         bind_ipi,         struct evtchn_bind_ipi,         SUBOP_INOUT) \
    OP(EVTCHNOP_bind_pirq,        bind_pirq,        struct evtchn_bind_pirq,        SUBOP_INOUT) \
    OP(EVTCHNOP_bind_vcpu,        bind_vcpu,        const struct evtchn_bind_vcpu,  SUBOP_IN)    \
    OP(EVTCHNOP_close,            close_port,       const struct evtchn_close,      SUBOP_IN)    \
    OP(EVTCHNOP_status,           status,           struct evtchn_status,           SUBOP_INOUT) \
    OP(EVTCHNOP_reset,            reset,            const struct evtchn_reset,      SUBOP_IN)    \
    OP(EVTCHNOP_init_control,     left_out,         const struct nothing,           SUBOP_NONE)  \
    OP(EVTCHNOP_set_priority,     left_out,         const struct nothing,           SUBOP_NONE)
SUBOPS_OF(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

/* Those that are called all the time, and whose argument is a port: the same, straight. */
static inline long on_port(long (*op)(struct domain *d, evtchn_port_t port), gva_t arg)
{
    int64_t port = read_guest_u32(arg);

    return likely(port >= 0) ? op(current->domain, (evtchn_port_t)port) : port;
}

long do_event_channel_op(unsigned int cmd, gva_t arg)
{
    if (cmd == EVTCHNOP_send && !subop_show)
        return on_port(evtchn_send, arg);
    if (cmd == EVTCHNOP_unmask && !subop_show)
        return on_port(evtchn_unmask, arg);
    return subop_run(&operations, cmd, arg, current->domain);
}
