/* SPDX-License-Identifier: MIT */
/*
 * Grant table version 1. See grant.h for the idea.
 *
 * The hypervisor allocates the table; GNTTABOP_setup_table tells its frames, which are mapped
 * like any foreign frames. The first eight references are reserved by convention (console and
 * xenstore use them), so handing out starts at 8.
 */
#include <guest/grant.h>
#include <guest/kernel.h>
#include <guest/pagetable.h>

#define ENTRIES (GRANT_FRAMES * PAGE_SIZE / sizeof(grant_entry_v1_t))

static grant_entry_v1_t *table;
static grant_ref_t next_ref = GNTTAB_NR_RESERVED_ENTRIES;

/* Fully virtualized: the table's frames come in the place of memory of ours. */
static int put_table(void)
{
    struct xen_add_to_physmap a = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};
    void *place = pages_alloc(GRANT_FRAMES);
    long rc = place ? 0 : -XEN_ENOMEM;

    for (; !rc && a.idx < GRANT_FRAMES; a.idx++) {
        a.gpfn = virt_to_pfn(place) + a.idx;
        rc = HYPERVISOR_memory_op(XENMEM_add_to_physmap, &a);
    }
    table = rc ? NULL : place;
    return (int)rc;
}

int grant_init(void)
{
    xen_pfn_t frames[GRANT_FRAMES];
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = GRANT_FRAMES};
    long rc;

    if (table)
        return 0;
    if (!is_pv())
        return put_table();
    set_xen_guest_handle(setup.frame_list, frames);
    rc = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (rc)
        return (int)rc;
    if (setup.status != GNTST_okay)
        return setup.status;
    table = map_frames(frames, GRANT_FRAMES, PTE_KERNEL_RW | PTE_NX);
    return table ? 0 : -XEN_ENOMEM;
}

grant_entry_v1_t *grant_entry(grant_ref_t ref)
{
    BUG_ON(ref >= ENTRIES);
    return &table[ref];
}

int grant_access(domid_t dom, unsigned long mfn, bool readonly)
{
    for (unsigned int tries = 0; tries < ENTRIES; tries++) {
        grant_ref_t ref = next_ref;
        grant_entry_v1_t *e = &table[ref];

        next_ref = ref + 1 < ENTRIES ? ref + 1 : GNTTAB_NR_RESERVED_ENTRIES;
        if (READ_ONCE(e->flags))
            continue;
        e->frame = (uint32_t)mfn;
        e->domid = dom;
        barrier(); /* the flags make the entry valid: last */
        WRITE_ONCE(e->flags, GTF_permit_access | (readonly ? GTF_readonly : 0));
        return (int)ref;
    }
    return -XEN_ENOSPC;
}

bool grant_in_use(grant_ref_t ref)
{
    return READ_ONCE(grant_entry(ref)->flags) & (GTF_reading | GTF_writing);
}

bool grant_end(grant_ref_t ref)
{
    grant_entry_v1_t *e = grant_entry(ref);
    uint16_t flags = READ_ONCE(e->flags);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&e->flags, &flags, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}

int grant_map(domid_t dom, grant_ref_t ref, bool readonly, void **va, grant_handle_t *handle)
{
    unsigned long place = map_area_alloc(1);
    gnttab_map_grant_ref_t op = {
        .host_addr = place,
        .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
        .ref = ref,
        .dom = dom,
    };
    long rc;

    if (!place)
        return -1;
    /* The entry must exist: mapping anything there makes the tables. */
    rc = pt_map(place, 0);
    if (!rc)
        rc = HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
    if (rc || op.status != GNTST_okay) {
        map_area_free(place, 1);
        return -1;
    }
    *va = (void *)place;
    *handle = op.handle;
    return 0;
}

int grant_unmap(void *va, grant_handle_t handle)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = (unsigned long)va, .handle = handle};

    if (HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) || op.status != GNTST_okay)
        return -1;
    map_area_free((unsigned long)va, 1);
    return 0;
}
