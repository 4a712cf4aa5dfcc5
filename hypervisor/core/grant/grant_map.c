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
#include <core/base/tlb.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <port/current.h>
#include <port/machine.h>
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
    if ((flags & MAPPINGS) != MAPPINGS || grant_get_frame(rd, frame, readonly))
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

static int map_to(struct gnttab_map_grant_ref *op, struct domain *rd, struct maptrack *m)
{
    struct domain *ld = current->domain;
    bool readonly = op->flags & GNTMAP_readonly;
    mfn_t frame;
    int rc = grant_pin(rd, ld, op->ref, readonly, &frame);

    if (rc)
        return rc;
    if (!get_references(rd, frame, op->flags)) {
        rc = refused(GNTST_bad_page, "grant map: frame %#lx of d%u cannot be mapped%s",
                     (unsigned long)frame.n, rd->domain_id, readonly ? "" : " writable");
        goto err_unpin;
    }
    if (op->flags & GNTMAP_host_map)
        rc = ld->ops->grant_map(op->host_addr, frame, op->flags);
    if (rc)
        goto err_put_references;
    spin_lock(&rd->grant->lock);
    m->ref = op->ref;
    m->flags = op->flags;
    __atomic_store_n(&m->rd, rd, __ATOMIC_RELEASE); /* with the caller's reference */
    spin_unlock(&rd->grant->lock);
    op->dev_bus_addr = frame.n << PAGE_SHIFT;
    return 0;

err_put_references:
    put_references(rd, frame, op->flags, readonly);
err_unpin:
    grant_unpin(rd, op->ref, readonly);
    return rc;
}

int grant_map(struct gnttab_map_grant_ref *op)
{
    struct grant_table *gt = current->domain->grant;
    struct maptrack *m;
    struct domain *rd;
    uint32_t handle;
    int rc;

    if (!(op->flags & MAPPINGS) || (op->flags & ~(uint32_t)KNOWN_FLAGS))
        return refused(GNTST_bad_gntref, "grant map: flags %#x", op->flags);
    rd = get_domain_by_id(op->dom);
    if (!rd)
        return refused(GNTST_bad_domain, "grant map: there is no d%u", op->dom);
    handle = maptrack_alloc(gt, &m);
    if (handle == NO_HANDLE) {
        rc = refused(GNTST_no_device_space, "grant map: no handle is free");
        goto err_put_domain;
    }
    rc = map_to(op, rd, m);
    if (rc)
        goto err_free_handle;
    op->handle = handle;
    return 0;

err_free_handle:
    maptrack_free(gt, handle);
err_put_domain:
    put_domain(rd);
    return rc;
}

/* The granter that handle leads to, with a reference; NULL when the handle is not in use. */
static struct domain *granter_of(struct grant_table *gt, struct maptrack *m)
{
    struct domain *rd;

    spin_lock(&gt->maptrack_lock); /* the entry, which holds rd, cannot be freed meanwhile */
    rd = __atomic_load_n(&m->rd, __ATOMIC_ACQUIRE);
    if (rd && !get_domain(rd))
        rd = NULL;
    spin_unlock(&gt->maptrack_lock);
    return rd;
}

/* Under the granter's lock: takes the mappings out that are named. 0 or GNTST_*. */
static int undo_locked(struct grant_unmapped *u, struct maptrack *m, uint64_t host_addr,
                       uint64_t dev_bus_addr, uint64_t new_addr)
{
    int rc;

    /* Race: it may have been freed, and be another granter's by now. */
    if (READ_ONCE(m->rd) != u->rd || !m->flags)
        return GNTST_bad_handle;
    u->ref = m->ref;
    u->frame = grant_active(u->rd->grant, m->ref)->frame;
    u->readonly = m->flags & GNTMAP_readonly;
    u->mappings = 0;
    if (dev_bus_addr && (m->flags & GNTMAP_device_map)) {
        if (dev_bus_addr != u->frame.n << PAGE_SHIFT)
            return refused(GNTST_general_error, "grant unmap: %#lx is not the bus address",
                           (unsigned long)dev_bus_addr);
        u->mappings |= GNTMAP_device_map;
    }
    if (host_addr && (m->flags & GNTMAP_host_map)) {
        rc = current->domain->ops->grant_unmap(host_addr, u->frame, m->flags, new_addr);
        if (rc)
            return rc;
        u->mappings |= GNTMAP_host_map;
    }
    m->flags &= ~u->mappings;
    u->last = !(m->flags & MAPPINGS);
    if (u->last)
        m->flags = 0; /* from here on nobody else unmaps it */
    return 0;
}

int grant_unmap(struct grant_unmaps *batch, uint32_t handle, uint64_t host_addr,
                uint64_t dev_bus_addr, uint64_t new_addr)
{
    struct grant_table *gt = current->domain->grant;
    struct maptrack *m = maptrack_entry(gt, handle);
    struct grant_unmapped *u = &batch->of[batch->nr];
    int rc;

    u->handle = handle;
    u->rd = m ? granter_of(gt, m) : NULL;
    if (!u->rd)
        return refused(GNTST_bad_handle, "grant unmap: handle %u", handle);
    spin_lock(&u->rd->grant->lock);
    rc = undo_locked(u, m, host_addr, dev_bus_addr, new_addr);
    spin_unlock(&u->rd->grant->lock);
    if (rc)
        put_domain(u->rd);
    else if (++batch->nr == UNMAP_BATCH)
        grant_unmap_complete(batch);
    return rc;
}

/* Gives back what was held for mappings that are gone. */
static void drop(struct grant_table *gt, const struct grant_unmapped *u)
{
    put_references(u->rd, u->frame, u->mappings, u->readonly);
    if (!u->last)
        return;
    grant_unpin(u->rd, u->ref, u->readonly);
    maptrack_free(gt, u->handle);
    put_domain(u->rd); /* the handle's */
}

void grant_unmap_complete(struct grant_unmaps *batch)
{
    struct domain *ld = current->domain;

    if (batch->nr)
        flush_tlb_domain(ld, ALL_CPUS);
    for (unsigned int i = 0; i < batch->nr; i++) {
        drop(ld->grant, &batch->of[i]);
        put_domain(batch->of[i].rd);
    }
    batch->nr = 0;
}

/* One handle of a domain that is being destroyed. Its page tables give back the references of host
 * mappings themselves. */
static void release(struct grant_table *gt, uint32_t handle)
{
    struct maptrack *m = maptrack_entry(gt, handle);
    struct grant_unmapped u = {
        .rd = m->rd,
        .ref = m->ref,
        .handle = handle,
        .mappings = m->flags & GNTMAP_device_map,
        .readonly = m->flags & GNTMAP_readonly,
        .last = true,
    };

    spin_lock(&u.rd->grant->lock);
    u.frame = grant_active(u.rd->grant, m->ref)->frame;
    m->flags = 0;
    spin_unlock(&u.rd->grant->lock);
    drop(gt, &u);
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
