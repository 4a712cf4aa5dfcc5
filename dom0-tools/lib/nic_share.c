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

#include "store.h"

#define BACKENDS "/local/domain/0/backend/vif"

/* Does this entry of a back end say so? One that is not there says nothing. */
static bool entry_is(struct host *h, host_txn_t t, const char *dir, const char *key,
                     const char *wanted)
{
    char path[128], *value = NULL;
    bool is;

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    is = h->ops->store_read(h, t, path, &value) == 0 && strcasecmp(value, wanted) == 0;
    free(value);
    return is;
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
};

/* All interfaces of one domain. */
static int check_holder(struct host *h, host_txn_t t, const struct wanted *w, const char *holder,
                        struct error *e)
{
    uint32_t domid = (uint32_t)strtoul(holder, NULL, 10);
    char dir[96], **ids;
    unsigned int n;
    int rc;

    snprintf(dir, sizeof(dir), BACKENDS "/%.10s", holder);
    rc = h->ops->store_list(h, t, dir, &ids, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc; /* it went meanwhile */
    for (unsigned int i = 0; i < n && rc == 0; i++) {
        if (domid == w->domid && strtoul(ids[i], NULL, 10) == w->id)
            continue;
        snprintf(dir, sizeof(dir), BACKENDS "/%.10s/%.20s", holder, ids[i]);
        if (entry_is(h, t, dir, "mac", w->mac) && entry_is(h, t, dir, "bridge", w->bridge))
            rc = refuse(h, w->c, w->mac, w->bridge, domid, e);
    }
    free(ids);
    return rc;
}

int nic_share_check(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t domid,
                    unsigned int id, const struct nic_config *nic, struct error *e)
{
    char mac[18], **holders;
    const struct wanted w = {c, mac, nic->bridge, domid, id};
    unsigned int n;
    int rc;

    if (!nic->mac_given || !nic->bridge)
        return 0;
    rc = h->ops->store_list(h, t, BACKENDS, &holders, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    mac_format(nic->mac, mac);
    for (unsigned int i = 0; i < n && rc == 0; i++)
        rc = check_holder(h, t, &w, holders[i], e);
    free(holders);
    return rc;
}
