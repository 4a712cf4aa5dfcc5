/* SPDX-License-Identifier: MIT */
/*
 * The start: what the machine calls when it has made a struct boot_info, and what of it the host tests call too.
 */
#ifndef HV_MAIN_H
#define HV_MAIN_H

#include <hv/types.h>

struct boot_info;
struct guest_ops;

void __noreturn hypervisor_main(struct boot_info *bi);

/* After the heap: timers, console state, idle vCPUs (current of each CPU from here on), dom_io, dom_xen. core/domain_system.c */
void domain_system_init(void);

/* The kind of guest that domain_create() makes. */
extern const struct guest_ops *guest_ops_default;

#endif
