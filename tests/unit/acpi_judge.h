/* SPDX-License-Identifier: MIT */
/*
 * The judge of ACPI tables: it follows them from the RSDP as an operating system does, with
 * structures of its own, and knows what a fully virtualized domain has.
 */
#ifndef ACPI_JUDGE_H
#define ACPI_JUDGE_H

#include <stdint.h>

/* The tables lie in `size` bytes at physical address paddr. NULL, or the rule that is broken. */
const char *check_acpi(const uint8_t *bytes, uint64_t size, uint64_t paddr, unsigned int nr_vcpus);

/* Bytes of a table that is there, and how many: the first of the signature on the way. NULL: no. */
const uint8_t *find_acpi(const uint8_t *bytes, uint64_t size, uint64_t paddr, const char *signature,
                         uint32_t *length);

#endif
