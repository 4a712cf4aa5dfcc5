/* SPDX-License-Identifier: MIT */
/*
 * event_channel_op: the operations on ports.
 *
 * Each copies its argument in once, checks, and changes state under the lock of the domain (two for
 * a connection). An operation that returns a port writes it back last; when that fails the port
 * stays, as it does on Xen: the guest can find it by status or reset.
 *
 * The FIFO operations are refused: the 2-level ABI is all there is, and guests fall back to it.
 * XSA-47/107/188/358/359/505: impossible here.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <xen/errno.h>
#include <xen/event_channel.h>

static long alloc_unbound(gva_t arg)
{
    struct evtchn_alloc_unbound a;
    struct domain *d;
    long rc;

    if (copy_from_guest(&a, arg, sizeof(a)))
        return -XEN_EFAULT;
    d = get_domain_for_guest(a.dom);
    if (!d)
        return -XEN_ESRCH;
    if (d != current->domain && !current->domain->is_control) {
        rc = refused(-XEN_EPERM, "a port for d%u", d->domain_id);
        goto out;
    }
    if (a.remote_dom == DOMID_SELF)
        a.remote_dom = current->domain->domain_id;
    rc = evtchn_alloc_unbound(d, a.remote_dom, &a.port);
    if (!rc)
        rc = copy_to_guest(arg, &a, sizeof(a));
out:
    put_domain(d);
    return rc;
}

/* Both locks are held. */
static long connect(struct domain *ld, struct domain *rd, evtchn_port_t rport, evtchn_port_t *lport)
{
    struct evtchn *lchn, *rchn;
    long rc;

    if (!evtchn_port_valid(&rd->evtchn, rport))
        return -XEN_EINVAL;
    rchn = evtchn_from_port(&rd->evtchn, rport);
    if (rchn->state != EVTCHNSTAT_unbound || rchn->u.unbound.remote_dom != ld->domain_id)
        return -XEN_EINVAL;
    rc = evtchn_get_port(ld, EVTCHNSTAT_interdomain, lport);
    if (rc)
        return rc;
    lchn = evtchn_from_port(&ld->evtchn, *lport);
    lchn->u.interdomain.remote = rd;
    lchn->u.interdomain.remote_port = rport;
    rchn->state = EVTCHNSTAT_interdomain;
    rchn->u.interdomain.remote = ld;
    rchn->u.interdomain.remote_port = *lport;
    /* ABI: an event may have been sent before somebody was there: the new end gets one. */
    evtchn_set_pending(ld->vcpu[lchn->notify_vcpu], *lport);
    return 0;
}

static long bind_interdomain(gva_t arg)
{
    struct evtchn_bind_interdomain b;
    struct domain *ld = current->domain, *rd;
    long rc;

    if (copy_from_guest(&b, arg, sizeof(b)))
        return -XEN_EFAULT;
    rd = get_domain_for_guest(b.remote_dom);
    if (!rd)
        return -XEN_ESRCH;
    spin_lock_pair(&ld->evtchn.lock, &rd->evtchn.lock);
    rc = connect(ld, rd, b.remote_port, &b.local_port);
    spin_unlock_pair(&ld->evtchn.lock, &rd->evtchn.lock);
    if (rc)
        rc = refused((int)rc, "port %u of d%u does not wait for this domain", b.remote_port,
                     rd->domain_id);
    put_domain(rd);
    return rc ? rc : copy_to_guest(arg, &b, sizeof(b));
}

static long bind_virq(gva_t arg)
{
    struct evtchn_bind_virq b;
    struct vcpu *v;
    long rc;

    if (copy_from_guest(&b, arg, sizeof(b)))
        return -XEN_EFAULT;
    v = domain_vcpu(current->domain, b.vcpu);
    if (!v)
        return refused(-XEN_ENOENT, "there is no vCPU %u", b.vcpu);
    rc = evtchn_bind_virq(v, b.virq, &b.port);
    return rc ? rc : copy_to_guest(arg, &b, sizeof(b));
}

static long bind_ipi(gva_t arg)
{
    struct evtchn_bind_ipi b;
    struct domain *d = current->domain;
    long rc;

    if (copy_from_guest(&b, arg, sizeof(b)))
        return -XEN_EFAULT;
    if (!domain_vcpu(d, b.vcpu))
        return refused(-XEN_ENOENT, "there is no vCPU %u", b.vcpu);
    spin_lock(&d->evtchn.lock);
    rc = evtchn_get_port(d, EVTCHNSTAT_ipi, &b.port);
    if (!rc)
        evtchn_from_port(&d->evtchn, b.port)->notify_vcpu = (uint16_t)b.vcpu;
    spin_unlock(&d->evtchn.lock);
    return rc ? rc : copy_to_guest(arg, &b, sizeof(b));
}

static long bind_pirq(gva_t arg)
{
    struct evtchn_bind_pirq b;
    struct domain *d = current->domain;
    long rc;

    if (copy_from_guest(&b, arg, sizeof(b)))
        return -XEN_EFAULT;
    if (!d->pirqs)
        return refused(-XEN_EPERM, "pirq %u: the domain has no hardware", b.pirq);
    spin_lock(&d->evtchn.lock);
    rc = evtchn_get_port(d, EVTCHNSTAT_pirq, &b.port);
    if (!rc) {
        evtchn_from_port(&d->evtchn, b.port)->u.pirq.pirq = b.pirq;
        rc = pirq_bind(d, b.pirq, b.port);
        if (rc)
            evtchn_free_port(d, b.port);
    }
    spin_unlock(&d->evtchn.lock);
    return rc ? rc : copy_to_guest(arg, &b, sizeof(b));
}

static void fill_status(const struct evtchn *chn, struct evtchn_status *s)
{
    s->status = chn->state == ECS_RESERVED ? EVTCHNSTAT_closed : chn->state;
    s->vcpu = chn->notify_vcpu;
    switch (chn->state) {
    case EVTCHNSTAT_unbound:
        s->u.unbound.dom = chn->u.unbound.remote_dom;
        break;
    case EVTCHNSTAT_interdomain:
        s->u.interdomain.dom = chn->u.interdomain.remote->domain_id;
        s->u.interdomain.port = chn->u.interdomain.remote_port;
        break;
    case EVTCHNSTAT_pirq:
        s->u.pirq = chn->u.pirq.pirq;
        break;
    case EVTCHNSTAT_virq:
        s->u.virq = chn->u.virq;
        break;
    default:
        break;
    }
}

static long status(gva_t arg)
{
    struct evtchn_status s;
    struct domain *d;
    long rc = 0;

    if (copy_from_guest(&s, arg, sizeof(s)))
        return -XEN_EFAULT;
    d = get_domain_for_guest(s.dom);
    if (!d)
        return -XEN_ESRCH;
    spin_lock(&d->evtchn.lock);
    if (d != current->domain && !current->domain->is_control)
        rc = -XEN_EPERM;
    else if (!evtchn_port_valid(&d->evtchn, s.port))
        rc = -XEN_EINVAL; /* not logged: tools ask for port after port until they get this */
    else
        fill_status(evtchn_from_port(&d->evtchn, s.port), &s);
    spin_unlock(&d->evtchn.lock);
    put_domain(d);
    return rc ? rc : copy_to_guest(arg, &s, sizeof(s));
}

static long bind_vcpu(gva_t arg)
{
    struct evtchn_bind_vcpu b;
    struct domain *d = current->domain;
    struct evtchn *chn;
    long rc = 0;

    if (copy_from_guest(&b, arg, sizeof(b)))
        return -XEN_EFAULT;
    if (!domain_vcpu(d, b.vcpu))
        return refused(-XEN_ENOENT, "there is no vCPU %u", b.vcpu);
    spin_lock(&d->evtchn.lock);
    chn = evtchn_port_valid(&d->evtchn, b.port) ? evtchn_from_port(&d->evtchn, b.port) : NULL;
    if (!chn || chn->state == EVTCHNSTAT_closed || chn->state == EVTCHNSTAT_ipi ||
        chn->state == ECS_RESERVED ||
        (chn->state == EVTCHNSTAT_virq && !virq_is_global(chn->u.virq))) {
        rc = -XEN_EINVAL; /* ABI: an IPI or a vCPU's own VIRQ stays where it is */
    } else {
        chn->notify_vcpu = (uint16_t)b.vcpu;
    }
    spin_unlock(&d->evtchn.lock);
    return rc ? refused((int)rc, "port %u cannot be moved", b.port) : 0;
}

static long unmask(gva_t arg)
{
    struct evtchn_unmask u;
    struct domain *d = current->domain;
    const struct evtchn *chn;

    if (copy_from_guest(&u, arg, sizeof(u)))
        return -XEN_EFAULT;
    if (evtchn_unmask(d, u.port))
        return refused(-XEN_EINVAL, "port %u is not open", u.port);
    if (unlikely(d->pirqs)) {
        spin_lock(&d->evtchn.lock);
        chn = evtchn_from_port(&d->evtchn, u.port);
        if (chn->state == EVTCHNSTAT_pirq)
            pirq_unmasked(d, chn->u.pirq.pirq);
        spin_unlock(&d->evtchn.lock);
    }
    return 0;
}

static long reset(gva_t arg)
{
    struct evtchn_reset r;
    struct domain *d;
    long rc;

    if (copy_from_guest(&r, arg, sizeof(r)))
        return -XEN_EFAULT;
    d = get_domain_for_guest(r.dom);
    if (!d)
        return -XEN_ESRCH;
    if (d != current->domain && !current->domain->is_control)
        rc = refused(-XEN_EPERM, "reset of d%u", d->domain_id);
    else
        rc = evtchn_reset(d);
    put_domain(d);
    return rc;
}

static long close_port(gva_t arg)
{
    struct evtchn_close c;

    if (copy_from_guest(&c, arg, sizeof(c)))
        return -XEN_EFAULT;
    return evtchn_close(current->domain, c.port, true);
}

long do_event_channel_op(unsigned int cmd, gva_t arg)
{
    struct evtchn_send send;

    switch (cmd) {
    case EVTCHNOP_send:
        if (copy_from_guest(&send, arg, sizeof(send)))
            return -XEN_EFAULT;
        return evtchn_send(current->domain, send.port);
    case EVTCHNOP_unmask:
        return unmask(arg);
    case EVTCHNOP_alloc_unbound:
        return alloc_unbound(arg);
    case EVTCHNOP_bind_interdomain:
        return bind_interdomain(arg);
    case EVTCHNOP_bind_virq:
        return bind_virq(arg);
    case EVTCHNOP_bind_ipi:
        return bind_ipi(arg);
    case EVTCHNOP_bind_pirq:
        return bind_pirq(arg);
    case EVTCHNOP_bind_vcpu:
        return bind_vcpu(arg);
    case EVTCHNOP_close:
        return close_port(arg);
    case EVTCHNOP_status:
        return status(arg);
    case EVTCHNOP_reset:
        return reset(arg);
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
