/* SPDX-License-Identifier: MIT */
/*
 * The back end of boot-time domains' console rings: the hypervisor does what a console daemon does
 * for other domains.
 *
 * The ring is a page of the guest with two byte rings and their four indices; the guest writes
 * out_prod and in_cons, we write out_cons and in_prod. All of it is the guest's memory: an index is
 * read once, and when producer and consumer are further apart than the ring is long, the guest has
 * broken its own ring: what is in it is skipped and it starts anew. The page is held by a writable
 * reference, so it cannot become anything else while we write to it.
 *
 * The guest's notification only marks work; the rings are drained on the exit path, at most as much
 * as there is room for at the console; the rest waits in the guest's memory.
 *
 * Lock: ring_lock (RANK_IRQ) guards the list of rings and all access to them. The guest is notified
 * without it.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/boot_info.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <xen/errno.h>
#include <xen/io/console.h>

struct console_ring {
    struct domain *d; /* NULL: free */
    struct xencons_interface *page;
    struct page_info *pg;
    evtchn_port_t port;
};

static spinlock_t ring_lock = SPINLOCK_INIT(RANK_IRQ);
static struct console_ring rings[BOOT_MAX_DOMAINS];

void console_ring_init(void)
{
    memset(rings, 0, sizeof(rings));
}

static void guest_notified(struct domain *d __unused, evtchn_port_t port __unused)
{
    cpu_raise(this_cpu(), CPU_WORK_CONSOLE);
}

int console_alloc_port(struct domain *d, uint32_t *port)
{
    return evtchn_alloc_unbound(d, DOMID_XEN, guest_notified, port); /* no domain has this id */
}

static struct console_ring *ring_of(const struct domain *d)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(rings); i++)
        if (rings[i].d == d)
            return &rings[i];
    return NULL;
}

int console_attach_ring(struct domain *d, gfn_t ring, uint32_t port)
{
    struct page_info *pg = get_writable_from_gfn(ring, d);
    struct console_ring *r;

    if (!pg)
        return -XEN_EINVAL;
    spin_lock(&ring_lock);
    r = ring_of(NULL);
    if (r)
        *r = (struct console_ring){d, map_guest_frame(d, page_to_mfn(pg)), pg, port};
    spin_unlock(&ring_lock);
    if (r)
        return 0;
    d->ops->put_writable(pg);
    return -XEN_ENOSPC;
}

mfn_t console_ring_frame(const struct domain *d)
{
    const struct console_ring *r;
    mfn_t mfn;

    spin_lock(&ring_lock);
    r = ring_of(d);
    mfn = r ? page_to_mfn(r->pg) : INVALID_MFN;
    spin_unlock(&ring_lock);
    return mfn;
}

void console_ring_detach(struct domain *d)
{
    struct page_info *pg = NULL;
    struct console_ring *r;

    spin_lock(&ring_lock);
    r = ring_of(d);
    if (r) {
        pg = r->pg;
        unmap_guest_frame(d, r->page);
        r->d = NULL;
    }
    spin_unlock(&ring_lock);
    if (pg)
        d->ops->put_writable(pg);
}

/* Takes what the guest wrote, at most `most` bytes; how much that was. */
static uint32_t drain(struct console_ring *r, uint32_t most, bool *left)
{
    struct xencons_interface *x = r->page;
    uint32_t cons = READ_ONCE(x->out_cons), prod = READ_ONCE(x->out_prod), n = prod - cons;
    uint32_t done = 0;
    char buf[128];

    smp_rmb();
    if (n > sizeof(x->out)) {
        log_guest(r->d, "%s: its console ring is broken: %u bytes in it", r->d->name, n);
        WRITE_ONCE(x->out_cons, prod);
        return n;
    }
    *left |= n > most;
    n = MIN(n, most);
    while (done < n) {
        uint32_t chunk = MIN(n - done, (uint32_t)sizeof(buf));

        for (uint32_t i = 0; i < chunk; i++)
            buf[i] = x->out[MASK_XENCONS_IDX(cons + done + i, x->out)];
        if (!console_try_write(buf, chunk)) {
            *left = true; /* Race: others took the room that there was */
            break;
        }
        done += chunk;
    }
    smp_mb();
    WRITE_ONCE(x->out_cons, cons + done);
    return done;
}

bool console_drain_rings(uint32_t most)
{
    static unsigned int turn; /* each time another comes first, so that none is left out */
    unsigned int first = atomic_add_return(&turn, 1);
    bool left = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(rings); i++) {
        struct console_ring *r = &rings[(first + i) % ARRAY_SIZE(rings)];
        struct domain *d = NULL;
        evtchn_port_t port;
        uint32_t n = 0;

        spin_lock(&ring_lock);
        port = r->port;
        if (r->d)
            n = drain(r, most, &left);
        if (n && get_domain(r->d))
            d = r->d;
        spin_unlock(&ring_lock);
        most -= MIN(n, most);
        if (d) {
            evtchn_notify_guest(d, port);
            put_domain(d);
        }
    }
    return left;
}

/* Takes of what was typed as much as there is room for. False: that is nothing. */
static bool fill(struct console_ring *r)
{
    struct xencons_interface *x = r->page;
    uint32_t cons = READ_ONCE(x->in_cons), first = READ_ONCE(x->in_prod), prod = first;
    char c;

    while ((prod - cons < sizeof(x->in) || first - cons > sizeof(x->in)) && console_read(&c, 1))
        x->in[MASK_XENCONS_IDX(prod++, x->in)] = c; /* into a broken one too: nobody reads it */
    __atomic_store_n(&x->in_prod, prod, __ATOMIC_RELEASE);
    return prod != first;
}

/* Race: what is typed is taken under ring_lock, so of two CPUs that come each byte goes to one. */
void console_ring_feed(void)
{
    struct domain *d = NULL;
    evtchn_port_t port = 0;
    bool any = false;
    char c;

    spin_lock(&ring_lock);
    for (unsigned int i = 0; i < ARRAY_SIZE(rings) && !d; i++) {
        if (!rings[i].d || READ_ONCE(rings[i].d->shutting_down) || !get_domain(rings[i].d))
            continue;
        d = rings[i].d;
        port = rings[i].port;
        any = fill(&rings[i]);
    }
    while (!d && console_read(&c, 1))
        ; /* nobody is there: it is lost */
    spin_unlock(&ring_lock);
    if (any)
        evtchn_notify_guest(d, port);
    if (d)
        put_domain(d);
}
