/* SPDX-License-Identifier: MIT */
/*
 * Uuid and MAC addresses that nobody has said: see config_identity.h.
 */
#include "config_identity.h"

void config_identity(struct domain_config *c)
{
    if (!c->uuid_given)
        uuid_make(c->uuid);
    c->uuid_given = true;
    for (size_t i = 0; i < c->nr_nics; i++) {
        struct nic_config *n = &c->nics[i];

        if (!n->mac_given)
            mac_make(n->mac);
        n->mac_given = true;
    }
}
