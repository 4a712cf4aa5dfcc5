/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: one bit per guest frame, set = in use.
 *
 * At the start the builder's part is in use (everything up to the boot stack). The builder maps
 * that and at least 512 KiB more; memory_init() maps the rest of the linear map, 2 MiB at a
 * time: a free page that is mapped already is filled as an L1 table while it is still
 * ordinary memory, made read-only, and hooked into its L2 table, at which moment the hypervisor
 * checks it. Each such table brings 512 pages, so the supply never ends.
 *
 * First fit with a hint. Programs of this size allocate little; what matters is that it is
 * obviously right. Not safe against handlers: allocate in program context of one vCPU.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>

#define BITS     64
#define MAX_PFNS (LINEAR_MAX >> PAGE_SHIFT)

unsigned long *p2m;
unsigned long nr_pfns;
unsigned long builder_mapped;
pte_t *pt_root;

static uint64_t used[MAX_PFNS / BITS];
static unsigned long limit; /* frames that the allocator manages */
static unsigned long hint, available;

static bool in_use(unsigned long pfn)
{
    return used[pfn / BITS] >> (pfn % BITS) & 1;
}

static void mark(unsigned long pfn, bool use)
{
    uint64_t bit = 1ul << (pfn % BITS);

    if (use)
        used[pfn / BITS] |= bit;
    else
        used[pfn / BITS] &= ~bit;
}

unsigned long mfn_to_pfn(unsigned long mfn)
{
    const unsigned long *m2p = (const unsigned long *)MACH2PHYS_VIRT_START;
    unsigned long pfn;

    if (!is_pv())
        return mfn < nr_pfns ? mfn : INVALID_MFN;
    if (mfn >= (MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) / sizeof(*m2p))
        return INVALID_MFN;
    pfn = m2p[mfn];
    return pfn_to_mfn(pfn) == mfn ? pfn : INVALID_MFN;
}

void *shared_page(unsigned long mfn)
{
    unsigned long pfn = mfn_to_pfn(mfn);

    if (pfn != INVALID_MFN)
        return pfn_to_virt(pfn);
    return is_pv() ? NULL : map_frames(&mfn, 1, PTE_KERNEL_RW | PTE_NX);
}

/* First run of count free frames in [from, to), or to. */
static unsigned long find_run(unsigned long from, unsigned long to, unsigned int count)
{
    unsigned long run = 0;

    for (unsigned long pfn = from; pfn < to; pfn++) {
        run = in_use(pfn) ? 0 : run + 1;
        if (run == count)
            return pfn + 1 - count;
    }
    return to;
}

void *pages_alloc(unsigned int count)
{
    unsigned long pfn = find_run(hint, limit, count);

    if (!count)
        return NULL;
    if (pfn == limit)
        pfn = find_run(0, limit, count);
    if (pfn == limit)
        return NULL;
    for (unsigned int i = 0; i < count; i++)
        mark(pfn + i, true);
    hint = pfn + count;
    available -= count;
    return pfn_to_virt(pfn);
}

void pages_free(void *va, unsigned int count)
{
    unsigned long pfn = virt_to_pfn(va);

    BUG_ON(pfn >= limit || count > limit - pfn);
    for (unsigned int i = 0; i < count; i++) {
        BUG_ON(!in_use(pfn + i));
        mark(pfn + i, false);
    }
    if (pfn < hint)
        hint = pfn;
    available += count;
}

void *page_alloc(void)
{
    return pages_alloc(1);
}

void *page_alloc_zeroed(void)
{
    void *page = page_alloc();

    if (page)
        memset(page, 0, PAGE_SIZE);
    return page;
}

void page_free(void *va)
{
    pages_free(va, 1);
}

unsigned long pages_available(void)
{
    return available;
}

static void release_up_to(unsigned long *next, unsigned long end)
{
    for (; *next < end; (*next)++, available++)
        mark(*next, false);
    limit = *next;
}

/* Hooks a new L1 table that maps the 512 frames from pfn on. */
static void extend_linear_map(unsigned long pfn)
{
    unsigned long va = (unsigned long)pfn_to_virt(pfn);
    const pte_t *l2e = pt_walk(pt_root, va, 2);
    pte_t *table = page_alloc();
    int rc;

    if (!l2e || !table)
        panic("linear map cannot be extended at 0x%lx", va);
    for (unsigned int i = 0; i < 512; i++)
        table[i] = pfn + i < nr_pfns ? pte_make(pfn_to_mfn(pfn + i), PTE_KERNEL_RW | PTE_NX) : 0;
    rc = pt_protect(table, PTE_KERNEL_RO | PTE_NX);
    if (!rc)
        rc = pt_write(l2e, pte_make(virt_to_mfn(table), PTE_TABLE));
    if (rc)
        panic("linear map refused at 0x%lx: %d", va, rc);
}

void memory_init(const start_info_t *si, unsigned long boot_end)
{
    unsigned long next, mapped, end;

    nr_pfns = si->nr_pages;
    end = nr_pfns < MAX_PFNS ? nr_pfns : MAX_PFNS;
    memset(used, 0xff, sizeof(used));

    next = (boot_end - VIRT_BASE + PAGE_SIZE - 1) >> PAGE_SHIFT;
    for (mapped = next; mapped < end; mapped++) {
        const pte_t *pte = pt_walk(pt_root, (unsigned long)pfn_to_virt(mapped), 1);

        if (!pte || !(*pte & PTE_PRESENT))
            break;
    }
    builder_mapped = mapped;
    release_up_to(&next, mapped);
    /* The builder's last L1 table may be partly filled: finish it entry by entry. */
    for (; mapped < end && mapped % 512; mapped++) {
        unsigned long va = (unsigned long)pfn_to_virt(mapped);

        if (pt_map(va, pte_make(pfn_to_mfn(mapped), PTE_KERNEL_RW | PTE_NX)))
            panic("linear map refused at 0x%lx", va);
        release_up_to(&next, mapped + 1);
    }
    for (; mapped < end; mapped = (mapped | 511) + 1) {
        extend_linear_map(mapped);
        release_up_to(&next, (mapped | 511) + 1 < end ? (mapped | 511) + 1 : end);
    }
}
