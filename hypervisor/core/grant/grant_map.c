/* SPDX-License-Identifier: MIT */
/*
 * Mapping a grant and unmapping it.
 *
 * map: handle, pin, references of the frame (one set for the host mapping, one for the device
 * mapping), page-table entry; undone in that order when something fails. unmap: the entry goes
 * first; only after the TLBs were flushed are the references dropped and the pin ended.
 *
 * Race: two vCPUs may unmap the same handle (XSA-218). Whoever sets BEING_UNMAPPED in its flags has
 * it for as long as that stands there: nobody else frees it, so the granter, the reference and the
 * pin that it leads to stay. Who comes second has its hypercall issued again. No lock is held
 * meanwhile, the granter's least of all: to take an entry out is to wait for the page table of the
 * mapper's, which may have others at it.
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

#define MAPPINGS       (GNTMAP_host_map | GNTMAP_device_map)
#define BEING_UNMAPPED (1u << 15) /* no GNTMAP_*, and none of the guest's own: KNOWN_FLAGS */
#define KNOWN_FLAGS                                                                                \
    (MAPPINGS | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_contains_pte |                   \
     GNTMAP_guest_avail_mask)

_Static_assert(!(KNOWN_FLAGS & BEING_UNMAPPED), "no guest may claim a handle");

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
    m->ref = op->ref;
    m->rd = rd; /* with the caller's reference */
    __atomic_store_n(&m->flags, op->flags, __ATOMIC_RELEASE);
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

/* Makes the handle's end this CPU's own affair. 0, GNTST_bad_handle, or -XEN_ERESTART: another CPU
 * is at it. */
static int claim(struct maptrack *m)
{
    uint32_t x = READ_ONCE(m->flags), seen;

    for (;; x = seen) {
        if (!(x & MAPPINGS))
            return GNTST_bad_handle;
        if (x & BEING_UNMAPPED)
            return -XEN_ERESTART;
        seen = cmpxchg(&m->flags, x, x | BEING_UNMAPPED);
        if (likely(seen == x))
            return 0;
    }
}

/* Takes the mappings out that are named. The handle is claimed, and flags what it says. 0 or
 * GNTST_*. */
static int undo(struct grant_unmapped *u, uint32_t flags, uint64_t host_addr, uint64_t dev_bus_addr,
                uint64_t new_addr)
{
    int rc;

    u->mappings = 0;
    if (dev_bus_addr && (flags & GNTMAP_device_map)) {
        if (dev_bus_addr != u->frame.n << PAGE_SHIFT)
            return refused(GNTST_general_error, "grant unmap: %#lx is not the bus address",
                           (unsigned long)dev_bus_addr);
        u->mappings |= GNTMAP_device_map;
    }
    if (host_addr && (flags & GNTMAP_host_map)) {
        rc = current->domain->ops->grant_unmap(host_addr, u->frame, flags, new_addr);
        if (rc)
            return rc;
        u->mappings |= GNTMAP_host_map;
    }
    return 0;
}

int grant_unmap(struct grant_unmaps *batch, uint32_t handle, uint64_t host_addr,
                uint64_t dev_bus_addr, uint64_t new_addr)
{
    struct maptrack *m = maptrack_entry(current->domain->grant, handle);
    struct grant_unmapped *u = &batch->of[batch->nr];
    int rc = m ? claim(m) : GNTST_bad_handle;
    uint32_t flags;

    if (rc == -XEN_ERESTART)
        return rc;
    if (rc)
        return refused(rc, "grant unmap: handle %u", handle);
    flags = READ_ONCE(m->flags) & ~BEING_UNMAPPED;
    *u = (struct grant_unmapped){.rd = m->rd,
                                 .frame = grant_active(m->rd->grant, m->ref)->frame,
                                 .ref = m->ref,
                                 .handle = handle,
                                 .readonly = flags & GNTMAP_readonly};
    rc = undo(u, flags, host_addr, dev_bus_addr, new_addr);
    if (!rc) {
        flags &= ~u->mappings;
        u->last = !(flags & MAPPINGS);
        if (u->last)
            flags = 0; /* from here on nobody else unmaps it */
        else
            get_knownalive_domain(u->rd); /* the handle's is not ours */
    }
    __atomic_store_n(&m->flags, flags, __ATOMIC_RELEASE);
    if (!rc && ++batch->nr == UNMAP_BATCH)
        grant_unmap_complete(batch);
    return rc;
}

/* Gives back what was held for mappings that are gone. */
static void drop(struct grant_table *gt, const struct grant_unmapped *u)
{
    put_references(u->rd, u->frame, u->mappings, u->readonly);
    if (u->last) {
        grant_unpin(u->rd, u->ref, u->readonly);
        maptrack_free(gt, u->handle);
    }
    put_domain(u->rd);
}

void grant_unmap_complete(struct grant_unmaps *batch)
{
    struct domain *ld = current->domain;

    if (batch->nr)
        flush_tlb_domain(ld, ALL_CPUS);
    for (unsigned int i = 0; i < batch->nr; i++)
        drop(ld->grant, &batch->of[i]);
    batch->nr = 0;
}

/* One handle of a domain that is being destroyed. Its page tables give back the references of host
 * mappings themselves. */
static void release(struct grant_table *gt, uint32_t handle)
{
    struct maptrack *m = maptrack_entry(gt, handle);
    struct grant_unmapped u = {
        .rd = m->rd,
        .frame = grant_active(m->rd->grant, m->ref)->frame,
        .ref = m->ref,
        .handle = handle,
        .mappings = m->flags & GNTMAP_device_map,
        .readonly = m->flags & GNTMAP_readonly,
        .last = true,
    };

    m->flags = 0;
    drop(gt, &u);
}

#define RELEASE_BATCH 64

int grant_table_release_mappings(struct domain *d)
{
    struct grant_table *gt = d->grant;
    struct maptrack *m;

    while ((m = maptrack_entry(gt, gt->release_next)) != NULL) {
        if (m->flags)
            release(gt, gt->release_next);
        gt->release_next++;
        if (gt->release_next % RELEASE_BATCH == 0 && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}
