/* SPDX-License-Identifier: MIT */
/*
 * The loader sees the domain's pages through windows. A window is a foreign mapping of many pages,
 * which stays open until a page outside it is asked for: page tables are written one page at a
 * time, and a system call for each would be most of the work.
 */
#include <errno.h>
#include <stdlib.h>

#include "build_internal.h"
#include "interrupt.h"

#define WINDOW_MIN 64u /* pages, of a domain whose pages lie side by side */

int window_close(struct builder *b)
{
    int rc = 0;

    if (b->window.va) {
        rc = b->h->ops->foreign_unmap(b->h, b->window.va, b->window.count);
        b->window.va = NULL;
    }
    return rc;
}

/* By numbers of the domain's own. */
static int map_own(struct builder *b, uint64_t pfn, uint64_t count, void **va)
{
    uint64_t *list = calloc(count, sizeof(*list));
    int rc;

    if (!list)
        return -ENOMEM;
    for (uint64_t i = 0; i < count; i++)
        list[i] = pfn + i;
    rc = b->h->ops->foreign_map(b->h, b->result.domid, HOST_READ | HOST_WRITE, list, count, va);
    free(list);
    return rc;
}

/* How many side by side: what is written lies before the stack, for the most part. */
static uint64_t many(const struct builder *b, uint64_t pfn, uint64_t count)
{
    uint64_t end = pfn < b->layout.stack_pfn ? b->layout.stack_pfn : b->nr_pages;

    count = count < WINDOW_MIN ? WINDOW_MIN : count;
    return count < end - pfn ? count : end - pfn;
}

static int open_window(struct builder *b, uint64_t pfn, uint64_t count)
{
    void *va;
    int rc = window_close(b);

    if (rc == 0 && interrupt_came())
        rc = -EINTR;
    if (rc)
        return rc;
    if (b->mfns) {
        count = many(b, pfn, count);
        rc = b->h->ops->foreign_map(b->h, b->result.domid, HOST_READ | HOST_WRITE, b->mfns + pfn,
                                    count, &va);
    } else {
        rc = map_own(b, pfn, count, &va);
    }
    if (rc == 0)
        b->window = (struct window){.va = va, .pfn = pfn, .count = count};
    return rc;
}

void *window_map(void *ctx, uint64_t pfn, uint64_t *count)
{
    struct builder *b = ctx;
    struct window *w = &b->window;
    uint64_t there;

    if (!w->va || pfn - w->pfn >= w->count) {
        w->error = open_window(b, pfn, *count);
        if (w->error)
            return NULL;
    }
    there = w->count - (pfn - w->pfn);
    *count = *count < there ? *count : there;
    return w->va + (pfn - w->pfn) * HOST_PAGE_SIZE;
}

void window_unmap(void *ctx, void *va, uint64_t count)
{
    (void)ctx; /* the window stays open for the next one */
    (void)va;
    (void)count;
}
