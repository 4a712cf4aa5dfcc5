/* SPDX-License-Identifier: MIT */
/*
 * Pirqs: a domain's own numbers for the machine's interrupts, and the event channels they arrive
 * on.
 *
 *     unmapped -> mapped (has an irq) -> bound (has a port, the irq is attached) -> mapped ->
 * unmapped
 *
 * A level line is masked from its interrupt until the guest says EOI. The guest learns which pirqs
 * need that from irq_status_query or from a page of its own with one bit a pirq (the EOI map).
 * d->evtchn.lock guards the table; pirq_raise() runs without locks and reads the port once: a port
 * that goes away meanwhile is looked at again under the lock by the event channel code.
 */
#include <core/base/log.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <hv/irq.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/physdev.h>

#define IRQ_NONE     (-1)
#define IRQ_RESERVED (-2) /* by get_free_pirq, for a map to come */

struct pirq {
    int irq;            /* IRQ_* or the machine's */
    evtchn_port_t port; /* 0: not bound */
};

struct pirq_table {
    struct pirq pirq[NR_PIRQS];
    struct page_info *eoi_page; /* holds a general and a writable reference */
    uint64_t *eoi_map;
    bool auto_eoi;
};

int pirq_table_init(struct domain *d)
{
    d->pirqs = hv_alloc(sizeof(*d->pirqs));
    if (!d->pirqs)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < NR_PIRQS; i++)
        d->pirqs->pirq[i].irq = IRQ_NONE;
    return 0;
}

static void free_irq(int irq)
{
    if (irq < 0)
        return;
    if ((unsigned int)irq >= irq_nr_gsis())
        irq_free_msi((unsigned int)irq);
}

void pirq_table_free(struct domain *d)
{
    struct pirq_table *t = d->pirqs;

    if (!t)
        return;
    for (unsigned int i = 0; i < NR_PIRQS; i++)
        free_irq(t->pirq[i].irq);
    if (t->eoi_page)
        d->ops->put_writable(t->eoi_page);
    hv_free(t);
    d->pirqs = NULL;
}

/* The entry of a pirq that a guest named; NULL when it cannot exist. */
static struct pirq *entry_of(struct domain *d, uint32_t pirq)
{
    return d->pirqs && pirq < NR_PIRQS ? &d->pirqs->pirq[pirq] : NULL;
}

int pirq_to_irq(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = entry_of(d, pirq);

    return p && p->irq >= 0 ? p->irq : -1;
}

static void set_needs_eoi(struct domain *d, uint32_t pirq, bool needs)
{
    if (!d->pirqs->eoi_map)
        return;
    if (needs)
        atomic_or(&d->pirqs->eoi_map[pirq / 64], 1ull << (pirq % 64));
    else
        atomic_and(&d->pirqs->eoi_map[pirq / 64], ~(1ull << (pirq % 64)));
}

int pirq_bind(struct domain *d, uint32_t pirq, evtchn_port_t port)
{
    struct pirq *p = entry_of(d, pirq);
    int rc;

    if (!p || p->irq < 0)
        return refused(-XEN_EINVAL, "pirq %u is not mapped", pirq);
    if (p->port)
        return refused(-XEN_EEXIST, "pirq %u has port %u", pirq, p->port);
    WRITE_ONCE(p->port, port);
    set_needs_eoi(d, pirq, irq_is_level((unsigned int)p->irq));
    rc = irq_attach((unsigned int)p->irq, d, pirq);
    if (rc) {
        WRITE_ONCE(p->port, 0);
        set_needs_eoi(d, pirq, false);
    }
    return rc;
}

void pirq_unbind(struct domain *d, uint32_t pirq)
{
    struct pirq *p = entry_of(d, pirq);

    if (!p || !p->port)
        return;
    if (p->irq >= 0)
        irq_detach((unsigned int)p->irq);
    WRITE_ONCE(p->port, 0);
    set_needs_eoi(d, pirq, false);
}

void pirq_raise(struct domain *d, uint32_t pirq)
{
    if (entry_of(d, pirq))
        evtchn_set_pending_pirq(d, pirq);
}

evtchn_port_t pirq_port(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = entry_of(d, pirq);

    return p ? READ_ONCE(p->port) : 0;
}

int pirq_eoi(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = entry_of(d, pirq);

    if (!p || p->irq < 0)
        return -XEN_EINVAL;
    if (p->port && irq_is_level((unsigned int)p->irq))
        irq_unmask((unsigned int)p->irq);
    if (p->port && d->pirqs->auto_eoi)
        return evtchn_unmask(d, p->port);
    return 0;
}

void pirq_unmasked(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = entry_of(d, pirq);

    if (p && p->irq >= 0 && p->port && d->pirqs->auto_eoi && irq_is_level((unsigned int)p->irq))
        irq_unmask((unsigned int)p->irq);
}

int pirq_status(struct domain *d, uint32_t pirq, uint32_t *flags)
{
    const struct pirq *p = entry_of(d, pirq);

    if (!p)
        return -XEN_EINVAL;
    *flags = 0;
    if (p->irq >= 0 && irq_is_level((unsigned int)p->irq))
        *flags = XENIRQSTAT_needs_eoi | XENIRQSTAT_shared;
    return 0;
}

/* A number for whoever has no wish: from the top, so that lines keep theirs. */
static int find_free(const struct pirq_table *t)
{
    for (int i = NR_PIRQS - 1; i >= (int)irq_nr_gsis(); i--)
        if (t->pirq[i].irq == IRQ_NONE)
            return i;
    return -XEN_ENOSPC;
}

static bool irq_is_mapped(const struct pirq_table *t, unsigned int irq)
{
    for (unsigned int i = 0; i < NR_PIRQS; i++)
        if (t->pirq[i].irq == (int)irq)
            return true;
    return false;
}

static int map_locked(struct domain *d, unsigned int irq, int *pirq)
{
    struct pirq *p;
    int n = *pirq;

    if (n < 0)
        n = find_free(d->pirqs);
    if (n < 0)
        return n;
    p = entry_of(d, (uint32_t)n);
    if (!p)
        return -XEN_EINVAL;
    if (p->irq == (int)irq) /* ABI: mapping a line once more is no error */
        return 0;
    if (p->irq >= 0 || irq_is_mapped(d->pirqs, irq))
        return -XEN_EEXIST;
    p->irq = (int)irq;
    *pirq = n;
    return 0;
}

int pirq_map(struct domain *d, unsigned int irq, int *pirq)
{
    int rc;

    if (!d->pirqs)
        return -XEN_EPERM;
    spin_lock(&d->evtchn.lock);
    rc = map_locked(d, irq, pirq);
    spin_unlock(&d->evtchn.lock);
    return rc;
}

int pirq_unmap(struct domain *d, uint32_t pirq)
{
    struct pirq *p;
    int irq = IRQ_NONE;

    if (!d->pirqs)
        return -XEN_EPERM;
    spin_lock(&d->evtchn.lock);
    p = entry_of(d, pirq);
    if (p && !p->port) {
        irq = p->irq;
        p->irq = IRQ_NONE;
    }
    spin_unlock(&d->evtchn.lock);
    if (irq == IRQ_NONE)
        return refused(-XEN_EINVAL, "pirq %u is not mapped, or has a port", pirq);
    free_irq(irq);
    return 0;
}

int pirq_reserve_free(struct domain *d, uint32_t *pirq)
{
    int n;

    if (!d->pirqs)
        return -XEN_EPERM;
    spin_lock(&d->evtchn.lock);
    n = find_free(d->pirqs);
    if (n >= 0)
        d->pirqs->pirq[n].irq = IRQ_RESERVED;
    spin_unlock(&d->evtchn.lock);
    if (n < 0)
        return n;
    *pirq = (uint32_t)n;
    return 0;
}

int pirq_share_eoi_map(struct domain *d, mfn_t mfn, bool auto_eoi)
{
    struct page_info *pg;

    if (!d->pirqs)
        return -XEN_ENOSYS;
    pg = mfn_valid(mfn) ? mfn_to_page(mfn) : NULL;
    if (!pg || d->ops->get_writable(pg, d))
        return refused(-XEN_EINVAL, "the EOI map: %#lx is not a frame the domain may write",
                       (unsigned long)mfn.n);
    spin_lock(&d->evtchn.lock);
    if (d->pirqs->eoi_page) {
        spin_unlock(&d->evtchn.lock);
        d->ops->put_writable(pg);
        return -XEN_EBUSY;
    }
    d->pirqs->eoi_page = pg;
    d->pirqs->auto_eoi = auto_eoi;
    d->pirqs->eoi_map = map_frame(mfn);
    for (uint32_t i = 0; i < NR_PIRQS; i++)
        if (d->pirqs->pirq[i].port)
            set_needs_eoi(d, i, irq_is_level((unsigned int)d->pirqs->pirq[i].irq));
    spin_unlock(&d->evtchn.lock);
    return 0;
}
