/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space for the hypervisor's own use: pci.c.
 */
#ifndef X86_PCI_H
#define X86_PCI_H

#include <port/machine.h>

/* All ones when the function cannot be reached. */
uint32_t pci_read(struct pci_function f, unsigned int reg, unsigned int bytes);
void pci_write(struct pci_function f, unsigned int reg, unsigned int bytes, uint32_t value);

#endif
