/* SPDX-License-Identifier: MIT */
/*
 * Who has a disk: see disk_share.h.
 */
#include "disk_share.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "device_path.h"
#include "devices.h"
#include "folder.h"

#define DEPTH_MOST 8u

/* "8:1". 0 or -errno. */
static int read_numbers(const char *path, unsigned int *m, unsigned int *n)
{
    FILE *f = fopen(path, "re");
    int rc;

    if (!f)
        return -errno;
    errno = EINVAL; /* where there is something else */
    rc = fscanf(f, "%u:%u", m, n) == 2 ? 0 : -errno;
    fclose(f);
    return rc;
}

bool disk_overlap(const struct disk_id *a, const struct disk_id *b)
{
    if (a->block != b->block ||
        (a->part && b->part && a->part_of == b->part_of && a->part != b->part))
        return false;
    return (a->dev == b->dev && a->ino == b->ino) || (a->whole && a->whole == b->dev) ||
           (b->whole && b->whole == a->dev);
}

/* The kernel lists what is directly below, of a partition's disk: folders with the numbers. */
static int stands_on(const struct disk_id *upper, const struct disk_id *lower, unsigned int depth)
{
    const uint64_t dev = upper->whole ? upper->whole : upper->dev;
    char path[64], file[NAME_MAX + 80];
    const char *name;
    int rc, found = 0;
    DIR *dir;

    if (!upper->block)
        return 0;
    if (depth == DEPTH_MOST)
        return -ELOOP;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major(dev), minor(dev));
    dir = folder_open(path, &rc);
    while (rc == 0 && !found && (name = folder_next(dir, &rc)) != NULL) {
        struct disk_id below;
        unsigned int m, n;

        if (name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s/dev", path, name);
        rc = read_numbers(file, &m, &n);
        rc = rc ? rc : device_system->identify_number(m, n, &below);
        if (rc == 0)
            found = disk_overlap(&below, lower) ? 1 : stands_on(&below, lower, depth + 1);
        rc = disk_is_absent(rc) ? 0 : rc;
    }
    folder_close(dir);
    return rc ? rc : found;
}

int disk_stands_on(const struct disk_id *upper, const struct disk_id *lower)
{
    return stands_on(upper, lower, 0);
}

bool disk_is_absent(int rc)
{
    return rc == -ENOENT || rc == -ENXIO || rc == -ENODEV || rc == -ENOMEDIUM;
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

/* What is looked for, and whose own entry does not count. */
struct wanted {
    const struct domain_config *c;
    const struct disk_config *disk;
    const struct disk_id *id;
    uint32_t domid;
    struct error *e;
};

static int refuse(struct host *h, host_txn_t t, const struct wanted *w, uint32_t holder,
                  bool writes)
{
    char path[64], *name = NULL;

    snprintf(path, sizeof(path), "/local/domain/%u", holder);
    if (read_entry(h, t, path, "name", &name))
        name = NULL;
    error_set(w->e, -EBUSY,
              "%s: <disk> '%s': %s is in use by domain %u (%s), which may %s it; both need "
              "<readonly/>, or both <shareable/>",
              w->c->name, w->disk->target, w->disk->source, holder, name ? name : "?",
              writes ? "write" : "only read");
    free(name);
    return -EBUSY;
}

/* Is the one the other, or a part of it, or made of it? What stands upon the wanted disk keeps it
 * from all but who shares it (disk_held.c): that one is asked for here. 1, 0, or -errno. */
static int meets(const struct wanted *w, const struct disk_id *other)
{
    int rc = disk_overlap(w->id, other) ? 1 : disk_stands_on(w->id, other);

    return rc || !w->disk->shareable ? rc : disk_stands_on(other, w->id);
}

/* One back end against the disk. */
static int check_one(struct host *h, host_txn_t t, uint32_t holder, unsigned int vdev,
                     const char *dir, void *arg)
{
    const struct wanted *w = arg;
    char *number = NULL, *mode = NULL, *shareable = NULL;
    unsigned int major, minor;
    struct disk_id other;
    bool writes;
    int rc, met;

    if (holder == w->domid && vdev == w->disk->vdev)
        return 0;
    rc = read_entry(h, t, dir, "physical-device", &number);
    rc = rc ? rc : read_entry(h, t, dir, "mode", &mode);
    rc = rc ? rc : read_entry(h, t, dir, "shareable", &shareable);
    /* An entry without a number is not served yet; its maker meets ours when it is. */
    if (rc == 0 && sscanf(number, "%x:%x", &major, &minor) == 2) {
        rc = device_system->identify_number(major, minor, &other);
        writes = strchr(mode, 'w') != NULL;
        met = rc ? 0 : meets(w, &other);
        if (disk_is_absent(rc))
            rc = 0;
        else if (met < 0)
            rc = met;
        else if (met && (writes || !w->disk->readonly) &&
                 !(w->disk->shareable && strcmp(shareable, "1") == 0))
            rc = refuse(h, t, w, holder, writes);
    }
    free(number);
    free(mode);
    free(shareable);
    return rc;
}

int disk_share_check(struct host *h, host_txn_t t, const struct domain_config *c, uint32_t domid,
                     const struct disk_config *disk, const struct disk_id *id, struct error *e)
{
    struct wanted w = {c, disk, id, domid, e};

    return device_each_back(h, t, "vbd", check_one, &w);
}
