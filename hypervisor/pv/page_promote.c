/* SPDX-License-Identifier: MIT */
/*
 * What makes the contents of a frame fit a type, and what is given back when the type ends.
 *
 * Promotion looks at each entry once, adjusts it (page_entry.c), and takes the references that the
 * entry stands for; nobody can write to the frame meanwhile, as it has a type already. At any time
 * exactly the entries below pg->nr_validated hold references. An L1 table is checked and undone in
 * parts: the frames that it names may be fought for by other CPUs, may have to be flushed each, and
 * each of its entries may be the last to hold one. The higher ones look after each present entry
 * whether to give way.
 *
 * child_partial says that the child at entry nr_validated may itself have been left half done, by
 * us. If it still is when we undo, it is undone too; if someone took it up since, it is theirs
 * (page_type.c).
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

#define L1_ENTRIES_PER_CHECK 64u

/* Where a present entry may be, from i on, a multiple of FEW. */
static inline unsigned int skip_empty(const uint64_t *table, unsigned int i)
{
    for (; i < TABLE_ENTRIES; i += FEW) {
        if (i % PIECE == 0)
            while (i < TABLE_ENTRIES && are_empty(&table[i], PIECE))
                i += PIECE;
        if (i == TABLE_ENTRIES || !are_empty(&table[i], FEW))
            break;
    }
    return i;
}

/* Of the first n entries, up to which a present one may be; n is a multiple of FEW. */
static inline unsigned int skip_unused(const struct page_info *pg, const uint64_t *table,
                                       unsigned int n)
{
    while (n) {
        unsigned int used = pg->used & ((2u << (n - 1) / TABLE_PART) - 1), end;

        if (!used)
            return 0;
        end = (32 - (unsigned int)__builtin_clz(used)) * TABLE_PART;
        n = MIN(n, end);
        if (!are_empty(&table[n - FEW], FEW))
            break;
        n -= FEW;
    }
    return n;
}

/* What was taken before a failure is given back by whoever asked (promote()). */
static int promote_l1(struct page_info *pg, struct domain *d)
{
    const uint64_t *table = read_frame(page_to_mfn(pg));
    unsigned int i;
    int rc;

    for (i = pg->nr_validated; i < TABLE_ENTRIES; i++) {
        uint64_t old, e;

        if (i % FEW == 0 && (i = skip_empty(table, i)) == TABLE_ENTRIES)
            break;
        e = old = table[i];
        if (!(e & PTE_PRESENT) && likely(!absent_names_ram(d, e)))
            continue;
        rc = e & PTE_PRESENT ? get_page_from_l1e(&e, d, d) : refused_absent(e, 1);
        if (unlikely(rc)) {
            pg->nr_validated = (uint16_t)i;
            return refused(rc, "L1 table %#lx, entry %u: %#lx", page_to_mfn(pg).n, i, old);
        }
        store_pte(d, &table[i], old, adjust_l1e(e), PTE_WRITE);
        note_used(pg, i);
        if (unlikely(hypercall_delayed_check() ||
                     (i % L1_ENTRIES_PER_CHECK == 0 && hypercall_preempt_check()))) {
            pg->nr_validated = (uint16_t)(i + 1);
            return -XEN_ERESTART;
        }
    }
    return 0;
}

static int promote_upper(struct page_info *pg, unsigned int level, struct domain *d)
{
    const uint64_t *table = read_frame(page_to_mfn(pg));
    unsigned int i;
    int rc;

    note_tables_changed(d);
    for (i = pg->nr_validated; i < TABLE_ENTRIES; i++) {
        uint64_t e;

        if (i % FEW == 0 && (i = skip_empty(table, i)) == TABLE_ENTRIES)
            break;
        e = table[i];
        if (e & PTE_PRESENT)
            note_used(pg, i);
        if (is_hypervisor_slot(level, i) || (!(e & PTE_PRESENT) && likely(!absent_names_ram(d, e))))
            continue;
        rc = e & PTE_PRESENT ? get_page_from_upper(e, level, d) : refused_absent(e, level);
        if (unlikely(rc)) {
            pg->nr_validated = (uint16_t)i;
            pg->child_partial = e & PTE_PRESENT;
            if (rc != -XEN_ERESTART)
                refused(rc, "L%u table %#lx, entry %u: %#lx", level, page_to_mfn(pg).n, i, e);
            return rc;
        }
        store_pte(d, &table[i], e, e | PTE_USER, PTE_WRITE);
        /* XSA-45, 264: each turn makes progress, and none goes on beyond its slice. */
        if (i + 1 < TABLE_ENTRIES && hypercall_preempt_check_step()) {
            pg->nr_validated = (uint16_t)(i + 1);
            pg->child_partial = 0;
            return -XEN_ERESTART;
        }
    }
    pg->nr_validated = TABLE_ENTRIES;
    pg->child_partial = 0;
    if (level == 4)
        pv_init_l4_slots(d, pg);
    return 0;
}

static int promote_descriptors(struct page_info *pg, const struct domain *d)
{
    uint64_t *desc = map_guest_frame(d, page_to_mfn(pg));
    int rc = 0;

    for (unsigned int i = 0; i < PAGE_SIZE / 8 && !rc; i++) {
        uint64_t x = desc[i];

        if (unlikely(!pv_check_descriptor(&x)))
            rc = refused(-XEN_EINVAL, "descriptor table %#lx, entry %u: %#lx", page_to_mfn(pg).n, i,
                         x);
        else if (x != desc[i])
            WRITE_ONCE(desc[i], x);
    }
    unmap_guest_frame(d, desc);
    return rc;
}

int promote_contents(struct page_info *pg, uint64_t type, struct domain *d)
{
    unsigned int level = table_level(type);

    if (level == 1)
        return promote_l1(pg, d);
    if (level <= 4)
        return promote_upper(pg, level, d);
    return promote_descriptors(pg, d);
}

static int demote_l1(struct page_info *pg, struct domain *d)
{
    const uint64_t *table = read_frame(page_to_mfn(pg));
    unsigned int n = pg->nr_validated, first;

    while ((n = n % FEW ? n : skip_unused(pg, table, n))) {
        first = (n - 1) & ~(L1_ENTRIES_PER_CHECK - 1);
        put_pages_from_l1(&table[first], n - first, d);
        pg->nr_validated = (uint16_t)first;
        n = first;
        if (first && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}

static int demote_upper(struct page_info *pg, unsigned int level, struct domain *d)
{
    const uint64_t *table = read_frame(page_to_mfn(pg));
    unsigned int n = pg->nr_validated;
    struct page_info *child;
    int rc;

    if (pg->child_partial) {
        mfn_t mfn = pte_mfn(table[n]);
        uint64_t type = table_type(level - 1);

        /* A child of another type was not left by us. */
        child = mfn_to_page(mfn);
        rc = mfn_valid(mfn) && (READ_ONCE(child->type_info) & PGT_type_mask) == type
                 ? resume_demotion(child, d)
                 : 0;
        if (rc)
            return rc;
        pg->child_partial = 0;
    }
    for (;;) {
        uint64_t e;

        if (n % FEW == 0 && !(n = skip_unused(pg, table, n)))
            return 0;
        e = table[--n];
        if (!(e & PTE_PRESENT) || is_hypervisor_slot(level, n))
            continue;
        child = mfn_to_page(pte_mfn(e));
        rc = give_type(child) ? 0 : put_page_type_preemptible(child, d);
        put_page(child);
        if (unlikely(rc || (n && hypercall_preempt_check_step()))) {
            pg->nr_validated = (uint16_t)n;
            pg->child_partial = rc != 0;
            return -XEN_ERESTART;
        }
    }
}

int demote_contents(struct page_info *pg, uint64_t type, struct domain *d)
{
    unsigned int level = table_level(type);

    return level > 1 ? demote_upper(pg, level, d) : demote_l1(pg, d);
}
