/* SPDX-License-Identifier: MIT */
/*
 * Where the devices of domains stand in the store: see device_path.h.
 */
#include "device_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKENDS "/local/domain/0/backend"

void device_back_path(char out[DEVICE_PATH], const char *kind, uint32_t domid, unsigned int id,
                      const char *key)
{
    snprintf(out, DEVICE_PATH, BACKENDS "/%s/%u/%u%s", kind, domid, id, key);
}

void device_front_path(char out[DEVICE_PATH], const char *kind, uint32_t domid, unsigned int id,
                       const char *key)
{
    snprintf(out, DEVICE_PATH, "/local/domain/%u/device/%s/%u%s", domid, kind, id, key);
}

void device_backs_path(char out[DEVICE_PATH], const char *kind, uint32_t domid)
{
    snprintf(out, DEVICE_PATH, BACKENDS "/%s/%u", kind, domid);
}

static int each_of(struct host *h, host_txn_t t, const char *kind, const char *holder,
                   device_look_t look, void *arg)
{
    uint32_t domid = (uint32_t)strtoul(holder, NULL, 10);
    char dir[DEVICE_PATH], **ids;
    unsigned int n;
    int rc;

    snprintf(dir, sizeof(dir), BACKENDS "/%s/%.10s", kind, holder);
    rc = h->ops->store_list(h, t, dir, &ids, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc; /* it went meanwhile */
    for (unsigned int i = 0; i < n && rc == 0; i++) {
        snprintf(dir, sizeof(dir), BACKENDS "/%s/%.10s/%.20s", kind, holder, ids[i]);
        rc = look(h, t, domid, (unsigned int)strtoul(ids[i], NULL, 10), dir, arg);
    }
    free(ids);
    return rc;
}

int device_each_back(struct host *h, host_txn_t t, const char *kind, device_look_t look, void *arg)
{
    char dir[DEVICE_PATH], **holders;
    unsigned int n;
    int rc;

    snprintf(dir, sizeof(dir), BACKENDS "/%s", kind);
    rc = h->ops->store_list(h, t, dir, &holders, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    for (unsigned int i = 0; i < n && rc == 0; i++)
        rc = each_of(h, t, kind, holders[i], look, arg);
    free(holders);
    return rc;
}
