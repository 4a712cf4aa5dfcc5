/* SPDX-License-Identifier: MIT */
/*
 * A paravirtual vCPU comes onto this CPU, or goes: what of it lives in registers beside the general
 * ones, which are in struct vcpu already (x86/entry.asm), and the FPU's, which x86/ switches for
 * every kind.
 *
 * Order matters: GDTR points into the page tables, so x86/context.c has parked it on the CPU's own
 * GDT (an NMI loads CS), and CR3 comes first.
 *
 * Trust: selectors are the guest's; a load that faults leaves 0 and the guest gets its failsafe
 * callback. Bases are canonical (checked where they are set).
 */
#include <core/base/tlb.h>
#include <port/current.h>
#include <port/machine.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <x86/insn.h>
#include <x86/regs.h>

void pv_iret_fault(struct vcpu *v);

static void save_segments(struct vcpu *v)
{
    uint64_t active = rdmsr(MSR_GS_BASE), other = rdmsr(MSR_KERNEL_GS_BASE);
    bool kernel = guest_kernel_mode(v);

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
    bool kernel = guest_kernel_mode(v), good = true;

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

void pv_cpu_save(struct vcpu *v)
{
    save_segments(v);
    if (v->arch.pv.debugreg[7] & DR7_ACTIVE)
        write_dr7(X86_DR7_DEFAULT);
}

void pv_cpu_load(struct vcpu *v)
{
    pv_cpu_load_cr4(v);
    /* Before CR3: the CPU where v ran last has another page there, and nothing that a walk reads
     * ahead may be kept. */
    v->arch.pv.perdomain_l1[FIRST_RESERVED_GDT_PAGE] = this_cpu()->arch.gdt_page_pte;
    load_cr3(v->arch.pv.cr3);
    pv_cpu_load_tables(v);
    if (v->arch.pv.ctrlreg[0] & X86_CR0_TS)
        pv_cpu_set_ts();
    if (v->arch.pv.debugreg[7] & DR7_ACTIVE)
        pv_cpu_load_debugregs(v);
    if (!load_segments(v))
        pv_failsafe(v);
}

void pv_cpu_sync(struct vcpu *v)
{
    bool loaded = this_cpu()->arch.loaded == v;

    if (loaded)
        save_segments(v);
    machine_sync_fpu(v);
    if (!loaded)
        return;
    if (v->arch.pv.ctrlreg[0] & X86_CR0_TS)
        pv_cpu_set_ts();
    else
        pv_cpu_clear_ts();
}

/* IRETQ to the guest faulted: selectors or RFLAGS that it asked for. v->regs is whole. */
void pv_iret_fault(struct vcpu *v)
{
    save_segments(v); /* the failsafe frame shows them */
    pv_failsafe(v);
}
