/* SPDX-License-Identifier: MIT */
/*
 * Telling a CPU that there is work for it, which it does before it returns to a guest
 * (core/guest/exit_work.c).
 *
 * Who sets a bit that was clear interrupts the CPU, once; who finds it set does not. Many may ask
 * one CPU at the same time, and it takes one interrupt.
 *
 * Race: a bit that is set is one that the CPU has yet to take. Whoever set it, with interrupts off
 * and nothing to wait for in between, sends the interrupt, which makes the CPU look; or it was the
 * CPU itself, which looks before it enters a guest or halts, as it does when it is started. The CPU
 * takes bits by a locked instruction, and then does the work. So who found the bit set, by a locked
 * instruction as well, comes before that: what he did before is seen by who does the work. In the
 * hypervisor the interrupt waits: none is lost for a bit that the CPU does not take on its way out.
 * An NMI sets no bit.
 */
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

void cpu_raise(struct cpu *c, uint32_t work)
{
    if (c == this_cpu())
        atomic_or(&c->pending, work);
    /* model: cpu_raise.set */
    else if ((__atomic_fetch_or(&c->pending, work, __ATOMIC_SEQ_CST) & work) != work)
        machine_kick(c->id); /* model: cpu_raise.kick */
}
