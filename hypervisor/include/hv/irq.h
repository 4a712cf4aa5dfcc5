/* SPDX-License-Identifier: MIT */
/*
 * The machine's interrupts as core sees them (x86/irq.c, x86/msi.c implement; tests/host fakes).
 *
 * An irq is a number: 0 to irq_nr_gsis() - 1 are the IOAPICs' lines, those above are messages (MSI,
 * MSI-X) that core gave a number. Each irq goes to at most one domain: when it comes, pirq_raise()
 * is called on the CPU that took it. A level line is masked from its interrupt until
 * irq_unmask(); edges and messages are acknowledged at once. Guarded by a lock of RANK_IRQ inside.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/types.h>

#define NR_IRQS 256u

struct domain;

unsigned int irq_nr_gsis(void);
/* Trigger and polarity of a line; masked until attached. -XEN_EINVAL: no such line. -XEN_EBUSY: the
 * hypervisor's own. */
int __must_check irq_setup_gsi(unsigned int gsi, bool level, bool active_low);
bool irq_is_level(unsigned int irq);
/* From now on the interrupt is raised in d, and is unmasked. -XEN_EBUSY: somebody has it. */
int __must_check irq_attach(unsigned int irq, struct domain *d);
/* Masks it and forgets who had it. Messages: see irq_free_msi(). */
void irq_detach(unsigned int irq);
void irq_unmask(unsigned int irq);

struct pci_function {
    uint16_t segment;
    uint8_t bus, devfn;
};

/* A message of a PCI function. table_base 0: its MSI capability; else MSI-X entry `entry` of the
 * table at that machine address. */
struct pci_message {
    struct pci_function f;
    uint16_t entry;
    uint64_t table_base;
};

/* Makes the message the irq of that number, which no other is: writes address and data to the
 * function (enabled, but masked until attached where it can be masked). -XEN_ENODEV no such
 * capability or table, -XEN_ENOSPC no vector. */
int __must_check irq_setup_msi(unsigned int irq, const struct pci_message *message);
void irq_free_msi(unsigned int irq);
/* Writes the function's messages again (PHYSDEVOP_restore_msi). -XEN_ESRCH: it has none. */
int __must_check irq_restore_msi(struct pci_function f);

/* PCI configuration space by mechanism 1: address as in port 0xcf8, offset 0 to 3 within it. */
uint32_t pci_config_read(uint32_t address, unsigned int offset, unsigned int bytes);
void pci_config_write(uint32_t address, unsigned int offset, unsigned int bytes, uint32_t value);
/* An MMCONFIG window that the control domain vouches for. */
void pci_mmcfg_trust(uint64_t address, uint16_t segment, uint8_t first_bus, uint8_t last_bus,
                     bool trust);

/* IOAPIC registers as PHYSDEVOP_apic_read/write show them. -XEN_EINVAL: no IOAPIC at that address.
 */
int __must_check ioapic_guest_read(uint64_t base, uint32_t reg, uint32_t *value);

#endif
