/* SPDX-License-Identifier: MIT */
/*
 * The one place where an entry of a guest's page table is written.
 *
 * Whatever the reason (an mmu hypercall, an emulated write, a grant mapped or unmapped, the check
 * of a new table that adjusts its entries, the hypervisor's own slots of an L4), the store is made
 * by set_pte(), which knows whose table it is, and which entry. What has to hear of every change of
 * a guest's tables hangs here. Everyone else reads tables (read_frame()) and cannot write them;
 * tests/style.py holds that.
 *
 * The store is all: references of what the entry maps, and of what it mapped, are the caller's
 * affair (page_entry.c). The caller holds the table's page_lock, or the table is in change and its
 * own (page_type.c). So nobody else writes the entry meanwhile, but for the CPUs, which set
 * accessed and dirty in entries that are present.
 *
 * In a header, because a batch of updates is little else.
 */
#ifndef PV_SET_PTE_H
#define PV_SET_PTE_H

#include <port/atomic.h>
#include <port/machine.h>
#include <pv/mm.h>

#define TABLE_ENTRIES 512u

enum pte_write {
    PTE_WRITE,             /* as it is: accessed and dirty bits set meanwhile are lost */
    PTE_WRITE_PRESERVE_AD, /* keeps accessed and dirty bits */
    PTE_WRITE_IF_SAME,     /* only if the entry still is `old` */
};

/* Where entry `index` of a table is, to be read. */
static inline const uint64_t *table_entry(const struct page_info *table, unsigned int index)
{
    return (const uint64_t *)read_frame(page_to_mfn(table)) + index;
}

/*
 * A table remembers which of its parts may have present entries, so that undoing one costs what it
 * holds. Race: only who holds the table's lock comes here, but for pv_show_m2p(), whose part has
 * been noted.
 */
#define TABLE_PART (TABLE_ENTRIES / 16)
static inline bool is_noted(const struct page_info *table, unsigned int index)
{
    return table->used >> (index / TABLE_PART) & 1;
}

static inline void note_used(struct page_info *table, unsigned int index)
{
    if (!is_noted(table, index))
        table->used |= (uint16_t)(1u << (index / TABLE_PART));
}

static inline unsigned int index_of_entry(const uint64_t *entry)
{
    return (uintptr_t)entry / sizeof(*entry) % TABLE_ENTRIES;
}

/* An entry of a table of d is `old` and becomes val, as `how` says. False: it is not what it was,
 * beyond accessed and dirty, and nothing is stored; PTE_WRITE always stores. This is for one that
 * was present before, or is not after. */
static inline bool store_pte(const struct domain *d, const uint64_t *entry, uint64_t old,
                             uint64_t val, enum pte_write how)
{
    uint64_t *p = (uint64_t *)(uintptr_t)entry;

    ASSERT(mfn_to_page(frame_of(entry))->owner == d->domain_id);
    if (how == PTE_WRITE) {
        /* Race: who sees the entry sees what was done to the frame before */
        __atomic_store_n(p, val, __ATOMIC_RELEASE);
        return true;
    }
    for (;;) {
        const uint64_t ad = PTE_ACCESSED | PTE_DIRTY;
        uint64_t keep = how == PTE_WRITE_PRESERVE_AD ? old & ad : 0;
        uint64_t seen = cmpxchg(p, old, val | keep);

        if (seen == old)
            return true;
        if (how == PTE_WRITE_IF_SAME || (seen ^ old) & ~ad)
            return false;
        old = seen; /* Race: the CPU set a bit */
    }
}

/* The same, of any entry of the table. */
static inline bool set_pte(const struct domain *d, struct page_info *table, const uint64_t *entry,
                           uint64_t old, uint64_t val, enum pte_write how)
{
    if (val & ~old & PTE_PRESENT)
        note_used(table, index_of_entry(entry));
    return store_pte(d, entry, old, val, how);
}

/* A frame of d becomes a table of level 2 to 4, or an entry of one has changed: no walk that came
 * by is still good (pv/page_walk.h). Race: after the entry is written, and before its old
 * references go, as a full barrier. */
static inline void note_tables_changed(struct domain *d)
{
    (void)atomic_add_return(&d->arch.pv.tables_changed, 1);
}

#endif
