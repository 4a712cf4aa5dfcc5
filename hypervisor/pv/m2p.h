/* SPDX-License-Identifier: MIT */
/*
 * M2P: for each frame of the machine, the number that its owner knows it by. Guests read it where
 * their page tables show it (l4_slots.c); this is the writable alias. The machine makes the table.
 */
#ifndef PV_M2P_H
#define PV_M2P_H

#include <core/frame/frame.h>
#include <port/machine.h>

static inline void set_m2p(mfn_t mfn, uint64_t pfn)
{
    if (mfn.n <= max_mfn)
        WRITE_ONCE(machine_to_phys[mfn.n], pfn);
}

#endif
