/* SPDX-License-Identifier: MIT */
/*
 * The MSRs of a fully virtualized guest. Those of SYSCALL, SYSENTER and the segment bases are in
 * the VMCB and need no exit (hvm/cpu/svm.c); these are all others that there are. What is not here
 * is #GP, as on a machine that has not got it.
 */
#include <core/guest/cpuid.h>
#include <hv/x86_bits.h>
#include <hvm/hvm.h>
#include <hvm/lapic_internal.h>
#include <port/machine.h>

#define MSR_MCG_STATUS     0x17a
#define MSR_DEBUGCTL       0x1d9
#define MSR_K8_INT_PENDING 0xc0010055 /* nothing is */
#define MSR_HWCR           0xc0010015
#define HWCR_TSC_FREQ_SEL  (1ul << 24) /* the TSC counts at one rate: who knows that looks here */
#define MSR_NB_CFG         0xc001001f /* of AMD's families from 10h on, whose kernels set its bit */
#define NB_CFG_CF8_EXT     (1ul << 46) /* so that CF8h reaches all of PCI, of which there is none */
#define EFER_GUEST         (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

static bool is_lapic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE || msr - MSR_X2APIC < LAPIC_REGISTERS;
}

bool hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct vmcb *b = vmcb_of(v);

    if (is_lapic(msr))
        return lapic_rdmsr(v, msr, value);
    switch (msr) {
    case MSR_TSC:
        *value = clock_ticks();
        return true;
    case MSR_EFER:
        *value = (b->save.efer & ~(EFER_SVME | EFER_LME)) | (v->arch.hvm.lme ? EFER_LME : 0);
        return true;
    case MSR_PAT:
        *value = v->arch.hvm.pat;
        return true;
    case MSR_SPEC_CTRL:
        *value = v->arch.spec_ctrl;
        return machine_has_ssbd();
    case MSR_UCODE_REV:
    case MSR_MCG_CAP: /* no banks */
    case MSR_MCG_STATUS:
    case MSR_DEBUGCTL:
    case MSR_K8_INT_PENDING:
        *value = 0;
        return true;
    case MSR_HWCR:
        *value = HWCR_TSC_FREQ_SEL;
        return true;
    case MSR_NB_CFG:
        *value = NB_CFG_CF8_EXT;
        return true;
    case MSR_HYPERCALL_PAGE: /* it is for writing */
        *value = 0;
        return v->domain->arch.hvm.xen;
    default:
        return false;
    }
}

static bool write_efer(struct vcpu *v, uint64_t value)
{
    struct vmcb *b = vmcb_of(v);

    if (value & ~EFER_GUEST)
        return false;
    if ((b->save.cr0 & X86_CR0_PG) && !(value & EFER_LME) == v->arch.hvm.lme)
        return false;
    v->arch.hvm.lme = value & EFER_LME;
    b->save.efer = (value & ~EFER_LMA) | (b->save.efer & EFER_LMA) | EFER_SVME;
    hvm_show_lme(v);
    hvm_forget_translations(v);
    return true;
}

/* Eight bytes, each a memory type: UC, WC, WT, WP, WB, UC-. XSA-402: it has RAM alone, and that is
 * write-back for all who have it, so the CPU is not told: what is written around the caches would
 * be another content than the hypervisor, and the frame's next owner, find there. */
static bool write_pat(struct vcpu *v, uint64_t value)
{
    for (unsigned int i = 0; i < 8; i++) {
        uint8_t type = (uint8_t)(value >> 8 * i);

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    v->arch.hvm.pat = value;
    return true;
}

bool hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    if (is_lapic(msr))
        return lapic_wrmsr(v, msr, value);
    switch (msr) {
    case MSR_TSC: /* it is the machine's */
    case MSR_UCODE_REV:
        return true;
    case MSR_EFER:
        return write_efer(v, value);
    case MSR_PAT:
        return write_pat(v, value);
    case MSR_PRED_CMD:
        return machine_pred_cmd(value);
    case MSR_SPEC_CTRL:
        return machine_spec_ctrl(v, value);
    case MSR_MCG_STATUS:
    case MSR_DEBUGCTL:
        return !value;
    case MSR_HYPERCALL_PAGE:
        return v->domain->arch.hvm.xen && hvm_write_hypercall_page(v, value);
    default:
        return false;
    }
}
