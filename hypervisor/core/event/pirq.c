/* SPDX-License-Identifier: MIT */
/*
 * Pirqs: the machine's interrupts as a domain with hardware sees them, and the event channels they
 * arrive on. A pirq has the number of its irq.
 *
 *     free -> reserved or mapped -> bound (has a port, the irq is attached) -> mapped -> free
 *
 * Each comes on the CPU where its vCPU runs, or was last: one that comes elsewhere is moved there.
 * A level line is masked from its interrupt until the guest says EOI. The guest learns which pirqs
 * need that from irq_status_query or from a page of its own with one bit a pirq (the EOI map).
 * d->evtchn.lock guards the table; EOI and status look without it.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/nospec.h>
#include <port/upcalls.h>
#include <xen/errno.h>
#include <xen/physdev.h>

enum pirq_state {
    PIRQ_FREE,
    PIRQ_RESERVED, /* by get_free_pirq, for a map to come */
    PIRQ_MAPPED,
};

struct pirq {
    enum pirq_state state;
    evtchn_port_t port; /* 0: not bound */
};

struct pirq_table {
    struct pirq pirq[NR_IRQS];
    struct page_info *eoi_page; /* holds a general and a writable reference */
    uint64_t *eoi_map;
    bool auto_eoi;
};

int pirq_table_init(struct domain *d)
{
    d->pirqs = hv_alloc(sizeof(*d->pirqs));
    return d->pirqs ? 0 : -XEN_ENOMEM;
}

static bool is_line(uint32_t pirq)
{
    return pirq < irq_nr_gsis();
}

void pirq_table_free(struct domain *d)
{
    struct pirq_table *t = d->pirqs;

    if (!t)
        return;
    for (unsigned int i = irq_nr_gsis(); i < NR_IRQS; i++)
        if (t->pirq[i].state == PIRQ_MAPPED)
            irq_free_msi(i);
    if (t->eoi_page) {
        unmap_guest_frame(d, t->eoi_map);
        d->ops->put_writable(t->eoi_page);
    }
    hv_free(t);
    d->pirqs = NULL;
}

/* The entry of a pirq that a guest named; NULL when it cannot exist. */
static struct pirq *entry_of(struct domain *d, uint32_t pirq)
{
    return d->pirqs && pirq < NR_IRQS ? &d->pirqs->pirq[index_nospec(pirq, NR_IRQS)] : NULL;
}

static struct pirq *mapped_entry(struct domain *d, uint32_t pirq)
{
    struct pirq *p = entry_of(d, pirq);

    return p && READ_ONCE(p->state) == PIRQ_MAPPED ? p : NULL;
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
    struct pirq *p = mapped_entry(d, pirq);
    int rc;

    if (!p)
        return refused(-XEN_EINVAL, "pirq %u is not mapped", pirq);
    if (p->port)
        return refused(-XEN_EEXIST, "pirq %u has port %u", pirq, p->port);
    WRITE_ONCE(p->port, port);
    set_needs_eoi(d, pirq, irq_is_level(pirq));
    rc = irq_attach(pirq, d);
    if (rc) {
        WRITE_ONCE(p->port, 0);
        set_needs_eoi(d, pirq, false);
    }
    return rc;
}

void pirq_unbind(struct domain *d, uint32_t pirq)
{
    struct pirq *p = mapped_entry(d, pirq);

    if (!p || !p->port)
        return;
    irq_detach(pirq);
    WRITE_ONCE(p->port, 0);
    set_needs_eoi(d, pirq, false);
}

/* It came on the wrong CPU if its vCPU runs on, or ran last on, another. */
static void raise_port(struct domain *d, uint32_t pirq, evtchn_port_t port)
{
    unsigned int vcpu = evtchn_from_port(&d->evtchn, port)->notify_vcpu;
    const struct vcpu *v = __atomic_load_n(&d->vcpu[vcpu], __ATOMIC_ACQUIRE);
    const struct cpu *c = v ? READ_ONCE(v->cpu_stack) : NULL;

    if (c && c != this_cpu())
        irq_set_cpu(pirq, c->id);
    evtchn_raise(d, vcpu, port);
}

void pirq_raise(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = entry_of(d, pirq);

    if (!p)
        return;
    spin_lock(&d->evtchn.lock);
    if (p->port)
        raise_port(d, pirq, p->port);
    spin_unlock(&d->evtchn.lock);
}

/* Race: without the lock. A pirq that is closed meanwhile is the domain's no more, and the irq
 * layer unmasks nothing; one that is bound again interrupts once too often at worst. */
int pirq_eoi(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = mapped_entry(d, pirq);
    evtchn_port_t port = p ? READ_ONCE(p->port) : 0;

    if (!p)
        return -XEN_EINVAL;
    if (port && READ_ONCE(d->pirqs->auto_eoi))
        return evtchn_unmask(d, port); /* which comes to pirq_unmasked() */
    if (port && irq_is_level(pirq))
        irq_unmask(pirq);
    return 0;
}

void pirq_unmasked(struct domain *d, uint32_t pirq)
{
    const struct pirq *p = mapped_entry(d, pirq);

    if (p && p->port && d->pirqs->auto_eoi && irq_is_level(pirq))
        irq_unmask(pirq);
}

int pirq_status(struct domain *d, uint32_t pirq, uint32_t *flags)
{
    if (!entry_of(d, pirq))
        return -XEN_EINVAL;
    *flags =
        mapped_entry(d, pirq) && irq_is_level(pirq) ? XENIRQSTAT_needs_eoi | XENIRQSTAT_shared : 0;
    return 0;
}

int pirq_map_line(struct domain *d, unsigned int gsi)
{
    if (!is_line(gsi))
        return refused(-XEN_EINVAL, "there is no line %u", gsi);
    spin_lock(&d->evtchn.lock);
    WRITE_ONCE(d->pirqs->pirq[gsi].state,
               PIRQ_MAPPED); /* ABI: mapping a line once more is no error */
    spin_unlock(&d->evtchn.lock);
    return 0;
}

/* A number for a message: from the top. */
static int find_free(const struct pirq_table *t)
{
    for (uint32_t i = NR_IRQS; i-- > irq_nr_gsis();)
        if (t->pirq[i].state == PIRQ_FREE)
            return (int)i;
    return -XEN_ENOSPC;
}

static int map_message(struct domain *d, const struct pci_message *m, int *pirq)
{
    int n = *pirq < 0 ? find_free(d->pirqs) : *pirq, rc;
    struct pirq *p;

    if (n < 0)
        return n;
    p = entry_of(d, (uint32_t)n);
    if (!p || is_line((uint32_t)n))
        return refused(-XEN_EINVAL, "pirq %d is none of messages", n);
    if (p->state == PIRQ_MAPPED)
        return refused(-XEN_EEXIST, "pirq %d is mapped", n);
    rc = irq_setup_msi((uint32_t)n, m);
    if (rc)
        return rc;
    WRITE_ONCE(p->state, PIRQ_MAPPED);
    *pirq = n;
    return 0;
}

int pirq_map_message(struct domain *d, const struct pci_message *m, int *pirq)
{
    int rc;

    spin_lock(&d->evtchn.lock);
    rc = map_message(d, m, pirq);
    spin_unlock(&d->evtchn.lock);
    return rc;
}

int pirq_unmap(struct domain *d, uint32_t pirq)
{
    struct pirq *p;
    int rc = -XEN_EINVAL;

    spin_lock(&d->evtchn.lock);
    p = entry_of(d, pirq);
    if (p && p->state != PIRQ_FREE && !p->port) {
        if (p->state == PIRQ_MAPPED && !is_line(pirq))
            irq_free_msi(pirq);
        WRITE_ONCE(p->state, PIRQ_FREE);
        rc = 0;
    }
    spin_unlock(&d->evtchn.lock);
    return rc ? refused(rc, "pirq %u is not mapped, or has a port", pirq) : 0;
}

int pirq_reserve_free(struct domain *d, uint32_t *pirq)
{
    int n;

    spin_lock(&d->evtchn.lock);
    n = find_free(d->pirqs);
    if (n >= 0) {
        WRITE_ONCE(d->pirqs->pirq[n].state, PIRQ_RESERVED);
        *pirq = (uint32_t)n;
    }
    spin_unlock(&d->evtchn.lock);
    return MIN(n, 0);
}

int pirq_share_eoi_map(struct domain *d, gfn_t gfn, bool auto_eoi)
{
    struct page_info *pg;

    if (!d->pirqs)
        return -XEN_ENOSYS;
    pg = get_writable_from_gfn(gfn, d);
    if (!pg)
        return refused(-XEN_EINVAL, "the EOI map: %#lx is not a frame the domain may write",
                       (unsigned long)gfn.n);
    spin_lock(&d->evtchn.lock);
    if (d->pirqs->eoi_page) {
        spin_unlock(&d->evtchn.lock);
        d->ops->put_writable(pg);
        return -XEN_EBUSY;
    }
    d->pirqs->eoi_page = pg;
    WRITE_ONCE(d->pirqs->auto_eoi, auto_eoi);
    d->pirqs->eoi_map = map_guest_frame(d, page_to_mfn(pg));
    for (uint32_t i = 0; i < NR_IRQS; i++)
        if (d->pirqs->pirq[i].port)
            set_needs_eoi(d, i, irq_is_level(i));
    spin_unlock(&d->evtchn.lock);
    return 0;
}
