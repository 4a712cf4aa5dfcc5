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
 * Lock: claim_lock (RANK_ALLOC) guards the sum; d->outstanding_claim is changed under it as well.
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

bool claim_allows(const struct domain *d, uint64_t n)
{
    uint64_t free = heap_free_frames(), others = claims_outstanding() - d->outstanding_claim;

    return free >= others && n <= free - others;
}

void claim_consume(struct domain *d, uint64_t n)
{
    if (likely(!d->outstanding_claim))
        return;
    spin_lock(&claim_lock);
    n = MIN(n, d->outstanding_claim);
    d->outstanding_claim -= n;
    claimed -= n;
    spin_unlock(&claim_lock);
}

int claim_set(struct domain *d, uint64_t pages)
{
    int rc = 0;

    spin_lock(&claim_lock);
    if (pages == 0) {
        claimed -= d->outstanding_claim;
        d->outstanding_claim = 0;
    } else if (d->outstanding_claim || pages <= d->tot_pages || pages > d->max_pages) {
        rc = -XEN_EINVAL;
    } else {
        uint64_t need = pages - d->tot_pages, free = heap_free_frames();

        if (free < claimed || need > free - claimed)
            rc = -XEN_ENOMEM;
        else
            claimed += d->outstanding_claim = need;
    }
    spin_unlock(&claim_lock);
    return rc;
}
