/* SPDX-License-Identifier: MIT */
/*
 * The name of a code address, from the table that hypervisor/symbols.py puts into the image.
 *
 * Addresses ascend, so a binary search finds the last symbol that is not above. The table is our
 * own build's product and trusted; an address outside of it has no name.
 */
#include "symbols.h"

const char *symbol_lookup(uint64_t address, uint64_t *offset)
{
    uint64_t low = 0, high = symbol_count;

    if (!symbol_count || address < symbol_addresses[0])
        return NULL;
    while (high - low > 1) {
        uint64_t mid = low + (high - low) / 2;

        if (symbol_addresses[mid] <= address)
            low = mid;
        else
            high = mid;
    }
    *offset = address - symbol_addresses[low];
    return symbol_names + symbol_offsets[low];
}
