/* SPDX-License-Identifier: MIT */
/* The frames of domains, and references to them: core/domain/domain_pages.c. */
#ifndef CORE_DOMAIN_PAGES_H
#define CORE_DOMAIN_PAGES_H

#include <core/frame/frame.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>

/* Gives a fresh frame block to d (2^order frames, PGC_allocated | 1 each, on d's page list).
 * -XEN_ENOMEM beyond d->max_pages. */
int __must_check domain_assign_frames(struct domain *d, struct page_info *pg, unsigned int order);
/* New ones, for who may have to give way: as alloc_frames_within(). They lie at gpfn, and what
 * follows, in d's own numbering, or nowhere (INVALID_GPFN). */
struct page_info *alloc_domain_frames(struct domain *d, unsigned int order, unsigned int addr_bits,
                                      uint64_t gpfn, unsigned int *budget);
/* Makes a hypervisor page visible to d: owned by d, PGC_xenheap, typed writable when writable
 * (shared_info, grant frames). */
void share_hv_page_with_guest(void *page, struct domain *d, bool writable);
void unshare_hv_page(void *page);

/* References. get_page fails (false) when the frame is not owned by d or is being freed. put_page
 * frees at the last reference. */
bool __must_check get_page(struct page_info *pg, const struct domain *d);
void free_owned_page(struct page_info *pg); /* which nobody refers to any more */
/* Frees the first frames of d's list, at most so many, as long as nobody but the allocation refers
 * to them and each follows the one before in memory. How many. */
unsigned int free_plain_pages(struct domain *d, unsigned int most);
static inline void put_page(struct page_info *pg)
{
    if (unlikely((atomic_sub_return(&pg->count_info, 1) & PGC_count_mask) == 0))
        free_owned_page(pg);
}
/* Of a frame that counts x, can there be one more? 0: it is free, or not handed out yet; all ones:
 * a guest tries to make the count overflow. */
static inline bool may_count_more(uint64_t x)
{
    return likely(((x + 1) & PGC_count_mask) > 1);
}
/* The first step of get_page(), without a call: true: there is a reference, and whose the frame is
 * now has to be looked at. false: get_page() knows. */
static inline bool take_reference(struct page_info *pg, const struct domain *dom)
{
    uint64_t x;

    if (unlikely(READ_ONCE(pg->owner) != dom->domain_id))
        return false;
    x = READ_ONCE(pg->count_info);
    return may_count_more(x) && likely(cmpxchg(&pg->count_info, x, x + 1) == x);
}
/* Its second step: it cannot become another's any more. */
static inline bool keep_if_owned(struct page_info *pg, const struct domain *dom)
{
    if (likely(READ_ONCE(pg->owner) == dom->domain_id))
        return true;
    put_page(pg);
    return false;
}
/* get_page(), without a call where nothing is in the way. */
static inline bool __must_check get_page_now(struct page_info *pg, const struct domain *dom)
{
    return likely(take_reference(pg, dom)) ? keep_if_owned(pg, dom) : get_page(pg, dom);
}
/* From a machine frame number, whoever gave it: NULL unless mfn is RAM owned by d; else with one
 * reference. */
struct page_info *get_page_from_mfn(mfn_t mfn, const struct domain *d);
/* From the number by which d names a frame of its own in a hypercall: with a general reference; and
 * with what its kind's get_writable() takes, which put_writable() gives back. NULL: it may not. */
struct page_info *get_page_from_gfn(gfn_t gfn, const struct domain *d);
struct page_info *get_writable_from_gfn(gfn_t gfn, struct domain *d);
/* The number by which d knows a frame of its own; INVALID_GPFN: it is nowhere. */
uint64_t number_of_frame(const struct domain *d, mfn_t mfn);
/* Has d a map from its own frame numbers to frames, made and kept by the hypervisor? */
static inline bool is_translated(const struct domain *dom)
{
    return dom->ops && dom->ops->take_out;
}
/* Teardown: moves a frame from d->pages to d->relinquish. d->page_alloc_lock is held. */
void domain_page_set_aside(struct domain *d, struct page_info *pg);
/* Takes a frame that only its owner holds (one reference, no type) out of its domain: 0, and the
 * frame is the caller's as after alloc_frames(); -XEN_EINVAL, -XEN_EBUSY: nothing changed. */
int __must_check steal_page(struct domain *d, struct page_info *pg);
/* Gives back the allocation reference (decrease_reservation, teardown): true if this call took it.
 */
bool clear_allocated(struct page_info *pg);

#endif
