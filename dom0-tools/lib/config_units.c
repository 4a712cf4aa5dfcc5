/* SPDX-License-Identifier: MIT */
/*
 * Units of memory: see config_units.h.
 */
#include "config_units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PAGE 4096u

/* clang-format off */
static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    {"b", 1}, {"bytes", 1},
    {"KB", 1000},                          {"k", UINT64_C(1) << 10}, {"KiB", UINT64_C(1) << 10},
    {"MB", UINT64_C(1000000)},             {"M", UINT64_C(1) << 20}, {"MiB", UINT64_C(1) << 20},
    {"GB", UINT64_C(1000000000)},          {"G", UINT64_C(1) << 30}, {"GiB", UINT64_C(1) << 30},
    {"TB", UINT64_C(1000000000000)},       {"T", UINT64_C(1) << 40}, {"TiB", UINT64_C(1) << 40},
    {"PB", UINT64_C(1000000000000000)},    {"P", UINT64_C(1) << 50}, {"PiB", UINT64_C(1) << 50},
    {"EB", UINT64_C(1000000000000000000)}, {"E", UINT64_C(1) << 60}, {"EiB", UINT64_C(1) << 60},
};
/* clang-format on */

#define NR_UNITS (sizeof(units) / sizeof(units[0]))

const char *unit_name(const char *unit)
{
    for (size_t i = 0; i < NR_UNITS; i++) {
        if (strcasecmp(units[i].name, unit) == 0)
            return units[i].name;
    }
    return NULL;
}

uint64_t unit_bytes(const char *unit)
{
    for (size_t i = 0; unit && i < NR_UNITS; i++) {
        if (strcasecmp(units[i].name, unit) == 0)
            return units[i].bytes;
    }
    return unit ? 0 : 1024;
}

bool unit_to_kib(uint64_t value, uint64_t bytes, uint64_t *kib)
{
    if (__builtin_mul_overflow(value, bytes, &bytes) ||
        __builtin_add_overflow(bytes, PAGE - 1, &bytes))
        return false;
    *kib = bytes / PAGE * (PAGE / 1024);
    return true;
}

bool size_parse(const char *text, uint64_t bytes, uint64_t *kib)
{
    unsigned long long value;
    char *end;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || errno)
        return false;
    end += *end == ' ';
    if (*end)
        bytes = unit_bytes(end);
    return bytes && unit_to_kib(value, bytes, kib);
}

const char *size_text(uint64_t kib, char out[SIZE_TEXT])
{
    if (kib && kib % 1024 == 0)
        snprintf(out, SIZE_TEXT, "%" PRIu64 " MiB (%" PRIu64 " KiB)", kib / 1024, kib);
    else
        snprintf(out, SIZE_TEXT, "%" PRIu64 " KiB", kib);
    return out;
}
