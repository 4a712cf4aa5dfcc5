/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor knows from the static ACPI tables. The AML in DSDT is not interpreted (the
 * control domain does that), but for the one package that says how to switch the machine off.
 */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include <hv/types.h>

#define ACPI_MAX_CPUS      64
#define ACPI_MAX_IOAPICS   8
#define ACPI_MAX_OVERRIDES 24
#define ACPI_MAX_MCFG      8

struct acpi_info {
    bool found;

    /* MADT */
    uint64_t lapic_address;
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
    uint16_t sci_irq;
    uint16_t smi_command, pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm_timer;
    uint8_t acpi_enable, pm1_event_length;
    bool pm_timer_32bit;
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

/* Writes the control domain's values to the PM1 control registers (XENPF_enter_acpi_sleep). Returns
 * when nothing happened. */
void acpi_enter_sleep(uint16_t pm1a_value, uint16_t pm1b_value);

#endif
