/* SPDX-License-Identifier: MIT */
/*
 * Mapping a grant and unmapping it.
 *
 * map: handle, pin, references of the frame (one set for the host mapping, one for the device
 * mapping), page-table entry; undone in that order when something fails. unmap: the entry goes
 * first, under the granter's lock, which also settles who wins when two vCPUs unmap the same handle
 * (XSA-218). Only after the TLBs were flushed are the references dropped and the pin ended.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <port/current.h>
#include <xen/errno.h>

#define MAPPINGS (GNTMAP_host_map | GNTMAP_device_map)
#define KNOWN_FLAGS                                                                                \
    (MAPPINGS | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_contains_pte |                   \
     GNTMAP_guest_avail_mask)

/* One set of references for each mapping that is asked for. */
static bool get_references(struct domain *rd, mfn_t frame, uint32_t flags)
{
    bool readonly = flags & GNTMAP_readonly;

    if (!grant_get_frame(rd, frame, readonly))
        return false;
    if ((flags & MAPPINGS) != MAPPINGS)
        return true;
    if (grant_get_frame(rd, frame, readonly))
        return true;
    grant_put_frame(rd, frame, readonly);
    return false;
}

static void put_references(struct domain *rd, mfn_t frame, uint32_t mappings, bool readonly)
{
    if (mappings & GNTMAP_host_map)
        grant_put_frame(rd, frame, readonly);
    if (mappings & GNTMAP_device_map)
        grant_put_frame(rd, frame, readonly);
}

static int map_pinned(struct gnttab_map_grant_ref *op, struct domain *rd, mfn_t frame)
{
    int rc = 0;

    if (!get_references(rd, frame, op->flags))
        return refused(GNTST_bad_page, "grant map: frame %#lx of d%u cannot be mapped%s",
                       (unsigned long)frame.n, rd->domain_id,
                       op->flags & GNTMAP_readonly ? "" : " writable");
    if (op->flags & GNTMAP_host_map)
        rc = current->domain->ops->grant_map(op->host_addr, frame, op->flags);
    if (rc)
        put_references(rd, frame, op->flags, op->flags & GNTMAP_readonly);
    return rc;
}

static int map_grant(struct gnttab_map_grant_ref *op, struct domain *rd, uint32_t handle)
{
    struct domain *ld = current->domain;
    bool readonly = op->flags & GNTMAP_readonly;
    struct maptrack *m = maptrack_entry(ld->grant, handle);
    mfn_t frame;
    int rc = grant_pin(rd, ld, op->ref, readonly, &frame);

    if (rc)
        return rc;
    rc = map_pinned(op, rd, frame);
    if (rc) {
        grant_unpin(rd, op->ref, readonly);
        return rc;
    }
    spin_lock(&rd->grant->lock);
    m->rd = rd; /* with the caller's reference */
    m->ref = op->ref;
    m->flags = op->flags;
    spin_unlock(&rd->grant->lock);
    op->handle = handle;
    op->dev_bus_addr = frame.n << PAGE_SHIFT;
    return 0;
}

void grant_map_one(struct gnttab_map_grant_ref *op)
{
    struct grant_table *gt = current->domain->grant;
    struct domain *rd;
    uint32_t handle;

    if (!(op->flags & MAPPINGS) || (op->flags & ~(uint32_t)KNOWN_FLAGS)) {
        op->status = (int16_t)refused(GNTST_bad_gntref, "grant map: flags %#x", op->flags);
        return;
    }
    rd = get_domain_by_id(op->dom);
    if (!rd) {
        op->status = (int16_t)refused(GNTST_bad_domain, "grant map: there is no d%u", op->dom);
        return;
    }
    handle = maptrack_alloc(gt);
    if (handle == NO_HANDLE) {
        put_domain(rd);
        op->status = (int16_t)refused(GNTST_no_device_space, "grant map: no handle is free");
        return;
    }
    op->status = (int16_t)map_grant(op, rd, handle);
    if (op->status) {
        maptrack_free(gt, handle);
        put_domain(rd);
    }
}

/* The granter that handle leads to, with a reference; NULL when the handle is not in use. */
static struct domain *granter_of(struct grant_table *gt, struct maptrack *m)
{
    struct domain *rd = NULL;

    spin_lock(&gt->maptrack_lock); /* the entry cannot be freed meanwhile */
    if (m->flags && m->rd && get_domain(m->rd))
        rd = m->rd;
    spin_unlock(&gt->maptrack_lock);
    return rd;
}

/* Under the granter's lock: takes the mappings out that op names. 0 or GNTST_*. */
static int undo_locked(struct grant_unmap *op, struct maptrack *m)
{
    const struct active_grant *a;
    int rc = 0;

    if (!m->flags || m->rd != op->rd)
        return GNTST_bad_handle;
    op->ref = m->ref;
    a = grant_active(op->rd->grant, m->ref);
    op->frame = a->frame;
    op->done = m->flags & GNTMAP_readonly;
    if (op->dev_bus_addr && (m->flags & GNTMAP_device_map)) {
        if (op->dev_bus_addr != op->frame.n << PAGE_SHIFT)
            return refused(GNTST_general_error, "grant unmap: %#lx is not the bus address",
                           (unsigned long)op->dev_bus_addr);
        op->done |= GNTMAP_device_map;
    }
    if (op->host_addr && (m->flags & GNTMAP_host_map)) {
        rc = current->domain->ops->grant_unmap(op->host_addr, op->frame, m->flags, op->new_addr);
        if (rc) {
            op->done = 0;
            return rc;
        }
        op->done |= GNTMAP_host_map;
    }
    m->flags &= ~(op->done & MAPPINGS);
    op->last = !(m->flags & MAPPINGS);
    if (op->last)
        m->flags = 0; /* from here on nobody else unmaps it */
    return 0;
}

void grant_unmap_begin(struct grant_unmap *op)
{
    struct grant_table *gt = current->domain->grant;
    struct maptrack *m = maptrack_entry(gt, op->handle);

    op->done = 0;
    op->last = false;
    op->rd = m ? granter_of(gt, m) : NULL;
    if (!op->rd) {
        op->status = (int16_t)refused(GNTST_bad_handle, "grant unmap: handle %u", op->handle);
        return;
    }
    spin_lock(&op->rd->grant->lock);
    op->status = (int16_t)undo_locked(op, m);
    spin_unlock(&op->rd->grant->lock);
}

void grant_unmap_complete(struct grant_unmap *op)
{
    bool readonly = op->done & GNTMAP_readonly;

    if (!op->rd)
        return;
    put_references(op->rd, op->frame, op->done, readonly);
    if (op->last) {
        grant_unpin(op->rd, op->ref, readonly);
        maptrack_free(current->domain->grant, op->handle);
        put_domain(op->rd); /* the handle's */
    }
    put_domain(op->rd);
}

/* One handle of a domain that is being destroyed. Its page tables give back the references of host
 * mappings themselves. */
static void release(struct grant_table *gt, uint32_t handle)
{
    struct maptrack *m = maptrack_entry(gt, handle);
    struct domain *rd = m->rd;
    bool readonly = m->flags & GNTMAP_readonly;
    mfn_t frame;

    spin_lock(&rd->grant->lock);
    frame = grant_active(rd->grant, m->ref)->frame;
    grant_unpin_locked(rd, m->ref, readonly);
    spin_unlock(&rd->grant->lock);
    put_references(rd, frame, m->flags & GNTMAP_device_map, readonly);
    m->flags = 0;
    maptrack_free(gt, handle);
    put_domain(rd);
}

#define RELEASE_BATCH 64

int grant_table_release_mappings(struct domain *d)
{
    struct grant_table *gt = d->grant;
    struct maptrack *m;

    if (!gt)
        return 0;
    while ((m = maptrack_entry(gt, gt->release_next)) != NULL) {
        if (m->flags)
            release(gt, gt->release_next);
        gt->release_next++;
        if (gt->release_next % RELEASE_BATCH == 0 && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}
