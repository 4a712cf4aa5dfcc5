/* SPDX-License-Identifier: MIT */
/*
 * Pirqs: the machine's interrupts as a domain sees them, and the event channels they arrive on.
 * core/event/pirq.c
 *
 * Only a domain with hardware has a table (d->pirqs). A pirq has the number of its irq. map: the
 * domain may use it. bind: it gets a port, and the irq is attached. Lock: d->evtchn.lock guards the
 * table (a port and its pirq change together); the irq layer's own lock is taken inside it.
 */
#ifndef HV_PIRQ_H
#define HV_PIRQ_H

#include <core/event/event_channel.h>
#include <hv/types.h>

struct domain;
struct pci_message;

int __must_check pirq_table_init(struct domain *d);
/* All ports are closed already: unmaps what is mapped. */
void pirq_table_free(struct domain *d);

/* EVTCHNOP_bind_pirq and close; d->evtchn.lock is held. -XEN_EINVAL not mapped, -XEN_EEXIST bound,
 * or what irq_attach() says. */
int __must_check pirq_bind(struct domain *d, uint32_t pirq, evtchn_port_t port);
void pirq_unbind(struct domain *d, uint32_t pirq);
/* The guest has dealt with it: the line may interrupt again. -XEN_EINVAL: no such pirq. */
int __must_check pirq_eoi(struct domain *d, uint32_t pirq);
/* The guest unmasked the port: with a shared EOI page that stands for an EOI too
 * (PHYSDEVOP_pirq_eoi_gmfn_v1). */
void pirq_unmasked(struct domain *d, uint32_t pirq);
/* XENIRQSTAT_*. -XEN_EINVAL: no such pirq. */
int __must_check pirq_status(struct domain *d, uint32_t pirq, uint32_t *flags);

/* These are the control domain's alone, which has a table. -XEN_EINVAL: no such line. */
int __must_check pirq_map_line(struct domain *d, unsigned int gsi);
/* *pirq < 0 asks for a number. -XEN_EINVAL no number of a message, -XEN_EEXIST mapped already,
 * -XEN_ENOSPC, or what irq_setup_msi() says. */
int __must_check pirq_map_message(struct domain *d, const struct pci_message *m, int *pirq);
int __must_check pirq_unmap(struct domain *d, uint32_t pirq);
int __must_check pirq_reserve_free(struct domain *d, uint32_t *pirq);
/* The page of one bit a pirq by which a guest learns that it needs an EOI. -XEN_EBUSY there is one,
 * -XEN_EINVAL not its page. */
int __must_check pirq_share_eoi_map(struct domain *d, gfn_t gfn, bool auto_eoi);

#endif
