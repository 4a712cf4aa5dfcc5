/* SPDX-License-Identifier: MIT */
/*
 * Pirqs: a domain's own numbers for hardware interrupts, and the event channels they arrive on.
 * core/event/pirq.c
 *
 * Only a domain with hardware has a table (d->pirqs). map: the number gets an irq. bind: the number
 * gets a port, and the irq is attached. Lock: d->evtchn.lock guards the table (a port and its pirq
 * change together); the irq layer's own lock is taken inside it.
 */
#ifndef HV_PIRQ_H
#define HV_PIRQ_H

#include <core/event/event_channel.h>
#include <hv/types.h>

#define NR_PIRQS 256

struct domain;

int __must_check pirq_table_init(struct domain *d);
/* All ports are closed already: unmaps what is mapped. */
void pirq_table_free(struct domain *d);

/* EVTCHNOP_bind_pirq and close; d->evtchn.lock is held. -XEN_EINVAL not mapped, -XEN_EEXIST bound,
 * or what irq_attach() says. */
int __must_check pirq_bind(struct domain *d, uint32_t pirq, evtchn_port_t port);
void pirq_unbind(struct domain *d, uint32_t pirq);
/* The interrupt came (machine, no locks): makes its port pending. */
void pirq_raise(struct domain *d, uint32_t pirq);
/* The guest has dealt with it: the line may interrupt again. -XEN_EINVAL: no such pirq. */
int __must_check pirq_eoi(struct domain *d, uint32_t pirq);
/* The guest unmasked the port: with a shared EOI page that stands for an EOI too
 * (PHYSDEVOP_pirq_eoi_gmfn_v1). */
void pirq_unmasked(struct domain *d, uint32_t pirq);
/* XENIRQSTAT_*. -XEN_EINVAL: no such pirq. */
int __must_check pirq_status(struct domain *d, uint32_t pirq, uint32_t *flags);

/* A line: *pirq < 0 asks for one. A message: likewise. -XEN_EEXIST mapped already, -XEN_ENOSPC,
 * -XEN_EINVAL. */
int __must_check pirq_map(struct domain *d, unsigned int irq, int *pirq);
int __must_check pirq_unmap(struct domain *d, uint32_t pirq);
int __must_check pirq_reserve_free(struct domain *d, uint32_t *pirq);
/* The port of a pirq, 0 when it has none (for evtchn_set_pending_pirq: look at it again under the
 * lock). */
evtchn_port_t pirq_port(struct domain *d, uint32_t pirq);
/* The irq that a pirq is; -1 when it is not mapped. */
int pirq_to_irq(struct domain *d, uint32_t pirq);
/* The page of one bit a pirq by which a guest learns that it needs an EOI. -XEN_EBUSY there is one,
 * -XEN_EINVAL not its page. */
int __must_check pirq_share_eoi_map(struct domain *d, mfn_t mfn, bool auto_eoi);

#endif
