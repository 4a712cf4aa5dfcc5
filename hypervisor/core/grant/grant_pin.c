/* SPDX-License-Identifier: MIT */
/*
 * The use of one grant: begin (pin) and end (unpin).
 *
 * The entry belongs to the granter, who may change it at any time; so flags and domid are one word,
 * read and changed by one compare and exchange. While there is a use, GTF_reading (and GTF_writing)
 * tell the granter so, and the frame is the one it was when the first use began. The references of
 * the frame are held by each mapping itself, not by the pin (XSA-224, XSA-236).
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>

/* A granter that changes the entry all the time gets an error, not an endless loop */
#define TRIES 4

/* Flags in the low, domid in the high half. */
static uint32_t *entry_word(struct grant_entry_v1 *e)
{
    return (uint32_t *)(void *)e;
}

/* Sets the status bits if the entry lets ld do this. 0 or GNTST_general_error. */
static int set_status(struct grant_entry_v1 *e, const struct domain *ld, bool readonly)
{
    uint32_t bits = GTF_reading | (readonly ? 0 : GTF_writing);

    for (int i = 0; i < TRIES; i++) {
        uint32_t word = READ_ONCE(*entry_word(e));
        domid_t domid = (domid_t)(word >> 16);

        if ((word & GTF_type_mask) != GTF_permit_access || domid != ld->domain_id)
            return refused(GNTST_general_error, "grant: flags %#x, for d%u: not for d%u",
                           word & 0xffff, domid, ld->domain_id);
        if (!readonly && (word & GTF_readonly))
            return refused(GNTST_general_error, "grant: is read-only");
        if ((word & bits) == bits || cmpxchg(entry_word(e), word, word | bits) == word)
            return 0;
    }
    return refused(GNTST_general_error, "grant: changes all the time");
}

static void clear_status(struct grant_table *gt, grant_ref_t ref, uint16_t bits)
{
    struct grant_entry_v1 *e = grant_shared(gt, ref);

    if (e)
        atomic_and(&e->flags, (uint16_t)~bits);
}

static int pin_locked(struct domain *rd, const struct domain *ld, grant_ref_t ref, bool readonly,
                      mfn_t *frame)
{
    struct grant_table *gt = rd->grant;
    struct grant_entry_v1 *e;
    struct active_grant *a;
    int rc;

    if (ref >= grant_entries(gt))
        return refused(GNTST_bad_gntref, "grant: d%u has no reference %u", rd->domain_id, ref);
    e = grant_shared(gt, ref);
    if (!e || READ_ONCE(rd->dying))
        return GNTST_general_error;
    a = grant_active(gt, ref);
    if ((a->readers || a->writers) && a->domid != ld->domain_id)
        return refused(GNTST_general_error, "grant %u of d%u: in use by d%u", ref, rd->domain_id,
                       a->domid);
    rc = set_status(e, ld, readonly);
    if (rc)
        return rc;
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
    return 0;
}

int grant_pin(struct domain *rd, const struct domain *ld, grant_ref_t ref, bool readonly,
              mfn_t *frame)
{
    int rc;

    spin_lock(&rd->grant->lock);
    rc = pin_locked(rd, ld, ref, readonly, frame);
    spin_unlock(&rd->grant->lock);
    return rc;
}

void grant_unpin(struct domain *rd, grant_ref_t ref, bool readonly)
{
    struct active_grant *a;

    spin_lock(&rd->grant->lock);
    a = grant_active(rd->grant, ref);
    if (readonly)
        a->readers--;
    else
        a->writers--;
    if (!a->writers && !readonly)
        clear_status(rd->grant, ref, GTF_writing);
    if (!a->writers && !a->readers)
        clear_status(rd->grant, ref, GTF_reading);
    spin_unlock(&rd->grant->lock);
}

bool grant_get_frame(struct domain *rd, mfn_t frame, bool readonly)
{
    struct page_info *pg = mfn_valid(frame) ? mfn_to_page(frame) : NULL;

    if (!pg)
        return false;
    return readonly ? get_page(pg, rd) : !rd->ops->get_writable(pg, rd);
}

void grant_put_frame(struct domain *rd, mfn_t frame, bool readonly)
{
    if (readonly)
        put_page(mfn_to_page(frame));
    else
        rd->ops->put_writable(mfn_to_page(frame));
}
