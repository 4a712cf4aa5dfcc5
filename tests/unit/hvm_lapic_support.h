/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the local APIC share: a guest whose vCPUs have nothing but a local APIC, and
 * short ways to its registers, by their number (offset / 16, MSR - 800h), in whatever mode it is.
 */
#ifndef TESTS_UNIT_HVM_LAPIC_SUPPORT_H
#define TESTS_UNIT_HVM_LAPIC_SUPPORT_H

#include "core_test.h"

#include <core/sched/pause.h>
#include <hvm/lapic_internal.h>

#define BASE_MSR 0x1b
#define XAPIC    0xfee00800ull /* what MSR 1Bh is in each mode, but for vCPU 0's bit */
#define X2APIC   0xfee00c00ull
#define DISABLED 0xfee00000ull

/* Starts the machine, with a domain of so many vCPUs: vCPU 0 is up, the others wait. xen: it has
 * x2APIC */
struct domain *lapic_guest(unsigned int vcpus, bool xen);
void lapic_guest_end(struct domain *d);
/* All vCPUs up, by SIPI; their APICs enabled, with nothing masked but what is masked by reset. */
void lapic_all_up(struct domain *d);
void lapic_enable(struct vcpu *v);
/* From xAPIC, enabled or not */
void lapic_to_x2apic(struct vcpu *v);

uint32_t lapic_get(struct vcpu *v, unsigned int i);
void lapic_put(struct vcpu *v, unsigned int i, uint32_t value);
/* ICR with its destination, as the mode has it */
void lapic_ipi(struct vcpu *v, uint32_t icr, uint32_t destination);
uint64_t lapic_base(struct vcpu *v);
bool lapic_is_set(struct vcpu *v, unsigned int first, uint8_t vector); /* in IRR, ISR */
/* The one pending vector is accepted and ended. -1: none was */
int lapic_serve(struct vcpu *v);

#endif
