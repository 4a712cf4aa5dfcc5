/* SPDX-License-Identifier: MIT */
/*
 * How all that a CPU's TLB knows is made to go, global pages too: chosen once, by what the CPUs
 * have.
 *
 * A write of CR3 leaves what is global. INVPCID takes that too, in one instruction, and no
 * hypervisor below has to know. CPUs without it are told by CR4.PGE, off and on again: two more
 * writes that serialize. With AMD's virtualization both are exits to a hypervisor below, where they
 * cost far more than what global pages save: there no page is global, and a write of CR3 does.
 * (QEMU's emulation has no exits, and is to do what a machine does.)
 */
#ifndef X86_FLUSH_WAY_H
#define X86_FLUSH_WAY_H

#include "x86.h"

extern enum flush_way { FLUSH_BY_CR4, FLUSH_BY_INVPCID, FLUSH_BY_CR3 } flush_way; /* features.c */
static const char *const flush_ways[] = {"CR4", "INVPCID", "CR3"};

static inline enum flush_way choose_flush_way(const struct cpu_features *f)
{
    if (f->invpcid)
        return FLUSH_BY_INVPCID;
    return f->is_amd && f->below_hypervisor && !f->tcg ? FLUSH_BY_CR3 : FLUSH_BY_CR4;
}

#endif
