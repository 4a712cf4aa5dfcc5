/* SPDX-License-Identifier: MIT */
/*
 * Who has an address of an interface: no two interfaces of one bridge have the same MAC address.
 *
 * A bridge sends what comes for an address to the port where it heard that address last: two that
 * have the same one take each other's packets, at random. The back ends' entries in the store say
 * which domain has which, whoever made it; nobody has to remember it, and none is left. On
 * different bridges the same address does no harm.
 */
#ifndef PARVIS_TOOLS_NIC_SHARE_H
#define PARVIS_TOOLS_NIC_SHARE_H

#include "config.h"
#include "error.h"
#include "host.h"

/* 0, or -EBUSY with the domain that has the address. domid, id: the interface's own entries, which
 * do not count; UINT32_MAX: it has none yet. */
int __must_check nic_share_check(struct host *h, host_txn_t t, const struct domain_config *c,
                                 uint32_t domid, unsigned int id, const struct nic_config *nic,
                                 struct error *e);

#endif
