/* SPDX-License-Identifier: MIT */
/*
 * The two tables that have an entry a frame: struct page_info (core/frame/frame.h), and M2P, the
 * number that the frame's owner knows it by, which guests read where their page tables show it.
 *
 * The machine makes both and sets where they are, before anything of memory is used.
 */
#include <core/frame/frame.h>

struct page_info *frame_table;
uint64_t max_mfn;
uint64_t *machine_to_phys;
uint64_t machine_to_phys_entries;

void set_m2p(mfn_t mfn, uint64_t pfn)
{
    if (mfn.n < machine_to_phys_entries)
        machine_to_phys[mfn.n] = pfn;
}
