/* SPDX-License-Identifier: MIT */
/*
 * Ports. A guest reaches a port when its virtual IOPL or its I/O bitmap says so, as on hardware;
 * what then happens depends on what the domain may have: its own devices' ports are real, any other
 * reads as if nothing were there. PCI configuration (0xcf8) is latched per domain, so that the
 * hypervisor's own use of the pair is not disturbed.
 */
#include <port/machine.h>
#include <port/guest_access.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>

/* The bits of a port and of the next 7 or more. What cannot be read permits nothing; that the
 * bitmap ends with the first byte is no harm. */
static uint16_t bitmap_bits(gva_t at)
{
    uint8_t bytes[2];

    if (copy_from_guest(bytes, at, 2)) {
        bytes[1] = 0xff;
        if (copy_from_guest(bytes, at, 1))
            bytes[0] = 0xff;
    }
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* The bitmap lies in the kernel's memory, which an application's page table need not have. */
static bool bitmap_permits(struct vcpu *v, unsigned int port, unsigned int bytes)
{
    bool user = !guest_kernel_mode(v);
    uint16_t bits;

    if (!v->arch.pv.iobmp || port + bytes > v->arch.pv.iobmp_limit)
        return false;
    if (user)
        pv_toggle_guest_mode(v);
    bits = bitmap_bits(v->arch.pv.iobmp + port / 8);
    if (user)
        pv_toggle_guest_mode(v);
    return !(bits >> (port & 7) & ((1u << bytes) - 1));
}

bool pv_io_permitted(struct vcpu *v, unsigned int port, unsigned int bytes)
{
    return pv_iopl_permits(v) || bitmap_permits(v, port, bytes);
}

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc

static uint32_t all_ones(unsigned int bytes)
{
    return bytes == 4 ? ~0u : (1u << (8 * bytes)) - 1;
}

/* True for an access to the control domain's latched PCI configuration pair. */
static bool is_pci_pair(const struct vcpu *v, unsigned int port, unsigned int bytes)
{
    if (!v->domain->is_control)
        return false;
    return (port == PCI_ADDRESS && bytes == 4) ||
           (port >= PCI_DATA && port + bytes <= PCI_DATA + 4);
}

uint32_t pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes)
{
    if (is_pci_pair(v, port, bytes))
        return port == PCI_ADDRESS ? READ_ONCE(v->domain->arch.pci_address)
                                   : pci_config_read(READ_ONCE(v->domain->arch.pci_address),
                                                     port - PCI_DATA, bytes);
    return ioport_access_permitted(v->domain, port, bytes) ? machine_io_read(port, bytes)
                                                           : all_ones(bytes);
}

void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t value)
{
    value &= all_ones(bytes);
    if (is_pci_pair(v, port, bytes)) {
        if (port == PCI_ADDRESS)
            WRITE_ONCE(v->domain->arch.pci_address, value);
        else
            pci_config_write(READ_ONCE(v->domain->arch.pci_address), port - PCI_DATA, bytes, value);
        return;
    }
    if (ioport_access_permitted(v->domain, port, bytes))
        machine_io_write(port, bytes, value);
}
