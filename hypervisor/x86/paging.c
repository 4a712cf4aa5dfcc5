/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own page tables.
 *
 * They are built once, early, from memory that the boot code found, and map (docs/architecture.md):
 * the image, code read-only and executable, all else no-execute; all RAM in the direct map, where
 * the image's code and constants are read-only too; and, added later, device memory. Their
 * upper-half L4 entries are copied into every guest's L4, so what is added below an L3 that exists
 * is seen everywhere at once, and nothing is ever taken away: no flush is needed.
 *
 * Until they are loaded, the boot tables map the low 4 GiB at 0; phys_ptr() knows which of the two
 * holds. Lock: map_lock (RANK_ALLOC) guards map_physical()'s changes; all else is done while
 * starting.
 */
#include <hv/x86_init.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>

#include "insn.h"
#include "percpu.h"
#include "x86.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define LEAF_FLAGS  (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | hv_global())
#define LOW_LIMIT   (4ull << 30)
#define SIZE_2M     (2ull << 20)
#define SIZE_1G     (1ull << 30)

uint64_t image_phys;
uint64_t *hv_l4;
paddr_t hv_l4_phys;
static bool direct_map_ready;
static spinlock_t map_lock = SPINLOCK_INIT(RANK_ALLOC);

void *phys_ptr(paddr_t pa)
{
    if (direct_map_ready)
        return (void *)(DIRECT_MAP_VIRT + pa);
    BUG_ON(pa >= LOW_LIMIT);
    return (void *)pa;
}

bool boot_mapping_active(void)
{
    return !direct_map_ready;
}

static uint64_t *table_below(uint64_t *entry)
{
    if (!(*entry & PTE_PRESENT)) {
        paddr_t page = boot_alloc_page();

        memset(phys_ptr(page), 0, PAGE_SIZE);
        *entry = page | TABLE_FLAGS;
    }
    BUG_ON(*entry & PTE_PSE);
    return phys_ptr(*entry & PTE_FRAME_MASK);
}

/* The entry for va at a level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB); makes the tables above it. */
static uint64_t *entry_at(uint64_t va, unsigned int level)
{
    uint64_t *table = hv_l4;

    for (unsigned int l = 4; l > level; l--)
        table = table_below(&table[(va >> (12 + 9 * (l - 1))) & 511]);
    return &table[(va >> (12 + 9 * (level - 1))) & 511];
}

void map_page_4k(uint64_t va, paddr_t pa, uint64_t flags)
{
    *entry_at(va, 1) = pa | LEAF_FLAGS | flags;
}

static bool fits(uint64_t va, paddr_t pa, uint64_t size, uint64_t page)
{
    return ((va | pa) & (page - 1)) == 0 && size >= page;
}

void map_range(uint64_t va, paddr_t pa, uint64_t size, uint64_t flags)
{
    /* What guests see is not global: user mode, which does not see it, must not find it in the TLB.
     */
    uint64_t leaf = flags & PTE_USER ? (LEAF_FLAGS | flags) & ~PTE_GLOBAL : LEAF_FLAGS | flags;

    while (size) {
        uint64_t step = PAGE_SIZE;
        unsigned int level = 1;

        if (cpu_has.pages_1g && fits(va, pa, size, SIZE_1G)) {
            step = SIZE_1G;
            level = 3;
        } else if (fits(va, pa, size, SIZE_2M)) {
            step = SIZE_2M;
            level = 2;
        }
        *entry_at(va, level) = pa | leaf | (level > 1 ? PTE_PSE : 0);
        va += step;
        pa += step;
        size -= MIN(step, size);
    }
}

void map_table_2m(uint64_t va, paddr_t table)
{
    *entry_at(va, 2) = table | TABLE_FLAGS;
}

static void map_image_part(const char *from, const char *to, uint64_t flags)
{
    for (uint64_t va = (uint64_t)from; va < (uint64_t)to; va += PAGE_SIZE) {
        uint64_t offset = va - (uint64_t)&cpu0_block;

        if (offset >= CPU_BLOCK_SIZE || !is_guard_page(offset))
            map_page_4k(va, va - IMAGE_VIRT + image_phys, flags);
    }
}

/* RAM in the direct map: writable, but for what is read-only in the image. */
static void map_ram(uint64_t start, uint64_t end)
{
    uint64_t from = MAX(start, image_phys);
    uint64_t to = MIN(end, image_phys + (uint64_t)(rodata_end - image_start));

    if (from >= to)
        from = to = end;
    map_range(DIRECT_MAP_VIRT + start, start, from - start, PTE_RW | PTE_NX);
    map_range(DIRECT_MAP_VIRT + from, from, to - from, PTE_NX);
    map_range(DIRECT_MAP_VIRT + to, to, end - to, PTE_RW | PTE_NX);
}

/* All RAM, whatever it holds now; neighbours are joined so that large pages fit. */
static void map_all_ram(const struct boot_info *bi)
{
    for (unsigned int i = 0; i < bi->nr_mem;) {
        const struct boot_mem *m = &bi->mem[i++];
        uint64_t start, end;

        if (!is_ram(m))
            continue;
        start = m->start & PAGE_MASK;
        end = m->start + m->size;
        while (i < bi->nr_mem && is_ram(&bi->mem[i]) && bi->mem[i].start == end)
            end += bi->mem[i++].size;
        end = ROUND_UP(end, PAGE_SIZE);
        if (end > DIRECT_MAP_END - DIRECT_MAP_VIRT)
            panic("RAM at %#lx lies beyond what the direct map has room for", end);
        map_ram(start, end);
    }
}

void init_paging(const struct boot_info *bi)
{
    hv_l4_phys = boot_alloc_page();
    hv_l4 = phys_ptr(hv_l4_phys);
    memset(hv_l4, 0, PAGE_SIZE);
    map_image_part(image_start, text_end, 0);
    map_image_part(text_end, rodata_end, PTE_NX);
    map_image_part(rodata_end, image_end, PTE_RW | PTE_NX);
    map_all_ram(bi);
    write_cr3(hv_l4_phys);
    write_cr4(cr4_base & ~(1ul << 7));
    write_cr4(cr4_base);
    direct_map_ready = true;
    hv_l4 = phys_ptr(hv_l4_phys);
    this_cpu()->arch.cr3 = hv_l4_phys;
}

void *map_physical(paddr_t start, uint64_t size, unsigned int flags)
{
    static uint64_t next = MMIO_VIRT;
    void *at = NULL;
    paddr_t first = start & PAGE_MASK;
    uint64_t length = ROUND_UP(start + size, PAGE_SIZE) - first, va;

    if (boot_mapping_active())
        return start + size <= LOW_LIMIT ? (void *)start : NULL;
    spin_lock(&map_lock);
    va = next;
    if (length >= SIZE_2M) /* the same place in a 2 MiB page, so that large ones fit */
        va = ROUND_UP(next, SIZE_2M) + (first & (SIZE_2M - 1));
    if (length <= MMIO_VIRT_END - va) {
        map_range(va, first, length,
                  PTE_RW | PTE_NX | (flags & MAP_UNCACHED ? PTE_PCD | PTE_PWT : 0));
        next = va + length;
        at = (void *)(va + (start - first));
    }
    spin_unlock(&map_lock);
    return at;
}
