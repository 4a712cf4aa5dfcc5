/* SPDX-License-Identifier: MIT */
/*
 * A frame of RAM: free -> owned (reference count) -> typed.
 *
 * Each frame of RAM has a struct page_info. A frame is held by general references (count_info): as
 * long as there is one, it is not freed. A frame that a domain owns carries one reference for being
 * allocated (PGC_allocated). Type references (type_info) say how it is used, by a guest that may
 * write it or as something that no guest may: types exclude each other, and a type changes only
 * when its count is 0. What types there are is for the kind of the owner to say
 * (guest_ops.get_writable); core gives and takes references only.
 *
 * All fields are changed by atomic operations, but for next/prev (owner's page_alloc_lock, or the
 * heap lock while free).
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/types.h>
#include <port/nospec.h>
#include <xen/xen.h>

struct domain;

struct page_info {
    uint64_t count_info; /* PGC_* | references */
    uint64_t type_info;  /* PGT_* | type references */
    domid_t owner;       /* DOMID_INVALID: the hypervisor's own, or free */
    /* Free block: log2 of its frames, or FRAME_*; owned: 1 when set aside (on d->relinquish) */
    uint16_t order;
    union {
        struct {
            uint16_t nr_validated : 15; /* of a type: how far its check or undoing came */
            uint16_t child_partial : 1; /* the kind's, as are */
            uint16_t used;              /* these, bit i: of 32 entries from 32 i on */
        };
        uint32_t tlb_stamp; /* type count 0 or free: TLB clock (port/machine.h) when that began */
    };
    /* mfn of neighbours in the owner's page list or the free list; PAGE_LIST_END */
    uint32_t next, prev;
};
_Static_assert(sizeof(struct page_info) == 32, "frame table entry");

#define PAGE_LIST_END 0xffffffffu
#define FRAME_NOT_RAM 0xffff /* order: never given to the heap */
#define FRAME_INSIDE  0xfffe /* order: free, not the first of its block */

/* The owner's own reference; given back by whoever clears this bit */
#define PGC_allocated (1ull << 63)
#define PGC_free      (1ull << 62) /* on a free list */
/* The hypervisor's own, shown to a domain: shared_info, grant table */
#define PGC_xenheap (1ull << 61)
#define PGC_fresh   (1ull << 60) /* free, and not used since the machine started */
#define PGC_clear   (1ull << 59) /* free, all zero, and known to no TLB */
#define PGC_unseen  (1ull << 58) /* free, and known to no TLB */
/* Was mapped other than write-back: the caches are flushed before the hypervisor relies on it */
#define PGC_noncoherent (1ull << 60)
#define PGC_count_mask  ((1ull << 56) - 1)

/* Types 1 to 5 and the other bits from PGT_count_mask up are the kind's of the owner. */
#define PGT_type_shift    61
#define PGT_none          (0ull << PGT_type_shift)
#define PGT_writable_page (7ull << PGT_type_shift)
#define PGT_type_mask     (7ull << PGT_type_shift)
#define PGT_validated     (1ull << 59) /* its contents were checked for the type */
#define PGT_count_mask    ((1ull << 56) - 1)

struct page_list {
    uint32_t first, last; /* mfn; PAGE_LIST_END when empty */
    uint64_t count;
};

/* Indexed by mfn, max_mfn + 1 entries; holes in RAM belong to nobody */
extern struct page_info *frame_table;
extern uint64_t max_mfn;     /* highest frame of RAM */
#define INVALID_GPFN (~0ull) /* no place in a guest's own numbering of its memory */

/* Is it RAM that the heap has, or has given out? */
static inline bool mfn_valid(mfn_t mfn)
{
    return mfn.n <= max_mfn &&
           READ_ONCE(frame_table[index_nospec(mfn.n, max_mfn + 1)].order) != FRAME_NOT_RAM;
}

/* Has it a struct page_info? One that is no RAM belongs to nobody: get_page() and page_lock() fail.
 */
static inline bool mfn_in_table(mfn_t mfn)
{
    return mfn.n <= max_mfn;
}

static inline struct page_info *mfn_to_page(mfn_t mfn)
{
    return &frame_table[mfn.n];
}
/* Of one that a guest named, and that was found to have it. */
static inline struct page_info *mfn_to_page_nospec(mfn_t mfn)
{
    return &frame_table[index_nospec(mfn.n, max_mfn + 1)];
}
static inline mfn_t page_to_mfn(const struct page_info *pg)
{
    return MFN((uint64_t)(pg - frame_table));
}

/* Lists of frames (core/frame/page_list.c), linked by frame number. The owner's lock is held. */
void page_list_init(struct page_list *l);
void page_list_add(struct page_list *l, struct page_info *pg); /* at the end */
void page_list_del(struct page_list *l, struct page_info *pg);
struct page_info *page_list_first(const struct page_list *l); /* NULL: empty */

/* --- the allocator (core/frame/heap.c): buddy lists over the RAM that boot gave; contents are
 * scrubbed (zero) when allocated --- */
#define HEAP_MAX_ORDER 18
/* The machine sets frame_table (max_mfn + 1 entries) and max_mfn, calls heap_init(), which marks
 * all as no RAM, and then gives RAM. */
void heap_init(void);
void heap_give(mfn_t first, uint64_t n); /* RAM to be allocated from (boot only) */
/* The first MiB: firmware's, and where other CPUs begin. The hypervisor and its guests own none of
 * it (the boot code never gives it), so the control domain may map all of it, RAM or not, as on
 * real machines: kernels look for firmware's tables there. */
#define LOW_FRAMES 0x100
/* 2^order frames whose addresses are below 2^addr_bits (0: anywhere); NULL when there are none.
 * Owner DOMID_INVALID, count 0. */
struct page_info *alloc_frames(unsigned int order, unsigned int addr_bits);
/* The same for who must give way: *budget frames may still be cleared, or joined. NULL and *budget
 * 0: some were, and stay so; try again after giving way. trusted: for the control domain, which may
 * see what firmware left: memory never used before is not cleared (a second a GiB). */
struct page_info *alloc_frames_within(unsigned int order, unsigned int addr_bits, bool trusted,
                                      unsigned int *budget);
void free_frames(struct page_info *pg, unsigned int order);
/* For frames that were not used since they were allocated by alloc_frames(): PGC_clear; that were
 * in no table of a guest's: PGC_unseen. */
void free_frames_as(struct page_info *pg, unsigned int order, uint64_t flags);
/* One more free frame is clear, or passed over, as a TLB may know it; false: there are enough, or
 * no more, or another CPU is at it. For idle CPUs. */
bool heap_clear_ahead(void);
uint64_t heap_free_frames(void);
uint64_t heap_total_frames(void);
/* The hypervisor's own memory, zeroed; freed with the same order. NULL when there is none. */
void *alloc_hv_pages(unsigned int order);
void free_hv_pages(void *p, unsigned int order);
/* Small objects (core/frame/alloc.c; alloc_init() after heap_init()); zeroed; NULL when there is no
 * memory. */
void alloc_init(void);
void *hv_alloc(size_t n);
void *hv_alloc_array(size_t n, size_t size);
void hv_free(void *p);

#endif
