/* SPDX-License-Identifier: MIT */
/*
 * Which memory that is not RAM, and which I/O ports, a domain may touch: the control domain nearly
 * all, others none.
 *
 * Kept from the control domain: RAM that is not its own under any name (but for the first MiB,
 * which is nobody's: LOW_FRAMES), the interrupt controllers and the range that messages are written
 * to, the 8259s and the 8254, the console's UART. PCI configuration ports go through pv/'s latch
 * (pci_config_read()).
 */
#include <core/state/domain.h>
#include <port/machine.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

static bool in_page(mfn_t mfn, uint64_t address)
{
    return mfn.n == address >> PAGE_SHIFT;
}

bool iomem_access_permitted(const struct domain *d, mfn_t mfn)
{
    if (!d->is_control || mfn.n >> (cpu_has.phys_bits - PAGE_SHIFT))
        return false;
    if (is_ram_frame(mfn) && mfn.n >= LOW_FRAMES)
        return false;
    if (mfn.n >= 0xfee00 && mfn.n < 0xfef00)
        return false;
    for (unsigned int i = 0; i < acpi.nr_ioapics; i++) {
        if (in_page(mfn, acpi.ioapic[i].address))
            return false;
    }
    return true;
}

static const struct {
    uint16_t first, last;
} reserved_ports[] = {
    {0x20, 0x21},   /* 8259 */
    {0xa0, 0xa1},   /* 8259 */
    {0x40, 0x43},   /* 8254 */
    {0x61, 0x61},   /* 8254 gate, NMI reason */
    {0xcf8, 0xcff}, /* PCI configuration */
};

bool ioport_access_permitted(const struct domain *d, unsigned int port, unsigned int bytes)
{
    unsigned int last = port + bytes - 1;

    if (!d->is_control || last > 0xffff)
        return false;
    for (unsigned int i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (port <= reserved_ports[i].last && last >= reserved_ports[i].first)
            return false;
    }
    return !uart_base || port > uart_base + 7u || last < uart_base;
}

uint32_t machine_io_read(unsigned int port, unsigned int bytes)
{
    uint16_t p = (uint16_t)port;

    return bytes == 1 ? inb(p) : bytes == 2 ? inw(p) : inl(p);
}

void machine_io_write(unsigned int port, unsigned int bytes, uint32_t value)
{
    uint16_t p = (uint16_t)port;

    if (bytes == 1)
        outb(p, (uint8_t)value);
    else if (bytes == 2)
        outw(p, (uint16_t)value);
    else
        outl(p, value);
}
