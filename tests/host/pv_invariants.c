/* SPDX-License-Identifier: MIT */
/*
 * The oracle of direct paging: counts all references and types from scratch and compares with
 * what the frames say.
 *
 * What a general reference may come from: being allocated; a pin; the state `partial`; a present L1
 * entry; an entry of a higher table; a vCPU's base table, descriptor tables, registered vcpu_info;
 * a table put off. A type reference: all of these but the first, L1 entries only when writable.
 * Entries of nested page tables hold a general reference each; frames of who has these have no
 * types, whoever maps them. Each must name a frame that has the type, checked; no entry has bits
 * that a check would have refused. The hypervisor's shared frames hold one type reference for ever.
 * Grants mapped for a device hold references outside of page tables; the grant tables name them.
 *
 * Nothing else may change frames meanwhile.
 */
#include "host.h"

#include <stdlib.h>

#include <core/base/log.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <core/domain/domain_pages.h>
#include <core/frame/m2p.h>
#include <hvm/npt_tables.h>
#include <pv/page_walk.h>

struct recount {
    uint32_t refs, types;
};

static struct recount *counted; /* by frame, while a recount runs */
static unsigned int wrong;

static void __printf(2, 3) complain(mfn_t mfn, const char *fmt, ...)
{
    const struct page_info *pg = mfn_to_page(mfn);
    char text[96];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    wrong++;
    log_error("frame %#lx of d%u (count %#lx, type %#lx): %s", (unsigned long)mfn.n, pg->owner,
              (unsigned long)pg->count_info, (unsigned long)pg->type_info, text);
}

static void count_ref(mfn_t mfn)
{
    counted[mfn.n].refs++;
}

/* A general and a type reference from `what`. */
static void count_typed(mfn_t mfn, uint64_t type, const char *what)
{
    const struct page_info *pg = mfn_to_page(mfn);

    counted[mfn.n].refs++;
    counted[mfn.n].types++;
    if ((pg->type_info & (PGT_type_mask | PGT_validated)) != (type | PGT_validated))
        complain(mfn, "%s needs type %u, checked", what, table_level(type));
}

static void count_l1e(uint64_t e, mfn_t table)
{
    const struct domain *owner;
    mfn_t mfn = pte_mfn(e);

    if ((e & PTE_PRESENT) && !(e & PTE_USER))
        complain(table, "entry %#lx was not adjusted", (unsigned long)e);
    if (!(e & PTE_PRESENT) || !mfn_valid(mfn) || mfn_to_page(mfn)->owner == DOMID_IO)
        return;
    owner = owner_of_page(mfn_to_page(mfn));
    if (e & PTE_RW && !(owner && is_translated(owner)))
        count_typed(mfn, PGT_writable_page, "a writable entry");
    else
        count_ref(mfn);
}

static void count_table(struct page_info *pg)
{
    const uint64_t *table = read_frame(page_to_mfn(pg));
    unsigned int level = table_level(pg->type_info);
    unsigned int n = pg->type_info & PGT_partial ? pg->nr_validated : TABLE_ENTRIES;

    for (unsigned int i = 0; i < n; i++) {
        uint64_t e = table[i];

        if (e & PTE_PRESENT && !(pg->used >> i / TABLE_PART & 1))
            complain(page_to_mfn(pg), "entry %u is in a part that is held to be empty", i);
        if (level == 1)
            count_l1e(e, page_to_mfn(pg));
        else if (!(e & PTE_PRESENT) || is_hypervisor_slot(level, i))
            continue;
        else if (e & PTE_UPPER_DISALLOWED)
            complain(page_to_mfn(pg), "entry %u is %#lx", i, (unsigned long)e);
        else
            count_typed(pte_mfn(e), table_type(level - 1), "an entry of a higher table");
    }
}

static void count_frame(struct page_info *pg)
{
    struct recount *c = &counted[page_to_mfn(pg).n];
    uint64_t x = pg->type_info;

    if (pg->count_info & PGC_allocated)
        c->refs++;
    if (pg->count_info & PGC_xenheap)
        c->types++;
    if (x & PGT_pinned) {
        c->refs++;
        c->types++;
    }
    if (x & PGT_partial) {
        c->refs++;
        c->types++;
        if ((x & PGT_count_mask) != 1 || (x & PGT_validated))
            complain(page_to_mfn(pg), "partial, but not with a count of 1");
    }
    if (x & PGT_locked)
        complain(page_to_mfn(pg), "locked");
    if (is_table_type(x) && (x & PGT_count_mask) && (x & (PGT_validated | PGT_partial)))
        count_table(pg);
}

/* A walk that counts as good comes where it came. */
static void check_walked(struct vcpu *v)
{
    const struct pv_walked was = v->arch.pv.walked;

    if (was.span && mfn_eq(was.base, v->arch.pv.guest_table) &&
        was.when == v->domain->arch.pv.tables_changed && pv_walk(v, was.span) != was.table)
        complain(page_to_mfn(was.table), "is remembered as the table for %#lx",
                 (unsigned long)was.span);
}

static void count_vcpu(struct vcpu *v)
{
    const struct pv_vcpu *a = &v->arch.pv;

    if (a->guest_table.n)
        count_typed(a->guest_table, PGT_l4_page_table, "a base table");
    if (a->guest_table_user.n)
        count_typed(a->guest_table_user, PGT_l4_page_table, "a user base table");
    for (unsigned int i = 0; i < ARRAY_SIZE(a->old_guest_table); i++)
        if (a->old_guest_table[i].n)
            count_ref(a->old_guest_table[i]);
    for (unsigned int i = 0; i < FIRST_RESERVED_GDT_PAGE; i++)
        if (a->gdt_frames[i].n)
            count_typed(a->gdt_frames[i], PGT_seg_desc_page, "a GDT");
    for (unsigned int i = 16; a->perdomain_l1 && i < 32; i++)
        if (a->perdomain_l1[i] & PTE_PRESENT)
            count_typed(pte_mfn(a->perdomain_l1[i]), PGT_seg_desc_page, "an LDT");
    if (v->vcpu_info_mfn.n && !mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
        count_typed(v->vcpu_info_mfn, PGT_writable_page, "a vcpu_info");
    check_walked(v);
}

/* Of nested page tables (hvm/npt.c): which are nobody's memory; a frame is at one place, and M2P
 * says where. */
static void count_nested(const struct domain *d, mfn_t table, unsigned int level, uint64_t first)
{
    const uint64_t *entries = read_frame(table);

    for (unsigned int i = 0; i < NPT_ENTRIES; i++) {
        uint64_t e = entries[i], gfn = first + ((uint64_t)i << 9 * (level - 1));
        uint64_t n = level == 2 ? NPT_LARGE : 1;

        if (!e)
            continue;
        if (!npt_is_frame(e, level)) {
            count_nested(d, npt_mfn(e), level - 1, gfn);
            continue;
        }
        for (uint64_t k = 0; k < n; k++) {
            mfn_t mfn = MFN(npt_mfn(e).n + k);

            count_ref(mfn);
            if (mfn_to_page(mfn)->owner != d->domain_id || machine_to_phys[mfn.n] != gfn + k)
                complain(mfn, "d%u has it at %#lx", d->domain_id, (unsigned long)(gfn + k));
        }
    }
}

static void count_console(const struct domain *d)
{
    mfn_t ring = console_ring_frame(d);

    if (!mfn_eq(ring, INVALID_MFN))
        count_typed(ring, PGT_writable_page, "a console ring");
}

/* What the hypervisor itself writes to of a domain whose frames have no types. */
static void count_shared(const struct domain *d)
{
    mfn_t ring = console_ring_frame(d);
    const struct vcpu *v;

    if (!mfn_eq(ring, INVALID_MFN))
        count_ref(ring);
    if (d->arch.hvm.console)
        count_ref(page_to_mfn(d->arch.hvm.console));
    for_each_vcpu (d, v)
        if (v->vcpu_info_mfn.n && !mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
            count_ref(v->vcpu_info_mfn);
}

/* Mappings of grants that hold references outside of page tables. */
static void count_device_mappings(struct domain *d)
{
    const struct maptrack *m;

    for (uint32_t handle = 0; d->grant && (m = maptrack_entry(d->grant, handle)); handle++) {
        mfn_t frame;

        if (!(m->flags & GNTMAP_device_map))
            continue;
        frame = grant_active(m->rd->grant, m->ref)->frame;
        if (m->flags & GNTMAP_readonly || is_translated(m->rd))
            count_ref(frame);
        else
            count_typed(frame, PGT_writable_page, "a device mapping");
    }
}

static void compare(mfn_t mfn)
{
    const struct page_info *pg = mfn_to_page(mfn);
    const struct recount *c = &counted[mfn.n];
    bool owned = pg->owner < DOMID_FIRST_RESERVED;

    if (!owned && (c->refs || c->types) && pg->owner == DOMID_INVALID)
        complain(mfn, "nobody's, but %u references name it", c->refs);
    if (!owned)
        return;
    if ((pg->count_info & PGC_count_mask) != c->refs)
        complain(mfn, "%u references counted", c->refs);
    if ((pg->type_info & PGT_count_mask) != c->types)
        complain(mfn, "%u type references counted", c->types);
}

unsigned int host_recount(void)
{
    struct domain *d = NULL;
    struct vcpu *v;

    counted = calloc(max_mfn + 1, sizeof(*counted));
    if (!counted)
        abort();
    wrong = 0;
    for (uint64_t i = 0; i <= max_mfn; i++)
        if (mfn_valid(MFN(i)) && mfn_to_page(MFN(i))->owner < DOMID_FIRST_RESERVED)
            count_frame(mfn_to_page(MFN(i)));
    spin_lock(&domlist_lock);
    while ((d = next_domain(d))) {
        if (is_translated(d)) {
            count_nested(d, frame_of(d->arch.hvm.npt), NPT_TOP, 0);
            count_shared(d);
            continue;
        }
        for_each_vcpu (d, v)
            count_vcpu(v);
        count_console(d);
        count_device_mappings(d);
    }
    spin_unlock(&domlist_lock);
    for (uint64_t i = 0; i <= max_mfn; i++)
        if (mfn_valid(MFN(i)))
            compare(MFN(i));
    free(counted);
    return wrong;
}
