/* SPDX-License-Identifier: MIT */
/*
 * Switching a CPU from one vCPU to another: the stack and the FPU here, what else of a guest lives
 * in registers by its kind (struct guest_ops).
 *
 * Idle vCPUs have no state: leaving for idle saves, and loads the hypervisor's own page table, so
 * that a domain can be destroyed while nothing of it is loaded.
 */
#include <core/base/tlb.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/machine.h>

#include "fpu.h"
#include "percpu.h"
#include "speculation.h"
#include "x86.h"

/* Whose addresses guest copies mean from now on (guest_access.c), and how they get there. */
static void reach(struct arch_cpu *c, struct vcpu *v)
{
    bool by_kind = v && v->domain->ops->copy, by_cpu = v && !by_kind;

    c->copied = by_kind ? v : NULL;
    c->guest_top = by_cpu ? GUEST_TOP : 0;
    c->guest_below = by_cpu ? GUEST_BELOW : 0;
}

void machine_context_switch(struct vcpu *prev, struct vcpu *next)
{
    struct cpu_block *block = this_block();
    struct domain *pd = is_idle(prev) ? NULL : prev->domain;
    struct domain *nd = is_idle(next) ? NULL : next->domain;

    if (pd) {
        pd->ops->save(prev);
        fpu_save(prev);
    }
    load_tables(own_gdt(), 0, 0); /* prev's may lie in its page tables */
    block->cpu.arch.loaded = NULL;
    reach(&block->cpu.arch, NULL);
    tlb_switch_begin(pd, nd); /* model: machine_context_switch.begin */
    if (nd) {
        WRITE_ONCE(next->cpu_stack, &block->cpu);
        block->guest_frame = (uint64_t)&next->regs.es;
        if (isolating)
            isolation_switch(block);
        else
            block->tss.rsp0 = block->guest_frame;
        block->cpu.arch.loaded = next;
        reach(&block->cpu.arch, next);
        fpu_switch_in(next);
        spec_switch(next);
        /* model: machine_context_switch.cr3 */
        nd->ops->load(next); /* CR3 first */
    } else {
        load_cr3(hv_l4_phys);
    }
    tlb_switch_end(pd, nd); /* model: machine_context_switch.end */
}
