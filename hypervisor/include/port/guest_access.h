/* SPDX-License-Identifier: MIT */
/*
 * Port: the only way to reach memory that a guest names by virtual address. (To write, use
 * copy_to_guest() of core/domain/guest_memory.h.)
 *
 * Copies go through the page tables of the current guest. An address in the hypervisor's range, a
 * non-canonical address, an absent page or a page that the guest may not write make the copy fail
 * with -XEN_EFAULT; nothing else happens. A failed copy may have moved a part. Read once, into
 * hypervisor memory, then decide on the copy.
 */
#ifndef PORT_GUEST_ACCESS_H
#define PORT_GUEST_ACCESS_H

#include <hv/types.h>

/* Copies n bytes between hypervisor memory and the current guest. 0 or -XEN_EFAULT. */
int __must_check copy_from_guest(void *to, gva_t from, size_t n);
/* The number of 32 bits there, or -XEN_EFAULT. */
int64_t __must_check read_guest_u32(gva_t from);
int __must_check guest_write(gva_t to, const void *from, size_t n);
int __must_check guest_write_word(gva_t to, uint64_t word);
/* Whether n bytes, which hold `was`, may be written: as if they were, with what they hold. n is at
 * least 1 and at most a page. */
int __must_check guest_try(gva_t at, const void *was, size_t n);
int __must_check guest_write_zeros(gva_t to, size_t n);

/* Whether [gva, gva + n) lies wholly outside the hypervisor's range; says nothing of what is mapped
 * there. */
bool guest_range_ok(gva_t gva, uint64_t n);

/* Address of element i of an array at gva; false when the arithmetic overflows. */
static inline bool guest_index(gva_t base, uint64_t i, size_t size, gva_t *out)
{
    uint64_t off;
    return !__builtin_mul_overflow(i, (uint64_t)size, &off) &&
           !__builtin_add_overflow(base, off, out);
}

#endif
