/* SPDX-License-Identifier: MIT */
/*
 * GNTTABOP_copy: bytes from one frame to another, each either the caller's own or named by a grant
 * to the caller. Nothing is mapped in the guest; each frame is held by its own references while the
 * bytes move (XSA-500: the frame that is held is the frame that is copied).
 */
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>

struct side {
    struct domain *d; /* referenced; whose frame it is */
    mfn_t frame;
    grant_ref_t ref;
    bool granted, readonly;
};

static int open_granted(struct side *s, const struct gnttab_copy_ptr *p)
{
    int rc;

    s->d = get_domain_for_guest(p->domid);
    if (!s->d)
        return refused(GNTST_bad_domain, "grant copy: there is no d%u", p->domid);
    s->ref = p->u.ref;
    rc = grant_pin(s->d, current->domain, s->ref, s->readonly, &s->frame);
    if (rc)
        goto put_domain;
    if (!grant_get_frame(s->d, s->frame, s->readonly)) {
        grant_unpin(s->d, s->ref, s->readonly);
        rc = GNTST_bad_page;
        goto put_domain;
    }
    return 0;

put_domain:
    put_domain(s->d);
    return rc;
}

static int open_own(struct side *s, const struct gnttab_copy_ptr *p)
{
    if (p->domid != DOMID_SELF && p->domid != current->domain->domain_id)
        return refused(GNTST_permission_denied, "grant copy: frame of d%u without a grant",
                       p->domid);
    s->frame = current->domain->ops->gfn_to_mfn(current->domain, GFN(p->u.gmfn));
    if (!grant_get_frame(current->domain, s->frame, s->readonly))
        return refused(GNTST_bad_page, "grant copy: frame %#lx", (unsigned long)p->u.gmfn);
    s->d = current->domain;
    return 0;
}

static int open_side(struct side *s, const struct gnttab_copy_ptr *p, bool granted, bool readonly)
{
    s->granted = granted;
    s->readonly = readonly;
    return granted ? open_granted(s, p) : open_own(s, p);
}

static void close_side(struct side *s)
{
    grant_put_frame(s->d, s->frame, s->readonly);
    if (!s->granted)
        return;
    grant_unpin(s->d, s->ref, s->readonly);
    put_domain(s->d);
}

static bool crosses_page(const struct gnttab_copy_ptr *p, uint16_t len)
{
    return (uint32_t)p->offset + len > PAGE_SIZE;
}

int grant_copy(const struct gnttab_copy *op)
{
    struct side from __uninitialized, to __uninitialized;
    int rc;

    if (crosses_page(&op->source, op->len) || crosses_page(&op->dest, op->len))
        return refused(GNTST_bad_copy_arg, "grant copy: %u bytes cross a page", op->len);
    rc = open_side(&from, &op->source, op->flags & GNTCOPY_source_gref, true);
    if (rc)
        return rc;
    rc = open_side(&to, &op->dest, op->flags & GNTCOPY_dest_gref, false);
    if (!rc) {
        char *page = map_guest_frame(to.d, to.frame);

        memmove(page + op->dest.offset, (const char *)read_frame(from.frame) + op->source.offset,
                op->len);
        unmap_guest_frame(to.d, page);
        close_side(&to);
    }
    close_side(&from);
    return rc;
}
