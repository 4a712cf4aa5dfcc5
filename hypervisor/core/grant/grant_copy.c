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
    struct domain *d; /* whose frame it is; referenced, when it is granted */
    mfn_t frame;
    grant_ref_t ref;
    bool granted;
};

/* Opened for each side, to be read and to be written: inline in both. */
static __inlined int open_side(struct side *s, const struct gnttab_copy_ptr *p, bool granted,
                               bool readonly)
{
    struct domain *ld = current->domain;
    int rc = 0;

    if (!granted && p->domid != DOMID_SELF && p->domid != ld->domain_id)
        return refused(GNTST_permission_denied, "grant copy: frame of d%u without a grant",
                       p->domid);
    s->d = granted ? get_domain_for_guest(p->domid) : ld;
    if (!s->d)
        return refused(GNTST_bad_domain, "grant copy: there is no d%u", p->domid);
    s->granted = granted;
    s->ref = p->u.ref;
    if (granted)
        rc = grant_pin(s->d, ld, s->ref, readonly, &s->frame);
    else
        s->frame = ld->ops->gfn_to_mfn(ld, GFN(p->u.gmfn));
    if (rc)
        goto err_put_domain;
    if (grant_get_frame(s->d, s->frame, readonly))
        return 0;
    rc = refused(GNTST_bad_page, "grant copy: frame %#lx of d%u", (unsigned long)s->frame.n,
                 s->d->domain_id);
    if (granted)
        grant_unpin(s->d, s->ref, readonly);
err_put_domain:
    if (granted)
        put_domain(s->d);
    return rc;
}

static void close_side(const struct side *s, bool readonly)
{
    grant_put_frame(s->d, s->frame, readonly);
    if (s->granted) {
        grant_unpin(s->d, s->ref, readonly);
        put_domain(s->d);
    }
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
        close_side(&to, false);
    }
    close_side(&from, true);
    return rc;
}
