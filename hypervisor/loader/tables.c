/* SPDX-License-Identifier: MIT */
/*
 * The first page tables: how many, where, and what is in them.
 *
 * Tables of one level have an index: the address bits above those that one table maps, so table i
 * of level l holds the entries for tables 512 i to 512 i + 511 of level l - 1 (for pages, if l is
 * 1). An area of addresses needs, at each level, a run of tables with consecutive indices; the
 * loader places a run in consecutive pages. Two areas are disjoint but may meet inside one table;
 * that table belongs to the first area alone (tables_plan() takes it from the second's run), and
 * holds the entries of both. So each table is in one run, and filling a table is: for each of its
 * 512 entries, look up who has that index one level below.
 *
 * Invariant, the one that a guest must keep all its life: a page that is a page table is nowhere
 * mapped writable. Tables outside the areas are not mapped at all.
 */
#include "internal.h"

#define ENTRIES      512u
#define ENTRY_BITS   9u
#define ADDRESS_MASK ((1ULL << 48) - 1)

#define PTE_PRESENT  0x01u
#define PTE_WRITABLE 0x02u
#define PTE_USER     0x04u
#define PTE_ACCESSED 0x20u
#define PTE_DIRTY    0x40u

/* A guest kernel runs in ring 3, but the U bit of its own pages is the hypervisor's to set. */
#define LEAF_FLAGS  (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

/* Index of the table of `level` that maps va. */
static uint64_t table_index(uint64_t va, unsigned int level)
{
    return (va & ADDRESS_MASK) >> (PAGE_SHIFT + ENTRY_BITS * level);
}

static bool in_run(const struct loader_tables *run, uint64_t index)
{
    return index - run->index < run->count;
}

void tables_plan(struct loader_area *area, const struct loader_area *other, uint64_t tables_pfn,
                 uint64_t *pages)
{
    uint64_t last = area->va + (area->nr_pages << PAGE_SHIFT) - 1;

    *pages = 0;
    for (unsigned int level = 4; level > 0; level--) {
        struct loader_tables *run = &area->tables[level - 1];

        run->index = table_index(area->va, level);
        run->count = table_index(last, level) - run->index + 1;
        if (other && in_run(&other->tables[level - 1], run->index)) {
            run->index++;
            run->count--;
        }
        if (other && run->count && in_run(&other->tables[level - 1], run->index + run->count - 1))
            run->count--;
        run->pfn = tables_pfn + *pages;
        *pages += run->count;
    }
}

static uint64_t table_pfn(const struct loader_layout *layout, unsigned int level, uint64_t index)
{
    for (unsigned int a = 0; a < 2; a++) {
        const struct loader_tables *run = &layout->area[a].tables[level - 1];

        if (in_run(run, index))
            return run->pfn + (index - run->index);
    }
    return LOADER_NONE;
}

/* Page `index` of the address space: which pfn is mapped there? */
static uint64_t leaf_pfn(const struct loader_layout *layout, uint64_t index)
{
    for (unsigned int a = 0; a < 2; a++) {
        const struct loader_area *area = &layout->area[a];
        uint64_t first = (area->va & ADDRESS_MASK) >> PAGE_SHIFT;

        if (index - first < area->nr_pages)
            return area->pfn + (index - first);
    }
    return LOADER_NONE;
}

static bool is_table(const struct loader_layout *layout, uint64_t pfn)
{
    for (unsigned int i = 0; i < 8; i++) {
        const struct loader_tables *run = &layout->area[i / 4].tables[i % 4];

        if (pfn - run->pfn < run->count)
            return true;
    }
    return false;
}

static uint64_t make_entry(const struct loader_layout *layout, const struct loader_target *target,
                           unsigned int level, uint64_t index)
{
    uint64_t pfn = level == 1 ? leaf_pfn(layout, index) : table_pfn(layout, level - 1, index);
    uint64_t flags = TABLE_FLAGS;

    if (pfn == LOADER_NONE)
        return 0;
    if (level == 1)
        flags = LEAF_FLAGS | (is_table(layout, pfn) ? 0 : PTE_WRITABLE);
    return target->pfn_to_mfn(target->ctx, pfn) << PAGE_SHIFT | flags;
}

int tables_write(const struct loader_layout *layout, const struct loader_target *target,
                 struct loader_error *error)
{
    for (unsigned int i = 0; i < 8; i++) {
        const struct loader_tables *run = &layout->area[i / 4].tables[i % 4];
        unsigned int level = i % 4 + 1;

        for (uint64_t n = 0; n < run->count; n++) {
            uint64_t *entry = target_page(target, run->pfn + n, error);

            if (!entry)
                return -XEN_EFAULT;
            for (unsigned int e = 0; e < ENTRIES; e++)
                entry[e] = make_entry(layout, target, level, (run->index + n) << ENTRY_BITS | e);
            target->unmap(target->ctx, entry, 1);
        }
    }
    return 0;
}
