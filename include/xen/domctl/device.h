/* SPDX-License-Identifier: MIT */
/*
 * domctl: rights of a domain to devices.
 *
 * The control domain can give another domain I/O ports, device memory and interrupts, so that a
 * driver can run there. DMA of such a device is not confined, as Parvis drives no IOMMU;
 * so a domain with a device that does DMA must be trusted as the control domain is, and
 * assign_device, which promises confinement, is refused with -XEN_EOPNOTSUPP.
 *
 * The caller can only give what it has itself: else -XEN_EPERM.
 *
 * The control domain itself has all ports, all memory that is not RAM, and all
 * interrupts, but for what the hypervisor keeps: its interrupt controllers, its
 * timers, and its console's UART.
 *
 * What a guest with a device would do with the rights: ports by IN and OUT (emulated
 * in its kernel mode, by PHYSDEVOP_set_iopl and set_iobitmap in its programs); memory
 * by mapping the frames with DOMID_IO as their owner; interrupts by map_pirq and
 * bind_pirq.
 */
#ifndef XEN_DOMCTL_DEVICE_H
#define XEN_DOMCTL_DEVICE_H

#include <xen/types.h>

/*
 * irq_permission: a pirq of the caller. -XEN_EINVAL out of range.
 *
 * Taking it away from a domain that has bound it leaves the port bound: close it
 * first.
 */
struct xen_domctl_irq_permission {
    uint32_t pirq;
    uint8_t allow_access; /* 0: take it away */
    uint8_t pad[3];
};

/*
 * iomem_permission: frames that are not RAM. -XEN_EINVAL the range wraps or is too
 * high.
 *
 * nr_mfns frames from first_mfn on. Mappings that exist are not undone when a right is
 * taken away.
 */
struct xen_domctl_iomem_permission {
    uint64_aligned_t first_mfn;
    uint64_aligned_t nr_mfns;
    uint8_t allow_access;
};

/*
 * ioport_permission: -XEN_EINVAL beyond 65536; -XEN_EPERM for ports that the
 * hypervisor keeps.
 *
 * nr_ports ports from first_port on.
 */
struct xen_domctl_ioport_permission {
    uint32_t first_port;
    uint32_t nr_ports;
    uint8_t allow_access;
};

/* assign_device, deassign_device, test_assign_device: -XEN_EOPNOTSUPP, no IOMMU. */
#define XEN_DOMCTL_DEV_PCI         0
#define XEN_DOMCTL_DEV_DT          1
#define XEN_DOMCTL_DEV_RDM_RELAXED 1
struct xen_domctl_assign_device {
    uint32_t dev; /* XEN_DOMCTL_DEV_* */
    /* XEN_DOMCTL_DEV_RDM_RELAXED */
    uint32_t flags;
    union {
        struct {
            /* segment 16, bus 8, device 5, function 3 bits */
            uint32_t machine_sbdf;
        } pci;
        struct {
            uint32_t size;
            xen_guest_handle_t path; /* char[size] */
        } dt;
    } u;
};

/* get_device_group: functions that must be assigned together: -XEN_EOPNOTSUPP, no IOMMU. */
struct xen_domctl_get_device_group {
    uint32_t machine_sbdf; /* in */
    uint32_t max_sdevs;    /* in */
    uint32_t num_sdevs;    /* out */
    /* out: uint32_t[max_sdevs] */
    xen_guest_handle_t sdev_array;
};

#endif /* XEN_DOMCTL_DEVICE_H */
