/* SPDX-License-Identifier: MIT */
/*
 * What a CPU does that is asked to flush its TLB.
 */
#include <core/base/tlb.h>
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

void serve_flush(void)
{
    /* Race: the bit goes first. Who sets it again meanwhile is served once more. */
    atomic_and(&this_cpu()->pending, ~CPU_WORK_FLUSH);
    flush_tlb_local();
}
