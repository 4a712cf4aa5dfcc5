/* SPDX-License-Identifier: MIT */
/*
 * The allocator before there is a heap: free ranges of RAM, taken from the top of one, never given
 * back. What is left goes to the heap when the frame table stands.
 *
 * While the boot tables are in use only memory below 4 GiB can be reached, so it comes from there.
 * The first MiB is left alone (LOW_FRAMES).
 */
#include <core/frame/frame.h>
#include <port/machine.h>

#include "x86.h"

#define LOW_LIMIT (4ull << 30)

static struct {
    paddr_t start, end;
} ranges[BOOT_MAX_MEM];
static unsigned int nr_ranges;
static bool handed_over; /* the heap has it all */

void boot_alloc_init(const struct boot_info *bi)
{
    for (unsigned int i = 0; i < bi->nr_mem; i++) {
        const struct boot_mem *m = &bi->mem[i];
        paddr_t start = ROUND_UP(MAX(m->start, (paddr_t)LOW_FRAMES << PAGE_SHIFT), PAGE_SIZE);
        paddr_t end = (m->start + m->size) & PAGE_MASK;

        if (m->type != BOOT_MEM_RAM || start >= end)
            continue;
        ranges[nr_ranges].start = start;
        ranges[nr_ranges++].end = end;
    }
    if (!nr_ranges)
        panic("the memory map has no free RAM above 1 MiB");
}

/* Takes size bytes, aligned to size, from the end of the highest range that has them; 0 when none
 * has. */
static paddr_t take(uint64_t size)
{
    for (unsigned int i = nr_ranges; i-- > 0;) {
        paddr_t end = ranges[i].end;

        if (boot_mapping_active() && end > LOW_LIMIT)
            continue;
        end &= ~(size - 1);
        if (end < size || end - size < ranges[i].start)
            continue;
        /* What lies above an aligned block is a range of its own. */
        if (end != ranges[i].end) {
            if (nr_ranges == BOOT_MAX_MEM)
                continue;
            ranges[nr_ranges].start = end;
            ranges[nr_ranges++].end = ranges[i].end;
        }
        ranges[i].end = end - size;
        return end - size;
    }
    return 0;
}

static paddr_t from_heap(void)
{
    void *page = alloc_hv_pages(0);

    return page ? frame_of(page).n << PAGE_SHIFT : 0;
}

paddr_t boot_alloc_page(void)
{
    paddr_t page = handed_over ? from_heap() : take(PAGE_SIZE);

    if (!page)
        panic("no memory left for the hypervisor's own tables");
    return page;
}

paddr_t boot_alloc_2m(void)
{
    return take(2ull << 20);
}

void boot_alloc_done(void (*give)(paddr_t start, paddr_t end))
{
    for (unsigned int i = 0; i < nr_ranges; i++) {
        if (ranges[i].start < ranges[i].end)
            give(ranges[i].start, ranges[i].end);
    }
    handed_over = true;
}
