/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator: a buddy heap.
 *
 * Free memory is kept in blocks of 2^order frames, aligned to their size. A block that is freed
 * joins its buddy when that is free too, so memory does not crumble. Blocks lie in zones by the
 * number of bits of their frame number: a request for frames below 2^n bytes (a device that can
 * address no more) is a request for the zones up to n - 12. Requests without a limit are served
 * from the highest zone that has memory, which keeps low memory for those who need it. A block
 * never straddles zones: it is aligned to its size and does not begin at frame 0, which is never
 * given out.
 *
 * Invariants: each free frame has PGC_free; the first of a block carries its order and is on the
 * list of its zone and order, the others carry FRAME_INSIDE. Bit o of nonempty[z] is set when and
 * only when list[z][o] is not empty.
 *
 * A single frame that is freed is LOOSE for a while: the next request for one gets it, or one that
 * was freed before it, and nothing is joined and torn again for that. As many are kept so in a zone
 * as are given out from one flush to the next (below). Where a zone has no block that is large
 * enough, its loose frames are joined before the next zone is looked at, as many at a time as its
 * caller could clear: it gives way in between.
 *
 * Contents: a block is cleared when it is allocated, so nothing of its last owner is seen
 * (XSA-100), however it was freed. TLB: a freed frame is stamped with the TLB clock; it is not
 * given out again before every TLB that may know it has been flushed (XSA-241, XSA-286). No TLB
 * knows one that was the hypervisor's alone: a guest whose hypercalls take and free such memory
 * makes no CPU flush. Of the rest, what was freed since the last such flush is left alone for a
 * while after it: else a guest that gives a frame back and takes it again made all CPUs flush each
 * time. What needs no flush may lie in a larger block or a lower zone, so the while is short: a
 * guest that keeps one of many frames that it takes tears a large block only when there are not
 * SELDOM frames in smaller ones, and takes no more than these from a lower zone. Where nothing else
 * is free at all, each request flushes: that is a machine whose memory is given out to the last
 * frames, and no guest has more of it than it was allowed.
 *
 * Clearing a large block takes long. Who has to give way in between (alloc_frames_within) gets it
 * when all of it is clear; until then what was cleared goes back to the free lists and is marked
 * PGC_clear, so that each turn leaves fewer frames to clear, whoever gets them in the end.
 *
 * A CPU that idles clears ahead, until a part of memory lies apart in blocks of AHEAD_ORDER that
 * are clear: who asks for one gets these first, and others when there is nothing else. They stay
 * free frames like all. A frame at a time, between two looks for work (machine_idle()), and only
 * what no TLB knows: a CPU that idles makes no other flush. `forgotten` is a guess, good enough to
 * choose by; before a frame is cleared each CPU's time is looked at (tlb_forgot()).
 *
 * Lock: heap_lock (RANK_HEAP) guards the lists and the entries of free frames. Clearing is done
 * without it, but for one frame ahead, which stays on its list: so nobody meets memory that is
 * short only for a moment. One CPU clears ahead at a time (`clearing_ahead`, atomic), so whoever
 * takes the lock waits for one frame at most.
 */
#include <core/base/tlb.h>
#include <core/frame/frame.h>
#include <parvis/string.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/sanitize.h>
#include <limits.h>

#define NR_ZONES 33                   /* frame numbers have at most 32 bits */
#define LOOSE    (HEAP_MAX_ORDER + 1) /* in place of an order: one frame, not joined yet */
#define AHEAD    (LOOSE + 1)          /* and a block of AHEAD_ORDER that is clear, or will be */
#define NR_LISTS (AHEAD + 1)
#define SELDOM   512u /* frames to be given out from one flush to the next, if others are free */

#define AHEAD_ORDER 6u  /* as builders of domains ask for */
#define AHEAD_PART  32u /* of memory */

static spinlock_t heap_lock = SPINLOCK_INIT(RANK_HEAP);
static struct page_list list[NR_ZONES][NR_LISTS];
static uint32_t nonempty[NR_ZONES];
static uint64_t zones; /* bit z: nonempty[z] is not 0 */
static uint64_t free_count, total_count;
static uint64_t turn;       /* requests; where in a block to look next for what needs no flush */
static uint64_t flushed;    /* the last request that needed one */
static uint32_t forgotten;  /* what was freed until then is in no TLB any more */
static uint64_t ahead;      /* blocks in the lists of AHEAD */
static uint64_t next_ahead; /* the next frame of the youngest, unless that is taken, or done */
static bool clearing_ahead; /* a CPU is at it */

static unsigned int zone_of(uint64_t mfn)
{
    return mfn ? 64 - (unsigned int)__builtin_clzll(mfn) : 0;
}

static void block_insert(uint64_t mfn, unsigned int order)
{
    unsigned int zone = zone_of(mfn);

    WRITE_ONCE(frame_table[mfn].order, (uint16_t)order);
    page_list_add(&list[zone][order], &frame_table[mfn]);
    WRITE_ONCE(ahead, ahead + (order == AHEAD));
    nonempty[zone] |= 1u << order;
    zones |= 1ull << zone;
}

static void block_remove(uint64_t mfn, unsigned int order)
{
    unsigned int zone = zone_of(mfn);

    page_list_del(&list[zone][order], &frame_table[mfn]);
    WRITE_ONCE(ahead, ahead - (order == AHEAD));
    WRITE_ONCE(frame_table[mfn].order, FRAME_INSIDE);
    if (list[zone][order].first == PAGE_LIST_END)
        nonempty[zone] &= ~(1u << order);
    if (!nonempty[zone])
        zones &= ~(1ull << zone);
}

void heap_init(void)
{
    for (unsigned int z = 0; z < NR_ZONES; z++) {
        nonempty[z] = 0;
        for (unsigned int o = 0; o < NR_LISTS; o++)
            page_list_init(&list[z][o]);
    }
    zones = free_count = total_count = turn = flushed = forgotten = ahead = next_ahead = 0;
    for (uint64_t i = 0; i <= max_mfn; i++)
        frame_table[i] = (struct page_info){.owner = DOMID_INVALID,
                                            .order = FRAME_NOT_RAM,
                                            .next = PAGE_LIST_END,
                                            .prev = PAGE_LIST_END};
}

/* Joins the block with its free buddies as far as it goes. */
static void block_join(uint64_t mfn, unsigned int order)
{
    for (; order < HEAP_MAX_ORDER; order++) {
        uint64_t buddy = mfn ^ (1ull << order);

        if (buddy == 0 || buddy > max_mfn ||
            !(READ_ONCE(frame_table[buddy].count_info) & PGC_free) ||
            READ_ONCE(frame_table[buddy].order) != order)
            break;
        block_remove(buddy, order);
        mfn &= ~(1ull << order);
    }
    block_insert(mfn, order);
}

/* Which lists of a zone have blocks that are large enough. */
static uint32_t fitting(unsigned int zone, unsigned int order)
{
    return nonempty[zone] & ((1u << LOOSE) - (1u << order));
}

/* What a zone has apart, until it has a block that is large enough: those cleared ahead, then loose
 * frames, which are no block for who asks for one. False: the budget is used up before. */
static bool join_apart(unsigned int zone, unsigned int order, unsigned int *budget)
{
    uint32_t apart, kinds = 1u << AHEAD | (order ? 1u << LOOSE : 0);

    for (; (apart = nonempty[zone] & kinds) && !fitting(zone, order); --*budget) {
        unsigned int kind = apart >> AHEAD ? AHEAD : LOOSE;
        uint32_t mfn = list[zone][kind].first;

        if (!*budget)
            return false;
        block_remove(mfn, kind);
        block_join(mfn, kind == AHEAD ? AHEAD_ORDER : 0);
    }
    return true;
}

/* Of a frame without a reference. Others may look at it, who know its number: get_page() does. */
static void mark_free(struct page_info *pg, uint32_t stamp, uint64_t flags)
{
    WRITE_ONCE(pg->count_info, PGC_free | flags);
    WRITE_ONCE(pg->type_info, 0);
    WRITE_ONCE(pg->owner, DOMID_INVALID);
    pg->tlb_stamp = stamp;
    WRITE_ONCE(pg->order, FRAME_INSIDE);
}

/* Gives back a block whose entries say PGC_free already. */
static void return_block(struct page_info *pg, unsigned int order)
{
    uint64_t mfn = page_to_mfn(pg).n;

    if (order == 0 && list[zone_of(mfn)][LOOSE].count < SELDOM)
        block_insert(mfn, LOOSE);
    else
        block_join(mfn, order);
    WRITE_ONCE(free_count, free_count + (1ull << order));
}

void heap_give(mfn_t first, uint64_t n)
{
    uint64_t mfn = first.n, end;

    if (__builtin_add_overflow(first.n, n, &end) || end > max_mfn + 1)
        end = max_mfn + 1;
    spin_lock(&heap_lock);
    for (mfn = MAX(mfn, 1); mfn < end; mfn++) {
        if (frame_table[mfn].order != FRAME_NOT_RAM)
            continue; /* given twice */
        mark_free(&frame_table[mfn], 0, PGC_fresh);
        sanitize_poison(map_frame(MFN(mfn)), PAGE_SIZE);
        block_join(mfn, 0);
        free_count++;
        total_count++;
    }
    spin_unlock(&heap_lock);
}

/* No TLB knew it when it was freed. */
static bool was_unknown(const struct page_info *pg)
{
    return READ_ONCE(pg->count_info) & (PGC_fresh | PGC_clear | PGC_unseen);
}

/* A guess: `forgotten` may be older than half a round of the clock. */
static bool is_forgotten(uint64_t mfn)
{
    const struct page_info *pg = &frame_table[mfn];

    return was_unknown(pg) || (int32_t)(READ_ONCE(forgotten) - pg->tlb_stamp) >= 0;
}

/* Of a block, where to take from without a flush: its first frames, or each time some others. 0:
 * not there. (What is behind the first frame is not looked at.) */
static uint64_t find_forgotten(uint64_t block, unsigned int size, unsigned int order)
{
    uint64_t other = block + (turn << order & ((1ull << size) - 1));

    return is_forgotten(block) ? block : is_forgotten(other) ? other : 0;
}

/* Where to take from: in the highest zone that has enough, a loose frame or a block cleared ahead,
 * or the smallest block that is large enough; or (any: false) the first in that order that needs no
 * flush. Without a budget what lies apart stays there. 0: nowhere. */
static uint64_t find_block(unsigned int order, unsigned int top_zone, bool any, uint64_t *block,
                           unsigned int *size, unsigned int *budget)
{
    uint64_t left = zones & ((2ull << top_zone) - 1), at;

    for (; left; left &= ~(1ull << zone_of(left >> 1))) {
        unsigned int zone = zone_of(left >> 1);

        *size = order ? AHEAD : LOOSE;
        *block = at = list[zone][*size].first;
        if (budget && (order == 0 || order == AHEAD_ORDER) && at != PAGE_LIST_END &&
            (any || is_forgotten(at)))
            return at;
        if (budget && !join_apart(zone, order, budget))
            return 0;
        for (uint32_t fit = fitting(zone, order); fit; fit &= fit - 1) {
            *size = (unsigned int)__builtin_ctz(fit);
            *block = list[zone][*size].first;
            at = any ? *block : find_forgotten(*block, *size, order);
            if (at)
                return at;
        }
    }
    return 0;
}

/* Takes 2^order frames at mfn out of a block, whose other parts go back to the lists. */
static void cut(uint64_t mfn, unsigned int order, uint64_t block, unsigned int size)
{
    block_remove(block, size);
    while (size <= HEAP_MAX_ORDER && size > order) {
        uint64_t half = block + (1ull << --size);

        block_insert(mfn < half ? half : block, size);
        if (mfn >= half)
            block = half;
    }
}

/* Takes a block off the lists. From here on no buddy can join it. */
static struct page_info *take_block(unsigned int order, unsigned int top_zone, unsigned int *budget)
{
    bool any = ++turn - flushed >= SELDOM >> order;
    unsigned int size;
    uint64_t block, mfn = find_block(order, top_zone, any, &block, &size, budget);

    if (!mfn)
        mfn = find_block(order, top_zone, true, &block, &size, budget);
    if (!mfn)
        return NULL;
    if (!is_forgotten(mfn))
        flushed = turn;
    cut(mfn, order, block, size);
    WRITE_ONCE(free_count, free_count - (1ull << order));
    for (uint64_t i = 0; i < 1ull << order; i++)
        WRITE_ONCE(frame_table[mfn + i].count_info,
                   READ_ONCE(frame_table[mfn + i].count_info) & ~PGC_free);
    return &frame_table[mfn];
}

/* Flushes, where a TLB may still know one of the frames, whoever had it mapped. Before any is
 * cleared: the last owner could write to what is clear already. The youngest stamp is looked for by
 * age: of stamps half a round of the clock apart, differences do not say which is later. One that
 * is older than that is taken for young. */
static void forget_block(const struct page_info *pg, uint64_t n)
{
    uint32_t now = tlb_clock(), least = UINT32_MAX;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t age = now - pg[i].tlb_stamp;

        if (!was_unknown(&pg[i]))
            least = MIN(least, age > INT32_MAX ? 0 : age);
    }
    if (least == UINT32_MAX)
        return;
    flush_tlb_stamp(NULL, now - least); /* model: forget_block.flush */
    if ((int32_t)(now - least - READ_ONCE(forgotten)) > 0)
        WRITE_ONCE(forgotten, now - least);
}

/* Clears what has to be, as far as the budget goes. False: it did not reach. */
static bool clear_block(struct page_info *pg, uint64_t n, bool fresh_may_stay, unsigned int *budget)
{
    sanitize_unpoison(map_frame(page_to_mfn(pg)), n * PAGE_SIZE);
    for (uint64_t i = 0; i < n; i++) {
        if (READ_ONCE(pg[i].count_info) & (fresh_may_stay ? PGC_clear | PGC_fresh : PGC_clear))
            continue;
        if (*budget == 0)
            return false;
        --*budget;
        memset(map_frame(page_to_mfn(&pg[i])), 0, PAGE_SIZE);
        WRITE_ONCE(pg[i].count_info, READ_ONCE(pg[i].count_info) | PGC_clear);
    }
    return true;
}

void free_frames_as(struct page_info *pg, unsigned int order, uint64_t flags)
{
    uint32_t stamp = tlb_clock(); /* model: free_frames_as.stamp */

    sanitize_poison(map_frame(page_to_mfn(pg)), PAGE_SIZE << order);
    spin_lock(&heap_lock);
    for (uint64_t i = 0; i < 1ull << order; i++) {
        uint64_t was = READ_ONCE(pg[i].count_info);

        BUG_ON(was & (PGC_free | PGC_allocated | PGC_count_mask));
        mark_free(&pg[i], stamp, flags ? flags | (was & (PGC_fresh | PGC_clear)) : 0);
    }
    return_block(pg, order);
    spin_unlock(&heap_lock);
}

struct page_info *alloc_frames_within(unsigned int order, unsigned int addr_bits, bool trusted,
                                      unsigned int *budget)
{
    unsigned int top = NR_ZONES - 1;
    struct page_info *pg;

    if (order > HEAP_MAX_ORDER)
        return NULL;
    if (addr_bits && addr_bits < 12 + NR_ZONES)
        top = addr_bits > 12 ? addr_bits - 12 : 0;
    spin_lock(&heap_lock);
    pg = take_block(order, top, budget);
    spin_unlock(&heap_lock);
    if (!pg)
        return NULL;
    forget_block(pg, 1ull << order);
    if (!clear_block(pg, 1ull << order, trusted, budget)) {
        free_frames_as(pg, order, PGC_unseen);
        return NULL;
    }
    for (uint64_t i = 0; i < 1ull << order; i++) {
        pg[i].tlb_stamp = 0;
        WRITE_ONCE(pg[i].order, 0);
        WRITE_ONCE(pg[i].count_info, 0);
    }
    return pg;
}

struct page_info *alloc_frames(unsigned int order, unsigned int addr_bits)
{
    unsigned int budget = UINT_MAX;

    return alloc_frames_within(order, addr_bits, false, &budget);
}

/* The next frame to be cleared ahead; NULL: none. */
static struct page_info *frame_ahead(void)
{
    const uint64_t mask = (1ull << AHEAD_ORDER) - 1;
    unsigned int size;
    uint64_t block, mfn;

    if (!(next_ahead & mask) || READ_ONCE(frame_table[next_ahead & ~mask].order) != AHEAD) {
        mfn = find_block(AHEAD_ORDER, NR_ZONES - 1, tlb_forgot(tlb_clock()), &block, &size, NULL);
        if (!mfn)
            return NULL;
        cut(mfn, AHEAD_ORDER, block, size);
        block_insert(mfn, AHEAD);
        next_ahead = mfn;
    }
    return &frame_table[next_ahead++];
}

bool heap_clear_ahead(void)
{
    unsigned int budget = 1;
    struct page_info *pg;

    if (READ_ONCE(ahead) > heap_total_frames() / AHEAD_PART >> AHEAD_ORDER ||
        xchg(&clearing_ahead, true))
        return false;
    spin_lock(&heap_lock);
    pg = frame_ahead();
    if (pg && (was_unknown(pg) || tlb_forgot(pg->tlb_stamp))) { /* model: heap_clear_ahead.forgot */
        (void)clear_block(pg, 1, false, &budget);               /* model: heap_clear_ahead.clear */
        sanitize_poison(map_frame(page_to_mfn(pg)), PAGE_SIZE);
    }
    spin_unlock(&heap_lock);
    __atomic_store_n(&clearing_ahead, false, __ATOMIC_RELEASE);
    return pg;
}

void free_frames(struct page_info *pg, unsigned int order)
{
    free_frames_as(pg, order, 0);
}

uint64_t heap_free_frames(void)
{
    return READ_ONCE(free_count);
}

uint64_t heap_total_frames(void)
{
    return READ_ONCE(total_count);
}

void *alloc_hv_pages(unsigned int order)
{
    struct page_info *pg = alloc_frames(order, 0);

    return pg ? map_frame(page_to_mfn(pg)) : NULL;
}

void free_hv_pages(void *p, unsigned int order)
{
    if (p)
        free_frames(mfn_to_page(frame_of(p)), order);
}
