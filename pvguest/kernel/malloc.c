/* SPDX-License-Identifier: MIT */
/*
 * malloc for programs: whole pages, with the page count in a header before the block. Wasteful
 * for small blocks and simple enough to be seen right; a kernel that allocates much brings an
 * allocator of its own. Blocks are aligned to 16 bytes.
 */
#include <guest/kernel.h>

struct header {
    uint64_t magic;
    uint64_t pages;
};

#define MAGIC 0x6b636f6c62677670ul

void *malloc(size_t size)
{
    size_t total;
    struct header *h;

    if (__builtin_add_overflow(size, sizeof(*h) + PAGE_SIZE - 1, &total))
        return NULL;
    total >>= PAGE_SHIFT;
    if (total > UINT32_MAX)
        return NULL;
    h = pages_alloc((unsigned int)total);
    if (!h)
        return NULL;
    h->magic = MAGIC;
    h->pages = total;
    return h + 1;
}

void free(void *p)
{
    struct header *h = p;

    if (!p)
        return;
    h--;
    BUG_ON(h->magic != MAGIC);
    h->magic = 0;
    pages_free(h, (unsigned int)h->pages);
}
