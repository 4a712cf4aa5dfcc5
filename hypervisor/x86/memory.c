/* SPDX-License-Identifier: MIT */
/*
 * The two tables that have an entry for each frame of the machine: the frame table (struct
 * page_info) and M2P (machine to guest frame number), which every guest may read.
 *
 * Both are indexed by frame number, so they are as sparse as RAM is: where RAM has holes, pages of
 * the tables that would be only about holes are all the same page: one says "no RAM", one says
 * INVALID_GPFN. Large pages where a whole 2 MiB of table is about RAM.
 */
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <hv/x86_init.h>
#include <parvis/string.h>
#include <port/machine.h>

#include "x86.h"

#define SIZE_2M (2ull << 20)

static const struct boot_info *memory_map;

/* What is about to be filled: entries of `entry` bytes at va, and, if alias is not 0, read-only for
 * guests there too. */
struct sparse_table {
    uint64_t va, alias;
    uint64_t entry;
    paddr_t hole_page, hole_l1, hole_l1_alias;
};

bool is_ram(const struct boot_mem *m)
{
    return m->type == BOOT_MEM_RAM || m->type == BOOT_MEM_LOADER || m->type == BOOT_MEM_IMAGE;
}

static bool any_ram(uint64_t first, uint64_t end)
{
    for (unsigned int i = 0; i < memory_map->nr_mem; i++) {
        const struct boot_mem *m = &memory_map->mem[i];

        if (is_ram(m) && m->start >> PAGE_SHIFT < end &&
            (m->start + m->size + PAGE_SIZE - 1) >> PAGE_SHIFT > first)
            return true;
    }
    return false;
}

/* A frame that is RAM only in part is no RAM: nobody owns it, and firmware keeps its data in the
 * rest. */
bool is_ram_frame(mfn_t mfn)
{
    for (unsigned int i = 0; i < memory_map->nr_mem; i++) {
        const struct boot_mem *m = &memory_map->mem[i];

        if (is_ram(m) && m->start <= mfn.n << PAGE_SHIFT &&
            m->start + m->size >= (mfn.n + 1) << PAGE_SHIFT)
            return true;
    }
    return false;
}

static void map_both(const struct sparse_table *t, uint64_t offset, paddr_t pa, uint64_t size)
{
    map_range(t->va + offset, pa, size, PTE_RW | PTE_NX);
    if (t->alias)
        map_range(t->alias + offset, pa, size, PTE_USER | PTE_NX);
}

static paddr_t make_hole_l1(paddr_t hole_page, uint64_t flags)
{
    paddr_t pa = boot_alloc_page();
    uint64_t *l1 = phys_ptr(pa);

    for (unsigned int i = 0; i < 512; i++)
        l1[i] = hole_page | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX | flags;
    return pa;
}

/* 2 MiB of table from offset on, which ends at `limit`; fill sets up fresh memory. */
static void make_chunk(struct sparse_table *t, uint64_t offset, uint64_t limit,
                       void (*fill)(void *at, size_t n))
{
    uint64_t size = MIN(SIZE_2M, limit - offset);
    uint64_t first = offset / t->entry, end = (offset + size) / t->entry;
    paddr_t block = 0;

    if (size == SIZE_2M && !any_ram(first, end)) {
        map_table_2m(t->va + offset, t->hole_l1);
        if (t->alias)
            map_table_2m(t->alias + offset, t->hole_l1_alias);
        return;
    }
    if (size == SIZE_2M)
        block = boot_alloc_2m();
    if (block) {
        fill(phys_ptr(block), SIZE_2M);
        map_both(t, offset, block, SIZE_2M);
        return;
    }
    for (uint64_t o = offset; o < offset + size; o += PAGE_SIZE) {
        paddr_t page = t->hole_page;

        if (any_ram(o / t->entry, (o + PAGE_SIZE) / t->entry)) {
            page = boot_alloc_page();
            fill(phys_ptr(page), PAGE_SIZE);
        }
        map_both(t, o, page, PAGE_SIZE);
    }
}

static void make_table(struct sparse_table *t, void (*fill)(void *at, size_t n))
{
    uint64_t limit = ROUND_UP((max_mfn + 1) * t->entry, PAGE_SIZE);

    t->hole_page = boot_alloc_page();
    fill(phys_ptr(t->hole_page), PAGE_SIZE);
    t->hole_l1 = make_hole_l1(t->hole_page, hv_global() | PTE_RW); /* heap_init() writes to all */
    if (t->alias)
        t->hole_l1_alias = make_hole_l1(t->hole_page, PTE_USER);
    for (uint64_t offset = 0; offset < limit; offset += SIZE_2M)
        make_chunk(t, offset, limit, fill);
}

static void fill_m2p(void *at, size_t n)
{
    memset(at, 0xff, n); /* INVALID_GPFN */
}

static void fill_holes(void *at, size_t n)
{
    struct page_info *pg = at;

    memset(at, 0, n);
    for (size_t i = 0; i < n / sizeof(*pg); i++) {
        pg[i].order = 0xffff; /* mfn_valid(): no RAM */
        pg[i].owner = DOMID_INVALID;
    }
}

static void init_frame_tables(const struct boot_info *bi)
{
    struct sparse_table m2p = {.va = M2P_VIRT, .alias = M2P_GUEST_VIRT, .entry = 8};
    struct sparse_table frames = {.va = FRAME_TABLE_VIRT, .entry = sizeof(struct page_info)};

    memory_map = bi;
    for (unsigned int i = 0; i < bi->nr_mem; i++) {
        if (is_ram(&bi->mem[i]))
            max_mfn = MAX(max_mfn, (bi->mem[i].start + bi->mem[i].size - 1) >> PAGE_SHIFT);
    }
    make_table(&m2p, fill_m2p);
    make_table(&frames, fill_holes);
    frame_table = (struct page_info *)FRAME_TABLE_VIRT;
}

static void give(paddr_t start, paddr_t end)
{
    heap_give(MFN(start >> PAGE_SHIFT), (end - start) >> PAGE_SHIFT);
}

void machine_init_memory(const struct boot_info *bi)
{
    boot_alloc_init(bi);
    init_paging(bi);
    init_frame_tables(bi);
    heap_init();
    alloc_init();
    boot_alloc_done(give);
    log_info("memory: %lu KiB free, RAM up to %#lx", heap_free_frames() * 4,
             (max_mfn + 1) << PAGE_SHIFT);
}

char *frame_map = (char *)DIRECT_MAP_VIRT;
uint64_t *machine_to_phys = (uint64_t *)M2P_VIRT;

mfn_t frame_of(const void *mapped)
{
    return MFN(((uint64_t)mapped - DIRECT_MAP_VIRT) >> PAGE_SHIFT);
}
