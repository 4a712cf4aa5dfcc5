/* SPDX-License-Identifier: MIT */
/*
 * IOAPICs: each pin is a GSI (its IOAPIC's base + pin); its redirection entry says vector, trigger,
 * polarity, mask, and which CPU. All pins start masked. irq.c decides what a pin is for and holds
 * its lock around all calls here.
 */
#include "ioapic.h"

#include <core/base/log.h>
#include <port/machine.h>
#include <xen/errno.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

enum { REG_ID = 0, REG_VERSION = 1, REG_ENTRY = 0x10 };
#define ENTRY_MASKED     (1u << 16)
#define ENTRY_LEVEL      (1u << 15)
#define ENTRY_ACTIVE_LOW (1u << 13)

static struct ioapic {
    volatile uint32_t *select, *window;
    unsigned int gsi_base, pins;
} ioapics[ACPI_MAX_IOAPICS];
static unsigned int nr_gsis;

static uint32_t reg_read(const struct ioapic *a, uint32_t reg)
{
    mmio_write(a->select, reg);
    return mmio_read(a->window);
}

static void reg_write(const struct ioapic *a, uint32_t reg, uint32_t value)
{
    mmio_write(a->select, reg);
    mmio_write(a->window, value);
}

static const struct ioapic *ioapic_of(unsigned int gsi)
{
    for (unsigned int i = 0; i < acpi.nr_ioapics; i++) {
        if (ioapics[i].window && gsi >= ioapics[i].gsi_base &&
            gsi - ioapics[i].gsi_base < ioapics[i].pins)
            return &ioapics[i];
    }
    return NULL;
}

void init_ioapics(void)
{
    for (unsigned int i = 0; i < acpi.nr_ioapics; i++) {
        struct ioapic *a = &ioapics[i];
        volatile uint8_t *base = map_physical(acpi.ioapic[i].address, PAGE_SIZE, MAP_UNCACHED);

        if (!base)
            continue;
        a->select = (volatile uint32_t *)base;
        a->window = (volatile uint32_t *)(base + 0x10);
        a->gsi_base = acpi.ioapic[i].gsi_base;
        a->pins = (reg_read(a, REG_VERSION) >> 16 & 0xff) + 1;
        if (a->gsi_base >= MAX_GSIS)
            a->pins = 0;
        a->pins = MIN(a->pins, MAX_GSIS - a->gsi_base);
        nr_gsis = MAX(nr_gsis, a->gsi_base + a->pins);
        for (unsigned int pin = 0; pin < a->pins; pin++)
            reg_write(a, REG_ENTRY + 2 * pin, ENTRY_MASKED);
        log_info("IOAPIC %u: GSIs %u to %u", acpi.ioapic[i].id, a->gsi_base,
                 a->gsi_base + a->pins - 1);
    }
}

unsigned int irq_nr_gsis(void)
{
    return nr_gsis;
}

bool ioapic_has_gsi(unsigned int gsi)
{
    return ioapic_of(gsi) != NULL;
}

void ioapic_set(unsigned int gsi, uint8_t vector, bool level, bool active_low)
{
    const struct ioapic *a = ioapic_of(gsi);
    uint32_t reg;

    if (!a)
        return;
    reg = REG_ENTRY + 2 * (gsi - a->gsi_base);
    reg_write(a, reg,
              vector | (level ? ENTRY_LEVEL : 0) | (active_low ? ENTRY_ACTIVE_LOW : 0) |
                  ENTRY_MASKED);
}

/* One write, and the vector stays: it may come at any moment, unmasked or in service. */
void ioapic_route(unsigned int gsi, uint32_t apic_id)
{
    const struct ioapic *a = ioapic_of(gsi);

    if (a)
        reg_write(a, REG_ENTRY + 2 * (gsi - a->gsi_base) + 1, apic_id << 24);
}

void ioapic_mask(unsigned int gsi, bool masked)
{
    const struct ioapic *a = ioapic_of(gsi);
    uint32_t reg, entry;

    if (!a)
        return;
    reg = REG_ENTRY + 2 * (gsi - a->gsi_base);
    entry = reg_read(a, reg);
    reg_write(a, reg, masked ? entry | ENTRY_MASKED : entry & ~ENTRY_MASKED);
}

int ioapic_read_register(uint64_t base, uint32_t reg, uint32_t *value)
{
    for (unsigned int i = 0; i < acpi.nr_ioapics; i++) {
        if (acpi.ioapic[i].address == base && ioapics[i].window) {
            *value = reg_read(&ioapics[i], reg & 0xff);
            return 0;
        }
    }
    return -XEN_EINVAL;
}
