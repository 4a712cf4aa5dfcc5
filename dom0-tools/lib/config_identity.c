/* SPDX-License-Identifier: MIT */
/*
 * Uuid and MAC addresses that nobody has said: see config_identity.h.
 */
#include "config_identity.h"

#include <string.h>

void config_identity(struct domain_config *c)
{
    if (!c->uuid_given)
        uuid_make(c->uuid);
    c->uuid_given = true;
    for (size_t i = 0; i < c->nr_nics; i++) {
        struct nic_config *n = &c->nics[i];
        uint8_t r[16];

        if (n->mac_given)
            continue;
        /* 00:16:3e is Xen's range of addresses. */
        uuid_make(r);
        memcpy(n->mac, (const uint8_t[]){0x00, 0x16, 0x3e, r[0] & 0x7f, r[1], r[2]}, 6);
        n->mac_given = true;
    }
}
