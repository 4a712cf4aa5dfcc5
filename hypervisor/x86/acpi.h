/* SPDX-License-Identifier: MIT */
/*
 * ACPI within x86/: acpi_parse.c reads tables that lie in memory (pure; a test feeds it hostile
 * ones), acpi.c finds and maps them.
 */
#ifndef X86_ACPI_H
#define X86_ACPI_H

#include <hv/acpi.h>

#define ACPI_HEADER_SIZE 36

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
