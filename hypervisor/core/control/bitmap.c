/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps of CPUs and nodes, as tools pass them: of any length, of which 64 bits mean something.
 */
#include <core/control/domctl.h>
#include <core/domain/guest_memory.h>
#include <xen/errno.h>

#define CPUMAP_BITS 64

int bitmap_from_guest(uint64_t *value, const struct xenctl_bitmap *from)
{
    unsigned int bits = MIN(from->nr_bits, (unsigned int)CPUMAP_BITS);

    *value = 0;
    if (copy_from_guest(value, from->bitmap, DIV_ROUND_UP(bits, 8)))
        return -XEN_EFAULT;
    *value &= low_bits(bits);
    return 0;
}

int bitmap_to_guest(const struct xenctl_bitmap *to, uint64_t value)
{
    unsigned int bits = MIN(to->nr_bits, (unsigned int)CPUMAP_BITS);
    uint64_t bytes = DIV_ROUND_UP((uint64_t)to->nr_bits, 8), known = DIV_ROUND_UP(bits, 8);

    value &= low_bits(bits);
    if (copy_to_guest(to->bitmap, &value, known))
        return -XEN_EFAULT;
    /* The rest of a longer map is said to be empty, within reason. */
    if (bytes > known && bytes <= PAGE_SIZE && clear_guest(to->bitmap + known, bytes - known))
        return -XEN_EFAULT;
    return 0;
}
