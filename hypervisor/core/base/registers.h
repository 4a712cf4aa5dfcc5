/* SPDX-License-Identifier: MIT */
/*
 * Registers and exceptions for who looks at the log: registers.c.
 */
#ifndef HV_REGISTERS_H
#define HV_REGISTERS_H

#include <hv/types.h>

struct cpu_user_regs;
struct domain;

const char *exception_name(unsigned int vector);
/* d: who ended with them; NULL: the hypervisor. */
void dump_registers(struct domain *d, const struct cpu_user_regs *r, uint64_t cr2, uint64_t cr3);

#endif
