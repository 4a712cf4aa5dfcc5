/* SPDX-License-Identifier: MIT */
/* The domains that the hypervisor itself starts: core/life/boot_domains.c. */
#ifndef HV_BOOT_DOMAINS_H
#define HV_BOOT_DOMAINS_H

#include <hv/types.h>
#include <parvis/boot_info.h>

struct domain;

/* Builds what parvis.cfg lists, gives the modules' memory back to the heap (bi is gone then), and
 * lets the domains run. */
void boot_domains_create(const struct boot_info *bi);
/* core/life/store_wait.c: says it when d, whose store ring is this frame, waits for nobody. */
void store_wait_init(void);
void store_wait_watch(const struct domain *d, gfn_t ring);

#endif
