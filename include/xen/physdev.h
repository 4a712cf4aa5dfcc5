/* SPDX-License-Identifier: MIT */
/*
 * Physical devices: physdev_op(cmd, arg), mostly for the control domain, which drives them.
 *
 * The hypervisor owns the interrupt controllers, the control domain the devices. A "gsi" is an
 * input of an IOAPIC as ACPI counts them; a "pirq" is the number under which a domain knows an
 * interrupt that was given to it. The way of one: setup_gsi (trigger and polarity, from ACPI),
 * map_pirq (gsi or MSI -> pirq), EVTCHNOP_bind_pirq (pirq -> port, unmasks the line), then for
 * each event an `eoi` if irq_status_query said so.
 *
 * A level-triggered line is masked at the IOAPIC, or left unacknowledged at the local APIC, from
 * the event until `eoi`, so a domain that never ends an interrupt stops this line for those who
 * share it, and no other. Edges and MSIs need no `eoi`. Vectors and affinity are chosen by the
 * hypervisor: an interrupt follows the vCPU that its port notifies (EVTCHNOP_bind_vcpu).
 *
 * Configuration space: the control domain accesses it as on hardware, ports 0xcf8/0xcfc
 * and the window; MSI and MSI-X messages are written by the hypervisor alone (map_pirq).
 *
 * Callers: pirq_eoi_gmfn, set_iopl, set_iobitmap: any domain, about itself; the rest: the
 * control domain, others get -XEN_EPERM.
 *
 * A driver in the control domain, from the interrupt's beginning to its end (a line of
 * an IOAPIC):
 *
 *     setup_gsi{gsi 11, level, low}                     what ACPI said of the line
 *     map_pirq{domid SELF, type GSI, index 11, pirq 11} -> pirq 11
 *     irq_status_query{irq 11} -> needs_eoi             to be ended after each
 *     EVTCHNOP_bind_pirq{pirq 11} -> port 23            the line is unmasked now
 *     ... port 23 is pending: quiet the device, then eoi{irq 11} ...
 *     EVTCHNOP_close{23}; unmap_pirq{11}
 *
 * and with messages (MSI-X entry 0 of function 00:03.0):
 *
 *     map_pirq{type MSI_SEG, bus 0, devfn 0x18, entry_nr 0, table_base, pirq -1} -> pirq 40
 *     EVTCHNOP_bind_pirq{40} -> port 24; no end is needed: a message is an edge
 *
 * The hypervisor chooses vector and CPU, and writes them where the device or the
 * IOAPIC has them. A kernel that writes there itself writes into nothing: the pages
 * are not its own.
 *
 * Numbers: a pirq is an index of the domain's own. For a line of an IOAPIC it is the
 * gsi itself, as kernels expect; those of messages lie above the lines'.
 */
#ifndef XEN_PHYSDEV_H
#define XEN_PHYSDEV_H

#include <xen/xen.h>

/*
 * Ends the interrupt of a pirq and lets the next come. -XEN_EINVAL not bound. Also unmasks the
 * port when an eoi page (v1, below) is registered.
 *
 * To be called when the device no longer asks, else the line interrupts again at once.
 * For an edge it does nothing and answers 0, so a kernel may call it always; asking
 * irq_status_query first saves the call.
 */
#define PHYSDEVOP_eoi 12
struct physdev_eoi {
    uint32_t irq; /* pirq */
};
typedef struct physdev_eoi physdev_eoi_t;

/*
 * Registers a page of the domain in which bit n tells that pirq n needs an `eoi`, so that
 * guests need not make the call for the others. v1: an eoi also unmasks the port; v2: it does not.
 * -XEN_EBUSY registered already; -XEN_EINVAL not a page of the domain.
 *
 * The page is the guest's; the hypervisor holds it and sets and clears bits. Bit n
 * stands in byte n / 8. A guest looks at the bit after its handler has run, and calls
 * eoi when it is set.
 */
#define PHYSDEVOP_pirq_eoi_gmfn_v1 17
#define PHYSDEVOP_pirq_eoi_gmfn_v2 28
#define PHYSDEVOP_pirq_eoi_gmfn    PHYSDEVOP_pirq_eoi_gmfn_v2
struct physdev_pirq_eoi_gmfn {
    xen_pfn_t gmfn; /* in */
};
typedef struct physdev_pirq_eoi_gmfn physdev_pirq_eoi_gmfn_t;

/*
 * Asks about a pirq: must it be ended, may it be shared. -XEN_EINVAL out of range.
 *
 * The answer can change when the line is set up anew; kernels ask when they bind.
 */
#define PHYSDEVOP_irq_status_query 5
struct physdev_irq_status_query {
    uint32_t irq;   /* in: pirq */
    uint32_t flags; /* out: XENIRQSTAT_* */
};
typedef struct physdev_irq_status_query physdev_irq_status_query_t;
#define _XENIRQSTAT_needs_eoi 0
#define XENIRQSTAT_needs_eoi  (1U << _XENIRQSTAT_needs_eoi)
#define _XENIRQSTAT_shared    1
#define XENIRQSTAT_shared     (1U << _XENIRQSTAT_shared)

/*
 * The I/O privilege level of the calling vCPU's present mode, 0..3 (1 and 0: the kernel alone,
 * 3: user mode too). It allows only ports that the domain was given. -XEN_EINVAL above 3.
 *
 * A PV kernel can't change IOPL by POPF. The value is kept with the vCPU and exchanged
 * with the task by the kernel's task switch. A port access that is allowed is carried
 * out by the hypervisor, which takes the fault and executes the instruction in the
 * guest's place.
 */
#define PHYSDEVOP_set_iopl 6
struct physdev_set_iopl {
    uint32_t iopl;
};
typedef struct physdev_set_iopl physdev_set_iopl_t;

/*
 * Ports open to user mode whatever the level: a bit each, 1 forbids. -XEN_EINVAL above
 * 65536.
 *
 * The bitmap stays in the guest's memory and is looked at when a program of the guest
 * accesses a port: it may be changed in place. It counts for the vCPU that registered
 * it; a kernel registers the present task's at each switch, and 0 ports for a task
 * that has none.
 */
#define PHYSDEVOP_set_iobitmap 7
struct physdev_set_iobitmap {
    /* uint8_t[nr_ports / 8] */
    xen_guest_handle_t bitmap;
    uint32_t nr_ports;
};
typedef struct physdev_set_iobitmap physdev_set_iobitmap_t;

/*
 * Registers of an IOAPIC. Reads give what the hardware has; writes to redirection entries are
 * taken as a wish (trigger, polarity, mask), the vector is the hypervisor's. -XEN_EINVAL: no such
 * IOAPIC.
 *
 * From the time when the control domain's kernel programmed IOAPICs itself. It still
 * reads them to see how many inputs there are. apic_physbase is the address that ACPI
 * gives, reg an index.
 */
#define PHYSDEVOP_apic_read  8
#define PHYSDEVOP_apic_write 9
struct physdev_apic {
    unsigned long apic_physbase; /* in */
    uint32_t reg;                /* in */
    uint32_t value;              /* in or out */
};
typedef struct physdev_apic physdev_apic_t;

/* Older way to prepare a gsi; the vector has no meaning for the caller. free: nothing, 0. */
#define PHYSDEVOP_alloc_irq_vector 10
#define PHYSDEVOP_free_irq_vector  11
struct physdev_irq {
    uint32_t irq;    /* in: gsi */
    uint32_t vector; /* out */
};
typedef struct physdev_irq physdev_irq_t;

/*
 * map_pirq: makes an interrupt known to `domid` as a pirq.
 *   GSI        index = gsi; pirq: the wanted one or -1 for any free.
 *   MSI, MSI_SEG  bus and devfn of the function (MSI_SEG: bus bits 16-31 are the segment),
 *              table_base = address of the MSI-X table, entry_nr the entry in it, or 0 for MSI. The
 *              hypervisor writes the message address and data into the device.
 *   MULTI_MSI  as MSI_SEG; entry_nr = number of vectors wanted, out: number given.
 * -XEN_EINVAL, -XEN_ENODEV no such device, -XEN_ENOSPC no pirq or vector left, -XEN_EEXIST,
 * -XEN_EPERM.
 *
 * After it the interrupt is known and still masked. The same line mapped twice is one
 * pirq; a message is a new one each time. domid other than DOMID_SELF would give the
 * interrupt to a guest.
 */
#define PHYSDEVOP_map_pirq      13
#define MAP_PIRQ_TYPE_MSI       0x0
#define MAP_PIRQ_TYPE_GSI       0x1
#define MAP_PIRQ_TYPE_UNKNOWN   0x2
#define MAP_PIRQ_TYPE_MSI_SEG   0x3
#define MAP_PIRQ_TYPE_MULTI_MSI 0x4
struct physdev_map_pirq {
    domid_t domid; /* in */
    /* in: MAP_PIRQ_TYPE_* */
    int type;
    int index;           /* in, out */
    int pirq;            /* in, out */
    int bus;             /* in */
    int devfn;           /* in */
    int entry_nr;        /* in, out */
    uint64_t table_base; /* in */
};
typedef struct physdev_map_pirq physdev_map_pirq_t;

/*
 * unmap_pirq: takes it away. -XEN_EINVAL not mapped. A bound port is closed first by
 * the owner.
 *
 * For a message the device's entry is masked first. The number may be given out again.
 */
#define PHYSDEVOP_unmap_pirq 14
struct physdev_unmap_pirq {
    domid_t domid;
    int pirq;
};
typedef struct physdev_unmap_pirq physdev_unmap_pirq_t;

/*
 * The control domain tells which PCI functions it found; older forms of
 * pci_device_add.
 *
 * The control domain's kernel scans PCI and makes one such call for each function that
 * it finds. It has all functions anyhow, so the call is noted and answered with 0.
 */
#define PHYSDEVOP_manage_pci_add    15
#define PHYSDEVOP_manage_pci_remove 16
struct physdev_manage_pci {
    uint8_t bus;
    uint8_t devfn;
};
typedef struct physdev_manage_pci physdev_manage_pci_t;

/*
 * Writes the MSI messages of a function again, after it was reset.
 *
 * A function that lost its registers (a reset, a change of power state) has lost the
 * address and data of its messages too; only the hypervisor knows them. Its pirqs and
 * ports stay as they were.
 */
#define PHYSDEVOP_restore_msi 19
struct physdev_restore_msi {
    uint8_t bus;
    uint8_t devfn;
};
typedef struct physdev_restore_msi physdev_restore_msi_t;

#define PHYSDEVOP_manage_pci_add_ext 20
struct physdev_manage_pci_ext {
    uint8_t bus;
    uint8_t devfn;
    uint32_t is_extfn;
    uint32_t is_virtfn;
    struct {
        uint8_t bus;
        uint8_t devfn;
    } physfn;
};
typedef struct physdev_manage_pci_ext physdev_manage_pci_ext_t;

/*
 * The oldest form of the call (physdev_op_compat, refused): number and argument
 * together.
 *
 * Read here only to know an old kernel's call when it is seen.
 */
struct physdev_op {
    uint32_t cmd;
    union {
        physdev_irq_status_query_t irq_status_query;
        physdev_set_iopl_t set_iopl;
        physdev_set_iobitmap_t set_iobitmap;
        physdev_apic_t apic_op;
        physdev_irq_t irq_op;
    } u;
};
typedef struct physdev_op physdev_op_t;
#define PHYSDEVOP_IRQ_UNMASK_NOTIFY 4 /* in that form only: the older eoi of all lines */

/*
 * setup_gsi: trigger (0 edge, 1 level), polarity (0 high, 1 low) of a line.
 * -XEN_EEXIST: done.
 *
 * It comes before map_pirq and may come again with the same values. Other values for a
 * line that is in use, and the line of the hypervisor's own console: -XEN_EBUSY. ISA's
 * lines 0 to 15 are edge and high unless ACPI says otherwise.
 */
#define PHYSDEVOP_setup_gsi 21
struct physdev_setup_gsi {
    int gsi;
    uint8_t triggering;
    uint8_t polarity;
};
typedef struct physdev_setup_gsi physdev_setup_gsi_t;

/*
 * get_free_pirq: reserves a pirq for a later map_pirq. -XEN_ENOSPC.
 *
 * A kernel that hands out interrupt numbers before it maps them keeps its numbers and
 * the pirqs equal in this way. The number stays reserved for the domain until it is
 * mapped and unmapped.
 */
#define PHYSDEVOP_get_free_pirq 23
struct physdev_get_free_pirq {
    /* in: MAP_PIRQ_TYPE_* */
    int type;
    uint32_t pirq; /* out */
};
typedef struct physdev_get_free_pirq physdev_get_free_pirq_t;

/*
 * pci_mmcfg_reserved: the window of PCI configuration space at `address` can be
 * trusted or not.
 *
 * The kernel makes it after it has compared ACPI's table with what firmware reserves:
 * only such a window is safe to be read and written. Until then the hypervisor uses
 * the ports 0xcf8 and 0xcfc.
 */
#define PHYSDEVOP_pci_mmcfg_reserved 24
#define XEN_PCI_MMCFG_RESERVED       0x1
struct physdev_pci_mmcfg_reserved {
    uint64_t address;
    uint16_t segment;
    uint8_t start_bus;
    uint8_t end_bus;
    /* XEN_PCI_MMCFG_RESERVED: firmware reserves it, use it */
    uint32_t flags;
};
typedef struct physdev_pci_mmcfg_reserved physdev_pci_mmcfg_reserved_t;

/*
 * pci_device_add: a function was found. -XEN_EEXIST for one that is known with other
 * properties.
 *
 * The newest of the three forms. optarr has room for what a flag announces and is not
 * looked at.
 */
#define PHYSDEVOP_pci_device_add 25
#define XEN_PCI_DEV_EXTFN        0x1 /* flags: ARI: function numbers above 7 */
#define XEN_PCI_DEV_VIRTFN       0x2 /* flags: a virtual function of physfn */
#define XEN_PCI_DEV_PXM          0x4 /* flags: optarr[0] is its proximity domain */
struct physdev_pci_device_add {
    uint16_t seg;
    uint8_t bus;
    uint8_t devfn;
    uint32_t flags;
    struct {
        uint8_t bus;
        uint8_t devfn;
    } physfn;
    uint32_t optarr[];
};
typedef struct physdev_pci_device_add physdev_pci_device_add_t;

/*
 * These take a struct physdev_pci_device: the function is gone; its MSI messages are to be written
 * again; its MSI-X table is to be kept from or given back to the caller.
 * -XEN_ENODEV: not known.
 */
#define PHYSDEVOP_pci_device_remove 26
#define PHYSDEVOP_restore_msi_ext   27
#define PHYSDEVOP_prepare_msix      30
#define PHYSDEVOP_release_msix      31
struct physdev_pci_device {
    uint16_t seg;
    uint8_t bus;
    uint8_t devfn;
};
typedef struct physdev_pci_device physdev_pci_device_t;

/* dbgp_op: the USB debug port is about to be reset, or was. No such console here: -XEN_ENOSYS. */
#define PHYSDEVOP_dbgp_op            29
#define PHYSDEVOP_DBGP_RESET_PREPARE 1
#define PHYSDEVOP_DBGP_RESET_DONE    2
#define PHYSDEVOP_DBGP_BUS_UNKNOWN   0
#define PHYSDEVOP_DBGP_BUS_PCI       1
struct physdev_dbgp_op {
    uint8_t op;
    uint8_t bus;
    union {
        physdev_pci_device_t pci;
    } u;
};
typedef struct physdev_dbgp_op physdev_dbgp_op_t;

#endif /* XEN_PHYSDEV_H */
