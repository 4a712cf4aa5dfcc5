/* SPDX-License-Identifier: MIT */
/*
 * Message signalled interrupts: a PCI function writes a word to the local APIC's address range. The
 * hypervisor writes where and what into the function's MSI capability or MSI-X table, because the
 * message chooses the vector; the control domain only says which function.
 *
 * The MSI-X table lies in a BAR of the function, which the control domain has set up and enabled;
 * it is mapped for good, one page at a time, and a mapping is used again when the same page is
 * wanted. irq.c's lock is held.
 */
#include <port/lock.h>
#include <xen/errno.h>

#include "insn.h"
#include "irq_internal.h"
#include "pci.h"
#include "x86.h"

#define STATUS              0x06
#define STATUS_CAPABILITIES 0x10
#define COMMAND             0x04
#define COMMAND_MEMORY      0x02
#define COMMAND_NO_INTX     0x400
#define CAPABILITY_LIST     0x34
#define CAPABILITY_MSI      0x05
#define CAPABILITY_MSIX     0x11
#define BAR0                0x10

#define MSI_ENABLE   0x0001
#define MSI_MULTIPLE 0x0070
#define MSI_64BIT    0x0080
#define MSI_MASKABLE 0x0100

#define MSIX_CONTROL   2
#define MSIX_TABLE     4
#define MSIX_SIZE      0x07ff
#define MSIX_MASK_ALL  0x4000
#define MSIX_ENABLE    0x8000
#define MSIX_SLOT_SIZE 16
#define SLOT_MASKED    1u /* of SLOT_CONTROL */
enum { SLOT_ADDRESS, SLOT_ADDRESS_HIGH, SLOT_DATA, SLOT_CONTROL };

#define MESSAGE_ADDRESS 0xfee00000u
#define MAX_TABLE_PAGES 64

static spinlock_t table_lock = SPINLOCK_INIT(RANK_PAGE_ALLOC);
static struct {
    paddr_t page;
    volatile uint8_t *at;
} table_pages[MAX_TABLE_PAGES];

static uint8_t find_capability(struct pci_function f, uint8_t id)
{
    uint8_t at;

    if (!(pci_read(f, STATUS, 2) & STATUS_CAPABILITIES))
        return 0;
    at = pci_read(f, CAPABILITY_LIST, 1) & 0xfc;
    /* Bounded: a broken list may be a loop. */
    for (unsigned int i = 0; i < 48 && at >= 0x40; i++) {
        if (pci_read(f, at, 1) == id)
            return at;
        at = pci_read(f, at + 1u, 1) & 0xfc;
    }
    return 0;
}

static volatile uint8_t *map_table_page(paddr_t page)
{
    volatile uint8_t *at = NULL;

    spin_lock(&table_lock);
    for (unsigned int i = 0; i < MAX_TABLE_PAGES && !at; i++) {
        if (!table_pages[i].at) {
            table_pages[i].page = page;
            table_pages[i].at = map_physical(page, PAGE_SIZE, MAP_UNCACHED);
            at = table_pages[i].at;
            break;
        }
        if (table_pages[i].page == page)
            at = table_pages[i].at;
    }
    spin_unlock(&table_lock);
    return at;
}

static uint64_t bar_address(struct pci_function f, unsigned int bar)
{
    uint64_t v = pci_read(f, BAR0 + 4 * bar, 4);

    if (v & 1)
        return 0; /* I/O ports */
    if ((v & 6) == 4 && bar < 5)
        v |= (uint64_t)pci_read(f, BAR0 + 4 * bar + 4, 4) << 32;
    return v & ~15ull;
}

/* Where entry `entry` of the MSI-X table is; table_base is the control domain's idea of the BAR,
 * for functions that show none. */
static int find_slot(struct msi *m, uint64_t table_base)
{
    uint32_t table = pci_read(m->f, m->capability + MSIX_TABLE, 4);
    uint64_t base = (table & 7) < 6 ? bar_address(m->f, table & 7) : 0;
    volatile uint8_t *page;
    paddr_t at;

    if (m->entry > (pci_read(m->f, m->capability + MSIX_CONTROL, 2) & MSIX_SIZE))
        return -XEN_EINVAL;
    if (!base)
        base = table_base;
    at = base + (table & ~7u) + m->entry * MSIX_SLOT_SIZE;
    if (!(pci_read(m->f, COMMAND, 2) & COMMAND_MEMORY) || is_ram_frame(MFN(at >> PAGE_SHIFT)))
        return -XEN_ENODEV;
    page = map_table_page(at & PAGE_MASK);
    if (!page)
        return -XEN_ENOSPC;
    m->slot = (volatile uint32_t *)(page + (at & ~PAGE_MASK));
    return 0;
}

static void set_control(const struct msi *m, uint16_t clear, uint16_t set)
{
    uint32_t control = pci_read(m->f, m->capability + 2u, 2);

    pci_write(m->f, m->capability + 2u, 2, (control & ~(uint32_t)clear) | set);
}

void msi_mask(const struct msi *m, bool masked)
{
    if (m->is_msix) {
        uint32_t control = mmio_read(&m->slot[SLOT_CONTROL]) & ~SLOT_MASKED;

        mmio_write(&m->slot[SLOT_CONTROL], control | masked);
        /* Posted writes arrive before a read is answered. */
        (void)mmio_read(&m->slot[SLOT_CONTROL]);
    } else if (m->maskable) {
        pci_write(m->f, m->capability + (m->wide ? 16u : 12u), 4, masked);
    }
}

static void write_address(const struct msi *m, uint32_t apic_id)
{
    uint32_t address = MESSAGE_ADDRESS | apic_id << 12;

    if (m->is_msix)
        mmio_write(&m->slot[SLOT_ADDRESS], address);
    else
        pci_write(m->f, m->capability + 4u, 4, address);
}

/* What comes while it is masked is sent afterwards. Where it cannot be, the one write is enough. */
void msi_route(const struct msi *m, uint32_t apic_id, bool masked)
{
    msi_mask(m, true);
    write_address(m, apic_id);
    msi_mask(m, masked);
}

void msi_program(const struct msi *m, uint8_t vector, uint32_t apic_id)
{
    msi_mask(m, true);
    write_address(m, apic_id);
    if (m->is_msix) {
        mmio_write(&m->slot[SLOT_ADDRESS_HIGH], 0);
        mmio_write(&m->slot[SLOT_DATA], vector);
        set_control(m, MSIX_MASK_ALL, MSIX_ENABLE);
    } else {
        if (m->wide)
            pci_write(m->f, m->capability + 8u, 4, 0);
        pci_write(m->f, m->capability + (m->wide ? 12u : 8u), 2, vector);
        set_control(m, MSI_MULTIPLE, MSI_ENABLE);
    }
    pci_write(m->f, COMMAND, 2, pci_read(m->f, COMMAND, 2) | COMMAND_NO_INTX);
}

int msi_find(struct msi *m, const struct pci_message *message)
{
    struct pci_function f = message->f;
    uint32_t control;
    int rc;

    *m = (struct msi){.f = f, .is_msix = message->table_base != 0, .entry = message->entry};
    m->capability = find_capability(f, m->is_msix ? CAPABILITY_MSIX : CAPABILITY_MSI);
    if (!m->capability)
        return -XEN_ENODEV;
    control = pci_read(f, m->capability + 2u, 2);
    if (m->is_msix) {
        /* The table may be touched only while messages are enabled; none leave until a slot is
         * unmasked. */
        set_control(m, 0, MSIX_ENABLE | MSIX_MASK_ALL);
        rc = find_slot(m, message->table_base);
        if (rc)
            return rc;
    } else {
        m->wide = control & MSI_64BIT;
        m->maskable = control & MSI_MASKABLE;
    }
    m->used = true;
    return 0;
}

void msi_teardown(struct msi *m)
{
    msi_mask(m, true);
    if (!m->is_msix)
        set_control(m, MSI_ENABLE, 0);
    m->used = false;
}

bool msi_is_of(const struct msi *m, struct pci_function f)
{
    return m->f.segment == f.segment && m->f.bus == f.bus && m->f.devfn == f.devfn;
}
