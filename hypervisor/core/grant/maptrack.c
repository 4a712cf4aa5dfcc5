/* SPDX-License-Identifier: MIT */
/*
 * The maptrack: which grants of others a domain has mapped. A handle is an index; free ones are
 * chained. It grows by a page when none is free, up to the domain's limit. One lock guards the
 * chain (XSA-218, XSA-228: no search, no second chain).
 */
#include <core/base/hypercall.h>
#include <core/grant/grant_internal.h>
#include <port/nospec.h>
#include <xen/errno.h>

int maptrack_init(struct grant_table *gt, unsigned int max_frames)
{
    spin_lock_init(&gt->maptrack_lock, RANK_GRANT);
    gt->free_handle = NO_HANDLE;
    gt->max_maptrack_frames = max_frames;
    if (!max_frames)
        return 0;
    gt->maptrack = hv_alloc_array(max_frames, sizeof(*gt->maptrack));
    return gt->maptrack ? 0 : -XEN_ENOMEM;
}

void maptrack_destroy(struct grant_table *gt)
{
    for (unsigned int i = 0; i < gt->nr_maptrack_frames; i++)
        free_hv_pages(gt->maptrack[i], 0);
    hv_free(gt->maptrack);
}

int maptrack_release(struct grant_table *gt)
{
    gt->free_handle = NO_HANDLE;
    while (gt->nr_maptrack_frames) {
        unsigned int last = gt->nr_maptrack_frames - 1;

        WRITE_ONCE(gt->nr_maptrack_frames, last);
        free_hv_pages(gt->maptrack[last], 0);
        if (hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}

static void grow_locked(struct grant_table *gt)
{
    uint32_t first = gt->nr_maptrack_frames * (uint32_t)MAPTRACK_PER_FRAME;
    struct maptrack *frame;

    if (gt->nr_maptrack_frames == gt->max_maptrack_frames)
        return;
    frame = alloc_hv_pages(0);
    if (!frame)
        return;
    for (uint32_t i = 0; i < MAPTRACK_PER_FRAME; i++)
        frame[i].ref = i + 1 < MAPTRACK_PER_FRAME ? first + i + 1 : NO_HANDLE;
    gt->maptrack[gt->nr_maptrack_frames] = frame;
    /* Race: maptrack_entry() takes no lock; a frame that is counted must be there (XSA-340). */
    __atomic_store_n(&gt->nr_maptrack_frames, gt->nr_maptrack_frames + 1, __ATOMIC_RELEASE);
    gt->free_handle = first;
}

uint32_t maptrack_alloc(struct grant_table *gt, struct maptrack **m)
{
    uint32_t handle;

    spin_lock(&gt->maptrack_lock);
    if (gt->free_handle == NO_HANDLE)
        grow_locked(gt);
    handle = gt->free_handle;
    if (handle != NO_HANDLE) {
        *m = maptrack_entry(gt, handle);
        gt->free_handle = (*m)->ref;
    }
    spin_unlock(&gt->maptrack_lock);
    return handle;
}

void maptrack_free(struct grant_table *gt, uint32_t handle)
{
    struct maptrack *m = maptrack_entry(gt, handle);

    spin_lock(&gt->maptrack_lock);
    WRITE_ONCE(m->rd, NULL);
    m->ref = gt->free_handle;
    gt->free_handle = handle;
    spin_unlock(&gt->maptrack_lock);
}

struct maptrack *maptrack_entry(struct grant_table *gt, uint32_t handle)
{
    uint64_t frames = __atomic_load_n(&gt->nr_maptrack_frames, __ATOMIC_ACQUIRE);

    if (handle >= frames * MAPTRACK_PER_FRAME)
        return NULL;
    handle = (uint32_t)index_nospec(handle, frames * MAPTRACK_PER_FRAME);
    return &gt->maptrack[handle / MAPTRACK_PER_FRAME][handle % MAPTRACK_PER_FRAME];
}
