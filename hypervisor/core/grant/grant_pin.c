/* SPDX-License-Identifier: MIT */
/*
 * The use of one grant: begin (pin) and end (unpin).
 *
 * The entry belongs to the granter, who may change it at any time; so flags and domid are one word,
 * read and changed by one compare and exchange. While there is a use, GTF_reading (and GTF_writing)
 * tell the granter so, and the frame is the one it was when the first use began. The references of
 * the frame are held by each mapping itself, not by the pin (XSA-224, XSA-236).
 *
 * Anybody may name anybody's grants: whoever is allowed nothing there does not get as far as the
 * granter's lock, and why something is refused is said when no lock is held.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/nospec.h>
#include <port/sanitize.h>

/* A granter that changes the entry all the time gets an error, not an endless loop */
#define TRIES 4

/* Flags in the low, domid in the high half. */
static uint32_t *entry_word(struct grant_entry_v1 *e)
{
    return (uint32_t *)(void *)e;
}

/* Sets the status bits if the entry lets ld do this. NULL, or why not. */
static const char *set_status(struct grant_entry_v1 *e, const struct domain *ld, bool readonly)
{
    uint32_t bits = GTF_reading | (readonly ? 0 : GTF_writing);

    for (int i = 0; i < TRIES; i++) {
        uint32_t word = READ_ONCE(*entry_word(e));

        if ((word & GTF_type_mask) != GTF_permit_access || word >> 16 != ld->domain_id)
            return "it is not for this domain";
        if (!readonly && (word & GTF_readonly))
            return "it is read-only";
        if ((word & bits) == bits || cmpxchg(entry_word(e), word, word | bits) == word)
            return NULL;
    }
    return "it changes all the time";
}

static void clear_status(struct grant_table *gt, grant_ref_t ref, uint16_t bits)
{
    struct grant_entry_v1 *e = grant_shared(gt, ref);

    if (e)
        atomic_and(&e->flags, (uint16_t)~bits);
}

/* NULL, or why not. */
static const char *pin_locked(struct domain *rd, const struct domain *ld, grant_ref_t ref,
                              bool readonly, mfn_t *frame)
{
    struct grant_entry_v1 *e = grant_shared(rd->grant, ref);
    struct active_grant *a;
    const char *why;

    if (!e || READ_ONCE(rd->dying))
        return "the domain is ending";
    a = grant_active(rd->grant, ref);
    if ((a->readers || a->writers) && a->domid != ld->domain_id)
        return "it is in use by another domain";
    why = set_status(e, ld, readonly);
    if (why)
        return why;
    if (!a->readers && !a->writers) {
        smp_rmb(); /* Race: the granter writes frame before flags */
        a->frame = rd->ops->gfn_to_mfn(rd, GFN(READ_ONCE(e->frame)));
        a->domid = ld->domain_id;
    }
    if (readonly)
        a->readers++;
    else
        a->writers++;
    *frame = a->frame;
    return NULL;
}

/* Is the entry for ld? Race: without the lock it may be another's memory by now; what is found only
 * saves the lock, under which it is decided. */
static __no_sanitize bool may_be_for(struct grant_table *gt, const struct domain *ld,
                                     grant_ref_t ref)
{
    struct grant_entry_v1 *e = READ_ONCE(gt->shared[ref / ENTRIES_PER_FRAME]);

    return e && READ_ONCE(e[ref % ENTRIES_PER_FRAME].domid) == ld->domain_id;
}

int grant_pin(struct domain *rd, const struct domain *ld, grant_ref_t ref, bool readonly,
              mfn_t *frame)
{
    struct grant_table *gt = rd->grant;
    const char *why = "it is not for this domain";
    uint64_t entries = grant_entries(gt);

    if (ref >= entries)
        return refused(GNTST_bad_gntref, "d%u has no grant %u", rd->domain_id, ref);
    ref = (grant_ref_t)index_nospec(ref, entries);
    if (likely(may_be_for(gt, ld, ref))) {
        spin_lock(&gt->lock);
        why = pin_locked(rd, ld, ref, readonly, frame);
        spin_unlock(&gt->lock);
    }
    return likely(!why)
               ? 0
               : refused(GNTST_general_error, "grant %u of d%u: %s", ref, rd->domain_id, why);
}

void grant_unpin(struct domain *rd, grant_ref_t ref, bool readonly)
{
    struct grant_table *gt = rd->grant;
    struct active_grant *a;

    spin_lock(&gt->lock);
    a = grant_active(gt, ref);
    if (readonly)
        a->readers--;
    else
        a->writers--;
    if (!a->writers && !readonly)
        clear_status(gt, ref, GTF_writing);
    if (!a->writers && !a->readers)
        clear_status(gt, ref, GTF_reading);
    spin_unlock(&gt->lock);
}

bool grant_get_frame(struct domain *rd, mfn_t frame, bool readonly)
{
    struct page_info *pg;

    if (!mfn_in_table(frame))
        return false;
    pg = mfn_to_page_nospec(frame);
    return readonly ? get_page(pg, rd) : rd->ops->get_writable(pg, rd);
}

void grant_put_frame(struct domain *rd, mfn_t frame, bool readonly)
{
    if (readonly)
        put_page(mfn_to_page(frame));
    else
        rd->ops->put_writable(mfn_to_page(frame));
}
