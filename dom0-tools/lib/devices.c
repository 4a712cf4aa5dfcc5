/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces: see devices.h.
 *
 * Not offered yet: a configuration that has any is refused before a domain is made, with
 * the name of what it asks for. Nothing is left out silently.
 */
#include "devices.h"

#include <errno.h>

int devices_check(const struct domain_config *c, struct error *e)
{
    if (c->nr_disks) {
        return error_set(e, -EOPNOTSUPP, "%s: <disk> '%s': disks are not offered by this version",
                         c->name, c->disks[0].target);
    }
    if (c->nr_nics) {
        return error_set(e, -EOPNOTSUPP,
                         "%s: <interface> to '%s': interfaces are not offered by this version",
                         c->name, c->nics[0].bridge);
    }
    return 0;
}

int devices_attach(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e)
{
    (void)h, (void)domid;
    return devices_check(c, e);
}

void devices_detach(struct host *h, uint32_t domid)
{
    (void)h, (void)domid;
}
