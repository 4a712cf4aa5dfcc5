/* SPDX-License-Identifier: MIT */
/*
 * Telling a CPU that there is work for it, which it does before it returns to a guest
 * (core/guest/exit_work.c).
 */
#include <core/state/cpu.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

void cpu_raise(struct cpu *c, uint32_t work)
{
    atomic_or(&c->pending, work);
    if (c != this_cpu())
        machine_kick(c->id);
}
