/* SPDX-License-Identifier: MIT */
/*
 * memory_op, between its files (core/guest/memory*.c).
 *
 * The command word carries, above the command, how far a pre-empted operation came. A function that
 * gives way returns memory_op_again(): the same call from `done` on.
 */
#ifndef HV_MEMORY_OP_H
#define HV_MEMORY_OP_H

#include <core/base/hypercall.h>
#include <core/domain/guest_memory.h>
#include <hv/types.h>

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK     ((1u << MEMOP_EXTENT_SHIFT) - 1)
#define MEMOP_MOST_EXTENTS (~0ull >> MEMOP_EXTENT_SHIFT >> 1)
#define MEMOP_CLEAR_BUDGET 64u /* frames that one issue of an operation clears at most */
/* Largest extent: so that what is done at once is bounded (XSA-31, XSA-158). */
#define MEMOP_MOST_ORDER 9u
/* A reservation's progress: frames of an extent below, extents above. */
#define MEMOP_INSIDE_BITS (MEMOP_MOST_ORDER + 1)

struct boot_info;
struct xen_memory_map;
struct xen_foreign_memory_map;

static inline long memory_op_again(unsigned int cmd, uint64_t done, gva_t arg)
{
    return hypercall_create_continuation(done << MEMOP_EXTENT_SHIFT | cmd, arg);
}

/* Entry i of a list of frame numbers. */
static inline bool frame_list_get(gva_t list, uint64_t i, xen_pfn_t *value)
{
    gva_t at;

    return guest_index(list, i, sizeof(*value), &at) && !copy_from_guest(value, at, sizeof(*value));
}

static inline bool frame_list_put(gva_t list, uint64_t i, xen_pfn_t value)
{
    gva_t at;

    return guest_index(list, i, sizeof(value), &at) && !copy_word_to_guest(at, value);
}

/* May the caller ask for frames below 2^bits (0: no limit)? */
bool memory_op_limit_permitted(unsigned int bits);

/* memory_reserve.c: how many extents are done */
long memory_reservation(unsigned int cmd, uint64_t progress, gva_t arg);
long memory_exchange(const gva_t *arg);        /* memory_exchange.c */
long memory_map_get(struct xen_memory_map *m); /* memory_map.c */
struct e820_entry {
    uint64_t start, size;
    uint32_t type;
} __packed;
_Static_assert(sizeof(struct e820_entry) == 20, "as the BIOS call has it");
/* From now on that is d's. The map was allocated, and goes with d. */
void memory_map_keep(struct domain *d, struct e820_entry *map, unsigned int n);
long memory_map_set(const struct xen_foreign_memory_map *f);
long memory_map_machine(struct xen_memory_map *m);
void memory_map_init(const struct boot_info *bi);        /* keeps the machine's own map */
long memory_acquire_resource(uint64_t start, gva_t arg); /* memory_resource.c */

#endif
