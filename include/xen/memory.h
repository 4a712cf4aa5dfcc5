/* SPDX-License-Identifier: MIT */
/*
 * Memory of a domain: memory_op(cmd, arg).
 *
 * A domain has pages (counted in tot_pages, limited by max_mem) with no order among themselves:
 * a PV guest keeps the list pfn -> mfn, the hypervisor keeps only mfn -> pfn (the M2P). So these
 * calls speak of machine frames. An "extent" is 2^extent_order frames in a row.
 *
 * Typical users. A builder: max_mem (domctl), then populate_physmap with all pfns; the mfns that
 * come back are its p2m list. A balloon driver: decrease_reservation of pages that it took from its
 * own kernel (unmapped first, and taken out of its p2m list), populate_physmap to get some
 * back. A driver of a device that needs contiguous memory below 4 GiB: exchange.
 *
 * New pages are zeroed. A page that is given back while something still refers to it (a mapping, a
 * grant in use) leaves the domain's count at once and is freed at the last reference.
 *
 * Calls about `domid` other than DOMID_SELF need control over it (-XEN_EPERM). Long lists are
 * interrupted and re-issued; the progress is kept in the upper bits of cmd, and guests must
 * give them as 0.
 *
 * Operations on guest memory that a PV guest has not (physmap changes, populate on demand,
 * paging, sharing, access rights) keep their numbers below and answer as said there.
 *
 * The three numbers of a page, for readers who come from other machines: the guest's
 * kernel counts its memory from 0 on (pfn); the page lies at some frame of the machine
 * (mfn); the kernel's page tables hold mfns. Who needs one from the other reads its
 * own p2m list or the hypervisor's M2P (arch-x86/xen-x86_64.h); no call is made for
 * it.
 *
 * A balloon driver, giving 100 pages back:
 *
 *     for each page: take it from the kernel's allocator; unmap it everywhere;
 *                    mfn[i] = p2m[pfn]; p2m[pfn] = INVALID;
 *     struct xen_memory_reservation r = {.extent_start = (uint64_t)mfn, .nr_extents = 100,
 *                                        .extent_order = 0, .domid = DOMID_SELF};
 *     done = memory_op(XENMEM_decrease_reservation, &r);      (100, if all were its own)
 *
 * and getting them again: fill pfn[i], populate_physmap with extent_start = pfn; the
 * mfns stand in the same array afterwards; write them into the p2m list and map the
 * pages. The guest sees an ordinary result smaller than asked when the machine is
 * full: it keeps what it got.
 *
 * -XEN_EINVAL stands for a null or absurd argument; how far a list was done is told by
 * the result and not by an error, so that a caller never loses track of pages that
 * changed hands.
 */
#ifndef XEN_MEMORY_H
#define XEN_MEMORY_H

#include <xen/memory_tools.h>
#include <xen/physdev.h>
#include <xen/xen.h>

/*
 * increase_reservation  new pages; extent_start, if not null, receives their mfns.
 * decrease_reservation  gives pages back: extent_start lists mfns (first of each extent).
 * populate_physmap      new pages for given places: extent_start lists pfns in, mfns out, and the
 *                       M2P is set. (A fully virtualized guest knows no mfns: its list stays as it
 *                       is, and decrease_reservation's lists pfns. increase_reservation: none.)
 * All three take struct xen_memory_reservation and return how many extents were done, which is
 * less than asked when memory or the limit ran out, or an entry was bad. The greatest order is
 * 9, for the control domain too.
 *
 * An extent of order 9 is 2 MiB of memory in one piece, aligned to its size. The
 * builder asks for such first, and for single pages where there are none left.
 *
 * What an operation does with entry i it does before it looks at entry i + 1: a list
 * with a bad entry in its middle is done up to there.
 */
#define XENMEM_increase_reservation 0
#define XENMEM_decrease_reservation 1
#define XENMEM_populate_physmap     6

/*
 * mem_flags: width of addresses that will do, node + 1 in bits 8-15, and wishes.
 *
 * address_bits: no address of the pages has more bits than that, 0 for any. Low memory
 * is what old devices can reach and is scarce: ask for it only when a device needs it.
 * Nodes: there is one, so wishes for a node are met by any page.
 */
#define XENMEMF_address_bits(x)     (x)
#define XENMEMF_get_address_bits(x) ((x)&0xffu)
#define XENMEMF_node(x)             (((x) + 1) << 8)
#define XENMEMF_get_node(x)         ((((x) >> 8) - 1) & 0xffu)
#define XENMEMF_populate_on_demand  (1 << 16) /* refused: nothing is populated */
#define XENMEMF_exact_node_request  (1 << 17)
#define XENMEMF_exact_node(n)       (XENMEMF_node(n) | XENMEMF_exact_node_request)
#define XENMEMF_vnode               (1 << 18) /* the node is a virtual one: refused */

/*
 * The same structure serves five calls; each says which fields it looks at.
 * extent_start is a handle: an address of an array in the caller's memory, 8 bytes an
 * element.
 */
struct xen_memory_reservation {
    /* xen_pfn_t[nr_extents] */
    xen_guest_handle_t extent_start;
    xen_ulong_t nr_extents;
    unsigned int extent_order;
    unsigned int mem_flags; /* XENMEMF_* */
    domid_t domid;
};
typedef struct xen_memory_reservation xen_memory_reservation_t;

/*
 * exchange: gives the pages of `in` (mfns) for new ones in `out` (extent_start: pfns in, mfns out),
 * as many, in other orders or below other addresses: how a driver gets contiguous memory. Both
 * sides the same domain. nr_exchanged: in 0, out: extents of `in` done. Returns 0 when all is.
 * -XEN_EINVAL sizes don't match; -XEN_ENOMEM none so large; -XEN_EPERM order too great for the
 * caller.
 *
 * The old pages are taken and the new ones given in one step for each group of equal
 * size, so a failure leaves the guest with as many pages as before: nr_exchanged says
 * how many extents of `in` are new ones by now. Contents are not copied; old pages
 * must be mapped nowhere and granted to nobody. The guest writes the new mfns into its
 * p2m list; the M2P is set already.
 *
 *     8 single pages for one piece of 32 KiB below 4 GiB:
 *     in  = {.extent_start = mfns, .nr_extents = 8, .extent_order = 0, .domid = DOMID_SELF}
 *     out = {.extent_start = &pfn, .nr_extents = 1, .extent_order = 3, .mem_flags = 32, ...}
 */
#define XENMEM_exchange 11
struct xen_memory_exchange {
    struct xen_memory_reservation in;
    struct xen_memory_reservation out;
    xen_ulong_t nr_exchanged;
};
typedef struct xen_memory_exchange xen_memory_exchange_t;

/* maximum_ram_page (no argument): returns the greatest mfn of RAM in the machine. */
#define XENMEM_maximum_ram_page 2

/*
 * Pages that a domain has, may have, and its greatest pfn. Argument: struct
 * xen_memory_domain.
 *
 * All three return the number itself, in pages; maximum_gpfn is one less than what the
 * guest wrote to arch_shared_info.max_pfn. A guest asks for maximum_reservation to
 * learn how far it may grow.
 */
#define XENMEM_current_reservation 3
#define XENMEM_maximum_reservation 4
#define XENMEM_maximum_gpfn        14
struct xen_memory_domain {
    domid_t domid;
};

/*
 * machphys_mfn_list: mfns of the 2 MiB pieces of the M2P table, so that a tool can map it.
 * Up to max_extents; nr_extents receives how many were given. compat: of the 32-bit table, of
 * which there is none: nr_extents 0.
 */
#define XENMEM_machphys_mfn_list        5
#define XENMEM_machphys_compat_mfn_list 25
struct xen_machphys_mfn_list {
    unsigned int max_extents; /* in */
    /* out: xen_pfn_t[max_extents] */
    xen_guest_handle_t extent_start;
    unsigned int nr_extents; /* out */
};
typedef struct xen_machphys_mfn_list xen_machphys_mfn_list_t;

/*
 * machphys_mapping: where the M2P table is in the caller's address space.
 *
 * A kernel needs it once, at its start, to know how far it may read: a frame above
 * max_mfn has no entry, and reading there is a page fault like any other.
 */
#define XENMEM_machphys_mapping 12
struct xen_machphys_mapping {
    xen_ulong_t v_start, v_end; /* out */
    /* out: greatest index that fits */
    xen_ulong_t max_mfn;
};
typedef struct xen_machphys_mapping xen_machphys_mapping_t;

/*
 * add_to_physmap puts a page at gpfn in the frame space of a fully virtualized guest: shared_info
 * (idx 0), page idx of the grant table, or (gmfn) the guest's own frame idx, which moves. A page is
 * at one place: it leaves where it was, and a frame that is at gpfn is given back.
 * remove_from_physmap takes out what is there: -XEN_ENOENT when nothing is. The other spaces, and
 * the batch form: -XEN_EOPNOTSUPP.
 *
 * A PV guest has no such space: -XEN_EOPNOTSUPP. Guests that run on both kinds of hypervisor try
 * and take the error for "I am paravirtual": there the grant table comes by setup_table
 * (grant_table.h), the shared page by start_info, and foreign pages by mmu_update with the other's
 * number.
 */
#define XENMEM_add_to_physmap        7
#define XENMEM_add_to_physmap_batch  23
#define XENMEM_remove_from_physmap   15
#define XENMAPSPACE_shared_info      0
#define XENMAPSPACE_grant_table      1
#define XENMAPSPACE_gmfn             2
#define XENMAPSPACE_gmfn_range       3
#define XENMAPSPACE_gmfn_foreign     4
#define XENMAPSPACE_dev_mmio         5
#define XENMAPIDX_grant_table_status 0x80000000

struct xen_add_to_physmap {
    domid_t domid;
    uint16_t size;      /* gmfn_range: pages */
    unsigned int space; /* XENMAPSPACE_* */
    /* index into that space */
    xen_ulong_t idx;
    xen_pfn_t gpfn; /* where to */
};
typedef struct xen_add_to_physmap xen_add_to_physmap_t;

struct xen_add_to_physmap_batch {
    domid_t domid;
    uint16_t space;
    uint16_t size; /* entries */
    union xen_add_to_physmap_batch_extra {
        domid_t foreign_domid; /* gmfn_foreign */
        uint16_t res0;
    } u;
    xen_guest_handle_t idxs;  /* xen_ulong_t[size] */
    xen_guest_handle_t gpfns; /* xen_pfn_t[size] */
    xen_guest_handle_t errs;  /* out: int[size] */
};
typedef struct xen_add_to_physmap_batch xen_add_to_physmap_batch_t;

struct xen_remove_from_physmap {
    domid_t domid;
    xen_pfn_t gpfn;
};
typedef struct xen_remove_from_physmap xen_remove_from_physmap_t;

/*
 * memory_map: the E820 map of the calling domain, as set_memory_map gave it. nr_entries: in room,
 * out number. -XEN_ENOSYS when none was set: the guest then takes 0 to nr_pages.
 * machine_memory_map: that of the machine; control domain. With a null buffer, the number alone.
 * set_memory_map: sets that of `domid`; control. -XEN_EINVAL more than 128 entries.
 *
 * Types in the map are E820's: 1 RAM, 2 reserved, 3 ACPI tables, 4 ACPI non-volatile.
 * What a domain that pvctl made sees is one entry, RAM from 0 to its memory. The
 * control domain asks for the machine's map too, because it must leave holes for
 * devices in its own numbering.
 */
#define XENMEM_memory_map         9
#define XENMEM_machine_memory_map 10
struct xen_memory_map {
    unsigned int nr_entries;
    /* struct { uint64_t addr, size; uint32_t type; } packed, 20 bytes */
    xen_guest_handle_t buffer;
};
typedef struct xen_memory_map xen_memory_map_t;

#define XENMEM_set_memory_map 13
struct xen_foreign_memory_map {
    domid_t domid;
    struct xen_memory_map map;
};
typedef struct xen_foreign_memory_map xen_foreign_memory_map_t;

/* Populate on demand: fully virtualized guests only. -XEN_ENOSYS. */
#define XENMEM_set_pod_target 16
#define XENMEM_get_pod_target 17
struct xen_pod_target {
    uint64_t target_pages;
    uint64_t tot_pages;
    uint64_t pod_cache_pages;
    uint64_t pod_entries;
    domid_t domid;
};
typedef struct xen_pod_target xen_pod_target_t;

/*
 * acquire_resource: mfns of frames that belong to `domid` in a special use, for a tool to map.
 * Here: the frames of the grant table (id shared), made as long as asked within the limit. With
 * nr_frames 0 and a null list: nr_frames receives the greatest number. -XEN_EOPNOTSUPP for the
 * other types; -XEN_EINVAL beyond the end.
 *
 * How the toolstack writes the first two entries of a new domain's grant table, before
 * the domain runs: it asks for frame 0 of the table, maps it with the new domain as
 * its owner, and writes the entries. -XEN_EPERM for a caller that is not in control of
 * the domain.
 */
#define XENMEM_acquire_resource                     28
#define XENMEM_resource_ioreq_server                0
#define XENMEM_resource_grant_table                 1
#define XENMEM_resource_vmtrace_buf                 2
#define XENMEM_resource_grant_table_id_shared       0
#define XENMEM_resource_grant_table_id_status       1
#define XENMEM_resource_ioreq_server_frame_bufioreq 0
#define XENMEM_resource_ioreq_server_frame_ioreq(n) (1 + (n))
struct xen_mem_acquire_resource {
    domid_t domid;
    /* in: XENMEM_resource_* */
    uint16_t type;
    /* in: which of that type */
    uint32_t id;
    uint32_t nr_frames; /* in, out */
    uint32_t pad;       /* 0 */
    uint64_t frame;     /* in: the first */
    /* out: xen_pfn_t[nr_frames] */
    xen_guest_handle_t frame_list;
};
typedef struct xen_mem_acquire_resource xen_mem_acquire_resource_t;

/*
 * get_vnumainfo: virtual NUMA topology of a domain. None here: -XEN_EOPNOTSUPP.
 *
 * A guest asks at its start and takes -XEN_EOPNOTSUPP for "one node". The structures
 * below are what a hypervisor with virtual NUMA fills in: ranges of memory with their
 * node, which vCPU is near to which, and a square table of distances.
 */
#define XENMEM_get_vnumainfo 26
struct xen_vmemrange {
    uint64_t start, end;
    unsigned int flags;
    unsigned int nid;
};
typedef struct xen_vmemrange xen_vmemrange_t;

struct xen_vnuma_topology_info {
    domid_t domid;
    uint16_t pad;
    /* in: room, out: number; likewise the next two */
    unsigned int nr_vnodes;
    unsigned int nr_vcpus;
    unsigned int nr_vmemranges;
    union {
        /* unsigned int[nr_vnodes][nr_vnodes] */
        xen_guest_handle_t h;
        uint64_t pad;
    } vdistance;
    union {
        /* unsigned int[nr_vcpus] */
        xen_guest_handle_t h;
        uint64_t pad;
    } vcpu_to_vnode;
    union {
        /* xen_vmemrange_t[nr_vmemranges] */
        xen_guest_handle_t h;
        uint64_t pad;
    } vmemrange;
};
typedef struct xen_vnuma_topology_info xen_vnuma_topology_info_t;

#endif /* XEN_MEMORY_H */
