/* SPDX-License-Identifier: MIT */
/*
 * Lists of frames.
 *
 * A domain may own millions of frames, so the links are 32-bit frame numbers inside struct
 * page_info and not pointers: a frame's entry stays at 32 bytes. A frame is on at most one list: a
 * free list of the heap, or its owner's d->pages or d->relinquish. Whoever holds the lock of that
 * list may call these.
 */
#include <core/frame/frame.h>

void page_list_init(struct page_list *l)
{
    l->first = l->last = PAGE_LIST_END;
    l->count = 0;
}

void page_list_add(struct page_list *l, struct page_info *pg)
{
    uint32_t mfn = (uint32_t)page_to_mfn(pg).n;

    pg->next = PAGE_LIST_END;
    pg->prev = l->last;
    if (l->last == PAGE_LIST_END)
        l->first = mfn;
    else
        frame_table[l->last].next = mfn;
    l->last = mfn;
    l->count++;
}

void page_list_del(struct page_list *l, struct page_info *pg)
{
    if (pg->prev == PAGE_LIST_END)
        l->first = pg->next;
    else
        frame_table[pg->prev].next = pg->next;
    if (pg->next == PAGE_LIST_END)
        l->last = pg->prev;
    else
        frame_table[pg->next].prev = pg->prev;
    pg->next = pg->prev = PAGE_LIST_END;
    l->count--;
}

struct page_info *page_list_first(const struct page_list *l)
{
    return l->first == PAGE_LIST_END ? NULL : &frame_table[l->first];
}
