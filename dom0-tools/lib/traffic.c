/* SPDX-License-Identifier: MIT */
/*
 * What went over the interfaces and the disks of domains: see traffic.h.
 */
#include "traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"

const char *traffic_sys = "/sys";

static const char *const net_files[NR_NET_COUNTS] = {
    [NET_RX_BYTES] = "rx_bytes",
    [NET_RX_PACKETS] = "rx_packets",
    [NET_TX_BYTES] = "tx_bytes",
    [NET_TX_PACKETS] = "tx_packets",
};
static const char *const disk_files[NR_DISK_COUNTS] = {
    [DISK_WAITED] = "oo_req",           [DISK_READS] = "rd_req",
    [DISK_WRITES] = "wr_req",           [DISK_READ_SECTORS] = "rd_sect",
    [DISK_WRITTEN_SECTORS] = "wr_sect",
};

/* A file with a line that begins so. */
static bool read_line(const char *dir, const char *name, const char *file, char *out, size_t size)
{
    char path[PATH_MAX];
    FILE *f;
    bool ok;

    snprintf(path, sizeof(path), "%s/%s/%s/%s", traffic_sys, dir, name, file);
    f = fopen(path, "re");
    if (!f)
        return false;
    ok = fgets(out, (int)size, f) != NULL;
    fclose(f);
    return ok;
}

static bool read_counts(const char *dir, const char *name, const char *const *files,
                        unsigned int nr, uint64_t *out)
{
    for (unsigned int i = 0; i < nr; i++) {
        char file[40], text[32];

        snprintf(file, sizeof(file), "statistics/%s", files[i]);
        if (!read_line(dir, name, file, text, sizeof(text)) ||
            sscanf(text, "%" SCNu64, &out[i]) != 1)
            return false;
    }
    return true;
}

/* An interface has the name that its hotplug script gave it; the kernel tells whose it is. */
static bool read_net(const char *name, struct traffic_device *d)
{
    char node[64];
    uint32_t number;

    if ((!read_line("class/net", name, "device/nodename", node, sizeof(node)) ||
         sscanf(node, "backend/vif/%" SCNu32 "/%" SCNu32, &d->domid, &number) != 2) &&
        sscanf(name, "vif%" SCNu32 ".%" SCNu32, &d->domid, &number) != 2)
        return false;
    snprintf(d->name, sizeof(d->name), "%.23s", name);
    d->counted = true;
    return read_counts("class/net", name, net_files, NR_NET_COUNTS, d->count);
}

/* ABI: the number of a disk of Xen's own, "xvda", "xvdb3", "xvdaa"; another's stays a number, and
 * so does one that is wide without need: no two disks of a domain have one name. */
static void disk_name(uint32_t number, char *out, size_t size)
{
    bool wide = number >> 28 == 1;
    uint32_t disk = wide ? (number >> 8) & 0xfffff : (number & 0xff) >> 4;
    uint32_t part = number & (wide ? 0xff : 0xf);
    char letters[8], *at = &letters[sizeof(letters) - 1];

    if (wide ? disk < 16 && part < 16 : number >> 8 != 202) {
        snprintf(out, size, "%" PRIu32, number);
        return;
    }
    *at = '\0';
    for (uint32_t left = disk + 1; left > 0; left = (left - 1) / 26)
        *--at = (char)('a' + (left - 1) % 26);
    if (part)
        snprintf(out, size, "xvd%s%" PRIu32, at, part);
    else
        snprintf(out, size, "xvd%s", at);
}

static bool read_disk(const char *name, struct traffic_device *d)
{
    uint32_t number;

    if (sscanf(name, "vbd-%" SCNu32 "-%" SCNu32, &d->domid, &number) != 2)
        return false;
    d->disk = true;
    disk_name(number, d->name, sizeof(d->name));
    d->counted = read_counts("bus/xen-backend/devices", name, disk_files, NR_DISK_COUNTS, d->count);
    return true;
}

static int read_all(struct traffic *t, const char *where,
                    bool (*read_one)(const char *name, struct traffic_device *d))
{
    char path[PATH_MAX];
    const char *name;
    DIR *dir;
    int rc;

    snprintf(path, sizeof(path), "%s/%s", traffic_sys, where);
    dir = folder_open(path, &rc);
    while (rc == 0 && (name = folder_next(dir, &rc)) != NULL) {
        struct traffic_device d = {0}, *more;

        if (name[0] == '.' || !read_one(name, &d))
            continue;
        more = realloc(t->device, (t->nr + 1) * sizeof(*more));
        rc = more ? 0 : -ENOMEM;
        t->device = more ? more : t->device;
        if (rc == 0)
            t->device[t->nr++] = d;
    }
    folder_close(dir);
    return rc;
}

static int by_domain(const void *a, const void *b)
{
    const struct traffic_device *x = a, *y = b;

    if (x->domid != y->domid)
        return x->domid < y->domid ? -1 : 1;
    return x->disk != y->disk ? x->disk - y->disk : strcmp(x->name, y->name);
}

int traffic_read(struct traffic *t)
{
    int rc;

    *t = (struct traffic){0};
    rc = read_all(t, "class/net", read_net);
    rc = rc ? rc : read_all(t, "bus/xen-backend/devices", read_disk);
    if (rc)
        traffic_free(t);
    else if (t->nr)
        qsort(t->device, t->nr, sizeof(*t->device), by_domain);
    return rc;
}

void traffic_free(struct traffic *t)
{
    free(t->device);
    *t = (struct traffic){0};
}
