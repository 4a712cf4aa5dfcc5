/* SPDX-License-Identifier: MIT */
/*
 * The tables of hvm/npt.c and their entries, for the files that know them.
 *
 * Tables are of 512 entries, at four levels, as those of 64-bit paging are; level 4 is the top.
 */
#ifndef HVM_NPT_TABLES_H
#define HVM_NPT_TABLES_H

#include <hv/x86_bits.h>
#include <port/machine.h>

#define NPT_TOP     4u
#define NPT_ENTRIES 512u
#define NPT_LARGE   512ull /* frames of a large entry, which stands at level 2 */

/* Everything is the guest's, and to be written. Accessed and dirty from the start: no CPU writes
 * entries, so whoever changes one loses nothing. */
#define NPT_TABLE (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED)
#define NPT_FRAME (NPT_TABLE | PTE_DIRTY)

static inline mfn_t npt_mfn(uint64_t e)
{
    return MFN((e & PTE_FRAME_MASK) >> PAGE_SHIFT);
}

/* The table that an entry refers to: the hypervisor's own memory, so nobody else writes it. */
static inline uint64_t *npt_table(uint64_t e)
{
    return map_frame(npt_mfn(e));
}

static inline unsigned int npt_index(uint64_t gfn, unsigned int level)
{
    return (unsigned int)(gfn >> 9 * (level - 1)) & (NPT_ENTRIES - 1);
}

/* Of an entry of this level: frames, and no further table? */
static inline bool npt_is_frame(uint64_t e, unsigned int level)
{
    return level == 1 || e & PTE_PSE;
}

/* Makes it so. Race: what it refers to is written, and is seen before it. */
static inline void npt_set(uint64_t *e, uint64_t value)
{
    __atomic_store_n(e, value, __ATOMIC_RELEASE);
}

#endif
