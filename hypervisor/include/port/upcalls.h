/* SPDX-License-Identifier: MIT */
/*
 * Port, upwards: what the machine calls of core and of the kind whose guest it runs. Interrupts are
 * off at each; between them nothing is kept on the stack.
 *
 * Beside these calls the machine writes to the log and the console (core/base/), makes the frame
 * table and gives memory to the heap (core/frame/frame.h), makes M2P (pv/m2p.h), and reads struct
 * cpu, struct vcpu and where the per-domain area lies (pv/mm.h). tests/style.py holds that it sees
 * no more.
 */
#ifndef PORT_UPCALLS_H
#define PORT_UPCALLS_H

#include <hv/types.h>

struct boot_info;
struct cpu;
struct cpu_user_regs;
struct domain;
struct vcpu;

/* --- core --- */
/* The boot code, on the boot CPU's stack, when boot_info is complete: main.c */
void __noreturn hypervisor_main(const struct boot_info *bi);
/* The exit path's one look at pending work: timers, then the scheduler. May change `current`. */
void cpu_do_pending(void);
/* An interrupt of a device: its irq, for the domain that it is attached to. */
void pirq_raise(struct domain *d, uint32_t pirq);
/* The UART interrupted: reads what was typed, sends what waits. */
void console_poll(void);

/* --- pv, of a paravirtual guest; regs are in v->regs with vector and error code --- */
void pv_handle_trap(struct vcpu *v); /* all vectors but page fault and interrupts */
void pv_handle_page_fault(struct vcpu *v, uint64_t cr2);
/* SYSCALL in user mode: to the guest's syscall callback, or #UD */
void pv_handle_syscall(struct vcpu *v);
void pv_handle_syscall32(struct vcpu *v); /* SYSCALL from compatibility mode */
void pv_handle_sysenter(struct vcpu *v);
/* Exit path, when events or an NMI wait for v: makes the frame on the guest's kernel stack. */
void pv_deliver_event(struct vcpu *v);
/* IRET or segment load to the guest faulted on the way out: failsafe callback. */
void pv_failsafe(struct vcpu *v);
/* A touch of the LDT area at byte offset: brings the page in. false: there is none, and the guest
 * gets the fault. */
bool pv_map_ldt_page(struct vcpu *v, unsigned int offset);
/* A hypercall's handler returned -XEN_ERESTART: arguments and instruction pointer as the re-issue
 * needs them, a new slice. */
void hypercall_reissue(struct vcpu *v);

/* --- for who looks at the log --- */
const char *exception_name(unsigned int vector);
/* d: who ended with them; NULL: the hypervisor. */
void dump_registers(struct domain *d, const struct cpu_user_regs *r, uint64_t cr2, uint64_t cr3);

#endif
