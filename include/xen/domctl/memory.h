/* SPDX-License-Identifier: MIT */
/*
 * domctl: memory of a domain, as one who saves or moves it sees it.
 *
 * A saved PV guest has its page tables turned from mfns to pfns and, on restore, back. For that
 * the saver must know which frames are page tables (getpageframeinfo3); for moving a running
 * guest it must know which frames changed (shadow_op, log-dirty mode; the name is Xen's).
 *
 * Saving a paravirtual guest, as the format of the field has it: pause; read the p2m
 * list through arch_shared_info; for batches of 1024 frames ask for their types; write
 * each page, those of page tables with every mfn turned into a pfn; then the vCPUs.
 * Restoring: populate, write the pages with pfns turned into the new mfns, pin the
 * tables that were pinned, set the vCPUs, unpause.
 */
#ifndef XEN_DOMCTL_MEMORY_H
#define XEN_DOMCTL_MEMORY_H

#include <xen/types.h>

/*
 * getpageframeinfo3: array of num mfns in, their types out (in place; the mfn is not kept). XTAB:
 * not a frame of the domain. -XEN_E2BIG more than 1024.
 *
 * Types are in bits 28 to 31 of the word that comes back. A frame that changes its
 * type between the question and the reading of the page is the asker's risk: pause the
 * domain first.
 */
#define XEN_DOMCTL_PFINFO_LTAB_SHIFT    28
#define XEN_DOMCTL_PFINFO_NOTAB         (0x0U << 28) /* an ordinary page */
#define XEN_DOMCTL_PFINFO_L1TAB         (0x1U << 28)
#define XEN_DOMCTL_PFINFO_L2TAB         (0x2U << 28)
#define XEN_DOMCTL_PFINFO_L3TAB         (0x3U << 28)
#define XEN_DOMCTL_PFINFO_L4TAB         (0x4U << 28)
#define XEN_DOMCTL_PFINFO_LTABTYPE_MASK (0x7U << 28)
#define XEN_DOMCTL_PFINFO_LPINTAB       (0x1U << 31) /* and it is pinned */
#define XEN_DOMCTL_PFINFO_XTAB          (0xfU << 28) /* not the domain's */
#define XEN_DOMCTL_PFINFO_XALLOC        (0xeU << 28) /* to be allocated, in streams alone */
#define XEN_DOMCTL_PFINFO_BROKEN        (0xdU << 28) /* memory error */
#define XEN_DOMCTL_PFINFO_LTAB_MASK     (0xfU << 28)
struct xen_domctl_getpageframeinfo3 {
    uint64_aligned_t num; /* in */
    /* in, out: xen_pfn_t[num] */
    xen_guest_handle_t array;
};

/*
 * shadow_op: there is no dirty tracking: OFF answers -XEN_EINVAL, as for any domain that has none
 * on (tools take that for an answer), and the rest is -XEN_EOPNOTSUPP.
 * As defined: ENABLE_LOGDIRTY starts tracking; CLEAN copies the bitmap and clears it, PEEK copies
 * alone; *_ALLOCATION: memory for it in MiB.
 *
 * The name is from a time when tracking was done by shadow page tables. What a mover
 * would do: enable; copy all pages while the guest runs; CLEAN, copy those that are
 * marked, again until few are left; pause; CLEAN with LOGDIRTY_FINAL; copy the rest.
 */
#define XEN_DOMCTL_SHADOW_OP_OFF             0
#define XEN_DOMCTL_SHADOW_OP_ENABLE          32
#define XEN_DOMCTL_SHADOW_OP_CLEAN           11
#define XEN_DOMCTL_SHADOW_OP_PEEK            12
#define XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION  30
#define XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION  31
#define XEN_DOMCTL_SHADOW_OP_ENABLE_TEST     1
#define XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY 2
#define XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT    (1 << 1)
#define XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY   (1 << 2)
#define XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE   (1 << 3)
#define XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL    (1 << 4)
#define XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL     (1 << 0) /* mode: the last CLEAN, domain paused */

/*
 * Counts since tracking began: faults that marked a page, and pages marked.
 */
struct xen_domctl_shadow_op_stats {
    uint32_t fault_count;
    uint32_t dirty_count;
};

/*
 * pages: length of the bitmap in bits, in; how many were looked at, out. Bit n of byte
 * n / 8 is pfn n.
 */
struct xen_domctl_shadow_op {
    uint32_t op; /* in */
    /* in: for ENABLE, CLEAN */
    uint32_t mode;
    /* in, out: *_ALLOCATION */
    uint32_t mb;
    /* uint8_t[pages / 8]: CLEAN, PEEK */
    xen_guest_handle_t dirty_bitmap;
    uint64_aligned_t pages;                  /* in, out: bits */
    struct xen_domctl_shadow_op_stats stats; /* out */
};

/* cacheflush: for machines whose caches need it: -XEN_EOPNOTSUPP. */
struct xen_domctl_cacheflush {
    xen_pfn_t start_pfn, nr_pfns;
};

/* get/set_paging_mempool_size: memory for shadow or nested page tables: -XEN_EOPNOTSUPP. */
struct xen_domctl_paging_mempool {
    uint64_aligned_t size; /* bytes */
};

#endif /* XEN_DOMCTL_MEMORY_H */
