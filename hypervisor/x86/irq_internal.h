/* SPDX-License-Identifier: MIT */
/*
 * Between irq.c and msi.c: what is kept of an irq. irq.c's lock is held around all calls but
 * msi_find().
 */
#ifndef X86_IRQ_INTERNAL_H
#define X86_IRQ_INTERNAL_H

#include <port/machine.h>
#include <hv/types.h>

struct msi {
    bool used, is_msix, wide, maskable; /* wide: 64-bit address; maskable: MSI with mask bits */
    struct pci_function f;
    uint8_t capability;      /* offset in configuration space */
    uint16_t entry;          /* MSI-X */
    volatile uint32_t *slot; /* MSI-X: the table entry */
};

struct irq {
    uint8_t vector; /* 0: not in use */
    bool level, masked;
    bool hypervisor;   /* the console's */
    unsigned int cpu;  /* where it goes */
    s_time_t moved_at; /* to there */
    struct domain *domain;
    struct msi msi;
};

/* Finds the capability, or the entry's place in the MSI-X table. irq.c's lock is not held: mapping
 * the table takes memory. */
int __must_check msi_find(struct msi *m, const struct pci_message *message);
void msi_teardown(struct msi *m);
/* Writes address and data, enables. */
void msi_program(const struct msi *m, uint8_t vector, uint32_t apic_id);
void msi_route(const struct msi *m, uint32_t apic_id, bool masked);
void msi_mask(const struct msi *m, bool masked);
bool msi_is_of(const struct msi *m, struct pci_function f);

#endif
