/* SPDX-License-Identifier: MIT */
/*
 * Units of memory as libvirt has them: KB is 1000 bytes, K and KiB are 1024, in any case of
 * letters.
 */
#ifndef PARVIS_TOOLS_CONFIG_UNITS_H
#define PARVIS_TOOLS_CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* The name as the schema has it; NULL: no such unit. */
const char *unit_name(const char *unit);
/* So many bytes; unit NULL: KiB, the default. 0: no such unit. */
uint64_t unit_bytes(const char *unit);
/* "256M", "256 MiB", "262144": a number, and its unit or else the one of `bytes`, in KiB, rounded
 * up to whole pages; false: it is none, or too much for 64 bits. */
bool size_parse(const char *text, uint64_t bytes, uint64_t *kib);
/* So much of a unit in KiB, rounded up to whole pages; false: too much for 64 bits. */
bool unit_to_kib(uint64_t value, uint64_t bytes, uint64_t *kib);
/* "256 MiB (262144 KiB)", so that one of them is what somebody wrote; "8 KiB". Returns out. */
#define SIZE_TEXT 64
const char *size_text(uint64_t kib, char out[SIZE_TEXT]);

#endif
