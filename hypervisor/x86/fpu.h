/* SPDX-License-Identifier: MIT */
/*
 * Guests' FPU state: fpu.c.
 */
#ifndef X86_FPU_H
#define X86_FPU_H

#include <core/state/domain.h>

void init_fpu(void);
void fpu_save(struct vcpu *v); /* v is loaded on this CPU: its area holds its state afterwards */
/* The registers hold v's state, CR0.TS and XCR0 are as it wants them */
void fpu_switch_in(struct vcpu *v);
bool fpu_xcr0_valid(uint64_t value);
void fpu_guest_xcr0(uint64_t value); /* the running guest changed its XCR0 */

#endif
