/* SPDX-License-Identifier: MIT */
/*
 * Taking one device from a living domain: between hotplug.c and unplug.c.
 */
#ifndef PARVIS_TOOLS_UNPLUG_H
#define PARVIS_TOOLS_UNPLUG_H

#include "hotplug.h"

/* May devices come to this domain, and go? 0, or why not. */
int __must_check unplug_allowed(const struct live_domain *l, struct error *e);
/* Did another tool give the domain this device? libxl (xl, virsh) writes down which are its own. 1,
 * 0, or a negative errno. */
int __must_check unplug_is_others(struct host *h, const char *kind, uint32_t domid,
                                  unsigned int id);
/* Without asking the guest: both ends leave the store, and the kernel lets go. Goes on past errors.
 */
void unplug_at_once(struct host *h, const char *kind, uint32_t domid, unsigned int id);

#endif
