/* SPDX-License-Identifier: MIT */
/*
 * Switching a CPU from one vCPU to another: everything of a guest that lives in CPU registers, but
 * for the general ones, which are in struct vcpu already (entry.asm).
 *
 * Idle vCPUs have no state: leaving for idle saves, and loads the hypervisor's own page table, so
 * that a domain can be destroyed while nothing of it is loaded. Order matters: GDTR points into the
 * page tables, so it is parked on the CPU's own GDT around the change of CR3 (an NMI loads CS).
 *
 * Trust: selectors are the guest's; a load that faults leaves 0 and the guest gets its failsafe
 * callback. Bases are canonical (checked where they are set).
 */
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>

#include "fpu.h"
#include "insn.h"
#include "percpu.h"
#include "regs.h"
#include "x86.h"

#define CR4_BECOMES_REAL (X86_CR4_TSD | X86_CR4_DE)

static void save_segments(struct vcpu *v)
{
    uint64_t active = rdmsr(MSR_GS_BASE), other = rdmsr(MSR_KERNEL_GS_BASE);
    bool kernel = v->arch.pv.flags & VF_KERNEL_MODE;

    v->arch.pv.ds = read_ds();
    v->arch.pv.es = read_es();
    v->arch.pv.fs = read_fs();
    v->arch.pv.gs = read_gs();
    v->arch.pv.fs_base = rdmsr(MSR_FS_BASE);
    v->arch.pv.gs_base_kernel = kernel ? active : other;
    v->arch.pv.gs_base_user = kernel ? other : active;
}

/* False: a selector was bad. The bases are set last, because loading a selector changes them. */
static bool load_segments(struct vcpu *v)
{
    bool kernel = v->arch.pv.flags & VF_KERNEL_MODE, good = true;

    if (v->arch.pv.ds | read_ds())
        good &= load_ds_safe(v->arch.pv.ds);
    if (v->arch.pv.es | read_es())
        good &= load_es_safe(v->arch.pv.es);
    if (v->arch.pv.fs | read_fs())
        good &= load_fs_safe(v->arch.pv.fs);
    if (v->arch.pv.gs | read_gs())
        good &= load_gs_safe(v->arch.pv.gs);
    wrmsr(MSR_FS_BASE, v->arch.pv.fs_base);
    wrmsr(MSR_GS_BASE, kernel ? v->arch.pv.gs_base_kernel : v->arch.pv.gs_base_user);
    wrmsr(MSR_KERNEL_GS_BASE, kernel ? v->arch.pv.gs_base_user : v->arch.pv.gs_base_kernel);
    return good;
}

static void load_debug_registers(const struct vcpu *v)
{
    const uint64_t *dr = v->arch.pv.debugreg;

    if (!(dr[7] & DR7_ACTIVE))
        return;
    write_dr0(dr[0]);
    write_dr1(dr[1]);
    write_dr2(dr[2]);
    write_dr3(dr[3]);
    write_dr6(X86_DR6_DEFAULT);
    write_dr7(dr[7]);
}

static void save_state(struct vcpu *v)
{
    save_segments(v);
    fpu_save(v);
    if (v->arch.pv.debugreg[7] & DR7_ACTIVE)
        write_dr7(X86_DR7_DEFAULT);
}

void machine_load_cr4(const struct vcpu *v)
{
    uint64_t cr4 = cr4_base | (v->arch.pv.ctrlreg[4] & CR4_BECOMES_REAL);

    if (read_cr4() != cr4)
        write_cr4(cr4);
}

void machine_context_switch(struct vcpu *prev, struct vcpu *next)
{
    struct cpu_block *block = this_block();

    if (!is_idle(prev))
        save_state(prev);
    set_gdt_ldt(NULL);
    block->cpu.arch.loaded = NULL;
    if (is_idle(next)) {
        machine_load_cr3(hv_l4_phys, false);
        return;
    }
    next->cpu_stack = &block->cpu;
    block->tss.rsp0 = (uint64_t)&next->regs.es;
    machine_load_cr4(next);
    machine_load_cr3(next->arch.pv.cr3, false);
    set_gdt_ldt(next);
    block->cpu.arch.loaded = next;
    fpu_switch_in(next);
    load_debug_registers(next);
    if (!load_segments(next))
        pv_failsafe(next);
}

void machine_sync_vcpu(struct vcpu *v)
{
    struct cpu *c = this_cpu();

    if (c->arch.loaded == v) {
        save_segments(v);
        fpu_save(v);
        if (v->arch.pv.ctrlreg[0] & X86_CR0_TS)
            write_cr0(read_cr0() | X86_CR0_TS);
        fpu_guest_xcr0(v->arch.xcr0);
    } else if (c->arch.fpu_owner == v) {
        c->arch.fpu_owner = NULL; /* its area may be changed now: it will be loaded again */
    }
}
