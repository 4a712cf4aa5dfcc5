/* SPDX-License-Identifier: MIT */
/*
 * Single registers of the guest that runs on this CPU (pv/cpu.h).
 */
#include <port/current.h>
#include <pv/cpu.h>
#include <pv/mm.h>
#include <pv/pv.h>
#include <x86/insn.h>
#include <x86/x86.h>

#define CR4_BECOMES_REAL (X86_CR4_TSD | X86_CR4_DE)

void pv_cpu_swapgs(void)
{
    swapgs();
}

static uint32_t base_msr(unsigned int which)
{
    if (which == SEGBASE_FS)
        return MSR_FS_BASE;
    /* The active GS base is the one of the present mode. */
    return (which == SEGBASE_GS_KERNEL) == guest_kernel_mode(current) ? MSR_GS_BASE
                                                                      : MSR_KERNEL_GS_BASE;
}

void pv_cpu_write_base(unsigned int which, uint64_t base)
{
    wrmsr(base_msr(which), base);
}

uint64_t pv_cpu_read_base(unsigned int which)
{
    return rdmsr(base_msr(which));
}

/* Called in guest kernel mode: the user's GS base follows the descriptor, the kernel's stays. */
void pv_cpu_load_gs(uint16_t sel)
{
    swapgs();
    (void)load_gs_safe(sel);
    swapgs();
}

bool pv_cpu_code_is_64(uint16_t cs)
{
    return access_rights(cs) & ACCESS_RIGHTS_L;
}

void pv_cpu_load_tables(struct vcpu *v)
{
    load_tables(perdomain_area(v), perdomain_area(v) + PERDOMAIN_LDT_OFFSET, v->arch.pv.ldt_ents);
}

void pv_cpu_load_debugregs(const struct vcpu *v)
{
    const uint64_t *dr = v->arch.pv.debugreg;

    write_dr0(dr[0]);
    write_dr1(dr[1]);
    write_dr2(dr[2]);
    write_dr3(dr[3]);
    write_dr6(X86_DR6_DEFAULT); /* the vCPU's copy collects what the guest sees */
    write_dr7(dr[7]);
}

void pv_cpu_load_cr4(const struct vcpu *v)
{
    uint64_t cr4 = cr4_base | (v->arch.pv.ctrlreg[4] & CR4_BECOMES_REAL);

    if (read_cr4() != cr4)
        write_cr4(cr4);
}

void pv_cpu_set_ts(void)
{
    write_cr0(read_cr0() | X86_CR0_TS);
}

void pv_cpu_clear_ts(void)
{
    clts();
}
