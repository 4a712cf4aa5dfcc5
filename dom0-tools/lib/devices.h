/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces of a domain: the split drivers' entries in the store.
 */
#ifndef PARVIS_TOOLS_DEVICES_H
#define PARVIS_TOOLS_DEVICES_H

#include "config.h"
#include "error.h"
#include "host.h"

/* Before the domain exists: is everything there that its devices need? */
int devices_check(const struct domain_config *c, struct error *e);
/* Makes the entries for front end and back end, and waits for the back ends. Undoes all on
 * failure. */
int devices_attach(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e);
/* Takes all devices of the domain away; goes on past errors. */
void devices_detach(struct host *h, uint32_t domid);

#endif
