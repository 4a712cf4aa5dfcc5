/* SPDX-License-Identifier: MIT */
/*
 * The kind of hvm_guest.h: the host's, with the memory of hvm/.
 */
#include "hvm_guest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>

void hvm_guest_init(uint64_t frames)
{
    static struct guest_ops kind;

    host_init(frames);
    kind = host_guest_ops;
    kind.domain_init = npt_init;
    kind.domain_free = npt_free;
    kind.relinquish_vcpus = npt_relinquish;
    kind.gfn_to_mfn = npt_lookup;
    guest_kinds[0] = &kind;
}

#define CHECK(cond, mfn, gfn)                                                                      \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: frame %#lx at %#lx: %s\n", __FILE__, __LINE__,                 \
                    (unsigned long)(mfn), (unsigned long)(gfn), #cond);                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct recount {
    const struct domain *d;
    uint8_t *references; /* by frame */
    struct hvm_tables found;
};

static void count_frame(struct recount *r, uint64_t mfn, uint64_t gfn)
{
    CHECK(mfn_valid(MFN(mfn)) && frame_table[mfn].owner == r->d->domain_id, mfn, gfn);
    CHECK(machine_to_phys[mfn] == gfn, mfn, gfn);
    CHECK(npt_lookup(r->d, GFN(gfn)).n == mfn, mfn, gfn);
    CHECK(gfn < 1ull << 28 && gfn != 0xfee00, mfn, gfn);
    r->references[mfn]++;
}

static void count_table(struct recount *r, uint64_t mfn, unsigned int level, uint64_t gfn)
{
    const uint64_t *table = read_frame(MFN(mfn));
    uint64_t each = 1ull << 9 * (level - 1);

    CHECK(mfn_valid(MFN(mfn)) && frame_table[mfn].owner == DOMID_INVALID, mfn, gfn);
    CHECK(!(frame_table[mfn].count_info & PGC_free), mfn, gfn);
    CHECK(!r->references[mfn]++, mfn, gfn); /* it is in one place */
    r->found.tables++;
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t e = table[i], there = e >> 12, at = gfn + i * each;

        if (!e)
            continue;
        CHECK((e & 7) == 7 && e >> 52 == 0, there, at);
        if (level > 1 && !(e & 0x80)) {
            count_table(r, there, level - 1, at);
            continue;
        }
        CHECK((e & 0xfff) == (level == 1 ? 0x67 : 0xe7) && level <= 2, there, at);
        CHECK(there % each == 0, there, at);
        for (uint64_t k = 0; k < each; k++)
            count_frame(r, there + k, at + k);
        *(level == 1 ? &r->found.small : &r->found.large) += 1;
    }
}

struct hvm_tables hvm_recount(const struct domain *d, const uint8_t *held)
{
    struct recount r = {.d = d, .references = calloc(max_mfn + 1, 1)};

    if (!r.references)
        abort();
    count_table(&r, frame_of(d->arch.hvm.npt).n, 4, 0);
    for (uint64_t mfn = 0; mfn <= max_mfn; mfn++) {
        const struct page_info *pg = &frame_table[mfn];
        uint64_t n =
            r.references[mfn] + !!(pg->count_info & PGC_allocated) + (held ? held[mfn] : 0);

        if (pg->owner == d->domain_id)
            CHECK((pg->count_info & PGC_count_mask) == n, mfn, machine_to_phys[mfn]);
    }
    free(r.references);
    return r.found;
}

static struct page_info *hoard;

/* In blocks as large as there are, of which none is cleared: nobody looks into them. */
void hvm_hoard_all_but(uint64_t spare)
{
    for (unsigned int order = HEAP_MAX_ORDER + 1; order-- > 0;) {
        unsigned int budget = UINT_MAX;
        struct page_info *pg;

        while (heap_free_frames() >= spare + (1ull << order) &&
               (pg = alloc_frames_within(order, 0, true, &budget)) != NULL) {
            pg->prev = hoard ? (uint32_t)page_to_mfn(hoard).n : PAGE_LIST_END;
            pg->order = (uint16_t)order;
            hoard = pg;
        }
    }
    if (heap_free_frames() > spare)
        abort();
}

void hvm_give_hoard_back(void)
{
    while (hoard) {
        struct page_info *pg = hoard;

        hoard = pg->prev == PAGE_LIST_END ? NULL : mfn_to_page(MFN(pg->prev));
        free_frames_as(pg, pg->order, PGC_clear);
    }
}
