/* SPDX-License-Identifier: MIT */
/* The domains that the hypervisor itself starts: core/life/boot_domains.c. */
#ifndef HV_BOOT_DOMAINS_H
#define HV_BOOT_DOMAINS_H

#include <parvis/boot_info.h>

/* Builds what parvis.cfg lists, gives the modules' memory back to the heap (bi is gone then), and
 * lets the domains run. */
void boot_domains_create(const struct boot_info *bi);

#endif
