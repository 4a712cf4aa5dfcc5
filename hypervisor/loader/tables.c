/* SPDX-License-Identifier: MIT */
/*
 * The first page tables: how many, where, and what is in them.
 *
 * Tables of one level have an index: the address bits above those that one table maps, so table i
 * of level l holds the entries for tables 512 i to 512 i + 511 of level l - 1 (for pages, if l is
 * 1). An area of addresses needs, at each level, a run of tables with consecutive indices; the
 * loader places a run in consecutive pages. Two areas are disjoint but may meet inside one table;
 * that table belongs to the first area alone (tables_plan() takes it from the second's run), and
 * holds the entries of both. So each table is in one run, and filling a table is: for each area,
 * the entries of what it has there one level below.
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

/* What a table of `level` has entries for, of an area: pages, or the tables one level below. */
static struct loader_tables below(const struct loader_area *area, unsigned int level)
{
    if (level > 1)
        return area->tables[level - 2];
    return (struct loader_tables){.index = (area->va & ADDRESS_MASK) >> PAGE_SHIFT,
                                  .count = area->nr_pages,
                                  .pfn = area->pfn};
}

static uint64_t flags_of(const struct loader_layout *layout, unsigned int level, uint64_t pfn)
{
    if (level > 1)
        return TABLE_FLAGS;
    return LEAF_FLAGS | (pfn - layout->tables_pfn < layout->tables_pages ? 0 : PTE_WRITABLE);
}

static void fill_table(const struct loader_layout *layout, const struct loader_target *target,
                       unsigned int level, uint64_t index, uint64_t *entry)
{
    uint64_t first = index << ENTRY_BITS, end = first + ENTRIES;

    __builtin_memset(entry, 0, PAGE_SIZE);
    for (unsigned int a = 0; a < 2; a++) {
        struct loader_tables run = below(&layout->area[a], level);
        uint64_t last = run.index + run.count < end ? run.index + run.count : end;

        for (uint64_t i = run.index > first ? run.index : first; i < last; i++) {
            uint64_t pfn = run.pfn + (i - run.index);

            entry[i - first] =
                target->pfn_to_mfn(target->ctx, pfn) << PAGE_SHIFT | flags_of(layout, level, pfn);
        }
    }
}

int tables_write(const struct loader_layout *layout, const struct loader_target *target,
                 struct loader_error *error)
{
    for (unsigned int i = 0; i < 8; i++) {
        const struct loader_tables *run = &layout->area[i / 4].tables[i % 4];

        for (uint64_t n = 0; n < run->count; n++) {
            uint64_t *entry = target_page(target, run->pfn + n, error);

            if (!entry)
                return -XEN_EFAULT;
            fill_table(layout, target, i % 4 + 1, run->index + n, entry);
            target->unmap(target->ctx, entry, 1);
        }
    }
    return 0;
}
