/* SPDX-License-Identifier: MIT */
/*
 * Claims: memory that a domain will get (XENMEM_claim_pages).
 *
 * The toolstack claims what a new domain needs before it starts to build it, so that two creations
 * at the same time do not both find enough free memory and then both fail half way. A claim is a
 * number, not frames: frames that others have claimed are not available to whoever did not claim
 * them. A domain's claim goes down as it gets frames and ends with the domain, or with a claim of
 * 0.
 *
 * Locks: claim_lock (RANK_ALLOC) guards the sum; d->page_alloc_lock a domain's own claim, which so
 * goes with its number of frames, and does not come back after the end of the domain took it.
 */
#include <core/domain/claim.h>
#include <core/frame/frame.h>
#include <core/state/domain.h>
#include <port/lock.h>
#include <xen/errno.h>

static spinlock_t claim_lock = SPINLOCK_INIT(RANK_ALLOC);
static uint64_t claimed;

uint64_t claims_outstanding(void)
{
    return READ_ONCE(claimed);
}

/* Race: an estimate, without a lock. Who asks at the moment when somebody claims may still get what
 * was claimed: the claim is short by that then, and its domain finds out when it wants the rest. */
bool claim_allows(const struct domain *d, uint64_t n)
{
    uint64_t free = heap_free_frames(), own = READ_ONCE(d->outstanding_claim);
    uint64_t all = claims_outstanding(), others = MAX(all, own) - own;

    return free >= others && n <= free - others;
}

/* d has `now` outstanding. */
static void set_claim(struct domain *d, uint64_t now)
{
    WRITE_ONCE(claimed, claimed - d->outstanding_claim + now);
    WRITE_ONCE(d->outstanding_claim, now);
}

void claim_consume(struct domain *d, uint64_t n)
{
    uint64_t had = d->outstanding_claim;

    if (likely(!had))
        return;
    spin_lock(&claim_lock);
    set_claim(d, had - MIN(n, had));
    spin_unlock(&claim_lock);
}

void claim_end(struct domain *d)
{
    spin_lock(&d->page_alloc_lock);
    claim_consume(d, ~0ull);
    spin_unlock(&d->page_alloc_lock);
}

int claim_set(struct domain *d, uint64_t pages)
{
    uint64_t need = 0, free;
    int rc = 0;

    spin_lock(&d->page_alloc_lock);
    spin_lock(&claim_lock);
    if (pages) {
        need = pages - d->tot_pages;
        free = heap_free_frames();
        if (READ_ONCE(d->dying) || d->outstanding_claim || pages <= d->tot_pages ||
            pages > d->max_pages)
            rc = -XEN_EINVAL;
        else if (free < claimed || need > free - claimed)
            rc = -XEN_ENOMEM;
    }
    if (!rc)
        set_claim(d, need);
    spin_unlock(&claim_lock);
    spin_unlock(&d->page_alloc_lock);
    return rc;
}
