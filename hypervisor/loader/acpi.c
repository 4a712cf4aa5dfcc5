/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of a fully virtualized domain, in one page.
 *
 * They tell of what there is, which is little: the vCPUs, the pair of 8259A (no I/O APIC), power
 * management registers, one sleep state (S5, power-off), and a reset port. An operating system that
 * believes them looks for no keyboard controller, video, real-time clock or MSI.
 *
 *   RSDP -> XSDT -> FADT -> FACS, DSDT (the AML of _S5_)
 *                -> MADT
 *
 * Names, offsets and bits as in the ACPI specification, 6.0 (chapter 5.2; AML: 20). A field that is
 * not set is 0, which says of most that a thing is not there.
 */
#include <parvis/loader_pvh.h>

#include "internal.h"

#define HEADER_SIZE  36u /* the part that tables have in common; the rest stands behind */
#define RSDP_SIZE    36u
#define FACS_SIZE    64u
#define XSDT_SIZE    (HEADER_SIZE + 2 * 8u)
#define FADT_SIZE    276u
#define DSDT_SIZE    (HEADER_SIZE + sizeof(aml))
#define MADT_SIZE(n) (HEADER_SIZE + 8u + (n)*LAPIC_SIZE + NMI_SIZE)
#define LAPIC_SIZE   8u
#define NMI_SIZE     6u
#define ALIGN        64u /* the FACS wants it, and it hurts nobody */
#define ALIGNED(n)   (((n) + ALIGN - 1) & ~(ALIGN - 1))

#define OEM_ID       "PARVIS"
#define OEM_TABLE_ID "PARVISVM"

#define LAPIC_BASE 0xfee00000u

/* FADT: IA-PC boot architecture flags */
#define LEGACY_DEVICES 0x01u /* there are some: the UART */
#define NO_VGA         0x04u
#define NO_MSI         0x08u
#define NO_CMOS_RTC    0x20u /* bit 1 is clear: there is no 8042 */
/* FADT: flags. Bit 4 is clear: the power button is a bit of PM1. */
#define WBINVD    0x001u
#define PROC_C1   0x004u
#define NO_SLEEP  0x020u /* no sleep button in PM1 */
#define NO_RTC    0x040u /* no wake by the clock in PM1 */
#define RESET_REG 0x400u
/* more than these many microseconds say that C2 and C3 are not there */
#define NO_C2 101u
#define NO_C3 1001u

#define PCAT_COMPAT   1u /* MADT: there is a pair of 8259A */
#define LAPIC_ENABLED 1u

/* Name(_S5_, Package() {S5, S5, 0, 0}): what goes to SLP_TYP of PM1a, PM1b. */
static const uint8_t aml[] = {
    0x08, '_',         'S',  '5',         '_', /* NameOp */
    0x12, 8,           4,                      /* PackageOp, its length, elements */
    0x0a, HVM_ACPI_S5, 0x0a, HVM_ACPI_S5, 0,   /* BytePrefix, ZeroOp */
    0,
};

struct field {
    uint16_t offset;
    uint8_t size; /* bytes */
    uint32_t value;
};

/* clang-format off */
/* Addresses twice: by themselves and as a generic address (space 1: I/O; width in bits; access). */
static const struct field fadt_fields[] = {
    {46,  2, HVM_ACPI_SCI},
    {56,  4, HVM_ACPI_PM1A_EVT},
    {64,  4, HVM_ACPI_PM1A_CNT},
    {76,  4, HVM_ACPI_PM_TMR},
    {88,  1, 4},                    /* PM1_EVT_LEN */
    {89,  1, 2},                    /* PM1_CNT_LEN */
    {91,  1, 4},                    /* PM_TMR_LEN */
    {96,  2, NO_C2},
    {98,  2, NO_C3},
    {109, 2, LEGACY_DEVICES | NO_VGA | NO_MSI | NO_CMOS_RTC},
    {112, 4, WBINVD | PROC_C1 | NO_SLEEP | NO_RTC | RESET_REG},
    {116, 1, 1}, {117, 1, 8},  {119, 1, 1}, {120, 4, HVM_ACPI_RESET},
    {128, 1, HVM_ACPI_RESET_VAL},
    {148, 1, 1}, {149, 1, 32}, {151, 1, 2}, {152, 4, HVM_ACPI_PM1A_EVT},
    {172, 1, 1}, {173, 1, 16}, {175, 1, 2}, {176, 4, HVM_ACPI_PM1A_CNT},
    {208, 1, 1}, {209, 1, 32}, {211, 1, 3}, {212, 4, HVM_ACPI_PM_TMR},
};
/* clang-format on */
#define FADT_FACS   36u
#define FADT_DSDT   40u
#define FADT_X_DSDT 140u

#define ALL_SIZE                                                                                   \
    (ALIGNED(RSDP_SIZE) + ALIGNED(FACS_SIZE) + ALIGNED(DSDT_SIZE) + ALIGNED(FADT_SIZE) +           \
     ALIGNED(MADT_SIZE(HVM_MAX_VCPUS)) + XSDT_SIZE)
_Static_assert(ALL_SIZE <= PAGE_SIZE, "the tables fit into one page");

struct tables {
    uint8_t *page;
    uint64_t paddr;
    uint32_t used;
};

/* Little endian, at any address. */
static void put(uint8_t *to, uint64_t value, unsigned int bytes)
{
    for (unsigned int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t address_of(const struct tables *t, const uint8_t *table)
{
    return t->paddr + (uint64_t)(table - t->page);
}

static uint8_t *take(struct tables *t, uint32_t size)
{
    uint8_t *at = t->page + t->used;

    t->used += ALIGNED(size);
    return at;
}

/* The byte at `sum` is what makes all of them add up to 0. */
static void seal(uint8_t *at, uint32_t size, uint32_t sum)
{
    uint8_t total = 0;

    for (uint32_t i = 0; i < size; i++)
        total += at[i];
    at[sum] = (uint8_t)(at[sum] - total);
}

static uint8_t *begin_table(struct tables *t, const char *signature, uint32_t size,
                            uint8_t revision)
{
    uint8_t *at = take(t, size);

    __builtin_memcpy(at, signature, 4);
    put(at + 4, size, 4);
    at[8] = revision;
    __builtin_memcpy(at + 10, OEM_ID, 6);
    __builtin_memcpy(at + 16, OEM_TABLE_ID, 8);
    put(at + 24, 1, 4);                   /* OEM revision */
    __builtin_memcpy(at + 28, OEM_ID, 4); /* creator */
    put(at + 32, 1, 4);
    return at;
}

static uint64_t end_table(const struct tables *t, uint8_t *at, uint32_t size)
{
    seal(at, size, 9);
    return address_of(t, at);
}

static uint64_t put_facs(struct tables *t)
{
    uint8_t *at = take(t, FACS_SIZE);

    __builtin_memcpy(at, "FACS", 4);
    put(at + 4, FACS_SIZE, 4);
    at[32] = 2; /* version */
    return address_of(t, at);
}

static uint64_t put_dsdt(struct tables *t)
{
    uint8_t *at = begin_table(t, "DSDT", DSDT_SIZE, 2);

    __builtin_memcpy(at + HEADER_SIZE, aml, sizeof(aml));
    return end_table(t, at, DSDT_SIZE);
}

static uint64_t put_fadt(struct tables *t, uint64_t facs, uint64_t dsdt)
{
    uint8_t *at = begin_table(t, "FACP", FADT_SIZE, 6);

    for (unsigned int i = 0; i < sizeof(fadt_fields) / sizeof(fadt_fields[0]); i++)
        put(at + fadt_fields[i].offset, fadt_fields[i].value, fadt_fields[i].size);
    put(at + FADT_FACS, facs, 4); /* the tables lie below 4 GiB; X_FIRMWARE_CTRL is then 0 */
    put(at + FADT_DSDT, dsdt, 4);
    put(at + FADT_X_DSDT, dsdt, 8);
    return end_table(t, at, FADT_SIZE);
}

static uint64_t put_madt(struct tables *t, unsigned int nr_vcpus)
{
    uint32_t size = MADT_SIZE(nr_vcpus);
    uint8_t *at = begin_table(t, "APIC", size, 3);
    uint8_t *entry = at + HEADER_SIZE + 8;

    put(at + HEADER_SIZE, LAPIC_BASE, 4);
    put(at + HEADER_SIZE + 4, PCAT_COMPAT, 4);
    for (unsigned int i = 0; i < nr_vcpus; i++, entry += LAPIC_SIZE) {
        entry[0] = 0; /* a local APIC */
        entry[1] = LAPIC_SIZE;
        entry[2] = (uint8_t)i; /* processor UID */
        entry[3] = (uint8_t)i; /* APIC id */
        put(entry + 4, LAPIC_ENABLED, 4);
    }
    entry[0] = 4; /* an NMI of local APICs */
    entry[1] = NMI_SIZE;
    entry[2] = 0xff; /* of all */
    entry[5] = 1;    /* LINT1; bytes 3, 4: polarity and trigger of the bus */
    return end_table(t, at, size);
}

static uint64_t put_xsdt(struct tables *t, uint64_t fadt, uint64_t madt)
{
    uint8_t *at = begin_table(t, "XSDT", XSDT_SIZE, 1);

    put(at + HEADER_SIZE, fadt, 8);
    put(at + HEADER_SIZE + 8, madt, 8);
    return end_table(t, at, XSDT_SIZE);
}

/* There is no RSDT. */
static void fill_rsdp(uint8_t *at, uint64_t xsdt)
{
    __builtin_memcpy(at, "RSD PTR ", 8);
    __builtin_memcpy(at + 9, OEM_ID, 6);
    at[15] = 2; /* revision */
    put(at + 20, RSDP_SIZE, 4);
    put(at + 24, xsdt, 8);
    seal(at, 20, 8); /* of revision 0's part */
    seal(at, RSDP_SIZE, 32);
}

void write_acpi(void *page, uint64_t paddr, unsigned int nr_vcpus)
{
    struct tables t = {.page = page, .paddr = paddr};
    uint8_t *rsdp = take(&t, RSDP_SIZE);
    uint64_t facs, fadt;

    __builtin_memset(page, 0, PAGE_SIZE);
    facs = put_facs(&t);
    fadt = put_fadt(&t, facs, put_dsdt(&t));
    fill_rsdp(rsdp, put_xsdt(&t, fadt, put_madt(&t, nr_vcpus)));
}
