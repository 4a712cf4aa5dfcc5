/* SPDX-License-Identifier: MIT */
/*
 * Port, upwards: what the machine calls of core. Interrupts are off at each; between them nothing
 * is kept on the stack. What it asks of the kind whose guest it runs goes through struct guest_ops.
 *
 * Beside these calls the machine writes to the log and the console (core/base/), makes the frame
 * table and gives memory to the heap (core/frame/frame.h), and reads struct cpu, struct vcpu and
 * struct guest_ops (core/state/). tests/style.py holds that it sees no more.
 */
#ifndef PORT_UPCALLS_H
#define PORT_UPCALLS_H

#include <hv/types.h>

struct boot_info;
struct domain;

/* The boot code, on the boot CPU's stack, when boot_info is complete: main.c */
void __noreturn hypervisor_main(const struct boot_info *bi);
/* On each further CPU, when the machine has readied it and before it idles: main.c */
void cpu_init(void);
/* The exit path's one look at pending work: flushes first, the scheduler last. May change
 * `current`. */
void cpu_do_pending(void);
/* An interrupt of a device: its irq, for the domain that it is attached to. */
void pirq_raise(struct domain *d, uint32_t pirq);
/* The UART interrupted: reads what was typed, sends what waits. */
void console_poll(void);

#endif
