/* SPDX-License-Identifier: MIT */
/*
 * Disks and interfaces that come to a domain, and leave it, while it lives.
 *
 * What comes is checked like what a new domain has (devices.h), and kept in its configuration: it
 * is there in its next life, and in `pvctl dumpxml`. One process at a time changes what a domain
 * has. What goes, the guest is asked to let go of: its driver closes the device first.
 */
#ifndef PARVIS_TOOLS_HOTPLUG_H
#define PARVIS_TOOLS_HOTPLUG_H

#include <stdbool.h>

#include "config.h"
#include "error.h"
#include "host.h"
#include "lifecycle.h"

/* The last of c's disks, or interfaces, comes to the domain; c has nothing else. An interface
 * without an address is given one; *id becomes its number. Nothing is left where it fails. */
int __must_check hotplug_add_disk(struct host *h, const struct live_domain *l,
                                  struct domain_config *c, struct error *e);
int __must_check hotplug_add_nic(struct host *h, const struct live_domain *l,
                                 struct domain_config *c, unsigned int *id, struct error *e);
/* By its name in the guest, or its number. -EBUSY: the guest keeps it. force: it is not asked. */
int __must_check hotplug_remove_disk(struct host *h, const struct live_domain *l,
                                     const char *target, bool force, struct error *e);
/* By its number, or its address; NULL: the only one. */
int __must_check hotplug_remove_nic(struct host *h, const struct live_domain *l, const char *which,
                                    bool force, struct error *e);

#endif
