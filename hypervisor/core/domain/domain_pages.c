/* SPDX-License-Identifier: MIT */
/*
 * The frames of domains: who owns a frame, who holds it, when it is free again.
 *
 * A frame that a domain owns carries one reference for being allocated (PGC_allocated); mappings,
 * types and operations in progress hold more. get_page() takes one only if there is one already,
 * and only if the frame belongs to the domain that the caller means; put_page() of the last one
 * frees the frame. So a frame that a domain gave back stays out of the heap, and out of other
 * domains' hands, as long as anyone can still reach it.
 *
 * A domain that owns frames is held by them (one reference of the domain for all its ordinary
 * frames, one for all the hypervisor's pages it shares): its struct, and its id in page_info.owner,
 * outlive the last frame.
 *
 * Locks: d->page_alloc_lock guards d->pages, d->relinquish, d->tot_pages. count_info is changed by
 * atomic operations. The caller of put_page() may hold any lock of rank below RANK_PAGE_ALLOC.
 */
#include <core/domain/claim.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/frame/m2p.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <xen/errno.h>

/* Race: the owner is looked at after the reference is held, so that it cannot change any more; and
 * before, so that who names frames of others does not have them referenced, and their owners meet
 * counts that they did not expect. */
bool get_page(struct page_info *pg, const struct domain *d)
{
    while (unlikely(!take_reference(pg, d)))
        if (READ_ONCE(pg->owner) != d->domain_id || !may_count_more(READ_ONCE(pg->count_info)))
            return false;
    return keep_if_owned(pg, d);
}

struct page_info *get_page_from_mfn(mfn_t mfn, const struct domain *d)
{
    struct page_info *pg;

    if (unlikely(!mfn_in_table(mfn)))
        return NULL;
    pg = mfn_to_page_nospec(mfn);
    return likely(get_page_now(pg, d)) ? pg : NULL;
}

struct page_info *get_page_from_gfn(gfn_t gfn, const struct domain *d)
{
    return get_page_from_mfn(d->ops->gfn_to_mfn(d, gfn), d);
}

uint64_t number_of_frame(const struct domain *d, mfn_t mfn)
{
    return is_translated(d) ? READ_ONCE(machine_to_phys[mfn.n]) : mfn.n;
}

struct page_info *get_writable_from_gfn(gfn_t gfn, struct domain *d)
{
    mfn_t mfn = d->ops->gfn_to_mfn(d, gfn);

    return mfn_valid(mfn) && d->ops->get_writable(mfn_to_page(mfn), d) ? mfn_to_page(mfn) : NULL;
}

/* n frames have left d's lists, under the lock, which is free then; with the last goes the
 * reference that they held. Race: until the lock is free d stays, for these frames, or others on
 * the lists, still hold it. */
static void count_released(struct domain *d, unsigned int n)
{
    bool last;

    WRITE_ONCE(d->tot_pages, d->tot_pages - n);
    last = n && d->tot_pages == 0;
    spin_unlock(&d->page_alloc_lock);
    if (last)
        put_domain(d);
}

static void release_domain_page(struct domain *d, struct page_info *pg)
{
    spin_lock(&d->page_alloc_lock);
    page_list_del(pg->order ? &d->relinquish : &d->pages, pg);
    WRITE_ONCE(pg->order, 0);
    count_released(d, 1);
}

void free_owned_page(struct page_info *pg)
{
    struct domain *d = owner_of_page(pg);
    bool shared = READ_ONCE(pg->count_info) & PGC_xenheap;

    BUG_ON(!d);
    if (!shared)
        release_domain_page(d, pg);
    WRITE_ONCE(pg->owner, DOMID_INVALID);
    WRITE_ONCE(pg->count_info, 0);
    free_frames(pg, 0);
    if (shared && atomic_sub_return(&d->xenheap_pages, 1) == 0)
        put_domain(d);
}

unsigned int free_plain_pages(struct domain *d, unsigned int most)
{
    struct page_info *first, *pg;
    unsigned int n = 0, order;

    spin_lock(&d->page_alloc_lock);
    first = page_list_first(&d->pages);
    while (n < most && (pg = page_list_first(&d->pages)) != NULL && pg == first + n &&
           cmpxchg(&pg->count_info, PGC_allocated | 1, 0) == (PGC_allocated | 1)) {
        page_list_del(&d->pages, pg);
        WRITE_ONCE(pg->owner, DOMID_INVALID);
        n++;
    }
    count_released(d, n);
    for (unsigned int i = 0; i < n; i += 1u << order) { /* in blocks that are aligned */
        order = MIN((unsigned int)__builtin_ctzll(page_to_mfn(first + i).n),
                    31 - (unsigned int)__builtin_clz(n - i));
        free_frames(first + i, order);
    }
    return n;
}

bool clear_allocated(struct page_info *pg)
{
    if (!(__atomic_fetch_and(&pg->count_info, ~PGC_allocated, __ATOMIC_SEQ_CST) & PGC_allocated))
        return false;
    put_page(pg);
    return true;
}

/* XSA-385: all in 64 bits; tot_pages never exceeds max_pages by more than an earlier, larger
 * max_pages. Without the lock it is a guess. */
static bool may_have(const struct domain *d, uint64_t n)
{
    uint64_t has = READ_ONCE(d->tot_pages), most = READ_ONCE(d->max_pages);

    return !READ_ONCE(d->dying) && has <= most && n <= most - has;
}

int domain_assign_frames(struct domain *d, struct page_info *pg, unsigned int order)
{
    uint64_t n = 1ull << order;

    spin_lock(&d->page_alloc_lock);
    if (!may_have(d, n)) {
        spin_unlock(&d->page_alloc_lock);
        return READ_ONCE(d->dying) ? -XEN_EINVAL : -XEN_ENOMEM;
    }
    /* Race: before the frames are seen, for the domain might give all of them back at once. */
    if (d->tot_pages == 0)
        get_knownalive_domain(d);
    WRITE_ONCE(d->tot_pages, d->tot_pages + n);
    claim_consume(d, n);
    for (uint64_t i = 0; i < n; i++) {
        WRITE_ONCE(pg[i].owner, d->domain_id);
        WRITE_ONCE(pg[i].type_info, 0);
        WRITE_ONCE(pg[i].order, 0);
        page_list_add(&d->pages, &pg[i]);
        /* Race: get_page() may see the frame as soon as its count is not 0 */
        __atomic_store_n(&pg[i].count_info, PGC_allocated | 1, __ATOMIC_RELEASE);
    }
    spin_unlock(&d->page_alloc_lock);
    return 0;
}

struct page_info *alloc_domain_frames(struct domain *d, unsigned int order, unsigned int addr_bits,
                                      uint64_t gpfn, unsigned int *budget)
{
    struct page_info *pg;

    /* Looked at before anything is cleared for nothing, which would not end: it is asked again. */
    if (!claim_allows(d, 1ull << order) || !may_have(d, 1ull << order))
        return NULL;
    pg = alloc_frames_within(order, addr_bits, d->is_control, budget);
    if (pg)
        set_gpfn(page_to_mfn(pg), order, gpfn);
    if (pg && domain_assign_frames(d, pg, order)) {
        free_frames(pg, order);
        pg = NULL;
    }
    return pg;
}

void domain_page_set_aside(struct domain *d, struct page_info *pg)
{
    page_list_del(&d->pages, pg);
    page_list_add(&d->relinquish, pg);
    WRITE_ONCE(pg->order, 1);
}

/* Race: a reference of our own while we look, or the frame might go and come back as another
 * domain's. */
int steal_page(struct domain *d, struct page_info *pg)
{
    if (!get_page(pg, d))
        return -XEN_EINVAL;
    /* XSA-214: a frame that still has a type, of whatever kind, is not stolen. Two references, the
     * owner's and ours: from here on nobody else can take one. */
    if (READ_ONCE(pg->type_info) & PGT_count_mask ||
        cmpxchg(&pg->count_info, PGC_allocated | 2, 0) != (PGC_allocated | 2)) {
        int rc = READ_ONCE(pg->count_info) & PGC_xenheap ? -XEN_EINVAL : -XEN_EBUSY;

        put_page(pg);
        return rc;
    }
    release_domain_page(d, pg);
    WRITE_ONCE(pg->owner, DOMID_INVALID);
    WRITE_ONCE(pg->type_info, 0);
    return 0;
}

void share_hv_page_with_guest(void *page, struct domain *d, bool writable)
{
    struct page_info *pg = mfn_to_page(frame_of(page));

    WRITE_ONCE(pg->owner, d->domain_id);
    /* One type reference for ever: a read-only page cannot become writable, a writable one nothing
     * else. XSA-248 */
    WRITE_ONCE(pg->type_info, (writable ? PGT_writable_page : PGT_none) | PGT_validated | 1);
    set_gpfn(page_to_mfn(pg), 0, INVALID_GPFN);
    /* Race: the first is shared before anybody finds the domain, and the last goes after the table
     * of grants has grown for the last time. */
    if (atomic_add_return(&d->xenheap_pages, 1) == 1)
        get_knownalive_domain(d);
    __atomic_store_n(&pg->count_info, PGC_xenheap | PGC_allocated | 1, __ATOMIC_RELEASE);
}

void unshare_hv_page(void *page)
{
    if (page)
        clear_allocated(mfn_to_page(frame_of(page)));
}
