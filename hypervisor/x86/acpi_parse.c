/* SPDX-License-Identifier: MIT */
/*
 * Reads ACPI tables from memory into struct acpi_info.
 *
 * Firmware is trusted to be harmless, not to be right: every field is read through get(), which
 * knows where the table ends, every count is bounded by the size of the array it goes to, and a
 * structure of length 0 ends a walk instead of looping. What does not make sense is left out.
 */
#include "acpi.h"

#define MADT_ENTRIES 44u /* where they begin */

struct table {
    const uint8_t *at;
    size_t n;
};

/* Little-endian field of `bytes` bytes; 0 when it lies beyond the end. */
static uint64_t get(const struct table *t, size_t offset, unsigned int bytes)
{
    uint64_t v = 0;

    if (offset > t->n || t->n - offset < bytes)
        return 0;
    for (unsigned int i = bytes; i-- > 0;)
        v = v << 8 | t->at[offset + i];
    return v;
}

static bool has_signature(const uint8_t *at, const char *signature)
{
    for (unsigned int i = 0; signature[i]; i++) {
        if (at[i] != (uint8_t)signature[i])
            return false;
    }
    return true;
}

bool acpi_checksum_ok(const uint8_t *table, size_t n)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + table[i]);
    return sum == 0;
}

bool acpi_parse_rsdp(const uint8_t *rsdp, size_t n, uint64_t *root, bool *is_xsdt)
{
    struct table t = {rsdp, n};

    if (n < 20 || !has_signature(rsdp, "RSD PTR ") || !acpi_checksum_ok(rsdp, 20))
        return false;
    *is_xsdt = get(&t, 15, 1) >= 2 && n >= 36 && acpi_checksum_ok(rsdp, 36) && get(&t, 24, 8);
    *root = *is_xsdt ? get(&t, 24, 8) : get(&t, 16, 4);
    return *root != 0;
}

long acpi_find_rsdp(const uint8_t *area, size_t n)
{
    uint64_t root;
    bool is_xsdt;

    for (size_t at = 0; at + 20 <= n; at += 16) {
        if (acpi_parse_rsdp(area + at, n - at, &root, &is_xsdt))
            return (long)at;
    }
    return -1;
}

static void parse_override(struct acpi_info *info, const struct table *t, size_t at)
{
    uint64_t flags = get(t, at + 8, 2);
    unsigned int i = info->nr_overrides;

    if (i >= ACPI_MAX_OVERRIDES)
        return;
    info->override[i].isa_irq = (uint8_t)get(t, at + 3, 1);
    info->override[i].gsi = (uint32_t)get(t, at + 4, 4);
    info->override[i].active_low = (flags & 3) == 3; /* 0: as the bus has it; ISA is high, edge */
    info->override[i].level = (flags >> 2 & 3) == 3;
    info->nr_overrides++;
}

#define NO_APIC_ID 0xffffffffu
#define ENABLED    1u

/* The APIC id of an enabled CPU, if the entry at `at` is one's. Ids that mean all CPUs are none's.
 */
static uint32_t apic_id_of(const struct table *t, size_t at)
{
    uint64_t type = get(t, at, 1), length = get(t, at + 1, 1), id = get(t, at + 3, 1);

    if (type == 0 && length >= 8 && (get(t, at + 4, 4) & ENABLED) && id != 0xff)
        return (uint32_t)id;
    if (type == 9 && length >= 16 && (get(t, at + 8, 4) & ENABLED))
        return (uint32_t)get(t, at + 4, 4);
    return NO_APIC_ID;
}

/* By what the AML names that CPU. */
static uint32_t acpi_id_of(const struct table *t, size_t at)
{
    return (uint32_t)(get(t, at, 1) == 0 ? get(t, at + 2, 1) : get(t, at + 12, 4));
}

/* Firmware may list a CPU twice, by each kind of entry. */
static void add_cpu(struct acpi_info *info, const struct table *t, size_t at)
{
    uint32_t id = apic_id_of(t, at);

    if (id == NO_APIC_ID)
        return;
    for (uint32_t i = 0; i < info->nr_cpus; i++)
        if (info->cpu_apic_id[i] == id)
            return;
    if (info->nr_cpus < ACPI_MAX_CPUS) {
        info->cpu_acpi_id[info->nr_cpus] = acpi_id_of(t, at);
        info->cpu_apic_id[info->nr_cpus++] = id;
        return;
    }
    for (size_t before = MADT_ENTRIES; before < at; before += get(t, before + 1, 1))
        if (apic_id_of(t, before) == id)
            return;
    info->cpus_beyond++;
}

static void parse_madt(struct acpi_info *info, const struct table *t)
{
    for (size_t at = MADT_ENTRIES; at + 2 <= t->n;) {
        size_t length = get(t, at + 1, 1);

        if (length < 2 || length > t->n - at)
            return;
        switch (get(t, at, 1)) {
        case 0: /* local APIC */
        case 9: /* x2APIC */
            add_cpu(info, t, at);
            break;
        case 1:
            if (length < 12 || info->nr_ioapics >= ACPI_MAX_IOAPICS)
                break;
            info->ioapic[info->nr_ioapics].id = (uint8_t)get(t, at + 2, 1);
            info->ioapic[info->nr_ioapics].address = (uint32_t)get(t, at + 4, 4);
            info->ioapic[info->nr_ioapics++].gsi_base = (uint32_t)get(t, at + 8, 4);
            break;
        case 2:
            parse_override(info, t, at);
            break;
        default:
            break;
        }
        at += length;
    }
}

/* A register's 32-bit port, unless the table is long enough for an extended address that says I/O
 * space too. */
static uint16_t fadt_port(const struct table *t, size_t old, size_t extended)
{
    uint64_t port = get(t, old, 4);

    if (!port && get(t, extended, 1) == 1)
        port = get(t, extended + 4, 8);
    return port <= 0xffff ? (uint16_t)port : 0;
}

static void parse_fadt(struct acpi_info *info, const struct table *t)
{
    info->smi_command = (uint16_t)get(t, 48, 4);
    info->acpi_enable = (uint8_t)get(t, 52, 1);
    info->pm1a_control = fadt_port(t, 64, 172);
    info->pm1b_control = fadt_port(t, 68, 184);
    info->pm_timer = fadt_port(t, 76, 208);
    info->century = (uint8_t)get(t, 108, 1);
    info->dsdt = get(t, 140, 8);
    if (!info->dsdt)
        info->dsdt = get(t, 40, 4);
    info->reset_space = 0xff;
    if ((get(t, 112, 4) >> 10 & 1) && t->n >= 129) {
        info->reset_space = (uint8_t)get(t, 116, 1);
        info->reset_address = get(t, 120, 8);
        info->reset_value = (uint8_t)get(t, 128, 1);
    }
}

static void parse_hpet(struct acpi_info *info, const struct table *t)
{
    if (get(t, 40, 1) == 0) /* in memory */
        info->hpet_address = get(t, 44, 8);
}

static void parse_mcfg(struct acpi_info *info, const struct table *t)
{
    for (size_t at = 44; at + 16 <= t->n && info->nr_mcfg < ACPI_MAX_MCFG; at += 16) {
        unsigned int i = info->nr_mcfg;

        info->mcfg[i].address = get(t, at, 8);
        info->mcfg[i].segment = (uint16_t)get(t, at + 8, 2);
        info->mcfg[i].first_bus = (uint8_t)get(t, at + 10, 1);
        info->mcfg[i].last_bus = (uint8_t)get(t, at + 11, 1);
        if (info->mcfg[i].address && info->mcfg[i].first_bus <= info->mcfg[i].last_bus)
            info->nr_mcfg++;
    }
}

void acpi_parse_table(struct acpi_info *info, const uint8_t *table, size_t n)
{
    struct table t = {table, n};

    if (n < ACPI_HEADER_SIZE)
        return;
    if (has_signature(table, "APIC"))
        parse_madt(info, &t);
    else if (has_signature(table, "FACP"))
        parse_fadt(info, &t);
    else if (has_signature(table, "HPET"))
        parse_hpet(info, &t);
    else if (has_signature(table, "MCFG"))
        parse_mcfg(info, &t);
}

/* An integer of AML at *at: ZeroOp, OneOp, or BytePrefix and a byte. */
static bool aml_small_integer(const struct table *t, size_t *at, uint8_t *out)
{
    uint64_t op = get(t, *at, 1);

    if (*at >= t->n)
        return false;
    if (op == 0x0a && *at + 1 < t->n) {
        *out = (uint8_t)get(t, *at + 1, 1);
        *at += 2;
        return true;
    }
    *out = (uint8_t)op;
    *at += 1;
    return op <= 1;
}

/* Name(_S5_, Package() { a, b, ... }): 08 [5c] "_S5_" 12 PkgLength count a b */
void acpi_parse_s5(struct acpi_info *info, const uint8_t *aml, size_t n)
{
    struct table t = {aml, n};

    for (size_t i = 1; i + 8 <= n; i++) {
        size_t at = i + 5;

        if (!has_signature(aml + i, "_S5_") || aml[i + 4] != 0x12)
            continue;
        if (aml[i - 1] != 0x08 && !(i >= 2 && aml[i - 1] == 0x5c && aml[i - 2] == 0x08))
            continue;
        at += 1 + (get(&t, at, 1) >> 6); /* PkgLength: its top bits count the bytes that follow */
        at += 1;                         /* number of elements */
        if (aml_small_integer(&t, &at, &info->s5_a) && aml_small_integer(&t, &at, &info->s5_b)) {
            info->s5_found = true;
            return;
        }
    }
}
