/* SPDX-License-Identifier: MIT */
/*
 * The operations of hvm_npt_random.h, and the list of what is where.
 */
#include "hvm_npt_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvm_guest.h"
#include <core/domain/domain_pages.h>
#include <core/life/life.h>
#include <xen/errno.h>

#define FRAMES     2048
#define PER_REGION 2048ull
#define BLOCK      512ull /* frames, in one piece; two of the blocks are one of twice the size */
#define MOST_HELD  4u

/* Over the ends of tables of each level, around the local APIC, and the last there are. */
static const uint64_t regions[] = {0, (1ull << 18) - 1024, 0xfe800, (1ull << 27) - 1024,
                                   (1ull << 28) - PER_REGION};
static uint64_t list[ARRAY_SIZE(regions)][PER_REGION]; /* the mfn, 0: nothing */
static bool is_listed[FRAMES];
static unsigned int nr_listed;
static uint64_t blocks[3];
static struct page_info *held[MOST_HELD];
static struct domain *d;

static const uint8_t *next, *end;

static unsigned int take(void)
{
    return next < end ? *next++ : 0;
}

static unsigned int take2(void)
{
    return take() | take() << 8;
}

static void need(bool ok, const char *what, uint64_t gfn)
{
    if (ok)
        return;
    fprintf(stderr, "at %#lx: %s\n", (unsigned long)gfn, what);
    abort();
}

/* ---- the list ---- */

static uint64_t *listed(uint64_t gfn)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(regions); i++)
        if (gfn >= regions[i] && gfn < regions[i] + PER_REGION)
            return &list[i][gfn - regions[i]];
    return NULL;
}

static void set_listed(uint64_t gfn, uint64_t mfn)
{
    uint64_t *l = listed(gfn);

    nr_listed += (mfn != 0) - (*l != 0);
    is_listed[mfn ? mfn : *l] = mfn != 0;
    *l = mfn;
}

static bool is_ours(uint64_t mfn)
{
    return mfn <= max_mfn && frame_table[mfn].owner == d->domain_id;
}

/* What npt_map() has to say when memory does not run out. */
static int map_result(uint64_t gfn, uint64_t mfn, unsigned int order)
{
    int rc = 0;

    for (uint64_t i = 0; i < 1ull << order; i++)
        if (gfn + i >= 1ull << 28 || gfn + i == 0xfee00)
            return -XEN_EINVAL;
    for (uint64_t i = 0; i < 1ull << order; i++)
        if (*listed(gfn + i))
            return -XEN_EEXIST;
    for (uint64_t i = 0; !rc && i < 1ull << order; i++)
        rc = !is_ours(mfn + i) ? -XEN_EINVAL : is_listed[mfn + i] ? -XEN_EBUSY : 0;
    return rc;
}

/* Each that is listed is there, and the recount finds no more. */
static void check(void)
{
    static uint8_t references[FRAMES];
    struct hvm_tables found;

    memset(references, 0, sizeof(references));
    for (unsigned int i = 0; i < MOST_HELD; i++)
        if (held[i])
            references[page_to_mfn(held[i]).n]++;
    found = hvm_recount(d, references);
    need(found.small + found.large * 512 == nr_listed, "and elsewhere is more than is listed", 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(regions); i++)
        for (uint64_t k = 0; k < PER_REGION; k++)
            need(!list[i][k] || npt_lookup(d, GFN(regions[i] + k)).n == list[i][k],
                 "not what is listed", regions[i] + k);
}

/* ---- the operations ---- */

static void map(bool scarce, struct npt_random_result *result)
{
    static const uint8_t orders[16] = {0, 0, 0, 1, 2, 3, 7, 8, 9, 9, 9, 9, 9, 10, 0, 1};
    unsigned int how = take(), order = orders[how % 16];
    uint64_t mask = how & 0x30 ? (1ull << order) - 1 : 0;
    uint64_t gfn = regions[take() % ARRAY_SIZE(regions)] + (take2() % 1024 & ~mask);
    uint64_t mfn = (blocks[take() % 3] + take2() % BLOCK) & ~(how & 0xc0 ? mask : 0);
    int expected = map_result(gfn, mfn, order), rc = npt_map(d, GFN(gfn), MFN(mfn), order);

    if (scarce && rc == -XEN_ENOMEM) {
        result->no_memory++;
        return;
    }
    need(rc == expected, "mapping it has another result", gfn);
    if (rc)
        return;
    result->mapped++;
    result->large += order >= 9 && mask && how & 0xc0;
    for (uint64_t i = 0; i < 1ull << order; i++)
        set_listed(gfn + i, mfn + i);
}

static void unmap(uint64_t gfn, bool scarce, struct npt_random_result *result)
{
    bool was = *listed(gfn);
    int rc = hvm_unmap(d, GFN(gfn));

    if (scarce && rc == -XEN_ENOMEM) {
        result->no_memory++;
        return;
    }
    need(rc == (was ? 0 : -XEN_ENOENT), "taking it out has another result", gfn);
    result->unmapped += was;
    set_listed(gfn, 0);
}

static void unmap_many(struct npt_random_result *result)
{
    uint64_t region = regions[take() % ARRAY_SIZE(regions)];

    for (uint64_t i = take2() % PER_REGION; i < PER_REGION; i++)
        unmap(region + i, false, result);
}

/* As a domain that balloons: the frame is free when nothing maps it or holds it any more. */
static void give_back(void)
{
    uint64_t mfn = blocks[take() % 3] + take2() % BLOCK;

    if (is_ours(mfn))
        clear_allocated(mfn_to_page(MFN(mfn)));
}

static void hold(void)
{
    struct page_info **h = &held[take() % MOST_HELD];
    uint64_t gfn = regions[take() % ARRAY_SIZE(regions)] + take2() % PER_REGION;

    if (*h)
        put_page(*h);
    *h = get_page_from_gfn(GFN(gfn), d);
    need(!*h == !*listed(gfn), "a reference is not there, or is", gfn);
}

static void operation(struct npt_random_result *result)
{
    unsigned int what = take();
    bool scarce = what >= 0xe0;

    if (scarce)
        hvm_hoard_all_but(what % 4);
    switch (what / 2 % 8) {
    case 0:
    case 1:
    case 2:
        map(scarce, result);
        break;
    case 3:
    case 4:
        unmap(regions[take() % ARRAY_SIZE(regions)] + take2() % PER_REGION, scarce, result);
        break;
    case 5:
        hold();
        break;
    case 6:
        give_back();
        break;
    case 7:
        if (!scarce)
            unmap_many(result);
        break;
    }
    hvm_give_hoard_back();
}

/* Somebody else's memory: little is free, so that it is soon taken when there is to be none. */
static void take_most(bool take_it)
{
    static struct page_info *taken[2];
    unsigned int budget = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(taken); i++) {
        if (take_it)
            taken[i] = alloc_frames_within(8 - i, 0, true, &budget);
        else
            free_frames(taken[i], 8 - i);
    }
}

static void begin(void)
{
    d = host_domain(1, false, 1, 0);
    d->max_pages = 4096;
    memset(list, 0, sizeof(list));
    memset(is_listed, 0, sizeof(is_listed));
    nr_listed = 0;
    d->is_control = true; /* its memory need not be cleared: nobody looks into it */
    for (unsigned int i = 0; i < ARRAY_SIZE(blocks); i++)
        blocks[i] = page_to_mfn(host_frames(d, 9)).n;
    d->is_control = false;
}

void npt_random_run(const uint8_t *data, size_t n, struct npt_random_result *result)
{
    uint64_t free_before;

    next = data;
    end = data + n;
    hvm_guest_init(FRAMES);
    host_domain(0, true, 1, 0);
    free_before = heap_free_frames();
    begin();
    take_most(true);
    for (unsigned int i = 0; next < end; i++) {
        operation(result);
        if (i % 16 == 15)
            check();
    }
    check();
    host_destroy(d);
    for (unsigned int i = 0; i < MOST_HELD; i++)
        if (held[i])
            put_page(held[i]);
    memset(held, 0, sizeof(held));
    take_most(false);
    host_reap();
    host_check_invariants();
    need(heap_free_frames() == free_before, "frames are lost", 0);
}
