/* SPDX-License-Identifier: MIT */
/*
 * The symbol table of the image (written by hypervisor/symbols.py) and the search in it
 * (symbols.c).
 */
#ifndef X86_SYMBOLS_H
#define X86_SYMBOLS_H

#include <hv/types.h>

extern const uint64_t symbol_count;
extern const uint64_t symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[];

/* Name of the function that address lies in, and how far; NULL when it is below all of them. */
const char *symbol_lookup(uint64_t address, uint64_t *offset);

#endif
