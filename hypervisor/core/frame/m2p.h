/* SPDX-License-Identifier: MIT */
/*
 * M2P: for each frame of the machine, the number by which its owner knows it, whatever kind of
 * guest that is. Paravirtual guests read it where their page tables show it; this is the writable
 * alias. The machine makes the table.
 *
 * Race: the place of a frame is told before the frame is the domain's. Once it is, the domain may
 * give it back at once, and it may be another's next.
 */
#ifndef CORE_FRAME_M2P_H
#define CORE_FRAME_M2P_H

#include <core/frame/frame.h>
#include <port/machine.h>

/* 2^order frames from this one on lie at gpfn, and what follows, in the owner's own numbering of
 * its memory; INVALID_GPFN: nowhere any more. */
static inline void set_gpfn(mfn_t first, unsigned int order, uint64_t gpfn)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        WRITE_ONCE(machine_to_phys[first.n + i], gpfn == INVALID_GPFN ? gpfn : gpfn + i);
}

#endif
