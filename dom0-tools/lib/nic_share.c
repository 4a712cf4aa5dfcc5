/* SPDX-License-Identifier: MIT */
/*
 * Who has an address of an interface: see nic_share.h.
 */
#include "nic_share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "device_path.h"
#include "store.h"

/* Does this entry of a back end say so? 1, 0, or -errno. One that is not there says nothing. */
static int entry_is(struct host *h, host_txn_t t, const char *dir, const char *key,
                    const char *wanted)
{
    char path[128], *value = NULL;
    int rc;

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    rc = h->ops->store_read(h, t, path, &value);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    rc = strcasecmp(value, wanted) == 0;
    free(value);
    return rc;
}

static int refuse(struct host *h, const struct domain_config *c, const char *mac,
                  const char *bridge, uint32_t holder, struct error *e)
{
    char *name = NULL;

    if (store_domain_name(h, holder, &name))
        name = NULL;
    error_set(e, -EBUSY, "%s: <interface>: %s is on bridge '%s' already: domain %u (%s) has it",
              c->name, mac, bridge, holder, name ? name : "?");
    free(name);
    return -EBUSY;
}

/* What is looked for, and whose own entries do not count. */
struct wanted {
    const struct domain_config *c;
    const char *mac, *bridge;
    uint32_t domid;
    unsigned int id;
    struct error *e;
};

static int check_one(struct host *h, host_txn_t t, uint32_t holder, unsigned int id,
                     const char *dir, void *arg)
{
    const struct wanted *w = arg;
    int rc;

    if (holder == w->domid && id == w->id)
        return 0;
    rc = entry_is(h, t, dir, "mac", w->mac);
    rc = rc > 0 ? entry_is(h, t, dir, "bridge", w->bridge) : rc;
    return rc > 0 ? refuse(h, w->c, w->mac, w->bridge, holder, w->e) : rc;
}

int nic_share_check(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t domid,
                    unsigned int id, const struct nic_config *nic, struct error *e)
{
    char mac[18];
    struct wanted w = {c, mac, nic->bridge, domid, id, e};

    if (!nic->mac_given || !nic->bridge)
        return 0;
    mac_format(nic->mac, mac);
    return device_each_back(h, t, "vif", check_one, &w);
}
