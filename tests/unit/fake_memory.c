/* SPDX-License-Identifier: MIT */
/*
 * The memory of the machine that is not there: see fake_host.h. A page of a fully virtualized
 * domain is named by the number that it has there, of any other by its frame.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fake_parts.h"

uint64_t fake_free_frames(const struct fake_host *f)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < FAKE_FRAMES; i++)
        n += f->owner[i] == 0;
    return n;
}

static void name_frame(struct fake_host *f, unsigned int mfn, uint64_t number)
{
    uint16_t *at = &f->first[f->gfn[mfn] % FAKE_FRAMES];

    while (*at && *at != mfn + 1)
        at = &f->next[*at - 1];
    if (*at)
        *at = f->next[mfn];
    at = &f->first[number % FAKE_FRAMES];
    f->gfn[mfn] = number;
    f->next[mfn] = *at;
    *at = (uint16_t)(mfn + 1);
}

uint64_t fake_take_frame(struct fake_host *f, uint32_t domid)
{
    /* From the middle up, so that a pfn is never taken for a frame unseen, and in a row: pages that
     * follow each other are mapped by one call. */
    for (; f->taken < FAKE_FRAMES; f->taken++) {
        unsigned int i = (FAKE_FRAMES / 2 + f->taken) % FAKE_FRAMES;

        if (!f->owner[i]) {
            f->owner[i] = (uint16_t)(domid + 1);
            name_frame(f, i, UINT64_MAX);
            return i;
        }
    }
    return UINT64_MAX;
}

int fake_populate_physmap(struct host *h, uint32_t domid, unsigned int nr, unsigned int order,
                          uint64_t *frames, unsigned int *done)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    *done = 0;
    if (order) {
        return 0; /* no large extents here: the builder must take single pages */
    }
    while (*done < nr && d->d.nr_pages < d->d.max_pages) {
        uint64_t mfn = fake_take_frame(fake(h), domid);

        if (mfn == UINT64_MAX)
            break;
        if (d->d.kind == KIND_PV)
            frames[*done] = mfn;
        name_frame(fake(h), (unsigned int)mfn, frames[*done]);
        ++*done;
        d->d.nr_pages++;
    }
    return 0;
}

int fake_set_memory_map(struct host *h, uint32_t domid, const struct host_e820 *map,
                        unsigned int nr)
{
    MAY_FAIL(h);
    (void)domid, (void)map;
    return nr ? 0 : -EINVAL;
}

int fake_pin_l4(struct host *h, uint32_t domid, uint64_t mfn)
{
    MAY_FAIL(h);
    fake_domain(fake(h), domid)->pinned = mfn;
    return 0;
}

uint64_t fake_frame_at(struct fake_host *f, uint32_t domid, uint64_t number)
{
    if (fake_domain(f, domid)->d.kind == KIND_PV)
        return number < FAKE_FRAMES && f->owner[number] == domid + 1 ? number : UINT64_MAX;
    for (unsigned int at = f->first[number % FAKE_FRAMES]; at; at = f->next[at - 1]) {
        if (f->owner[at - 1] == domid + 1 && f->gfn[at - 1] == number)
            return at - 1;
    }
    return UINT64_MAX;
}

/* Of a frame UINT64_MAX there is nothing, which faults. */
static int add_mapping(struct fake_host *f, const uint64_t *mfns, size_t nr, bool grant, void **va)
{
    char *p = mmap(NULL, nr * HOST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0, run; i < nr; i += run) { /* frames that follow each other */
        for (run = 1; i + run < nr && mfns[i + run] == mfns[i] + run;)
            run++;
        if (mfns[i] != UINT64_MAX && mmap(p + i * HOST_PAGE_SIZE, run * HOST_PAGE_SIZE,
                                          PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, f->memfd,
                                          (off_t)(mfns[i] * HOST_PAGE_SIZE)) == MAP_FAILED) {
            munmap(p, nr * HOST_PAGE_SIZE);
            return -ENOMEM;
        }
    }
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
        if (!f->mappings[i].va) {
            f->mappings[i] = (struct fake_mapping){p, nr, grant};
            *va = p;
            return 0;
        }
    }
    munmap(p, nr * HOST_PAGE_SIZE);
    return -ENOSPC;
}

static int remove_mapping(struct fake_host *f, void *va, size_t nr, bool grant)
{
    for (unsigned int i = 0; i < FAKE_MAPPINGS; i++) {
        struct fake_mapping *m = &f->mappings[i];

        if (m->va == va && m->pages == nr && m->grant == grant) {
            munmap(va, nr * HOST_PAGE_SIZE);
            m->va = NULL;
            return 0;
        }
    }
    return -EINVAL;
}

int fake_foreign_map(struct host *h, uint32_t domid, int prot, const uint64_t *mfns, size_t nr,
                     void **va)
{
    MAY_FAIL(h);
    (void)prot;
    uint64_t *found = calloc(nr, sizeof(*found));
    int rc = 0;

    for (size_t i = 0; i < nr && rc == 0; i++) {
        found[i] = fake_frame_at(fake(h), domid, mfns[i]);
        rc = found[i] == UINT64_MAX ? -EINVAL : 0;
    }
    rc = rc ? rc : add_mapping(fake(h), found, nr, false, va);
    free(found);
    return rc;
}

int fake_foreign_map_some(struct host *h, uint32_t domid, const uint64_t *mfns, size_t nr,
                          int *error, void **va)
{
    MAY_FAIL(h);
    uint64_t *found = calloc(nr, sizeof(*found));
    int rc;

    for (size_t i = 0; i < nr; i++) {
        found[i] =
            fake_domain(fake(h), domid) ? fake_frame_at(fake(h), domid, mfns[i]) : UINT64_MAX;
        error[i] = found[i] == UINT64_MAX ? -EINVAL : 0;
    }
    rc = add_mapping(fake(h), found, nr, false, va);
    free(found);
    return rc;
}

int fake_foreign_unmap(struct host *h, void *va, size_t nr)
{
    return remove_mapping(fake(h), va, nr, false);
}

int fake_grant_seed(struct host *h, uint32_t domid, const struct host_grant *g, unsigned int nr)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    for (unsigned int i = 0; i < nr && i < FAKE_GRANTS; i++)
        d->grants[d->nr_grants++] = g[i];
    return 0;
}

int fake_grant_map(struct host *h, uint32_t domid, uint32_t ref, int prot, void **va)
{
    const struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    (void)prot;
    for (unsigned int i = 0; d && i < d->nr_grants; i++) {
        uint64_t frame = fake_frame_at(fake(h), domid, d->grants[i].frame);

        if (d->grants[i].ref == ref)
            return frame == UINT64_MAX ? -EINVAL : add_mapping(fake(h), &frame, 1, true, va);
    }
    return -EINVAL;
}

int fake_grant_unmap(struct host *h, void *va)
{
    return remove_mapping(fake(h), va, 1, true);
}
