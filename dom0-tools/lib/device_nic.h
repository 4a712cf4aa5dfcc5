/* SPDX-License-Identifier: MIT */
/*
 * An interface of a domain: its entries in the store, and its place on a bridge, or wherever a
 * script of its owner puts it (nic_script.h).
 */
#ifndef PARVIS_TOOLS_DEVICE_NIC_H
#define PARVIS_TOOLS_DEVICE_NIC_H

#include "config.h"
#include "error.h"
#include "host.h"

/* Before it is made: is its bridge there, or its script, and has nobody else its address? */
int __must_check device_nic_check(struct host *h, const struct domain_config *c,
                                  const struct nic_config *nic, struct error *e);
/* Makes it, and waits until it is there. -EEXIST: the domain has an interface of this number. */
int __must_check device_nic_attach(struct host *h, const struct domain_config *c, uint32_t domid,
                                   const struct nic_config *nic, unsigned int id, struct error *e);
/* The file that its back end's entry names; "none". */
const char *device_nic_script(const struct nic_config *nic);
/* The limit of its rate, as its back end is told; NULL: it has none. */
#define DEVICE_NIC_RATE 48
const char *device_nic_rate(const struct nic_config *nic, char text[DEVICE_NIC_RATE]);

#endif
