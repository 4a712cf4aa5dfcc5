/* SPDX-License-Identifier: MIT */
/*
 * What hvm/ asks of the CPU on which a fully virtualized guest runs. hvm/cpu/ does it on the metal,
 * tests/host/hvm_cpu.c where there is none.
 */
#ifndef HVM_CPU_H
#define HVM_CPU_H

#include <core/state/domain.h>

/* What this machine lacks for such guests, in words; NULL: nothing. */
const char *hvm_cpu_lacks(void);
/* XEN_SYSCTL_PHYSCAP_hvm: it has SVM, which is not switched off; _hap: and nested paging. */
uint32_t hvm_cpu_capabilities(void);
/* Where a vCPU may run of which nobody has said it: bit per CPU. */
uint64_t hvm_cpu_affinity(void);
/* Prepares this CPU: once, when it starts. */
void hvm_cpu_init(void);
/* The permission maps of all guests: machine addresses. */
uint64_t hvm_cpu_iopm(void);
uint64_t hvm_cpu_msrpm(void);
/* DR0 to DR3 of the running guest */
void hvm_cpu_write_dr(unsigned int n, uint64_t value);
/* XCR0 as the running guest has set it; 0: the machine has no XSAVE. */
uint64_t hvm_cpu_xcr0(void);

/* The next run of a guest on this CPU ends as soon as something of it is done. */
void hvm_cpu_leave_at_once(void);

/* For struct guest_ops. */
void hvm_cpu_load(struct vcpu *v);
void hvm_cpu_save(struct vcpu *v);
void hvm_enter(void); /* hvm/cpu/entry.asm */

#endif
