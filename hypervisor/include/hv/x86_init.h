/* SPDX-License-Identifier: MIT */
/*
 * Between boot/ and x86/: what the boot code finds out for the machine, and calls before
 * hypervisor_main() (port/upcalls.h).
 */
#ifndef HV_X86_INIT_H
#define HV_X86_INIT_H

#include <hv/types.h>

/* --- for boot/, before hypervisor_main() --- */
extern uint64_t image_phys;      /* where the image lies */
extern uint16_t debug_exit_port; /* QEMU's debug-exit device; 0: none */
extern char image_start[], image_end[];
extern char boot_tables[];        /* the low 4 GiB at 0, and the image; below 4 GiB */
void uart_init(unsigned int com); /* 1 or 2: so that the boot code can say what is wrong */

#endif
