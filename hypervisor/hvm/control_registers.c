/* SPDX-License-Identifier: MIT */
/*
 * CR4 and CR8, whose writes exit; and reads of CR4.
 *
 * CR4: a guest has the bits of what CPUID shows it, and no others: what stands behind those
 * (protection keys, shadow stacks) is not switched between guests. MCE is set while it runs,
 * whatever it says: without it the machine's machine check is SHUTDOWN, which would pass for a
 * triple fault of the guest's, and the next one would be the machine's silent end.
 *
 * CR8 is TPR, which the CPU could keep by itself. But QEMU fails when it is written while a virtual
 * interrupt waits, and delivers one already when its priority is TPR's own.
 *
 * And QEMU: when a guest in which EFER.LME is set, but neither CR0.PG nor CR4.PAE, is left, it does
 * not bring the machine's own CR0 back, and the hypervisor goes on without paging. So LME is in the
 * VMCB while PAE is set alone; what the guest wrote is in h->lme.
 */
#include <hv/x86_bits.h>
#include <hvm/hvm.h>
#include <hvm/lapic.h>

#define CR4_ALWAYS   0x7fful /* VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT */
#define CR4_FSGSBASE (1ul << 16)
#define CR4_PCIDE    (1ul << 17)

static uint64_t offered(struct vcpu *v)
{
    uint32_t one[4] __uninitialized, seven[4] __uninitialized;

    hvm_cpuid(v, 1, 0, one);
    hvm_cpuid(v, 7, 0, seven);
    return CR4_ALWAYS | (one[2] >> 17 & 1 ? CR4_PCIDE : 0) |
           (one[2] >> 26 & 1 ? X86_CR4_OSXSAVE : 0) | (seven[2] >> 2 & 1 ? X86_CR4_UMIP : 0) |
           (seven[1] & 1 ? CR4_FSGSBASE : 0) | (seven[1] >> 7 & 1 ? X86_CR4_SMEP : 0) |
           (seven[1] >> 20 & 1 ? X86_CR4_SMAP : 0);
}

static bool may_have(struct vcpu *v, uint64_t cr4)
{
    const struct vmcb *b = vmcb_of(v);
    bool is_long = b->save.efer & EFER_LMA;

    if ((cr4 & ~offered(v)) || (is_long && !(cr4 & X86_CR4_PAE)))
        return false;
    return !(cr4 & ~b->save.cr4 & CR4_PCIDE) || (is_long && !(b->save.cr3 & 0xfff));
}

void hvm_show_lme(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    b->save.efer &= ~EFER_LME;
    if (v->arch.hvm.lme && (b->save.cr4 & X86_CR4_PAE))
        b->save.efer |= EFER_LME;
}

uint64_t hvm_cr4(const struct vcpu *v)
{
    return vmcb_of(v)->save.cr4 & ~(v->arch.hvm.mce ? 0 : X86_CR4_MCE);
}

void hvm_set_cr4(struct vcpu *v, uint64_t cr4)
{
    v->arch.hvm.mce = cr4 & X86_CR4_MCE;
    vmcb_of(v)->save.cr4 = cr4 | X86_CR4_MCE;
    hvm_show_lme(v);
}

void hvm_forget_translations(struct vcpu *v)
{
    v->arch.hvm.flushes--; /* as if its CPU had flushed since */
}

static bool write_cr4(struct vcpu *v, uint64_t cr4)
{
    if (!may_have(v, cr4))
        return false;
    hvm_set_cr4(v, cr4);
    hvm_forget_translations(v);
    return true;
}

static bool write_cr8(struct vcpu *v, uint64_t cr8)
{
    if (cr8 > 15)
        return false;
    lapic_set_cr8(v, cr8);
    return true;
}

void hvm_exit_cr4_read(struct vcpu *v)
{
    uint64_t value = hvm_cr4(v);
    unsigned int length = hvm_mov(v, MOV_FROM_CR, 4, &value);

    if (length)
        hvm_skip(v, length);
}

void hvm_exit_cr_write(struct vcpu *v)
{
    unsigned int which = (unsigned int)vmcb_of(v)->control.exit_code & 15;
    uint64_t value = 0;
    unsigned int length = hvm_mov(v, MOV_TO_CR, which, &value);

    if (!length)
        return;
    if (which == 4 ? write_cr4(v, value) : write_cr8(v, value))
        hvm_skip(v, length);
    else
        hvm_inject_exception(v, TRAP_gp_fault, 0);
}
