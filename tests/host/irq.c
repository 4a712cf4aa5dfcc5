/* SPDX-License-Identifier: MIT */
/*
 * The machine's interrupts (port/machine.h) on the host: 24 lines and up to 8 messages that keep
 * what they are told, where a test can look.
 *
 * host_irq[] is the state by irq: who has it, masked or not, trigger. host_interrupt() is the
 * machine taking one: a level line is masked by it, as on the metal. PCI configuration space has no
 * functions in it; the messages of function 00:1f.7 are refused.
 */
#include "host.h"

#include <core/event/pirq.h>
#include <port/upcalls.h>
#include <port/machine.h>
#include <xen/errno.h>

#define HYPERVISORS_OWN   4 /* the console's line */
#define DEVFN_WITHOUT_MSI 0xff
#define IOAPIC            0xfec00000ull

struct host_irq host_irq[NR_IRQS];
static unsigned int messages;
unsigned int host_mmcfg_trusted;

void host_irq_init(void);
void host_irq_init(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(host_irq); i++)
        host_irq[i] = (struct host_irq){.masked = true};
    host_mmcfg_trusted = messages = 0;
}

void host_interrupt(unsigned int irq)
{
    struct host_irq *i = &host_irq[irq];

    if (i->masked || !i->d)
        return;
    i->masked = i->level;
    pirq_raise(i->d, irq);
}

unsigned int irq_nr_gsis(void)
{
    return HOST_GSIS;
}

int irq_setup_gsi(unsigned int gsi, bool level, bool active_low)
{
    (void)active_low;
    if (gsi >= HOST_GSIS)
        return -XEN_EINVAL;
    if (gsi == HYPERVISORS_OWN)
        return -XEN_EBUSY;
    host_irq[gsi].level = level;
    return 0;
}

bool irq_is_level(unsigned int irq)
{
    return irq < ARRAY_SIZE(host_irq) && host_irq[irq].level;
}

int irq_attach(unsigned int irq, struct domain *d)
{
    if (irq >= ARRAY_SIZE(host_irq) || (irq >= HOST_GSIS && !host_irq[irq].message))
        return -XEN_EINVAL;
    if (irq == HYPERVISORS_OWN || host_irq[irq].d)
        return -XEN_EBUSY;
    host_irq[irq].d = d;
    host_irq[irq].masked = false;
    return 0;
}

void irq_detach(unsigned int irq)
{
    host_irq[irq].d = NULL;
    host_irq[irq].masked = true;
}

void irq_unmask(unsigned int irq)
{
    host_irq[irq].masked = false;
}

void irq_set_cpu(unsigned int irq, unsigned int cpu)
{
    BUG_ON(!host_irq[irq].d);
    host_irq[irq].cpu = cpu;
}

int irq_setup_msi(unsigned int irq, const struct pci_message *message)
{
    BUG_ON(irq < HOST_GSIS || irq >= NR_IRQS || host_irq[irq].message);
    if (message->f.devfn == DEVFN_WITHOUT_MSI)
        return -XEN_ENODEV;
    if (messages == HOST_MESSAGES)
        return -XEN_ENOSPC;
    messages++;
    host_irq[irq] = (struct host_irq){.message = true, .masked = true};
    return 0;
}

void irq_free_msi(unsigned int irq)
{
    BUG_ON(irq < HOST_GSIS || !host_irq[irq].message || host_irq[irq].d);
    host_irq[irq] = (struct host_irq){.masked = true};
    messages--;
}

int irq_restore_msi(struct pci_function f)
{
    return f.devfn == DEVFN_WITHOUT_MSI ? -XEN_ESRCH : 0;
}

uint32_t pci_config_read(uint32_t address, unsigned int offset, unsigned int bytes)
{
    if (address == (1u << 31 | HOST_PCI_DEVFN << 8) && offset == 0 && bytes == 2)
        return 0x8086;
    return bytes >= 4 ? ~0u : (1u << bytes * 8) - 1;
}

void pci_config_write(uint32_t address, unsigned int offset, unsigned int bytes, uint32_t value)
{
    (void)address, (void)offset, (void)bytes, (void)value;
}

void pci_mmcfg_trust(uint64_t address, uint16_t segment, uint8_t first_bus, uint8_t last_bus,
                     bool trust)
{
    (void)address, (void)segment, (void)first_bus, (void)last_bus;
    host_mmcfg_trusted += trust;
}

int ioapic_guest_read(uint64_t base, uint32_t reg, uint32_t *value)
{
    if (base != IOAPIC)
        return -XEN_EINVAL;
    *value = reg == 1 ? (HOST_GSIS - 1) << 16 : 0;
    return 0;
}
