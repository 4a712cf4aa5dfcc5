/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor itself writes memory of a guest.
 *
 * What has to know which pages of a guest have changed (a copy of it that is to be kept in step)
 * must hear of the guest's own writes and of these. So they go three ways and no other, and each
 * knows whose memory it is:
 *
 *   an entry of a page table    set_pte() (pv/set_pte.h)
 *   a frame                     map_guest_frame(), the write, unmap_guest_frame()
 *   an address of the guest     copy_to_guest() and its like: the current domain's,
 *                               through its own page tables; so what is read-only to the guest is
 *                               so here
 *                               (the frame of a bounce: pv/cpu/bounce.asm, likewise)
 *
 * A frame that stays mapped is one that the hypervisor writes at any moment: vcpu_info, the console
 * ring, the map of EOIs. The pages that it shares with a domain (PGC_xenheap: shared_info, the
 * grant table) are such frames from their first day. They count as changed at all times: nothing is
 * noted at a write, which would be a look at a table for each event, and a copy takes them last,
 * when the guest stands still.
 *
 * No writes to a guest's memory are M2P, which is the hypervisor's own and shown to guests; and the
 * scrubbing of frames in the heap, which are nobody's: a frame that a domain gets is new to it.
 *
 * tests/style.py holds that no one else maps a frame to write to it.
 */
#ifndef CORE_DOMAIN_GUEST_MEMORY_H
#define CORE_DOMAIN_GUEST_MEMORY_H

#include <core/state/domain.h>
#include <port/guest_access.h>
#include <port/machine.h>

/* A frame of d, to be written. The caller has what makes it d's to write: a writable type
 * reference, or the frame is out of everybody's reach. */
static inline void *map_guest_frame(const struct domain *d, mfn_t mfn)
{
    ASSERT(mfn_to_page(mfn)->owner == d->domain_id);
    (void)d;
    return map_frame(mfn);
}

/* It was written, and will not be again. `mapped`: anywhere in it. */
static inline void unmap_guest_frame(const struct domain *d, const void *mapped)
{
    ASSERT(mfn_to_page(frame_of(mapped))->owner == d->domain_id);
    (void)d, (void)mapped;
}

/* Copies n bytes to the current guest, or zeros: 0, or -XEN_EFAULT after a part. */
static inline int __must_check copy_to_guest(gva_t to, const void *from, size_t n)
{
    return guest_write(to, from, n);
}

/* The same for one word, and cheaper. */
static inline int __must_check copy_word_to_guest(gva_t to, uint64_t word)
{
    return guest_write_word(to, word);
}

/* Whether that can be, of at least a byte and at most a page, which were read just now as `was`:
 * the same errors. */
static inline int __must_check try_guest(gva_t to, const void *was, size_t n)
{
    return guest_try(to, was, n);
}

static inline int __must_check clear_guest(gva_t to, size_t n)
{
    return guest_write_zeros(to, n);
}

#endif
