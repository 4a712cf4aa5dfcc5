/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, between their files (core/grant/grant_*.c). Everyone else uses
 * core/grant/grant_table.h.
 *
 * A granter's side: `shared` frames, which the granter writes, and one active entry for each shared
 * one, which only the hypervisor sees: who uses the grant, how often, and which frame it was when
 * the use began. A mapper's side: the maptrack, where a handle leads to the granter (with a
 * reference of the domain, so that a handle never speaks of another domain of the same id).
 */
#ifndef HV_GRANT_INTERNAL_H
#define HV_GRANT_INTERNAL_H

#include <core/grant/grant_table.h>
#include <core/state/domain.h>

#define ENTRIES_PER_FRAME  (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define MAPTRACK_PER_FRAME (PAGE_SIZE / sizeof(struct maptrack))
#define NO_HANDLE          (~0u)

struct active_grant {
    uint32_t readers, writers; /* uses; 0 and 0: idle, the rest means nothing */
    domid_t domid;             /* who */
    mfn_t frame;               /* what the granter's number meant when the first use began */
};

struct maptrack {
    struct domain *rd; /* referenced while flags is not 0 */
    uint32_t ref;      /* free: next free handle */
    /* GNTMAP_* that still hold; 0: free or on its way. Written last, and read first; who changes
     * them has claimed the handle (grant_map.c) */
    uint32_t flags;
};

struct grant_table {
    /* Guards the active entries, the status bits in shared, nr_frames */
    spinlock_t lock;
    unsigned int nr_frames, max_frames;
    struct grant_entry_v1 **shared; /* [max_frames] pages of PGC_xenheap */
    /* [max_frames] arrays of ENTRIES_PER_FRAME; NULL: the domain is dying, and none of these was in
     * use */
    struct active_grant **active;
    unsigned int trim_next; /* how far grant_table_release_tables() came */
    uint32_t dump_next;     /* and grant_table_dump() */

    spinlock_t maptrack_lock; /* guards what follows; taken alone */
    unsigned int nr_maptrack_frames, max_maptrack_frames;
    struct maptrack **maptrack; /* [max_maptrack_frames] */
    uint32_t free_handle;
    uint32_t release_next; /* how far grant_table_release_mappings() came */
};

/* --- what is in the table; the granter's lock is held --- */
/* How many there are: with the lock or without. */
static inline uint64_t grant_entries(const struct grant_table *gt)
{
    /* Race: what is counted is there. */
    return (uint64_t)__atomic_load_n(&gt->nr_frames, __ATOMIC_ACQUIRE) * ENTRIES_PER_FRAME;
}
static inline struct active_grant *grant_active(struct grant_table *gt, grant_ref_t ref)
{
    return &gt->active[ref / ENTRIES_PER_FRAME][ref % ENTRIES_PER_FRAME];
}
/* NULL when the domain's frames are gone already (teardown). */
static inline struct grant_entry_v1 *grant_shared(struct grant_table *gt, grant_ref_t ref)
{
    struct grant_entry_v1 *frame = gt->shared[ref / ENTRIES_PER_FRAME];

    return frame ? &frame[ref % ENTRIES_PER_FRAME] : NULL;
}

/* --- grant_pin.c --- */
/* Begins a use of rd's grant by ld: checks the entry, marks it in use, gives the frame. Takes rd's
 * lock. 0 or GNTST_*. */
int __must_check grant_pin(struct domain *rd, const struct domain *ld, grant_ref_t ref,
                           bool readonly, mfn_t *frame);
void grant_unpin(struct domain *rd, grant_ref_t ref, bool readonly);
/* The references of one mapping: general, and writable unless readonly. False: the frame is not
 * rd's, or is a table. */
bool __must_check grant_get_frame(struct domain *rd, mfn_t frame, bool readonly);
void grant_put_frame(struct domain *rd, mfn_t frame, bool readonly);

/* --- maptrack.c --- */
int __must_check maptrack_init(struct grant_table *gt, unsigned int max_frames);
void maptrack_destroy(struct grant_table *gt);
/* The domain is dying and has nothing mapped any more: the frames go. 0 or -XEN_ERESTART. */
int __must_check maptrack_release(struct grant_table *gt);
/* A handle and its entry, or NO_HANDLE: full */
uint32_t maptrack_alloc(struct grant_table *gt, struct maptrack **m);
void maptrack_free(struct grant_table *gt, uint32_t handle);
/* NULL: no such handle can exist */
struct maptrack *maptrack_entry(struct grant_table *gt, uint32_t handle);

/* --- grant_map.c, grant_copy.c: one element of a call. 0 or GNTST_*. --- */
int __must_check grant_map(struct gnttab_map_grant_ref *op); /* and the out fields, when 0 */
int __must_check grant_copy(const struct gnttab_copy *op);

#define UNMAP_BATCH 16

/* What a call has taken out of page tables and maptracks. It is still held until the TLBs have been
 * flushed, once for many. */
struct grant_unmaps {
    unsigned int nr;
    struct grant_unmapped {
        struct domain *rd; /* referenced; when it is the last, by the handle */
        mfn_t frame;
        uint32_t ref, handle;
        uint32_t mappings; /* GNTMAP_host_map, GNTMAP_device_map: whose references are to drop */
        bool readonly;
        bool last; /* the handle has no mapping any more */
    } of[UNMAP_BATCH];
};
/* An address of 0 is not asked for; new_addr: what is mapped there takes the place. Or
 * -XEN_ERESTART: again. */
int __must_check grant_unmap(struct grant_unmaps *batch, uint32_t handle, uint64_t host_addr,
                             uint64_t dev_bus_addr, uint64_t new_addr);
void grant_unmap_complete(struct grant_unmaps *batch); /* at the end of the call */

#endif
