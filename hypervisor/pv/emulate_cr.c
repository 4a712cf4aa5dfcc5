/* SPDX-License-Identifier: MIT */
/*
 * The control registers as a guest sees them: CR0 and CR4 are what it would find on hardware, but
 * it can change TS only, and those bits of CR4 that do nothing to the hypervisor. CR2 is in its
 * vcpu_info. CR3 is its kernel page table.
 */
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <port/machine.h>
#include <pv/cpu.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

#define CR0_ALWAYS                                                                                 \
    (X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_PG)
#define CR4_ALWAYS (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_MCE)

uint64_t pv_read_cr(struct vcpu *v, unsigned int reg)
{
    switch (reg) {
    case 0:
        return CR0_ALWAYS | (v->arch.pv.ctrlreg[0] & X86_CR0_TS);
    case 2:
        return v->arch.pv.ctrlreg[2];
    case 3:
        return v->arch.pv.guest_table.n << PAGE_SHIFT;
    default:
        return CR4_ALWAYS | (v->arch.pv.ctrlreg[4] & CR4_GUEST_CHOOSES);
    }
}

static int write_cr3(struct vcpu *v, uint64_t value)
{
    int rc = pv_finish_old_table(v);

    return rc ? rc : pv_new_kernel_table(v, pte_mfn(value));
}

int pv_write_cr(struct vcpu *v, unsigned int reg, uint64_t value)
{
    switch (reg) {
    case 0:
        if ((value ^ pv_read_cr(v, 0)) & ~X86_CR0_TS)
            return refused(-XEN_EPERM, "CR0 %#lx changes more than TS", value);
        return (int)do_fpu_taskswitch(!!(value & X86_CR0_TS));
    case 2:
        v->arch.pv.ctrlreg[2] = value;
        v->vcpu_info->arch.cr2 = value;
        return 0;
    case 3:
        return write_cr3(v, value);
    case 4:
        v->arch.pv.ctrlreg[4] = value & CR4_GUEST_CHOOSES;
        pv_cpu_load_cr4(v);
        return 0;
    default:
        return -XEN_EINVAL;
    }
}
