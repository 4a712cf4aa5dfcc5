/* SPDX-License-Identifier: MIT */
/*
 * Who has a disk: see disk_share.h.
 */
#include "disk_share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"

#define BACKENDS "/local/domain/0/backend/vbd"

bool disk_overlap(const struct disk_id *a, const struct disk_id *b)
{
    if (a->block != b->block)
        return false;
    return (a->dev == b->dev && a->ino == b->ino) || (a->whole && a->whole == b->dev) ||
           (b->whole && b->whole == a->dev);
}

/* A back end's entry of this name; "" if there is none. */
static int read_entry(struct host *h, host_txn_t t, const char *dir, const char *key, char **value)
{
    char path[160];
    int rc;

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    rc = h->ops->store_read(h, t, path, value);
    if (rc == -ENOENT) {
        *value = strdup("");
        rc = *value ? 0 : -ENOMEM;
    }
    return rc;
}

static int refuse(struct host *h, host_txn_t t, const struct domain_config *c,
                  const struct disk_config *disk, uint32_t holder, bool writes, struct error *e)
{
    char path[64], *name = NULL;

    snprintf(path, sizeof(path), "/local/domain/%u", holder);
    if (read_entry(h, t, path, "name", &name))
        name = NULL;
    error_set(e, -EBUSY,
              "%s: <disk> '%s': %s is in use by domain %u (%s), which may %s it; both need "
              "<readonly/>, or both <shareable/>",
              c->name, disk->target, disk->source, holder, name ? name : "?",
              writes ? "write" : "only read");
    free(name);
    return -EBUSY;
}

/* One back end against the disk. */
static int check_one(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t holder,
                     const char *dir, const struct disk_config *disk, const struct disk_id *id,
                     struct error *e)
{
    char *number = NULL, *mode = NULL, *shareable = NULL;
    unsigned int major, minor;
    struct disk_id other;
    bool writes;
    int rc = read_entry(h, t, dir, "physical-device", &number);

    rc = rc ? rc : read_entry(h, t, dir, "mode", &mode);
    rc = rc ? rc : read_entry(h, t, dir, "shareable", &shareable);
    /* An entry without a number is not served yet; its maker meets ours when it is. */
    if (rc == 0 && sscanf(number, "%x:%x", &major, &minor) == 2 &&
        device_system->identify_number(major, minor, &other) == 0 && disk_overlap(id, &other)) {
        writes = strchr(mode, 'w') != NULL;
        if ((writes || !disk->readonly) && !(disk->shareable && strcmp(shareable, "1") == 0))
            rc = refuse(h, t, c, disk, holder, writes, e);
    }
    free(number);
    free(mode);
    free(shareable);
    return rc;
}

/* All back ends of one domain. */
static int check_holder(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t domid,
                        const char *holder, const struct disk_config *disk,
                        const struct disk_id *id, struct error *e)
{
    uint32_t number = (uint32_t)strtoul(holder, NULL, 10);
    char dir[96], **ids;
    unsigned int n;
    int rc;

    snprintf(dir, sizeof(dir), BACKENDS "/%.10s", holder);
    rc = h->ops->store_list(h, t, dir, &ids, &n);
    if (rc) {
        return rc == -ENOENT ? 0 : rc; /* it went meanwhile */
    }
    for (unsigned int i = 0; i < n && rc == 0; i++) {
        if (number == domid && strtoul(ids[i], NULL, 10) == disk->vdev)
            continue;
        snprintf(dir, sizeof(dir), BACKENDS "/%.10s/%.20s", holder, ids[i]);
        rc = check_one(h, t, c, number, dir, disk, id, e);
    }
    free(ids);
    return rc;
}

int disk_share_check(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t domid,
                     const struct disk_config *disk, const struct disk_id *id, struct error *e)
{
    char **holders;
    unsigned int n;
    int rc = h->ops->store_list(h, t, BACKENDS, &holders, &n);

    if (rc)
        return rc == -ENOENT ? 0 : rc;
    for (unsigned int i = 0; i < n && rc == 0; i++)
        rc = check_holder(h, t, c, domid, holders[i], disk, id, e);
    free(holders);
    return rc;
}
