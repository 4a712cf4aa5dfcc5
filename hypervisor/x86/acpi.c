/* SPDX-License-Identifier: MIT */
/*
 * Finds the ACPI tables and switches the machine off and on with what they say.
 *
 * Tables are mapped, checked (length, checksum), read into `acpi` and not looked at again.
 * Switching off writes the sleep type of \_S5 to the PM1 control registers. A control domain that
 * runs the AML methods first has done so before it asks for it.
 */
#include <core/base/log.h>
#include <port/atomic.h>
#include <port/machine.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

#define BIOS_AREA      0xe0000
#define BIOS_AREA_SIZE 0x20000
#define MAX_TABLE_SIZE (8u << 20)
#define SLEEP_ENABLE   (1u << 13)
#define SCI_ENABLED    1u

struct acpi_info acpi;

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8 | p[2] << 16) | (uint32_t)p[3] << 24;
}

/* Maps a whole table; NULL when its length or checksum is wrong. */
static const uint8_t *map_table(uint64_t address, uint32_t *length)
{
    const uint8_t *header = map_physical(address, ACPI_HEADER_SIZE, 0);
    const uint8_t *table;

    if (!header)
        return NULL;
    *length = read32(header + 4);
    if (*length < ACPI_HEADER_SIZE || *length > MAX_TABLE_SIZE)
        return NULL;
    table = map_physical(address, *length, 0);
    return table && acpi_checksum_ok(table, *length) ? table : NULL;
}

static void read_tables(const uint8_t *root, uint32_t length, bool is_xsdt)
{
    unsigned int width = is_xsdt ? 8 : 4;

    for (uint32_t at = ACPI_HEADER_SIZE; at + width <= length; at += width) {
        uint64_t address = read32(root + at);
        const uint8_t *table;
        uint32_t n;

        if (is_xsdt)
            address |= (uint64_t)read32(root + at + 4) << 32;
        table = address ? map_table(address, &n) : NULL;
        if (table)
            acpi_parse_table(&acpi, table, n);
        else
            log_warning("ACPI: the table at %#lx is broken and left out", address);
    }
}

static const uint8_t *find_rsdp(uint64_t given)
{
    const uint8_t *area;
    long at;

    if (given)
        return map_physical(given, 36, 0);
    area = map_physical(BIOS_AREA, BIOS_AREA_SIZE, 0);
    at = area ? acpi_find_rsdp(area, BIOS_AREA_SIZE) : -1;
    return at < 0 ? NULL : area + at;
}

void init_acpi(uint64_t rsdp_address)
{
    const uint8_t *rsdp = find_rsdp(rsdp_address), *root;
    uint64_t address;
    uint32_t length;
    bool is_xsdt;

    acpi = (struct acpi_info){.reset_space = 0xff};
    if (!rsdp || !acpi_parse_rsdp(rsdp, 36, &address, &is_xsdt))
        return;
    root = map_table(address, &length);
    if (!root)
        return;
    acpi.found = true;
    read_tables(root, length, is_xsdt);
    if (acpi.dsdt) {
        const uint8_t *dsdt = map_table(acpi.dsdt, &length);

        if (dsdt)
            acpi_parse_s5(&acpi, dsdt + ACPI_HEADER_SIZE, length - ACPI_HEADER_SIZE);
    }
}

uint32_t machine_acpi_id(unsigned int cpu)
{
    for (uint32_t i = 0; i < acpi.nr_cpus; i++)
        if (acpi.cpu_apic_id[i] == machine_apic_id(cpu))
            return acpi.cpu_acpi_id[i];
    return ~0u;
}

/* Firmware may leave the machine in the mode of before ACPI, where PM1 control does nothing. */
static void enable_acpi_mode(void)
{
    if (!acpi.smi_command || !acpi.acpi_enable || (inw(acpi.pm1a_control) & SCI_ENABLED))
        return;
    outb(acpi.smi_command, acpi.acpi_enable);
    for (unsigned int i = 0; i < 100000 && !(inw(acpi.pm1a_control) & SCI_ENABLED); i++)
        cpu_relax();
}

void wait_a_moment(void)
{
    for (unsigned int i = 0; i < 100000; i++)
        cpu_relax();
}

void acpi_power_off(void)
{
    if (!acpi.found)
        init_acpi(0); /* a crash before the regular call */
    if (!acpi.s5_found || !acpi.pm1a_control)
        return;
    enable_acpi_mode();
    outw(acpi.pm1a_control, (uint16_t)(acpi.s5_a << 10 | SLEEP_ENABLE));
    if (acpi.pm1b_control)
        outw(acpi.pm1b_control, (uint16_t)(acpi.s5_b << 10 | SLEEP_ENABLE));
    wait_a_moment();
}

void acpi_reset(void)
{
    if (acpi.reset_space == 1) {
        outb((uint16_t)acpi.reset_address, acpi.reset_value);
    } else if (acpi.reset_space == 0) {
        volatile uint8_t *p = map_physical(acpi.reset_address, 1, MAP_UNCACHED);

        if (p)
            *p = acpi.reset_value;
    }
}
