/* SPDX-License-Identifier: MIT */
/*
 * What the start of the hypervisor (main.c) and the host tests have in common.
 */
#ifndef HV_DOMAIN_SYSTEM_H
#define HV_DOMAIN_SYSTEM_H

struct guest_ops;

/* After the heap: this CPU's timers and run queue, the idle vCPU (current from here on), dom_io,
 * dom_xen. core/life/domain_system.c */
void domain_system_init(void);
void domain_system_init_cpu(void); /* the same for this CPU, a further one */

/* The kinds of guests that there are, by boot_domain.kind. */
#define MOST_KINDS 3
extern const struct guest_ops *guest_kinds[MOST_KINDS];

#endif
