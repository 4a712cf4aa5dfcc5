/* SPDX-License-Identifier: MIT */
/*
 * Virtual interrupts: events that the hypervisor raises by name.
 *
 * Some belong to a vCPU (timer, debug), the rest to the domain: those are bound on vCPU 0 and
 * raised for the control domain alone. A VIRQ that nobody bound is lost, which is what a device
 * without a driver does.
 *
 * Lock: evtchn.lock of the domain guards vcpu.virq_port[].
 */
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/state/domain.h>
#include <port/nospec.h>
#include <xen/errno.h>

_Static_assert(NR_VIRQS == ARRAY_SIZE(((struct vcpu *)0)->virq_port), "one port a VIRQ");

bool virq_is_global(uint32_t virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

int evtchn_bind_virq(struct vcpu *v, uint32_t virq, evtchn_port_t *port)
{
    const struct evtchn chn = {
        .state = EVTCHNSTAT_virq, .u.virq = virq, .notify_vcpu = (uint16_t)v->vcpu_id};
    struct domain *d = v->domain;
    int rc;

    if (virq >= NR_VIRQS)
        return refused(-XEN_EINVAL, "there is no VIRQ %u", virq);
    if (virq_is_global(virq) && v->vcpu_id != 0)
        return refused(-XEN_EINVAL, "VIRQ %u is bound on vCPU 0 only", virq);
    virq = (uint32_t)index_nospec(virq, NR_VIRQS);
    spin_lock(&d->evtchn.lock);
    /* XSA-496: everything is checked before the port is taken, so there is no failure to undo. */
    rc = v->virq_port[virq] ? -XEN_EEXIST : evtchn_get_port(d, &chn, port);
    if (!rc)
        v->virq_port[virq] = (uint16_t)*port;
    spin_unlock(&d->evtchn.lock);
    return rc;
}

void send_vcpu_virq(struct vcpu *v, uint32_t virq)
{
    struct domain *d = v->domain;
    evtchn_port_t port;

    spin_lock(&d->evtchn.lock);
    port = v->virq_port[virq];
    if (port)
        evtchn_raise(d, evtchn_from_port(&d->evtchn, port)->notify_vcpu, port);
    spin_unlock(&d->evtchn.lock);
}

void send_global_virq(uint32_t virq)
{
    struct domain *d = control_domain;

    if (d && d->vcpu[0])
        send_vcpu_virq(d->vcpu[0], virq);
}
