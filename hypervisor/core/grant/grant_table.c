/* SPDX-License-Identifier: MIT */
/*
 * A domain's grant table: its frames, how it grows, how it ends.
 *
 * The shared frames are the hypervisor's own pages (PGC_xenheap) that the domain may write; what
 * they say is read once a decision. The table grows when the domain asks for more frames or the
 * toolstack asks for one, and never shrinks. At the end of the domain the frames go, and the active
 * entries but for those that are in use: an unmap still finds them.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/grant/grant_internal.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <port/nospec.h>
#include <xen/errno.h>

#define MOST_FRAMES          1024
#define MOST_MAPTRACK_FRAMES 8192

static int add_frame(struct domain *d)
{
    struct grant_table *gt = d->grant;
    struct active_grant *active = hv_alloc_array(ENTRIES_PER_FRAME, sizeof(*active));
    struct grant_entry_v1 *shared = alloc_hv_pages(0);

    if (!active || !shared) {
        hv_free(active);
        free_hv_pages(shared, 0);
        return -XEN_ENOMEM;
    }
    share_hv_page_with_guest(shared, d, true);
    gt->active[gt->nr_frames] = active;
    gt->shared[gt->nr_frames] = shared;
    __atomic_store_n(&gt->nr_frames, gt->nr_frames + 1, __ATOMIC_RELEASE);
    return 0;
}

/* To so many, of at most max_frames. */
static int grow_locked(struct domain *d, unsigned int nr_frames)
{
    int rc = 0;

    if (READ_ONCE(d->dying))
        return -XEN_ESRCH;
    while (d->grant->nr_frames < nr_frames && !rc)
        rc = add_frame(d);
    return rc;
}

int grant_table_init(struct domain *d, unsigned int max_frames, unsigned int max_maptrack_frames)
{
    struct grant_table *gt;
    int rc;

    if (!max_frames || max_frames > MOST_FRAMES || max_maptrack_frames > MOST_MAPTRACK_FRAMES)
        return refused(-XEN_EINVAL, "grant table of %u frames, maptrack of %u; at most %u and %u",
                       max_frames, max_maptrack_frames, MOST_FRAMES, MOST_MAPTRACK_FRAMES);
    gt = hv_alloc(sizeof(*gt));
    if (!gt)
        return -XEN_ENOMEM;
    spin_lock_init(&gt->lock, RANK_GRANT);
    gt->max_frames = max_frames;
    gt->shared = hv_alloc_array(max_frames, sizeof(*gt->shared));
    gt->active = hv_alloc_array(max_frames, sizeof(*gt->active));
    rc = maptrack_init(gt, max_maptrack_frames);
    d->grant = gt;
    if (!rc && !(gt->shared && gt->active))
        rc = -XEN_ENOMEM;
    if (rc)
        grant_table_destroy(d);
    return rc;
}

int grant_table_free_frames(struct domain *d)
{
    struct grant_table *gt = d->grant;
    bool more = true;

    for (unsigned int i = 0; more; i++) {
        struct grant_entry_v1 *frame = NULL;

        /* Race: under this lock, where who adds frames looks at `dying`. */
        spin_lock(&gt->lock);
        more = i < gt->nr_frames;
        if (more) {
            frame = gt->shared[i];
            WRITE_ONCE(gt->shared[i], NULL);
        }
        spin_unlock(&gt->lock);
        unshare_hv_page(frame);
        if (frame && hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}

/* The active entries of one frame, to be freed; NULL when one of them is in use. */
static struct active_grant *take_idle(struct grant_table *gt, unsigned int frame)
{
    struct active_grant *a = gt->active[frame];

    for (unsigned int i = 0; a && i < ENTRIES_PER_FRAME; i++)
        if (a[i].readers || a[i].writers)
            return NULL;
    gt->active[frame] = NULL;
    return a;
}

int grant_table_release_tables(struct domain *d)
{
    struct grant_table *gt = d->grant;
    int rc = maptrack_release(gt);

    while (!rc && gt->trim_next < gt->nr_frames) {
        struct active_grant *idle;

        spin_lock(&gt->lock);
        idle = take_idle(gt, gt->trim_next++);
        spin_unlock(&gt->lock);
        hv_free(idle);
        if (hypercall_preempt_check())
            rc = -XEN_ERESTART;
    }
    return rc;
}

void grant_table_destroy(struct domain *d)
{
    struct grant_table *gt = d->grant;

    if (!gt)
        return;
    for (unsigned int i = 0; gt->active && i < gt->nr_frames; i++)
        hv_free(gt->active[i]);
    maptrack_destroy(gt);
    hv_free(gt->active);
    hv_free(gt->shared);
    hv_free(gt);
    d->grant = NULL;
}

unsigned int grant_table_max_frames(const struct domain *d)
{
    return d->grant->max_frames;
}

int grant_table_frame(struct domain *d, unsigned int idx, mfn_t *mfn)
{
    struct grant_table *gt = d->grant;
    int rc;

    if (idx >= gt->max_frames)
        return -XEN_EINVAL;
    spin_lock(&gt->lock);
    idx = (unsigned int)index_nospec(idx, gt->max_frames);
    rc = grow_locked(d, idx + 1);
    if (!rc)
        *mfn = frame_of(gt->shared[idx]);
    spin_unlock(&gt->lock);
    return rc;
}

void grant_table_set_entry(struct domain *d, grant_ref_t ref, domid_t to, uint64_t gfn)
{
    struct grant_entry_v1 *e;

    spin_lock(&d->grant->lock);
    e = ref < grant_entries(d->grant) ? grant_shared(d->grant, ref) : NULL;
    if (e) {
        e->domid = to;
        e->frame = (uint32_t)gfn;
        smp_wmb();
        WRITE_ONCE(e->flags, GTF_permit_access);
    }
    spin_unlock(&d->grant->lock);
}

/* True: a line was written. */
static bool dump_entry(struct domain *d, grant_ref_t ref)
{
    const struct active_grant *a;

    if (!d->grant->active[ref / ENTRIES_PER_FRAME])
        return false;
    a = grant_active(d->grant, ref);
    if (!a->readers && !a->writers)
        return false;
    log_info("d%u: grant %u of frame %#lx: d%u reads %u, writes %u", d->domain_id, ref,
             (unsigned long)a->frame.n, a->domid, a->readers, a->writers);
    return true;
}

int grant_table_dump(struct domain *d)
{
    struct grant_table *gt = d->grant;
    int rc = 0;

    spin_lock(&gt->lock);
    if (gt->dump_next == 0)
        log_info("d%u: grant table of %u frames, at most %u", d->domain_id, gt->nr_frames,
                 gt->max_frames);
    while (!rc && gt->dump_next < grant_entries(gt)) {
        grant_ref_t ref = gt->dump_next++;

        if ((dump_entry(d, ref) || ref % ENTRIES_PER_FRAME == 0) && hypercall_preempt_check())
            rc = -XEN_ERESTART;
    }
    if (!rc)
        gt->dump_next = 0;
    spin_unlock(&gt->lock);
    return rc;
}
