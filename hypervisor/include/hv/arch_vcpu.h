/* SPDX-License-Identifier: MIT */
/*
 * The x86 part of a vCPU and of a domain: what the machine keeps of any guest, and what the kind of
 * the guest keeps. x86/ and the kind own it; core passes it by.
 *
 * Fields are the vCPU's own: touched by the CPU that runs it, or by anyone while it is paused.
 */
#ifndef HV_ARCH_VCPU_H
#define HV_ARCH_VCPU_H

#include <hv/types.h>
#include <hvm/hvm_vcpu.h>
#include <pv/pv_vcpu.h>

struct arch_vcpu {
    void *fpu; /* XSAVE or FXSAVE area, 64-byte aligned */
    uint64_t xcr0;
    struct cpu *fpu_cpu; /* where fpu was last loaded as it is; NULL: nowhere */
    struct cpu *trained; /* where it ran last, and its own bits of MSR SPEC_CTRL (asm-offsets): */
    uint32_t spec_ctrl;  /* x86/speculation.c */

    union { /* by the kind of its domain */
        struct pv_vcpu pv;
        struct hvm_vcpu hvm;
    };
};

struct arch_domain {
    uint32_t pci_address; /* control domain: its latched value of port 0xcf8 */
    union {
        struct pv_domain pv;
        struct hvm_domain hvm;
    };
};

#endif
