/* SPDX-License-Identifier: MIT */
/*
 * Walking and changing page tables. See pagetable.h for the rule that all of it obeys.
 *
 * All tables of this kernel lie in the linear map (read-only), so a walk goes entry -> mfn ->
 * pfn (by the m2p) -> address, four times at most. New tables come from the page allocator:
 * zeroed, made read-only, then hooked. Once made, a table stays.
 */
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

#define AREA_PAGES 4096u /* 16 MiB at MAP_BASE for map_frames() and map_area_alloc() */

static uint64_t area_used[AREA_PAGES / 64];

static const pte_t *table_of(pte_t entry)
{
    unsigned long pfn = mfn_to_pfn(pte_mfn(entry));

    if (!(entry & PTE_PRESENT) || (entry & PTE_PSE) || pfn == INVALID_MFN)
        return NULL;
    return pfn_to_virt(pfn);
}

const pte_t *pt_walk(const pte_t *root, unsigned long va, unsigned int level)
{
    const pte_t *table = root;

    for (unsigned int l = 4; l > level && table; l--)
        table = table_of(table[pt_index(va, l)]);
    return table ? table + pt_index(va, level) : NULL;
}

int pt_write(const pte_t *entry, pte_t value)
{
    mmu_update_t req = {.ptr = pt_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = value};

    if (!is_pv()) {
        *(volatile pte_t *)(uintptr_t)entry = value;
        return 0;
    }
    return (int)HYPERVISOR_mmu_update(&req, 1, NULL, DOMID_SELF);
}

/* The L1 entry of va, whose table is there. A fully virtualized kernel flushes its own CPU alone.
 */
static int set_l1(unsigned long va, pte_t pte, unsigned long flush)
{
    if (is_pv())
        return (int)HYPERVISOR_update_va_mapping(va, pte, flush);
    (void)pt_write(pt_walk(pt_root, va, 1), pte);
    invlpg(va);
    return 0;
}

int pt_protect(const void *va, unsigned long flags)
{
    const pte_t *pte = pt_walk(pt_root, (unsigned long)va, 1);

    if (!pte || !(*pte & PTE_PRESENT))
        return -XEN_EINVAL;
    return set_l1((unsigned long)va, pte_make(pte_mfn(*pte), flags), UVMF_INVLPG | UVMF_LOCAL);
}

/* Makes the table below entry if there is none. */
static int need_table(const pte_t *entry)
{
    void *table;
    int rc;

    if (*entry & PTE_PRESENT)
        return 0;
    table = page_alloc_zeroed();
    if (!table)
        return -XEN_ENOMEM;
    rc = is_pv() ? pt_protect(table, PTE_KERNEL_RO | PTE_NX) : 0;
    if (!rc)
        rc = pt_write(entry, pte_make(virt_to_mfn(table), PTE_TABLE));
    return rc;
}

static int make_tables(const pte_t *root, unsigned long va)
{
    for (unsigned int level = 4; level > 1; level--) {
        int rc = need_table(pt_walk(root, va, level));

        if (rc)
            return rc;
    }
    return 0;
}

int pt_map(unsigned long va, pte_t pte)
{
    int rc = make_tables(pt_root, va);

    return rc ? rc : set_l1(va, pte, UVMF_INVLPG | UVMF_ALL);
}

int pt_map_in(const pte_t *root, unsigned long va, pte_t pte)
{
    int rc = make_tables(root, va);

    return rc ? rc : pt_write(pt_walk(root, va, 1), pte);
}

int pt_unmap(unsigned long va)
{
    const pte_t *pte = pt_walk(pt_root, va, 1);

    if (!pte)
        return 0;
    return set_l1(va, 0, UVMF_INVLPG | UVMF_ALL);
}

unsigned long map_area_alloc(unsigned int count)
{
    unsigned int run = 0;

    for (unsigned int i = 0; i < AREA_PAGES; i++) {
        run = area_used[i / 64] >> (i % 64) & 1 ? 0 : run + 1;
        if (run < count)
            continue;
        for (unsigned int j = i + 1 - count; j <= i; j++)
            area_used[j / 64] |= 1ul << (j % 64);
        return MAP_BASE + (i + 1 - count) * PAGE_SIZE;
    }
    return 0;
}

void map_area_free(unsigned long va, unsigned int count)
{
    unsigned long first = (va - MAP_BASE) >> PAGE_SHIFT;

    BUG_ON(first >= AREA_PAGES || count > AREA_PAGES - first);
    for (unsigned long i = first; i < first + count; i++)
        area_used[i / 64] &= ~(1ul << (i % 64));
}

void *map_frames(const unsigned long *mfns, unsigned int count, unsigned long flags)
{
    unsigned long va = map_area_alloc(count);

    if (!va)
        return NULL;
    for (unsigned int i = 0; i < count; i++) {
        if (pt_map(va + i * PAGE_SIZE, pte_make(mfns[i], flags))) {
            unmap_frames((void *)va, count);
            return NULL;
        }
    }
    return (void *)va;
}

void unmap_frames(void *va, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        BUG_ON(pt_unmap((unsigned long)va + i * PAGE_SIZE));
    map_area_free((unsigned long)va, count);
}
