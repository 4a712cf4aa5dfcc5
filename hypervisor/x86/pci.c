/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: mechanism 1 (ports 0xcf8, 0xcfc) for segment 0, a memory window (MCFG)
 * for others.
 *
 * The pair of ports is one register for the whole machine: the control domain's accesses come here
 * too, with the address it latched, so nobody is disturbed. A window is used only after the control
 * domain has found it reserved (PHYSDEVOP_pci_mmcfg_reserved): firmware tables are wrong at times.
 * Lock: pci_lock, innermost (below the interrupt layer's).
 */
#include "pci.h"

#include <core/base/log.h>
#include <port/lock.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ENABLE       0x80000000u
#define BUS_SHIFT    20 /* of a window: 1 MiB a bus */

static spinlock_t pci_lock = SPINLOCK_INIT(RANK_CONSOLE);
static volatile uint8_t *windows[ACPI_MAX_MCFG]; /* as acpi.mcfg; NULL: not trusted */

uint32_t pci_config_read(uint32_t address, unsigned int offset, unsigned int bytes)
{
    uint32_t value;

    spin_lock(&pci_lock);
    outl(PORT_ADDRESS, address);
    value = machine_io_read(PORT_DATA + (offset & 3), bytes);
    spin_unlock(&pci_lock);
    return value;
}

void pci_config_write(uint32_t address, unsigned int offset, unsigned int bytes, uint32_t value)
{
    spin_lock(&pci_lock);
    outl(PORT_ADDRESS, address);
    machine_io_write(PORT_DATA + (offset & 3), bytes, value);
    spin_unlock(&pci_lock);
}

void pci_mmcfg_trust(uint64_t address, uint16_t segment, uint8_t first_bus, uint8_t last_bus,
                     bool trust)
{
    for (unsigned int i = 0; i < acpi.nr_mcfg; i++) {
        uint64_t size = (uint64_t)(acpi.mcfg[i].last_bus - acpi.mcfg[i].first_bus + 1) << BUS_SHIFT;

        if (acpi.mcfg[i].address != address || acpi.mcfg[i].segment != segment ||
            acpi.mcfg[i].first_bus != first_bus || acpi.mcfg[i].last_bus != last_bus)
            continue;
        /* Race: the kernel asks once for each. Two that ask at once map it twice: the same. */
        if (trust && segment != 0 && !windows[i])
            windows[i] =
                map_physical(address + ((uint64_t)first_bus << BUS_SHIFT), size, MAP_UNCACHED);
        log_debug("MMCONFIG of segment %u at %#lx is %s", segment, address,
                  trust ? "reserved" : "not reserved");
    }
}

static volatile uint8_t *window_of(struct pci_function f, unsigned int reg)
{
    for (unsigned int i = 0; i < acpi.nr_mcfg; i++) {
        if (windows[i] && acpi.mcfg[i].segment == f.segment && f.bus >= acpi.mcfg[i].first_bus &&
            f.bus <= acpi.mcfg[i].last_bus)
            return windows[i] +
                   ((uint32_t)(f.bus - acpi.mcfg[i].first_bus) << BUS_SHIFT | f.devfn << 12 | reg);
    }
    return NULL;
}

static uint32_t address_of(struct pci_function f, unsigned int reg)
{
    return ENABLE | (uint32_t)f.bus << 16 | (uint32_t)f.devfn << 8 | (reg & 0xfc);
}

uint32_t pci_read(struct pci_function f, unsigned int reg, unsigned int bytes)
{
    volatile uint8_t *at;

    if (f.segment == 0 && reg < 256)
        return pci_config_read(address_of(f, reg), reg, bytes);
    at = window_of(f, reg);
    if (!at)
        return ~0u;
    return bytes == 1 ? *at : bytes == 2 ? *(volatile uint16_t *)at : *(volatile uint32_t *)at;
}

void pci_write(struct pci_function f, unsigned int reg, unsigned int bytes, uint32_t value)
{
    volatile uint8_t *at;

    if (f.segment == 0 && reg < 256) {
        pci_config_write(address_of(f, reg), reg, bytes, value);
        return;
    }
    at = window_of(f, reg);
    if (!at)
        return;
    if (bytes == 1)
        *at = (uint8_t)value;
    else if (bytes == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else
        *(volatile uint32_t *)at = value;
}
