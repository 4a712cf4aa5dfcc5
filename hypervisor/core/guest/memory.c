/* SPDX-License-Identifier: MIT */
/*
 * memory_op: what a domain asks and does about its memory as a whole. Reservations, exchange, maps
 * and resources have files of their own; here are the dispatch and the short questions.
 *
 * Questions about another domain are the control domain's alone. What is for guests that have a map
 * of their frame numbers is refused to others, with Xen's error (docs/abi-coverage.md).
 */
#include <core/base/log.h>
#include <core/domain/claim.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>
#include <xen/memory.h>

/* Low frames are few, and for who drives devices: any other guest could take them all. A limit that
 * leaves no frame out is none. */
bool memory_op_limit_permitted(unsigned int bits)
{
    bool leaves_out = bits && bits < 64 && max_mfn >> (MAX(bits, PAGE_SHIFT) - PAGE_SHIFT);

    return !leaves_out || current->domain->is_control ||
           refused(-XEN_EPERM, "frames below 2^%u are for the control domain", bits) == 0;
}

static long reservation(const struct xen_memory_domain *who, bool most)
{
    struct domain *d;
    long rc = get_domain_permitted(who->domid, &d);

    if (rc)
        return rc;
    rc = (long)(most ? READ_ONCE(d->max_pages) : READ_ONCE(d->tot_pages));
    put_domain(d);
    return rc;
}

static long current_reservation(const struct xen_memory_domain *who)
{
    return reservation(who, false);
}

static long maximum_reservation(const struct xen_memory_domain *who)
{
    return reservation(who, true);
}

/* What the guest says of itself: any number, so made sure that it is none of the errors. */
static long maximum_gpfn(const struct xen_memory_domain *who)
{
    struct domain *d;
    long rc = get_domain_permitted(who->domid, &d);
    const struct shared_info *s;
    uint64_t max_pfn;

    if (rc)
        return rc;
    rc = -XEN_ESRCH;
    s = READ_ONCE(d->shared_info);
    if (s && get_page(mfn_to_page(frame_of(s)), d)) { /* Race: the end of d takes it away */
        max_pfn = READ_ONCE(s->arch.max_pfn);
        put_page(mfn_to_page(frame_of(s)));
        rc = max_pfn ? (long)(MIN(max_pfn, MACH2PHYS_NR_ENTRIES) - 1) : 0;
    }
    put_domain(d);
    return rc;
}

static long maximum_ram_page(const struct nothing *none __unused)
{
    return (long)(max_mfn + 1);
}

static long machphys_mapping(struct xen_machphys_mapping *m)
{
    m->v_start = MACH2PHYS_VIRT_START;
    m->v_end = MACH2PHYS_VIRT_END;
    m->max_mfn = MACH2PHYS_NR_ENTRIES - 1;
    return 0;
}

static long claim(const struct xen_memory_reservation *r)
{
    struct domain *d;
    long rc;

    if (r->extent_start || r->extent_order || r->mem_flags)
        return refused(-XEN_EINVAL, "a claim has neither extents, nor order, nor flags");
    d = get_domain_for_guest(r->domid);
    if (!d)
        return -XEN_ESRCH;
    rc = claim_set(d, r->nr_extents);
    put_domain(d);
    return rc ? refused((int)rc, "claim of %lu pages", r->nr_extents) : 0;
}

/* No device memory is reserved for an IOMMU that is not there: an empty list. */
static long reserved_device_memory(struct xen_reserved_device_memory_map *m)
{
    if (m->flags & ~(uint32_t)XENMEM_RDM_ALL)
        return refused(-XEN_EINVAL, "flags %#x", m->flags);
    m->nr_entries = 0;
    return 0;
}

static long empty_compat_list(struct xen_machphys_mfn_list *l)
{
    l->nr_extents = 0;
    return 0;
}

/* Nothing is shared. */
static long no_pages(const struct nothing *none __unused)
{
    return 0;
}

/* a: what is put there; NULL: what is there is taken out */
static long physmap(domid_t id, const struct xen_add_to_physmap *a, gfn_t gfn)
{
    struct domain *d;
    long rc = get_domain_permitted(id, &d);

    if (rc)
        return rc;
    if (!is_translated(d))
        rc = -XEN_EOPNOTSUPP;
    else
        rc =
            a ? d->ops->add_to_physmap(d, a) : d->ops->take_out(d, gfn, d->ops->gfn_to_mfn(d, gfn));
    put_domain(d);
    return rc;
}

static long add_to_physmap(const struct xen_add_to_physmap *a)
{
    return physmap(a->domid, a, GFN(a->gpfn));
}

static long remove_from_physmap(const struct xen_remove_from_physmap *r)
{
    return physmap(r->domid, NULL, GFN(r->gpfn));
}

/* Paging, access, sharing, and a batch of moves: left out for all. M2P is read in place; tools
 * cannot map it. */
static long left_out(const struct nothing *none __unused)
{
    return -XEN_EOPNOTSUPP;
}

/* clang-format off */
#define OPS(OP)                                                                                                                       \
    OP(XENMEM_exchange,                   memory_exchange,        const gva_t,                           SUBOP_ADDRESS)               \
    OP(XENMEM_maximum_ram_page,           maximum_ram_page,       struct nothing,                        SUBOP_NONE)                  \
    OP(XENMEM_current_reservation,        current_reservation,    const struct xen_memory_domain,        SUBOP_IN)                    \
    OP(XENMEM_maximum_reservation,        maximum_reservation,    const struct xen_memory_domain,        SUBOP_IN)                    \
    OP(XENMEM_maximum_gpfn,               maximum_gpfn,           const struct xen_memory_domain,        SUBOP_IN)                    \
    OP(XENMEM_machphys_mapping,           machphys_mapping,       struct xen_machphys_mapping,           SUBOP_OUT)                   \
    OP(XENMEM_memory_map,                 memory_map_get,         struct xen_memory_map,                 SUBOP_INOUT)                 \
    OP(XENMEM_claim_pages,                claim,                  const struct xen_memory_reservation,   SUBOP_IN | SUBOP_CONTROL)    \
    OP(XENMEM_machine_memory_map,         memory_map_machine,     struct xen_memory_map,                 SUBOP_INOUT | SUBOP_CONTROL) \
    OP(XENMEM_set_memory_map,             memory_map_set,         const struct xen_foreign_memory_map,   SUBOP_IN | SUBOP_CONTROL)    \
    OP(XENMEM_get_sharing_freed_pages,    no_pages,               struct nothing,                        SUBOP_CONTROL)               \
    OP(XENMEM_get_sharing_shared_pages,   no_pages,               struct nothing,                        SUBOP_CONTROL)               \
    OP(XENMEM_machphys_compat_mfn_list,   empty_compat_list,      struct xen_machphys_mfn_list,          SUBOP_INOUT | SUBOP_CONTROL) \
    OP(XENMEM_reserved_device_memory_map, reserved_device_memory, struct xen_reserved_device_memory_map, SUBOP_INOUT | SUBOP_CONTROL) \
    OP(XENMEM_paging_op,                  left_out,               struct nothing,                        SUBOP_CONTROL)               \
    OP(XENMEM_access_op,                  left_out,               struct nothing,                        SUBOP_CONTROL)               \
    OP(XENMEM_sharing_op,                 left_out,               struct nothing,                        SUBOP_CONTROL)               \
    OP(XENMEM_machphys_mfn_list,          left_out,               struct nothing,                        SUBOP_NONE)                  \
    OP(XENMEM_add_to_physmap,             add_to_physmap,         const struct xen_add_to_physmap,       SUBOP_IN)                    \
    OP(XENMEM_add_to_physmap_batch,       left_out,               struct nothing,                        SUBOP_NONE)                  \
    OP(XENMEM_remove_from_physmap,        remove_from_physmap,    const struct xen_remove_from_physmap,  SUBOP_IN)                    \
    OP(XENMEM_get_vnumainfo,              left_out,               struct nothing,                        SUBOP_NONE)
SUBOPS(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

long do_memory_op(uint64_t cmd, gva_t arg)
{
    unsigned int op = (unsigned int)cmd & MEMOP_CMD_MASK;
    uint64_t start = cmd >> MEMOP_EXTENT_SHIFT;

    switch (op) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return memory_reservation(op, start, arg);
    case XENMEM_acquire_resource:
        return memory_acquire_resource(start, arg);
    default:
        /* ABI: the others do not take a start; one that has it is no command of theirs. */
        return start ? refused(-XEN_ENOSYS, "operation %u from %lu on", op, start)
                     : subop_run(&operations, op, arg, NULL);
    }
}
