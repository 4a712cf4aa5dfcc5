/* SPDX-License-Identifier: MIT */
/*
 * Guests' FPU state: fpu.c.
 */
#ifndef X86_FPU_H
#define X86_FPU_H

#include <core/state/domain.h>

void init_fpu(void);
void fpu_save(struct vcpu *v); /* v is loaded on this CPU: its area holds its state afterwards */
/* The registers hold v's state, XCR0 is as it wants it, CR0.TS is clear */
void fpu_switch_in(struct vcpu *v);

#endif
