/* SPDX-License-Identifier: MIT */
/*
 * MAC addresses of interfaces: as text, and making one.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"

void mac_format(const uint8_t mac[6], char out[18])
{
    snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
}

void mac_make(uint8_t mac[6])
{
    uint8_t r[16];

    /* 00:16:3e is Xen's range of addresses. */
    uuid_make(r);
    memcpy(mac, (const uint8_t[]){0x00, 0x16, 0x3e, r[0] & 0x7f, r[1], r[2]}, 6);
}
