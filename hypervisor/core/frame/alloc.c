/* SPDX-License-Identifier: MIT */
/*
 * Small objects: one page holds objects of one size class (powers of two from 32 to 2048 bytes).
 *
 * All bookkeeping lies in the page's struct page_info, so that the page itself is objects only and
 * each is aligned to its size: type_info says "slab" and the class, tlb_stamp counts the objects in
 * use, and a free object's first word is the offset of the next free one (the page's first free one
 * is in the upper half of type_info). Pages with a free object are on the class's list. An empty
 * page goes back to the heap at once, so that free memory is exact to the page. Larger objects are
 * whole pages.
 *
 * Memory comes zeroed. There is no size argument to hv_free: the page knows. It is never mapped for
 * a guest.
 *
 * Lock: alloc_lock (RANK_ALLOC) guards the lists and what the pages say; a page comes from the
 * heap, and goes there, under it.
 */
#include <core/frame/frame.h>
#include <parvis/string.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/sanitize.h>

#define MIN_SHIFT  5
#define MAX_SHIFT  11
#define NR_CLASSES (MAX_SHIFT - MIN_SHIFT + 1)

/* type_info. Lower half: this | class; upper half: offset of the first free object + 1, 0 none. */
#define TYPE_SLAB 0x51ab0000u
/* Lower half: this | order. */
#define TYPE_PAGES 0x9a9e0000u
#define TYPE_MASK  0xffff0000u

static spinlock_t alloc_lock = SPINLOCK_INIT(RANK_ALLOC);
static struct page_list partial[NR_CLASSES];

static uint32_t first_free(const struct page_info *pg)
{
    return (uint32_t)(pg->type_info >> 32);
}

static void set_first_free(struct page_info *pg, uint32_t link)
{
    /* hv_free() looks at the other half before it has the lock. */
    WRITE_ONCE(pg->type_info, (uint32_t)pg->type_info | (uint64_t)link << 32);
}

void alloc_init(void)
{
    for (unsigned int c = 0; c < NR_CLASSES; c++)
        page_list_init(&partial[c]);
}

static struct page_info *new_slab(unsigned int class)
{
    struct page_info *pg = alloc_frames(0, 0);
    unsigned int size = 1u << (class + MIN_SHIFT);
    char *page;

    if (!pg)
        return NULL;
    page = map_frame(page_to_mfn(pg));
    for (unsigned int off = 0; off < PAGE_SIZE; off += size)
        *(uint32_t *)(page + off) = off + size < PAGE_SIZE ? off + size + 1 : 0;
    WRITE_ONCE(pg->type_info, TYPE_SLAB | class);
    set_first_free(pg, 1);
    pg->tlb_stamp = 0;
    sanitize_poison(page, PAGE_SIZE);
    return pg;
}

static void *slab_alloc(unsigned int class, size_t n)
{
    struct page_info *pg = page_list_first(&partial[class]);
    char *obj;

    if (!pg) {
        pg = new_slab(class);
        if (!pg)
            return NULL;
        page_list_add(&partial[class], pg);
    }
    obj = (char *)map_frame(page_to_mfn(pg)) + (first_free(pg) - 1);
    sanitize_unpoison(obj, n);
    set_first_free(pg, *(uint32_t *)obj);
    pg->tlb_stamp++;
    if (!first_free(pg))
        page_list_del(&partial[class], pg);
    return obj;
}

static void *large_alloc(size_t n)
{
    unsigned int order = 0;
    void *p;

    while ((PAGE_SIZE << order) < n)
        order++;
    p = alloc_hv_pages(order);
    if (p) {
        WRITE_ONCE(mfn_to_page(frame_of(p))->type_info, TYPE_PAGES | order);
        sanitize_poison((char *)p + n, (PAGE_SIZE << order) - n);
    }
    return p;
}

void *hv_alloc(size_t n)
{
    unsigned int class = 0;
    void *p;

    n = ROUND_UP(MAX(n, (size_t)8), 8);
    if (n > 1u << MAX_SHIFT)
        return n <= PAGE_SIZE << HEAP_MAX_ORDER ? large_alloc(n) : NULL;
    while (1u << (class + MIN_SHIFT) < n)
        class ++;
    spin_lock(&alloc_lock);
    p = slab_alloc(class, n);
    spin_unlock(&alloc_lock);
    if (p)
        memset(p, 0, n);
    return p;
}

void *hv_alloc_array(size_t n, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : hv_alloc(bytes);
}

static void slab_free(struct page_info *pg, char *obj)
{
    unsigned int class = (unsigned int)pg->type_info & 0xff, size = 1u << (class + MIN_SHIFT);
    uint32_t offset = (uint32_t)((uintptr_t)obj & ~PAGE_MASK);
    bool was_full = !first_free(pg);

    BUG_ON(offset % size || pg->tlb_stamp == 0);
    sanitize_unpoison(obj, sizeof(uint32_t));
    *(uint32_t *)obj = first_free(pg);
    sanitize_poison(obj, size);
    set_first_free(pg, offset + 1);
    pg->tlb_stamp--;
    if (was_full)
        page_list_add(&partial[class], pg);
    if (pg->tlb_stamp == 0) {
        page_list_del(&partial[class], pg);
        WRITE_ONCE(pg->type_info, 0);
        free_frames_as(pg, 0, PGC_unseen);
    }
}

void hv_free(void *p)
{
    struct page_info *pg;
    uint32_t type;

    if (!p)
        return;
    pg = mfn_to_page(frame_of(p));
    type = (uint32_t)READ_ONCE(pg->type_info);
    if ((type & TYPE_MASK) == TYPE_PAGES) {
        WRITE_ONCE(pg->type_info, 0);
        free_frames_as(pg, type & 0xff, PGC_unseen);
        return;
    }
    BUG_ON((type & TYPE_MASK) != TYPE_SLAB);
    spin_lock(&alloc_lock);
    slab_free(pg, p);
    spin_unlock(&alloc_lock);
}
