/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized vCPU has, and such a domain: a part of struct vcpu and struct domain
 * (hv/arch_vcpu.h), by value. core does not look into it.
 *
 * Fields are the vCPU's own, touched by the CPU that runs it, or by anyone while it is paused,
 * unless they say otherwise.
 */
#ifndef HVM_HVM_VCPU_H
#define HVM_HVM_VCPU_H

#include <hv/types.h>
#include <hvm/devices.h>
#include <hvm/lapic.h>

struct hvm_vcpu {
    struct vmcb *vmcb;     /* what the CPU loads and saves of it: hvm/vmcb.h */
    uint64_t vmcb_address; /* of the machine (asm-offsets) */
    uint64_t host_address; /* what VMLOAD brings back on the CPU that has it (asm-offsets) */
    uint64_t debugreg[4];  /* DR0 to DR3, while not loaded */
    uint64_t pat;          /* as the guest wrote it: hvm/msr.c */
    uint32_t flushes;      /* how often its CPU had flushed when it was entered last */
    bool lme;              /* EFER.LME, as the guest wrote it: hvm/control_registers.c */
    bool mce;              /* CR4.MCE, likewise */
    bool halted;           /* HLT: until an interrupt that it takes */
    uint8_t upcall_vector; /* its own for events; 0: that of all. Atomic: hvm/upcall.c */
    struct lapic lapic;
};

#define HVM_PARAMS 19 /* their numbers are below */

struct hvm_domain {
    bool xen;                   /* it is told of Xen: profile pvh; else hvm */
    uint64_t param[HVM_PARAMS]; /* HVM_PARAM_*: atomic */
    struct page_info *console;  /* the ring of its UART, with a reference; NULL: none */
    uint64_t *npt;              /* the top of its nested page tables: hvm/npt.c */
    spinlock_t npt_lock;        /* guards all of them */
    uint64_t npt_tables;        /* how many there may be of them: npt_lock */
    struct hvm_devices devices;
};

#endif
