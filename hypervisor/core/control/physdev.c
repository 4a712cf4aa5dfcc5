/* SPDX-License-Identifier: MIT */
/*
 * physdev_op: interrupts, I/O privilege and PCI functions, for a guest kernel that drives hardware.
 *
 * Any guest may set its virtual IOPL and bitmap: they decide which faults it gets, not what ports
 * do. Everything about interrupts and PCI needs a domain with hardware: the control domain (XSA-46,
 * XSA-87, XSA-237: ownership is looked at first).
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/subop.h>
#include <core/event/pirq.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/machine.h>
#include <port/guest_access.h>
#include <xen/physdev.h>

#define MSIX_MOST_ENTRIES 2048

static long op_eoi(const struct physdev_eoi *a)
{
    return pirq_eoi(current->domain, a->irq);
}

static long op_eoi_gmfn_v1(const struct physdev_pirq_eoi_gmfn *a)
{
    return pirq_share_eoi_map(current->domain, GFN(a->gmfn), true);
}

static long op_eoi_gmfn_v2(const struct physdev_pirq_eoi_gmfn *a)
{
    return pirq_share_eoi_map(current->domain, GFN(a->gmfn), false);
}

static long op_irq_status_query(struct physdev_irq_status_query *a)
{
    return pirq_status(current->domain, a->irq, &a->flags);
}

static long op_set_iopl(const struct physdev_set_iopl *a)
{
    if (!current->domain->ops->set_iopl)
        return -XEN_ENOSYS;
    if (a->iopl > 3)
        return refused(-XEN_EINVAL, "level %u", a->iopl);
    current->domain->ops->set_iopl(current, a->iopl);
    return 0;
}

static long op_set_iobitmap(const struct physdev_set_iobitmap *a)
{
    if (!current->domain->ops->set_iobitmap)
        return -XEN_ENOSYS;
    if (a->nr_ports > 65536 || !guest_range_ok(a->bitmap, 65536 / 8 + 1))
        return refused(-XEN_EINVAL, "%u ports at %#lx", a->nr_ports, (unsigned long)a->bitmap);
    current->domain->ops->set_iobitmap(current, a->bitmap, a->nr_ports);
    return 0;
}

/* ABI: lines are set up by setup_gsi; a write of a redirection entry by an old kernel (apic_write)
 * is accepted and has no effect. */
static long op_apic_read(struct physdev_apic *a)
{
    return ioapic_guest_read(a->apic_physbase, a->reg, &a->value);
}

/* Vectors are the hypervisor's; the number given back means nothing to the caller. */
static long op_alloc_irq_vector(struct physdev_irq *a)
{
    if (a->irq >= irq_nr_gsis())
        return refused(-XEN_EINVAL, "there is no line %u", a->irq);
    a->vector = a->irq;
    return 0;
}

static long op_setup_gsi(const struct physdev_setup_gsi *a)
{
    if (a->gsi < 0)
        return -XEN_EINVAL;
    return irq_setup_gsi((unsigned int)a->gsi, a->triggering, a->polarity);
}

static long op_get_free_pirq(struct physdev_get_free_pirq *a)
{
    return pirq_reserve_free(current->domain, &a->pirq);
}

static long map_gsi(struct physdev_map_pirq *a)
{
    if (a->pirq < 0) /* ABI: a line's own number when there is no wish */
        a->pirq = a->index;
    if (a->pirq != a->index)
        return refused(-XEN_EINVAL, "line %d as %d: a line has its own number", a->index, a->pirq);
    return pirq_map_line(current->domain, (unsigned int)a->index);
}

static long map_message(struct physdev_map_pirq *a)
{
    struct pci_message m = {
        .f = {.bus = (uint8_t)a->bus, .devfn = (uint8_t)a->devfn},
        .entry = (uint16_t)a->entry_nr,
        .table_base = a->table_base,
    };

    /* Nothing is cut to size: the function that is meant, or none. */
    if (a->devfn < 0 || a->devfn > 0xff || a->entry_nr < 0 || a->entry_nr >= MSIX_MOST_ENTRIES ||
        ((unsigned int)a->bus & (a->type == MAP_PIRQ_TYPE_MSI_SEG ? 0xff00u : 0xffffff00u)))
        return refused(-XEN_EINVAL, "bus %#x, device and function %#x, entry %d", a->bus, a->devfn,
                       a->entry_nr);
    if (a->type == MAP_PIRQ_TYPE_MSI_SEG)
        m.f.segment = (uint16_t)((unsigned int)a->bus >> 16);
    return pirq_map_message(current->domain, &m, &a->pirq);
}

static long op_map_pirq(struct physdev_map_pirq *a)
{
    if (a->domid != DOMID_SELF && a->domid != current->domain->domain_id)
        return refused(-XEN_EOPNOTSUPP, "for d%u: only the control domain has hardware", a->domid);
    switch (a->type) {
    case MAP_PIRQ_TYPE_GSI:
        return map_gsi(a);
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
        return map_message(a);
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return -XEN_EOPNOTSUPP;
    default:
        return -XEN_EINVAL;
    }
}

static long op_unmap_pirq(const struct physdev_unmap_pirq *a)
{
    if ((a->domid != DOMID_SELF && a->domid != current->domain->domain_id) || a->pirq < 0)
        return -XEN_EINVAL;
    return pirq_unmap(current->domain, (uint32_t)a->pirq);
}

/* There is no IOMMU and nothing is passed through, so the list of functions is not kept: the
 * control domain has them all. */
static long op_pci_device(const struct physdev_pci_device *a)
{
    log_debug("PCI function %04x:%02x:%02x.%u", a->seg, a->bus, a->devfn >> 3, a->devfn & 7u);
    return 0;
}

static long op_manage_pci(const struct physdev_manage_pci *a)
{
    struct physdev_pci_device f = {.bus = a->bus, .devfn = a->devfn};

    return op_pci_device(&f);
}

static long op_restore_msi(const struct physdev_restore_msi *a)
{
    return irq_restore_msi((struct pci_function){.bus = a->bus, .devfn = a->devfn});
}

static long op_restore_msi_ext(const struct physdev_pci_device *a)
{
    return irq_restore_msi((struct pci_function){a->seg, a->bus, a->devfn});
}

static long op_mmcfg(const struct physdev_pci_mmcfg_reserved *a)
{
    pci_mmcfg_trust(a->address, a->segment, a->start_bus, a->end_bus,
                    a->flags & XEN_PCI_MMCFG_RESERVED);
    return 0;
}

/* clang-format off */
#define OPS(OP)                                                                                                                \
    OP(PHYSDEVOP_eoi,                op_eoi,              const struct physdev_eoi,               SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_pirq_eoi_gmfn_v1,   op_eoi_gmfn_v1,      const struct physdev_pirq_eoi_gmfn,     SUBOP_IN)                    \
    OP(PHYSDEVOP_pirq_eoi_gmfn_v2,   op_eoi_gmfn_v2,      const struct physdev_pirq_eoi_gmfn,     SUBOP_IN)                    \
    OP(PHYSDEVOP_irq_status_query,   op_irq_status_query, struct physdev_irq_status_query,        SUBOP_INOUT | SUBOP_CONTROL) \
    OP(PHYSDEVOP_set_iopl,           op_set_iopl,         const struct physdev_set_iopl,          SUBOP_IN)                    \
    OP(PHYSDEVOP_set_iobitmap,       op_set_iobitmap,     const struct physdev_set_iobitmap,      SUBOP_IN)                    \
    OP(PHYSDEVOP_apic_read,          op_apic_read,        struct physdev_apic,                    SUBOP_INOUT | SUBOP_CONTROL) \
    OP(PHYSDEVOP_apic_write,         op_apic_read,        struct physdev_apic,                    SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_alloc_irq_vector,   op_alloc_irq_vector, struct physdev_irq,                     SUBOP_INOUT | SUBOP_CONTROL) \
    OP(PHYSDEVOP_free_irq_vector,    op_alloc_irq_vector, struct physdev_irq,                     SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_map_pirq,           op_map_pirq,         struct physdev_map_pirq,                SUBOP_INOUT | SUBOP_CONTROL) \
    OP(PHYSDEVOP_unmap_pirq,         op_unmap_pirq,       const struct physdev_unmap_pirq,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_manage_pci_add,     op_manage_pci,       const struct physdev_manage_pci,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_manage_pci_remove,  op_manage_pci,       const struct physdev_manage_pci,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_manage_pci_add_ext, op_manage_pci,       const struct physdev_manage_pci,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_restore_msi,        op_restore_msi,      const struct physdev_restore_msi,       SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_restore_msi_ext,    op_restore_msi_ext,  const struct physdev_pci_device,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_setup_gsi,          op_setup_gsi,        const struct physdev_setup_gsi,         SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_get_free_pirq,      op_get_free_pirq,    struct physdev_get_free_pirq,           SUBOP_INOUT | SUBOP_CONTROL) \
    OP(PHYSDEVOP_pci_mmcfg_reserved, op_mmcfg,            const struct physdev_pci_mmcfg_reserved, SUBOP_IN | SUBOP_CONTROL)   \
    OP(PHYSDEVOP_pci_device_add,     op_pci_device,       const struct physdev_pci_device,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_pci_device_remove,  op_pci_device,       const struct physdev_pci_device,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_prepare_msix,       op_pci_device,       const struct physdev_pci_device,        SUBOP_IN | SUBOP_CONTROL)    \
    OP(PHYSDEVOP_release_msix,       op_pci_device,       const struct physdev_pci_device,        SUBOP_IN | SUBOP_CONTROL)
SUBOPS(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

long do_physdev_op(unsigned int cmd, gva_t arg)
{
    return subop_run(&operations, cmd, arg, NULL);
}
