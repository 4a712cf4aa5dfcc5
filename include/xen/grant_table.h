/* SPDX-License-Identifier: MIT */
/*
 * Grant tables: how a domain lets another use some of its pages.
 *
 * Each domain has a table of entries in frames that it shares with the hypervisor (it maps them
 * with setup_table). To grant, it writes domid and frame, then, last, flags; the index of
 * the entry is the grant reference, which it tells the other through xenstore or a ring. The
 * other maps the reference, or has the hypervisor copy. While it is in use, the hypervisor keeps
 * GTF_reading and GTF_writing set in flags. To revoke, the granter changes flags to 0 by
 * compare-and-exchange when both are clear.
 *
 * grant_table_op(cmd, void *array, unsigned int count): each operation takes an array of count
 * structures. The call returns 0 and each structure has its own `status`, a GNTST_* (so one
 * failing element does not stop the rest); only a broken call (-XEN_EFAULT, -XEN_ENOSYS,
 * -XEN_EINVAL count too large) returns an error. Any domain may call; `dom` other than
 * DOMID_SELF in setup_table, query_size, get_version needs control over it (status
 * GNTST_permission_denied, or -XEN_EPERM).
 *
 * A granter, in order:
 *     entry.domid = other; entry.frame = mfn; barrier; entry.flags = GTF_permit_access [| readonly]
 *     ... the other maps and unmaps ...
 *     flags = entry.flags; if (flags & (GTF_reading | GTF_writing)) it is still in use: try later;
 *     else compare-and-exchange entry.flags from flags to 0; if that failed, look again.
 * A user, in order: map_grant_ref, look at status, use the page, unmap_grant_ref with the handle.
 * As long as a grant is in use the page stays the granter's, counted as in use: if the granter
 * dies first, the page is freed at the last unmap; if the user dies, all it mapped is unmapped.
 *
 * A page-table entry made by map_grant_ref has rights of its own in the type machine (mmu.h): a
 * writable one counts as a writable mapping of the granter's frame, which can't at that time be a
 * page table.
 *
 * Only version 1 of the table is offered. Version 2, transitive and sub-page grants, page
 * transfer are refused as said below.
 *
 * Why a reference and not a frame number: a frame number would let the other reach any
 * page of the granter; a reference names one page, for one domain, with the rights
 * that the entry says, and can be taken back.
 *
 * Two ways to use a grant. Mapping costs two page-table updates and a flush of the
 * TLB, and pays for pages that are used many times (rings, persistent block buffers)
 * or that a device must reach. Copying costs one call for many pieces, no flush, and
 * leaves nothing to be taken back: it pays for packets.
 *
 * The table starts with one frame (512 entries); setup_table makes it longer, up to
 * the limit that createdomain set. Frames are never taken away again while the domain
 * lives.
 *
 * A granter that dies while its page is in use leaves the page behind until the last
 * user lets go. So a back end that keeps a mapping keeps memory; tools name such a
 * domain as one that lingers.
 */
#ifndef XEN_GRANT_TABLE_H
#define XEN_GRANT_TABLE_H

#include <xen/xen.h>

typedef uint32_t grant_ref_t;    /* index into the granter's table */
typedef uint32_t grant_handle_t; /* names a mapping, in the mapper's domain */

/*
 * One entry, version 1.
 *
 * Order of writing: domid and frame first, then flags, with a write barrier between
 * (on x86 a compiler barrier). The hypervisor reads flags and domid as one 32-bit word
 * and sets GTF_reading/writing by compare-and-exchange on it, so an entry can't change
 * owner between its check and its use. An entry in which an in-use bit is set must be
 * left as it is.
 *
 * `frame` is an mfn of 32 bits: pages above 16 TiB cannot be granted in version 1.
 */
struct grant_entry_v1 {
    /* GTF_*; written last by the granter */
    uint16_t flags;
    domid_t domid;  /* who may use it */
    uint32_t frame; /* mfn of the page */
};
typedef struct grant_entry_v1 grant_entry_v1_t;

/*
 * The first entries belong to the domain builder: it grants console and store page
 * there.
 *
 * Entry 0 grants the console's page to domain 0 and entry 1 the store's; the others up
 * to 7 are kept for the same use. A kernel allocates its own references from 8 on, and
 * leaves these as they are until it has its own drivers' word for it.
 */
#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE    0
#define GNTTAB_RESERVED_XENSTORE   1

#define GTF_invalid         (0U << 0) /* not in use */
#define GTF_permit_access   (1U << 0) /* domid may map and copy */
#define GTF_accept_transfer (2U << 0) /* page transfer: refused here */
#define GTF_transitive      (3U << 0) /* version 2 only: refused here */
#define GTF_type_mask       (3U << 0)

/* With permit_access. */
#define _GTF_readonly 2
#define GTF_readonly  (1U << _GTF_readonly) /* set by granter: reading alone */
#define _GTF_reading  3
#define GTF_reading   (1U << _GTF_reading) /* set by the hypervisor: in use */
#define _GTF_writing  4
#define GTF_writing   (1U << _GTF_writing) /* set by the hypervisor: mapped writable */
#define _GTF_PWT      5
#define GTF_PWT       (1U << _GTF_PWT) /* cache attributes for the mapping */
#define _GTF_PCD      6
#define GTF_PCD       (1U << _GTF_PCD)
#define _GTF_PAT      7
#define GTF_PAT       (1U << _GTF_PAT)
#define _GTF_sub_page 8
#define GTF_sub_page  (1U << _GTF_sub_page) /* version 2 only */

/* With accept_transfer. */
#define _GTF_transfer_committed 2
#define GTF_transfer_committed  (1U << _GTF_transfer_committed)
#define _GTF_transfer_completed 3
#define GTF_transfer_completed  (1U << _GTF_transfer_completed)

/*
 * Elements of one call are done in order; each stands alone. A long array is given up
 * for a while and continued; elements that are done keep their status.
 */
#define GNTTABOP_map_grant_ref     0
#define GNTTABOP_unmap_grant_ref   1
#define GNTTABOP_setup_table       2
#define GNTTABOP_dump_table        3 /* prints a table to the log */
#define GNTTABOP_transfer          4 /* refused: status GNTST_general_error */
#define GNTTABOP_copy              5
#define GNTTABOP_query_size        6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version       8
#define GNTTABOP_get_status_frames 9 /* version 2: refused */
#define GNTTABOP_get_version       10
#define GNTTABOP_swap_grant_ref    11
#define GNTTABOP_cache_flush       12

/*
 * map_grant_ref: maps the page that `dom` granted under `ref`.
 * host_addr: with GNTMAP_contains_pte the machine address of the level-1 entry to write, else a
 * virtual address whose level-1 entry in the current page table is written. The old entry must
 * be empty or one that may be overwritten. GNTMAP_device_map gives the address for DMA in
 * dev_bus_addr (the machine address of the page). The handle is needed for unmap.
 * The mapper cannot change the entry by mmu_update: only unmap takes it away.
 * Status: bad_domain, bad_gntref (beyond the table), general_error (not granted to the caller, or
 * granted for reading alone), bad_virt_addr, bad_page, no_space (no handle left).
 *
 * What happens, in order: the entry of the granter is found and its rights are
 * checked; the page gets a reference and, when writable, the type "writable"; the
 * entry of the mapper's page table is written; the handle is filled in. A step that
 * fails undoes those before it, and the status says which it was.
 *
 *     struct gnttab_map_grant_ref m = {
 *         .host_addr = va, .flags = GNTMAP_host_map, .ref = ref, .dom = other};
 *     if (grant_table_op(GNTTABOP_map_grant_ref, &m, 1) == 0 && m.status == GNTST_okay)
 *         ... the page is at va; m.handle takes it away again ...
 *
 * The level-1 table that maps host_addr must exist already: an empty entry is filled,
 * a table is not made. The same reference may be mapped several times, at several
 * places, each with a handle of its own; the entry stays in use until the last is
 * gone.
 */
struct gnttab_map_grant_ref {
    uint64_t host_addr;    /* in */
    uint32_t flags;        /* in: GNTMAP_* */
    grant_ref_t ref;       /* in */
    domid_t dom;           /* in: granter */
    int16_t status;        /* out: GNTST_* */
    grant_handle_t handle; /* out */
    uint64_t dev_bus_addr; /* out */
};
typedef struct gnttab_map_grant_ref gnttab_map_grant_ref_t;

#define _GNTMAP_device_map      0
#define GNTMAP_device_map       (1 << _GNTMAP_device_map) /* for use by a device */
#define _GNTMAP_host_map        1
#define GNTMAP_host_map         (1 << _GNTMAP_host_map) /* for use by the CPU, at host_addr */
#define _GNTMAP_readonly        2
#define GNTMAP_readonly         (1 << _GNTMAP_readonly)
#define _GNTMAP_application_map 3
#define GNTMAP_application_map  (1 << _GNTMAP_application_map) /* user mode may access it */
#define _GNTMAP_contains_pte    4
#define GNTMAP_contains_pte     (1 << _GNTMAP_contains_pte) /* host_addr is of a page-table entry */
#define _GNTMAP_guest_avail0    16
/* These bits of flags go to the bits of the entry that the hardware leaves to software. */
#define GNTMAP_guest_avail_mask ((uint32_t)~0 << _GNTMAP_guest_avail0)

/*
 * unmap_grant_ref: undoes it. host_addr must be the one that was mapped (0: leave the CPU
 * mapping); dev_bus_addr likewise (0: leave the device mapping). The TLB is flushed before the
 * page is free to be revoked. Status: bad_handle, bad_virt_addr.
 *
 * The handle is checked against the address: a wrong pair is refused, and nothing is
 * done. After success the entry at host_addr is empty. The handle may be given out
 * again at once.
 */
struct gnttab_unmap_grant_ref {
    uint64_t host_addr;    /* in */
    uint64_t dev_bus_addr; /* in */
    grant_handle_t handle; /* in */
    int16_t status;        /* out */
};
typedef struct gnttab_unmap_grant_ref gnttab_unmap_grant_ref_t;

/*
 * setup_table: makes the table of `dom` at least nr_frames long and gives the mfns of its
 * frames; of a domain that names frames by its own numbers, these (all ones: it has not
 * put it anywhere). count must be 1. Status: general_error (more than the limit, or no memory),
 * bad_domain, permission_denied.
 *
 * A guest calls it for itself before its first grant, then maps the frames, which the
 * hypervisor shares with it, like pages of its own (update_va_mapping, writable).
 * Asking for fewer frames than there are gives the first ones. Once mapped, all
 * granting is writing to memory: no call is needed to grant or to revoke.
 */
struct gnttab_setup_table {
    domid_t dom; /* in */
    /* in: 512 entries each */
    uint32_t nr_frames;
    int16_t status; /* out */
    /* out: xen_pfn_t[nr_frames] */
    xen_guest_handle_t frame_list;
};
typedef struct gnttab_setup_table gnttab_setup_table_t;

/* dump_table: prints the entries in use of `dom` to the hypervisor's log. */
struct gnttab_dump_table {
    domid_t dom;    /* in */
    int16_t status; /* out */
};
typedef struct gnttab_dump_table gnttab_dump_table_t;

/* transfer: gives a page away for good. Refused: every status is general_error. */
struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t domid;
    grant_ref_t ref;
    int16_t status; /* out */
};
typedef struct gnttab_transfer gnttab_transfer_t;

/*
 * copy: copies len bytes, within one page at each side. Each side is a grant of `domid`
 * (GNTCOPY_*_gref) or a frame of the caller (domid DOMID_SELF).
 * Status: bad_copy_arg (crosses a page), bad_domain, bad_gntref, general_error, bad_page.
 *
 * Both sides may be grants of two different domains. The copy is done page by page in
 * the hypervisor's own mapping: no entry of a page table changes and no TLB is
 * flushed. While it runs the grants count as in use. Ends of the pieces may have any
 * alignment; offset + len must not go beyond the page on either side.
 */
#define _GNTCOPY_source_gref 0
#define GNTCOPY_source_gref  (1 << _GNTCOPY_source_gref)
#define _GNTCOPY_dest_gref   1
#define GNTCOPY_dest_gref    (1 << _GNTCOPY_dest_gref)
struct gnttab_copy {
    struct gnttab_copy_ptr {
        union {
            grant_ref_t ref;
            xen_pfn_t gmfn;
        } u;
        domid_t domid;
        uint16_t offset; /* into the page */
    } source, dest;      /* in */
    uint16_t len;        /* in */
    uint16_t flags;      /* in: GNTCOPY_* */
    int16_t status;      /* out */
};
typedef struct gnttab_copy gnttab_copy_t;

/*
 * query_size: present and greatest number of frames of the table of `dom`. count must
 * be 1.
 *
 * nr_frames is what the table has now, max_nr_frames what setup_table may ask for. A
 * driver divides: max_nr_frames * 512 references, the first 8 of them reserved.
 */
struct gnttab_query_size {
    domid_t dom;            /* in */
    uint32_t nr_frames;     /* out */
    uint32_t max_nr_frames; /* out */
    int16_t status;         /* out */
};
typedef struct gnttab_query_size gnttab_query_size_t;

/*
 * unmap_and_replace: as unmap, but the entry at host_addr receives what the entry of virtual
 * address new_addr holds, and that one becomes empty. Status as for unmap.
 *
 * For a kernel whose own page lay at host_addr before it was covered by a mapped one:
 * it keeps the page's entry at new_addr, and puts it back without a moment in which
 * host_addr is empty. The replaced entry may be mapped again as before.
 */
struct gnttab_unmap_and_replace {
    uint64_t host_addr;    /* in */
    uint64_t new_addr;     /* in */
    grant_handle_t handle; /* in */
    int16_t status;        /* out */
};
typedef struct gnttab_unmap_and_replace gnttab_unmap_and_replace_t;

/* set_version: 1 succeeds, 2 is refused with -XEN_ENOSYS, the rest with -XEN_EINVAL. */
struct gnttab_set_version {
    /* in; out: the version in use, 1 */
    uint32_t version;
};
typedef struct gnttab_set_version gnttab_set_version_t;

/* get_status_frames: version 2 alone has them; status general_error. */
struct gnttab_get_status_frames {
    uint32_t nr_frames;
    domid_t dom;
    int16_t status;
    /* uint64_t[nr_frames] */
    xen_guest_handle_t frame_list;
};
typedef struct gnttab_get_status_frames gnttab_get_status_frames_t;

/* get_version: 1. */
struct gnttab_get_version {
    domid_t dom; /* in */
    uint16_t pad;
    uint32_t version; /* out */
};
typedef struct gnttab_get_version gnttab_get_version_t;

/*
 * swap_grant_ref: exchanges two of the caller's own entries. Status: eagain when one
 * is in use.
 *
 * A guest that hands out references in an order that another expects can put two
 * entries in each other's place without revoking either.
 */
struct gnttab_swap_grant_ref {
    grant_ref_t ref_a; /* in */
    grant_ref_t ref_b; /* in */
    int16_t status;    /* out */
};
typedef struct gnttab_swap_grant_ref gnttab_swap_grant_ref_t;

/* cache_flush: for machines whose DMA bypasses the caches; not this one. -XEN_EOPNOTSUPP. */
#define GNTTAB_CACHE_CLEAN       (1u << 0)
#define GNTTAB_CACHE_INVAL       (1u << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1u << 31)
struct gnttab_cache_flush {
    union {
        uint64_t dev_bus_addr;
        grant_ref_t ref;
    } a;
    uint16_t offset;
    uint16_t length;
    uint32_t op; /* GNTTAB_CACHE_* */
};
typedef struct gnttab_cache_flush gnttab_cache_flush_t;

/*
 * What they mean:
 *
 *     okay              done
 *     general_error     refused; the log says why. Among others: the entry does not grant this to
 *                       the caller, or only for reading
 *     bad_domain        no such domain, or it is dying
 *     bad_gntref        a reference beyond the table
 *     bad_handle        no mapping of the caller has this handle
 *     bad_virt_addr     host_addr does not lead to an entry that may be written
 *     bad_page          the frame in the entry is no page of the granter
 *     permission_denied the caller has no control over the domain that it names
 *     bad_copy_arg      the piece crosses the end of a page
 *     no_space          the caller has as many mappings as it may have
 *     eagain            in use at this moment: the same call may succeed later
 *
 * Linux tries again by itself on eagain and takes the others for final.
 */
#define GNTST_okay              0
#define GNTST_general_error     (-1)
#define GNTST_bad_domain        (-2)
#define GNTST_bad_gntref        (-3)
#define GNTST_bad_handle        (-4)
#define GNTST_bad_virt_addr     (-5)
#define GNTST_bad_dev_addr      (-6)
#define GNTST_no_device_space   (-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page          (-9)
#define GNTST_bad_copy_arg      (-10)
#define GNTST_address_too_big   (-11)
#define GNTST_eagain            (-12)
#define GNTST_no_space          (-13)

/* Sentences for these, at index -status. */
/* clang-format off */
#define GNTTABOP_error_msgs                                                                  \
    {"okay", "general error", "no such domain", "no such grant", "no such mapping handle",   \
     "bad virtual address", "bad device address", "no device address space left",            \
     "permission denied", "bad page", "copy crosses a page boundary", "address too large",   \
     "not done, try again", "no space"}
/* clang-format on */

#endif /* XEN_GRANT_TABLE_H */
