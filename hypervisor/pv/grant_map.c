/* SPDX-License-Identifier: MIT */
/*
 * Grant mappings in the page tables of the current domain.
 *
 * The grant code decides whether a frame may be mapped and takes its references (general, and
 * writable when the mapping is). From then on they are the entry's, like those of any other L1
 * entry: an entry that goes away without an unmap gives them back itself (put_page_from_l1e). An
 * unmap through the grant interface takes the entry out without dropping them, and the grant code
 * drops them after the TLBs have been flushed.
 *
 * host_addr is an address in the current page tables, or with GNTMAP_contains_pte the machine
 * address of the entry.
 */
#include <core/base/log.h>
#include <pv/page_walk.h>
#include <pv/pv_mm.h>
#include <pv/pv_ops.h>
#include <xen/grant_table.h>

static uint64_t grant_rights(unsigned int flags)
{
    return flags & GNTMAP_readonly ? PTE_PRESENT : PTE_PRESENT | PTE_RW;
}

static uint64_t grant_pte(mfn_t frame, unsigned int flags)
{
    uint64_t e = frame.n << PAGE_SHIFT | grant_rights(flags) | PTE_NX;

    if (flags & GNTMAP_application_map)
        e |= PTE_USER;
    e |= (uint64_t)(flags >> _GNTMAP_guest_avail0) << 9 & PTE_AVAIL;
    return adjust_l1e(e);
}

struct entry { /* of an L1 table of the current domain, which is locked */
    struct page_info *table;
    const uint64_t *at;
    uint64_t old; /* what is there */
};

/* Finds the L1 entry that the guest named and locks its table. 0 or GNTST_general_error. */
static int lock_entry(uint64_t addr, bool contains_pte, struct entry *e)
{
    struct vcpu *v = current;
    unsigned int index;

    if (contains_pte) {
        /* XSA-227: an entry that is not aligned would be parts of two. */
        if (addr % sizeof(uint64_t) || !mfn_valid(MFN(addr >> PAGE_SHIFT)))
            return refused(GNTST_general_error, "grant map: %#lx is no page-table entry", addr);
        e->table = mfn_to_page_nospec(MFN(addr >> PAGE_SHIFT));
        index = (unsigned int)(addr & ~PAGE_MASK) / sizeof(uint64_t);
    } else {
        e->table = find_l1(v, addr);
        if (!e->table)
            return refused(GNTST_general_error, "grant map: no L1 entry for %#lx", addr);
        index = l1_index(addr);
    }
    if (!page_lock(e->table, v->domain))
        return refused(GNTST_general_error, "grant map: %#lx is in no page table of d%u", addr,
                       v->domain->domain_id);
    if (table_level(READ_ONCE(e->table->type_info)) != 1) {
        page_unlock(e->table);
        return refused(GNTST_general_error, "grant map: %#lx is not in an L1 table", addr);
    }
    e->at = table_entry(e->table, index);
    e->old = READ_ONCE(*e->at);
    return 0;
}

/* Writes the entry; the lock is still held. */
static void write_entry(const struct entry *e, uint64_t val)
{
    struct vcpu *v = current;

    set_pte(v->domain, e->table, e->at, e->old, val, PTE_WRITE);
    count_event(v, COUNTER_ptes_written);
}

int pv_grant_map(uint64_t host_addr, mfn_t frame, unsigned int flags)
{
    struct entry e __uninitialized;
    int rc = lock_entry(host_addr, flags & GNTMAP_contains_pte, &e);

    if (rc)
        return rc;
    write_entry(&e, grant_pte(frame, flags));
    page_unlock(e.table);
    put_page_from_l1e(e.old, current->domain);
    return GNTST_okay;
}

/* Takes the entry that maps va out, for unmap_and_replace: its references are the caller's now. */
static int steal_entry(gva_t va, uint64_t *out)
{
    struct entry e __uninitialized;
    int rc = lock_entry(va, false, &e);

    if (rc)
        return rc;
    *out = e.old;
    write_entry(&e, 0);
    page_unlock(e.table);
    return 0;
}

/*
 * ABI: a replacement that fails leaves the entry for it as it was. When the guest wrote there
 * meanwhile, the references are given back instead.
 */
static void give_entry_back(gva_t va, uint64_t stolen)
{
    struct entry e __uninitialized;

    if (!stolen)
        return;
    if (!lock_entry(va, false, &e)) {
        if (!e.old)
            write_entry(&e, stolen);
        page_unlock(e.table);
        if (!e.old)
            return;
    }
    put_page_from_l1e(stolen, current->domain);
}

int pv_grant_unmap(uint64_t host_addr, mfn_t frame, unsigned int flags, uint64_t new_addr)
{
    struct entry e __uninitialized;
    uint64_t with = 0;
    int rc;

    if (new_addr) {
        /* ABI: replacing is for mappings that were named by address. */
        if (flags & GNTMAP_contains_pte)
            return GNTST_general_error;
        rc = steal_entry(new_addr, &with);
        if (rc)
            return rc;
    }
    rc = lock_entry(host_addr, flags & GNTMAP_contains_pte, &e);
    if (rc)
        goto put_stolen;
    /* XSA-224, 234: the references that the caller drops are those of this very entry: same frame,
     * present, same right to write. */
    if (!mfn_eq(pte_mfn(e.old), frame) || (e.old & (PTE_PRESENT | PTE_RW)) != grant_rights(flags)) {
        page_unlock(e.table);
        rc = refused(GNTST_general_error, "grant unmap: entry %#lx at %#lx is not the grant's",
                     e.old, host_addr);
        goto put_stolen;
    }
    write_entry(&e, with);
    page_unlock(e.table);
    return GNTST_okay;

put_stolen:
    give_entry_back(new_addr, with);
    return rc;
}
