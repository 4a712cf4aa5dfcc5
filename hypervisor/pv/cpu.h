/* SPDX-License-Identifier: MIT */
/*
 * What pv/ asks of the CPU on which a paravirtual guest runs: the registers that only such a guest
 * has in it. pv/cpu/ does it on the metal, tests/host/pv_cpu.c where there is none.
 */
#ifndef PV_CPU_H
#define PV_CPU_H

#include <core/state/domain.h>

#define SYSCALL_STUBS_SIZE 128 /* of a CPU: door.c, entry.asm */

/* Prepares this CPU's SYSCALL and SYSENTER for such guests: once, when it starts. */
void pv_cpu_init(void);

/* Of the running vCPU: */
void pv_cpu_swapgs(void); /* exchanges its two GS bases */
/* SEGBASE_FS/GS_USER/GS_KERNEL: canonical, checked by caller */
void pv_cpu_write_base(unsigned int which, uint64_t base);
uint64_t pv_cpu_read_base(unsigned int which);
void pv_cpu_load_gs(uint16_t sel);   /* user GS selector; a bad one loads 0 */
bool pv_cpu_code_is_64(uint16_t cs); /* of its descriptor tables */
void pv_cpu_set_ts(void);            /* CR0.TS */
void pv_cpu_clear_ts(void);
/* From what is in v now: where its GDT and LDT are, DR0 to DR3 and DR7, the bits of ctrlreg[4] that
 * become real (TSD, DE). */
void pv_cpu_load_tables(struct vcpu *v);
void pv_cpu_load_debugregs(const struct vcpu *v);
void pv_cpu_load_cr4(const struct vcpu *v);

/* The flags that a guest's handler begins without. */
#define FLAGS_CLEARED_BY_BOUNCE                                                                    \
    (X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF)

/* pv_bounce() (pv/pv.h), by a shorter way where nothing about it is special (pv/cpu/bounce.asm; so
 * is the hypercall do_iret() there, for pv_iret()). */
void pv_cpu_bounce(struct vcpu *v, gva_t handler, unsigned int flags, uint32_t error_code);

/* Brings what of v is in registers (segments, FPU) into struct vcpu, if it is loaded here. */
void pv_cpu_sync(struct vcpu *v);

/* For struct guest_ops. */
void pv_cpu_load(struct vcpu *v);
void pv_cpu_save(struct vcpu *v);
void pv_enter(void); /* pv/cpu/entry.asm */

#endif
