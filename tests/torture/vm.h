/* SPDX-License-Identifier: MIT */
/*
 * Fully virtualized vCPUs of a scenario (vm.c): what runs them, and what their programs are made
 * of.
 *
 * A program is written in steps as any other's. A step makes one exit at most; what it does without
 * one (memory that it touches) the hypervisor does not see. Interrupts come before a step,
 * and are ended (EOI, IRET) by steps of their own, before the program goes on.
 */
#ifndef TESTS_TORTURE_VM_H
#define TESTS_TORTURE_VM_H

#include "torture.h"

#include <hvm/hvm.h>
#include <hvm/lapic_internal.h>

/* In each page programs store before it alone: code may be read anywhere in their memory. */
#define VM_CODE        0xb00u
#define VM_PIC_VECTORS 0x20u /* 16 */
#define VM_TIMER       0x40u /* of the local APIC */
#define VM_FIRST       0x50u /* of a scenario's own */

extern const struct vm_program torture_vm_life, torture_vm_timers;

bool is_vm(const struct domain *d);

/* --- for torture.c and guest.c --- */
void vm_machine(void); /* before the first domain of a round */
/* With so many frames from 0 on, and code in the first. */
void vm_born(struct domain *d, uint64_t pages);
void vm_start_vcpu(struct vcpu *v);
bool vm_run(struct vcpu *v, bool entered);
void vm_interrupted(struct vcpu *v);

/* --- steps, or a part of one --- */
void vm_begin(struct guest *g); /* what programs begin with: its APIC, and vCPU 0's PIC */
void vm_exit(struct guest *g, uint64_t code, uint64_t info1, uint64_t info2);
void vm_halt(struct guest *g);               /* until an interrupt */
void vm_sleep(struct guest *g, s_time_t ns); /* until its timer: some steps */
void vm_apic_write(struct guest *g, unsigned int reg, uint32_t value);
void vm_apic_read(struct guest *g, unsigned int reg);
void vm_apic_off(struct guest *g); /* and on, in the next step: all of it is as after a reset */
void vm_wrmsr(struct guest *g, uint32_t msr, uint64_t value);
/* To one, or by a shorthand (in icr); then goes on with `then`. */
void vm_ipi(struct guest *g, uint32_t icr, uint32_t destination, step_fn *then);
void vm_out(struct guest *g, unsigned int port, unsigned int bytes, uint32_t value);
void vm_in(struct guest *g, unsigned int port, unsigned int bytes);
/* INS or OUTS, one item at an address of its own. */
void vm_string(struct guest *g, unsigned int port, unsigned int bytes, bool in, gva_t va);
void vm_cpuid(struct guest *g); /* the least that an exit is */

/* --- vm_memory.c: a frame of its own goes; 2^order come. Each with an exit. False: none is there;
 * something is --- */
bool vm_give_back(struct guest *g, uint64_t gfn);
bool vm_populate(struct guest *g, uint64_t gfn, unsigned int order);

/* A new domain's, from 0 on; where the first is mapped. */
void *vm_first_frames(struct domain *d, uint64_t pages);

/* --- vm_tlb.c: what this CPU knows of its guests' memory --- */
void vm_tlb_entered(bool flush);
/* A load or store of the guest that this CPU runs, at a frame number of its own. False: there is
 * no memory. */
bool vm_touch(const struct domain *d, uint64_t gfn, unsigned int offset, uint64_t *load,
              const uint64_t *store);

#endif
