/* SPDX-License-Identifier: MIT */
/*
 * Says which boot-time guest waits for the store (XenStore) when nobody serves it.
 *
 * Such a guest puts a request into the ring that it was built with and waits, without a word, for
 * an answer: that is its author's riddle. For a minute the hypervisor looks at the rings; a request
 * that is still there at the next look is said, once. The ring is the guest's memory: a hostile one
 * gets a line that is not true.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/life/boot_domains.h>
#include <core/sched/timer.h>
#include <core/state/domain.h>
#include <parvis/boot_info.h>
#include <port/machine.h>
#include <xen/io/xs_wire.h>

#define PERIOD SECONDS(5)
#define LOOKS  12

static struct watched {
    domid_t id;
    gfn_t ring; /* 0: no more */
    uint32_t prod;
    bool asked; /* at the last look, up to prod */
} watched[BOOT_MAX_DOMAINS];
static unsigned int nr_watched, looks;
static struct timer timer;

static void look_at(struct watched *w, struct domain *d)
{
    struct page_info *pg = get_page_from_gfn(w->ring, d);
    const struct xenstore_domain_interface *ring;
    uint32_t prod, cons;

    if (!pg)
        return;
    ring = read_frame(page_to_mfn(pg));
    prod = READ_ONCE(ring->req_prod);
    cons = READ_ONCE(ring->req_cons);
    put_page(pg);
    if (prod != cons && w->asked && prod == w->prod) {
        log_warning("%s (domain %u) waits for the store (XenStore): %s", d->name, d->domain_id,
                    control_domain ? "nobody in the control domain has taken its request"
                                   : "there is no control domain that serves it");
        w->ring = GFN(0);
    }
    w->asked = prod != cons;
    w->prod = prod;
}

static void look(void *data __unused)
{
    for (unsigned int i = 0; i < nr_watched; i++) {
        struct domain *d = watched[i].ring.n ? get_domain_by_id(watched[i].id) : NULL;

        if (!d)
            continue;
        look_at(&watched[i], d);
        put_domain(d);
    }
    if (nr_watched && ++looks < LOOKS)
        timer_set(&timer, clock_now() + PERIOD);
}

void store_wait_watch(const struct domain *d, gfn_t ring)
{
    if (nr_watched < ARRAY_SIZE(watched))
        watched[nr_watched++] = (struct watched){.id = d->domain_id, .ring = ring};
}

void store_wait_init(void)
{
    nr_watched = looks = 0;
    timer_init(&timer, look, NULL);
    timer_set(&timer, clock_now() + PERIOD);
}
