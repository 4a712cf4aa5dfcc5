/* SPDX-License-Identifier: MIT */
/*
 * What pv/ offers to x86/ (entry, faults) and to its own files. core does not include this.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include <core/state/domain.h>
#include <hv/types.h>

/* --- called by x86/entry: an exception in the guest (ring 3), interrupts off, regs in v->regs with
 * vector and error code. --- */
void pv_handle_trap(struct vcpu *v); /* all vectors but page fault and interrupts */
void pv_handle_page_fault(struct vcpu *v, uint64_t cr2);
/* SYSCALL from guest user mode, or a bounce that was put off: asm calls when the straight path does
 * not apply. */
/* SYSCALL in user mode: to the guest's syscall callback, or #UD */
void pv_handle_syscall(struct vcpu *v);
void pv_handle_syscall32(struct vcpu *v); /* SYSCALL from compatibility mode */
void pv_handle_sysenter(struct vcpu *v);
/* Exit path, when events or an NMI wait for v: makes the frame on the guest's kernel stack. */
void pv_deliver_event(struct vcpu *v);
/* IRET or segment load to the guest faulted on the way out: failsafe callback. */
void pv_failsafe(struct vcpu *v);

/* --- pv/bounce.c --- */
/* Injects an exception into the current guest as if hardware had raised it; without a handler the
 * domain crashes. */
void pv_inject_exception(struct vcpu *v, unsigned int vector, uint32_t error_code, bool has_error);
void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code);
/* Makes the frame that tb describes. Crashes the domain when its stack cannot be written. */
void pv_create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb);

/* --- pv/show.c --- */
const char *exception_name(unsigned int vector);
void dump_registers(const struct cpu_user_regs *r, uint64_t cr2, uint64_t cr3);
void pv_show_vcpu(const struct vcpu *v); /* guest_ops: mode and registers, to the log */

/* --- kernel / user switch --- */
/* Does v's guest run as its kernel (else as user)? */
static inline bool guest_kernel_mode(const struct vcpu *v)
{
    return v->arch.pv.flags & VF_KERNEL_MODE;
}
void pv_toggle_guest_mode(struct vcpu *v); /* other L4, SWAPGS */
void pv_update_cr3(struct vcpu *v);        /* v->arch.pv.cr3 from guest_table and mode */

/* --- machine services that only pv needs (x86/pv_cpu.c implements; tests/host fakes) --- */
/* keep_global: kernel/user toggle of one process */
void machine_load_cr3(uint64_t cr3, bool keep_global);
void machine_swapgs(void); /* exchanges the guest's two GS bases */
/* SEGBASE_FS/GS_USER/GS_KERNEL of the current vCPU: canonical, checked by caller */
void machine_write_base(unsigned int which, uint64_t base);
uint64_t machine_read_base(unsigned int which);
void machine_load_gs_selector(uint16_t sel); /* user GS selector; a bad one loads 0 */
void machine_load_ldt(struct vcpu *v);
void machine_load_gdt(struct vcpu *v);
void machine_write_debugreg(unsigned int reg, uint64_t value);
/* The bits of v's ctrlreg[4] that become real: TSD, DE */
void machine_load_cr4(const struct vcpu *v);
void machine_fpu_ts(bool set); /* CR0.TS for the current guest */
bool machine_io_read(unsigned int port, unsigned int bytes, uint32_t *value);
bool machine_io_write(unsigned int port, unsigned int bytes, uint32_t value);
bool machine_rdmsr_safe(uint32_t msr, uint64_t *value); /* false: it faulted */
/* eax ebx ecx edx of the real CPU */
void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]);
bool machine_xsetbv_safe(uint64_t xcr0);

#endif
