/* SPDX-License-Identifier: MIT */
/*
 * memory_op: what a domain asks and does about its memory as a whole. Reservations, exchange, maps
 * and resources have files of their own; here are the dispatch and the short questions.
 *
 * Questions about another domain are the control domain's alone. What is for auto-translated or
 * fully virtualized guests is refused with the error that Xen has for a domain which is neither
 * (docs/abi-coverage.md).
 */
#include <core/base/log.h>
#include <core/domain/claim.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
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

int memory_op_domain(domid_t id, struct domain **d)
{
    *d = get_domain_for_guest(id);
    if (!*d)
        return -XEN_ESRCH;
    if (*d == current->domain || current->domain->is_control)
        return 0;
    put_domain(*d);
    return refused(-XEN_EPERM, "about the memory of d%u", id);
}

/* What the guest says of itself: any number, so made sure that it is none of the errors. */
static long maximum_gpfn(const struct shared_info *s)
{
    uint64_t max_pfn = READ_ONCE(s->arch.max_pfn);

    return max_pfn ? (long)(MIN(max_pfn, MACH2PHYS_NR_ENTRIES) - 1) : 0;
}

static long about_domain(unsigned int cmd, gva_t arg)
{
    struct xen_memory_domain who;
    struct domain *d;
    long rc;

    if (copy_from_guest(&who, arg, sizeof(who)))
        return -XEN_EFAULT;
    rc = memory_op_domain(who.domid, &d);
    if (rc)
        return rc;
    switch (cmd) {
    case XENMEM_current_reservation:
        rc = (long)d->tot_pages;
        break;
    case XENMEM_maximum_reservation:
        rc = (long)d->max_pages;
        break;
    default:
        rc = d->shared_info ? maximum_gpfn(d->shared_info) : -XEN_ESRCH;
    }
    put_domain(d);
    return rc;
}

static long machphys_mapping(gva_t arg)
{
    const struct xen_machphys_mapping m = {
        .v_start = MACH2PHYS_VIRT_START,
        .v_end = MACH2PHYS_VIRT_END,
        .max_mfn = MACH2PHYS_NR_ENTRIES - 1,
    };

    return copy_to_guest(arg, &m, sizeof(m));
}

static long claim(gva_t arg)
{
    struct xen_memory_reservation r;
    struct domain *d;
    long rc;

    if (!current->domain->is_control)
        return refused(-XEN_EPERM, "only the control domain claims memory");
    if (copy_from_guest(&r, arg, sizeof(r)))
        return -XEN_EFAULT;
    if (r.extent_start || r.extent_order || r.mem_flags)
        return refused(-XEN_EINVAL, "a claim has neither extents, nor order, nor flags");
    d = get_domain_for_guest(r.domid);
    if (!d)
        return -XEN_ESRCH;
    rc = claim_set(d, r.nr_extents);
    put_domain(d);
    return rc ? refused((int)rc, "claim of %lu pages", r.nr_extents) : 0;
}

/* No device memory is reserved for an IOMMU that is not there: an empty list. */
static long reserved_device_memory(gva_t arg)
{
    struct xen_reserved_device_memory_map m;

    if (copy_from_guest(&m, arg, sizeof(m)))
        return -XEN_EFAULT;
    if (m.flags & ~(uint32_t)XENMEM_RDM_ALL)
        return refused(-XEN_EINVAL, "flags %#x", m.flags);
    m.nr_entries = 0;
    return copy_to_guest(arg, &m, sizeof(m));
}

static long empty_compat_list(gva_t arg)
{
    struct xen_machphys_mfn_list l;

    if (copy_from_guest(&l, arg, sizeof(l)))
        return -XEN_EFAULT;
    l.nr_extents = 0;
    return copy_to_guest(arg, &l, sizeof(l));
}

static long control_op(unsigned int cmd, gva_t arg)
{
    if (!current->domain->is_control)
        return refused(-XEN_EPERM, "operation %u is the control domain's", cmd);
    switch (cmd) {
    case XENMEM_machine_memory_map:
        return memory_map_machine(arg);
    case XENMEM_set_memory_map:
        return memory_map_set(arg);
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
        return 0;
    case XENMEM_machphys_compat_mfn_list:
        return empty_compat_list(arg);
    case XENMEM_reserved_device_memory_map:
        return reserved_device_memory(arg);
    default: /* paging, access, sharing: of fully virtualized guests */
        return -XEN_EOPNOTSUPP;
    }
}

/* The operations that do not say how far they came. */
static long plain_op(unsigned int cmd, gva_t arg)
{
    switch (cmd) {
    case XENMEM_exchange:
        return memory_exchange(arg);
    case XENMEM_maximum_ram_page:
        return (long)(max_mfn + 1);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return about_domain(cmd, arg);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_memory_map:
        return memory_map_get(arg);
    case XENMEM_claim_pages:
        return claim(arg);
    case XENMEM_machine_memory_map:
    case XENMEM_set_memory_map:
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages:
    case XENMEM_machphys_compat_mfn_list:
    case XENMEM_reserved_device_memory_map:
    case XENMEM_paging_op:
    case XENMEM_access_op:
    case XENMEM_sharing_op:
        return control_op(cmd, arg);
    case XENMEM_machphys_mfn_list: /* M2P is read in place; tools cannot map it */
    case XENMEM_add_to_physmap:
    case XENMEM_add_to_physmap_batch:
    case XENMEM_remove_from_physmap:
    case XENMEM_get_vnumainfo:
        return -XEN_EOPNOTSUPP;
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}

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
                     : plain_op(op, arg);
    }
}
