/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor knows from the static ACPI tables: acpi_parse.c reads tables that lie in
 * memory (pure; a test feeds it hostile ones), acpi.c finds and maps them. The AML in DSDT is not
 * interpreted (the control domain does that), but for the one package that says how to switch the
 * machine off.
 */
#ifndef X86_ACPI_H
#define X86_ACPI_H

#include <hv/types.h>

#define ACPI_HEADER_SIZE   36
#define ACPI_MAX_CPUS      64
#define ACPI_MAX_IOAPICS   8
#define ACPI_MAX_OVERRIDES 24
#define ACPI_MAX_MCFG      8

struct acpi_info {
    bool found;

    /* MADT */
    uint32_t nr_cpus; /* enabled ones, each once */
    uint32_t cpu_apic_id[ACPI_MAX_CPUS], cpu_acpi_id[ACPI_MAX_CPUS];
    uint32_t cpus_beyond; /* how many more there are */
    uint32_t nr_ioapics;
    struct {
        uint32_t address, gsi_base;
        uint8_t id;
    } ioapic[ACPI_MAX_IOAPICS];
    uint32_t nr_overrides;
    struct {
        uint8_t isa_irq;
        uint32_t gsi;
        bool level, active_low;
    } override[ACPI_MAX_OVERRIDES];

    /* HPET; 0: there is none in memory */
    uint64_t hpet_address;

    /* FADT; ports, 0: there is none */
    uint16_t smi_command, pm1a_control, pm1b_control, pm_timer;
    uint8_t acpi_enable;
    uint8_t century; /* CMOS index; 0: none */
    uint64_t dsdt;
    uint8_t reset_space; /* 0 memory, 1 I/O port, 2 PCI configuration; 0xff: no reset register */
    uint64_t reset_address;
    uint8_t reset_value;

    /* DSDT: \_S5 */
    bool s5_found;
    uint8_t s5_a, s5_b;

    /* MCFG */
    uint32_t nr_mcfg;
    struct {
        uint64_t address; /* of bus 0 */
        uint16_t segment;
        uint8_t first_bus, last_bus;
    } mcfg[ACPI_MAX_MCFG];
};

extern struct acpi_info acpi;

/* The low nibble of every sum: a table is good when all its bytes add up to 0. */
bool acpi_checksum_ok(const uint8_t *table, size_t n);
/* Looks on 16-byte boundaries for a valid RSDP in n bytes: its offset, or -1. */
long acpi_find_rsdp(const uint8_t *area, size_t n);
/* The table of that RSDP: address, and whether its entries have 8 bytes (XSDT) or 4. n: bytes that
 * may be read. False: not an RSDP. */
bool acpi_parse_rsdp(const uint8_t *rsdp, size_t n, uint64_t *root, bool *is_xsdt);
/* One table of n bytes, header included, whose checksum holds. Those that are not known change
 * nothing. */
void acpi_parse_table(struct acpi_info *info, const uint8_t *table, size_t n);
/* Searches AML for \_S5. */
void acpi_parse_s5(struct acpi_info *info, const uint8_t *aml, size_t n);

/* Finds all tables: once early (boot tables) for whoever must stop, once more when all memory can
 * be reached. */
void init_acpi(uint64_t rsdp);
void acpi_power_off(void); /* returns when it did not work */
void acpi_reset(void);
void wait_a_moment(void); /* for what was written to a register to have its effect */

#endif
