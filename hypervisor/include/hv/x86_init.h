/* SPDX-License-Identifier: MIT */
/*
 * The machine's part of the start: hypervisor_main() calls these in this order. Each ends in
 * panic() when the machine lacks what is needed.
 */
#ifndef HV_X86_INIT_H
#define HV_X86_INIT_H

#include <hv/types.h>
#include <parvis/boot_info.h>

/* CPU features, descriptor tables, fault handlers, UART. The log may be used from here on. */
void x86_init_early(const struct boot_info *bi);
/* Own page tables, direct map, frame table, M2P; gives free RAM to the heap (heap_init() is called
 * in it). */
void x86_init_memory(const struct boot_info *bi);
/* ACPI tables, interrupt controllers, clock. After it machine_arm_timer() works. */
void x86_init_late(const struct boot_info *bi);
/* The idle loop, on the empty stack of this CPU: never returns. */
void __noreturn machine_idle(void);

/* The hypervisor's own top-level page table: slots 256 and 261 to 271 of it go into every guest's.
 * Idle vCPUs run on it. */
extern uint64_t *hv_l4;
extern paddr_t hv_l4_phys;

/* What the boot code calls, on the boot CPU's stack, when boot_info is complete: main.c */
void __noreturn hypervisor_main(const struct boot_info *bi);

/* --- for boot/, before hypervisor_main() --- */
extern uint64_t image_phys;      /* where the image lies */
extern uint16_t debug_exit_port; /* QEMU's debug-exit device; 0: none */
extern char image_start[], image_end[];
void uart_init(unsigned int com); /* 1 or 2: so that the boot code can say what is wrong */

#endif
