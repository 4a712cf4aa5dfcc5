/* SPDX-License-Identifier: MIT */
/*
 * The rest of memory_op: what only the control domain's tools call. Included by memory.h.
 *
 * claim_pages is real: it sets memory aside before a domain is built, so that two builders at
 * once do not both start and both run out. The others belong to features that PV guests of
 * Parvis have not (page sharing, paging to disk, access rights for introspection); get_sharing_*
 * answer 0 pages, because tools ask them on every machine, the rest answer -XEN_EOPNOTSUPP.
 * Their structures are left out, save the numbers by which they are asked.
 */
#ifndef XEN_MEMORY_TOOLS_H
#define XEN_MEMORY_TOOLS_H

#include <xen/physdev.h>
#include <xen/xen.h>

/*
 * No argument: pages saved by sharing; frames that are shared. Return 0.
 *
 * `xl info` and the like print these; 0 means that every page has one user.
 */
#define XENMEM_get_sharing_freed_pages  18
#define XENMEM_get_sharing_shared_pages 19

/*
 * Paging to disk: -XEN_EOPNOTSUPP.
 *
 * A pager would take single pages of a running guest out to a file and bring them back
 * at a fault.
 */
#define XENMEM_paging_op          20
#define XENMEM_paging_op_nominate 0
#define XENMEM_paging_op_evict    1
#define XENMEM_paging_op_prep     2

/*
 * Access rights by frame: -XEN_EOPNOTSUPP.
 *
 * A monitor in the control domain would be told when a guest touches a page in a
 * certain way.
 */
#define XENMEM_access_op                  21
#define XENMEM_access_op_set_access       0
#define XENMEM_access_op_get_access       1
#define XENMEM_access_op_set_access_multi 4

/*
 * Page sharing and forks of fully virtualized guests: -XEN_EOPNOTSUPP.
 *
 * Equal pages of several guests would be one page, copied when one of them writes.
 */
#define XENMEM_sharing_op               22
#define XENMEM_sharing_op_nominate_gfn  0
#define XENMEM_sharing_op_nominate_gref 1
#define XENMEM_sharing_op_share         2
#define XENMEM_sharing_op_debug_gfn     3
#define XENMEM_sharing_op_debug_mfn     4
#define XENMEM_sharing_op_debug_gref    5
#define XENMEM_sharing_op_add_physmap   6
#define XENMEM_sharing_op_audit         7
#define XENMEM_sharing_op_range_share   8
#define XENMEM_sharing_op_fork          9
#define XENMEM_sharing_op_fork_reset    10

/*
 * claim_pages (struct xen_memory_reservation): sets nr_extents pages aside for domid; what it has
 * already counts. extent_order, mem_flags 0, extent_start null, else -XEN_EINVAL. nr_extents 0
 * ends the claim. -XEN_ENOMEM not so much free. The claim shrinks as pages are allocated.
 *
 * A toolstack claims what a domain will need before it creates it, or right after;
 * then the pages that populate_physmap takes come out of the claim, and others find
 * that much less free. pvctl does not claim: it looks at free memory and says what is
 * missing. A domain that is destroyed loses its claim. XEN_SYSCTL_physinfo shows all
 * claims together as outstanding_pages.
 */
#define XENMEM_claim_pages 24

/*
 * reserved_device_memory_map: memory that firmware reserves for DMA of devices (needs an IOMMU
 * driver): the list is empty: returns 0 with nr_entries 0.
 *
 * A builder would leave such ranges out of a guest's memory if the guest is to get a
 * device. dev names the function that is asked about, unless flags has XENMEM_RDM_ALL.
 */
#define XENMEM_reserved_device_memory_map 27
#define XENMEM_RDM_ALL                    1 /* flags: of all devices, not of one */
struct xen_reserved_device_memory {
    xen_pfn_t start_pfn;
    xen_ulong_t nr_pages;
};
typedef struct xen_reserved_device_memory xen_reserved_device_memory_t;

struct xen_reserved_device_memory_map {
    uint32_t flags; /* in */
    /* in: room; out: number */
    unsigned int nr_entries;
    /* out: xen_reserved_device_memory_t[] */
    xen_guest_handle_t buffer;
    union {
        physdev_pci_device_t pci;
    } dev; /* in */
};
typedef struct xen_reserved_device_memory_map xen_reserved_device_memory_map_t;

#endif /* XEN_MEMORY_TOOLS_H */
