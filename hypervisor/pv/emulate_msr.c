/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers as a guest sees them: a list of what it may read and of what it may
 * write. Everything else is #GP, which stock kernels expect and recover from. No MSR that tells
 * about other domains is on the list (XSA-351).
 */
#include <core/base/log.h>
#include <port/machine.h>
#include <pv/cpu.h>
#include <pv/pv_bits.h>

#define MSR_PLATFORM_ID 0x17
#define MSR_MCG_STATUS  0x17a
#define MSR_MISC_ENABLE 0x1a0

#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

#define MISC_ENABLE_FAST_STRING (1ull << 0)
#define APIC_BASE_ENABLE        (1ull << 11)

bool pv_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    switch (msr) {
    case MSR_FS_BASE:
        *value = pv_cpu_read_base(SEGBASE_FS);
        return true;
    case MSR_GS_BASE: /* the guest's kernel runs: the active base is the kernel's */
        *value = pv_cpu_read_base(SEGBASE_GS_KERNEL);
        return true;
    case MSR_KERNEL_GS_BASE:
        *value = pv_cpu_read_base(SEGBASE_GS_USER);
        return true;
    case MSR_EFER:
        *value = EFER_GUEST;
        return true;
    case MSR_PAT:
        return machine_rdmsr_safe(msr, value);
    case MSR_TSC:
        *value = clock_ticks();
        return true;
    case MSR_APIC_BASE:
        *value = 0xfee00000u | APIC_BASE_ENABLE | (v->vcpu_id ? 0 : 1u << 8);
        return true;
    case MSR_MISC_ENABLE:
        *value = MISC_ENABLE_FAST_STRING;
        return true;
    case MSR_SPEC_CTRL:
        *value = v->arch.spec_ctrl;
        return machine_has_ssbd();
    case MSR_MCG_CAP: /* machine checks: no banks, nothing pending */
    case MSR_MCG_STATUS:
    case MSR_UCODE_REV:
    case MSR_PLATFORM_ID:
        *value = 0;
        return true;
    default:
        return refused(0, "RDMSR %#x is not offered", msr);
    }
}

static bool write_base(unsigned int which, uint64_t value)
{
    if (!is_canonical(value)) /* XSA-193 */
        return false;
    pv_cpu_write_base(which, value);
    return true;
}

bool pv_write_msr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    uint64_t now;

    switch (msr) {
    case MSR_FS_BASE:
        return write_base(SEGBASE_FS, value);
    case MSR_GS_BASE:
        return write_base(SEGBASE_GS_KERNEL, value);
    case MSR_KERNEL_GS_BASE:
        return write_base(SEGBASE_GS_USER, value);
    case MSR_EFER: /* allowed when it changes nothing */
    case MSR_PAT:
    case MSR_MISC_ENABLE: /* XSA-333: never written to hardware */
    case MSR_APIC_BASE:
    case MSR_MCG_STATUS:
        return pv_read_msr(v, msr, &now) && now == value;
    case MSR_PRED_CMD:
        return machine_pred_cmd(value);
    case MSR_SPEC_CTRL:
        return machine_spec_ctrl(v, value);
    case MSR_UCODE_REV: /* a kernel writes 0 before it reads the revision */
    case MSR_TSC:
        return true;
    default:
        return refused(0, "WRMSR %#x is not offered", msr);
    }
}
