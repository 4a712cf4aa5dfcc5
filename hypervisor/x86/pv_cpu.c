/* SPDX-License-Identifier: MIT */
/*
 * CPU services for pv/ (pv/pv.h): single registers of the guest that is loaded on this CPU.
 */
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>

#include "fpu.h"
#include "insn.h"
#include "percpu.h"
#include "regs.h"
#include "x86.h"

void machine_swapgs(void)
{
    swapgs();
}

static uint32_t base_msr(unsigned int which)
{
    bool kernel = current->arch.pv.flags & VF_KERNEL_MODE;

    if (which == SEGBASE_FS)
        return MSR_FS_BASE;
    /* The active GS base is the one of the present mode. */
    return (which == SEGBASE_GS_KERNEL) == kernel ? MSR_GS_BASE : MSR_KERNEL_GS_BASE;
}

void machine_write_base(unsigned int which, uint64_t base)
{
    wrmsr(base_msr(which), base);
}

uint64_t machine_read_base(unsigned int which)
{
    return rdmsr(base_msr(which));
}

/* Called in guest kernel mode: the user's GS base follows the descriptor, the kernel's stays. */
void machine_load_gs_selector(uint16_t sel)
{
    swapgs();
    (void)load_gs_safe(sel);
    swapgs();
}

void machine_load_ldt(struct vcpu *v)
{
    if (this_cpu()->arch.loaded == v)
        set_gdt_ldt(v);
}

void machine_load_gdt(struct vcpu *v)
{
    if (this_cpu()->arch.loaded == v)
        set_gdt_ldt(v);
}

void machine_write_debugreg(unsigned int reg, uint64_t value)
{
    switch (reg) {
    case 0:
        write_dr0(value);
        break;
    case 1:
        write_dr1(value);
        break;
    case 2:
        write_dr2(value);
        break;
    case 3:
        write_dr3(value);
        break;
    case 7: /* a switch to a vCPU loads the others only with an active DR7: another's are there */
        write_dr0(current->arch.pv.debugreg[0]);
        write_dr1(current->arch.pv.debugreg[1]);
        write_dr2(current->arch.pv.debugreg[2]);
        write_dr3(current->arch.pv.debugreg[3]);
        write_dr7(value);
        break;
    default: /* DR6 is the vCPU's copy alone (fault.c) */
        break;
    }
}

void machine_fpu_ts(bool set)
{
    if (set)
        write_cr0(read_cr0() | X86_CR0_TS);
    else
        clts();
}

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    return rdmsr_safe(msr, value);
}

void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    cpuid(leaf, sub, out);
}

bool machine_xsetbv_safe(uint64_t xcr0)
{
    if (!fpu_xcr0_valid(xcr0))
        return false;
    fpu_guest_xcr0(xcr0);
    return true;
}
