/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces: see devices.h.
 */
#include "devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_entry.h"
#include "device_nic.h"
#include "device_path.h"
#include "interrupt.h"
#include "store.h"

#define START_MS 120000u /* the drivers of a large machine */

/* A disk's entries, and what decides whether they may be written. */
struct disk_entry {
    struct device_entry device;
    const struct domain_config *c;
    const struct disk_config *disk;
    struct disk_id id;
    struct error *e;
};

/* The check and the entries in one transaction: who else takes the disk meanwhile makes it fail. */
static int put_disk_entry(struct host *h, host_txn_t t, void *arg)
{
    struct disk_entry *p = arg;
    int rc = disk_share_check(h, t, p->c, p->device.domid, p->disk, &p->id, p->e);

    return rc ? rc : device_entry_put(h, t, &p->device);
}

static int put_disk(struct host *h, const struct domain_config *c, uint32_t domid,
                    const struct disk_config *disk, const char *params, struct error *e)
{
    char number[32], vdev[16];
    unsigned int major, minor;
    const char *type = disk->cdrom ? "cdrom" : "disk";
    const struct device_field front[] = {{"virtual-device", vdev}, {"device-type", type}};
    const struct device_field back[] = {
        {"dev", disk->target},
        {"type", "phy"},
        {"device-type", type},
        {"mode", disk->readonly ? "r" : "w"},
        {"shareable", disk->shareable ? "1" : "0"},
        {"removable", "0"},
        {"bootable", "1"},
        {"params", params},
        {"source", disk->source},
        {"physical-device", number},
    };
    struct disk_entry p = {
        .device = {"vbd", domid, disk->vdev, front, back, 2, sizeof(back) / sizeof(back[0])},
        .c = c,
        .disk = disk,
        .e = e};
    int rc = device_system->block_number(params, &major, &minor);

    rc = rc ? rc : device_system->identify_number(major, minor, &p.id);
    if (rc)
        return rc;
    snprintf(vdev, sizeof(vdev), "%u", disk->vdev);
    snprintf(number, sizeof(number), "%x:%x", major, minor);
    rc = store_transaction(h, put_disk_entry, &p);
    return rc ? rc : device_entry_wait(h, &p.device);
}

/* Before anybody knows of the device. */
static int limit_disk(const char *loop, const struct disk_rates *rates)
{
    unsigned int major, minor;
    int rc = device_system->block_number(loop, &major, &minor);

    return rc ? rc : device_system->limit(major, minor, rates);
}

static int put_on_loop(struct host *h, const struct domain_config *c, uint32_t domid,
                       const struct disk_config *disk, struct error *e)
{
    char loop[64];
    int held = device_system->loop_attach(disk->source, disk->readonly, loop, sizeof(loop)), rc;

    if (held < 0)
        return held;
    rc = limit_disk(loop, &disk->rates);
    if (rc)
        error_errno(e, rc,
                    "%s: <disk> '%s': <iotune>: limits are cgroup v1's, in /sys/fs/cgroup/blkio",
                    c->name, disk->target);
    else
        rc = put_disk(h, c, domid, disk, loop, e);
    device_system->loop_let_go(held);
    if (rc)
        device_system->sweep_limits();
    return rc;
}

int devices_attach_disk(struct host *h, const struct domain_config *c, uint32_t domid,
                        const struct disk_config *disk, struct error *e)
{
    int rc = disk->kind == DISK_FILE || disk_rates_any(&disk->rates)
                 ? put_on_loop(h, c, domid, disk, e)
                 : put_disk(h, c, domid, disk, disk->source, e);

    if (rc == -ETIMEDOUT)
        return error_set(e, rc, "%s: <disk> '%s': no back end took it up: is xen-blkback loaded?",
                         c->name, disk->target);
    if (rc == -EINTR)
        return interrupt_check(c->name, e);
    return rc ? error_errno(e, rc, "%s: <disk> '%s' from %s", c->name, disk->target, disk->source)
              : 0;
}

int devices_attach(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e)
{
    int rc = 0;

    for (size_t i = 0; i < c->nr_disks && rc == 0; i++)
        rc = devices_attach_disk(h, c, domid, &c->disks[i], e);
    for (size_t i = 0; i < c->nr_nics && rc == 0; i++)
        rc = device_nic_attach(h, c, domid, &c->nics[i], (unsigned int)i, e);
    return rc;
}

static void list_device(struct device_list *l, const char *kind, uint32_t domid, const char *id)
{
    char(*more)[DEVICE_NAME] = realloc(l->names, (l->nr + 1) * sizeof(*more));

    if (more) { /* else it is not waited for */
        l->names = more;
        snprintf(l->names[l->nr++], DEVICE_NAME, "%s-%u-%s", kind, domid, id);
    }
}

void devices_unlimit_disk(struct host *h, uint32_t domid, unsigned int id)
{
    char path[DEVICE_PATH], name[DEVICE_NAME], *number = NULL;
    unsigned int major, minor;

    device_back_path(path, "vbd", domid, id, "/physical-device");
    snprintf(name, sizeof(name), "vbd-%u-%u", domid, id);
    if (h->ops->store_read(h, 0, path, &number) == 0 &&
        sscanf(number, "%x:%x", &major, &minor) == 2)
        device_system->unlimit(name, major, minor);
    free(number);
}

/* Removing the directory makes the kernel let go of the device: its rings, grants and disk. */
static void let_go(struct host *h, const char *kind, uint32_t domid, struct device_list *out)
{
    char dir[DEVICE_PATH], path[DEVICE_PATH + 16], **ids;
    unsigned int n;

    device_backs_path(dir, kind, domid);
    if (h->ops->store_list(h, 0, dir, &ids, &n))
        return;
    for (unsigned int i = 0; i < n; i++) {
        list_device(out, kind, domid, ids[i]);
        if (strcmp(kind, "vbd") == 0)
            devices_unlimit_disk(h, domid, (unsigned int)strtoul(ids[i], NULL, 10));
        snprintf(path, sizeof(path), "%s/%s", dir, ids[i]);
        h->ops->store_rm(h, 0, path);
    }
    free(ids);
    h->ops->store_rm(h, 0, dir);
}

int devices_kinds(struct host *h, uint32_t domid)
{
    char dir[DEVICE_PATH], **kinds;
    unsigned int n;
    int rc;

    snprintf(dir, sizeof(dir), "/local/domain/%u/device", domid);
    rc = h->ops->store_list(h, 0, dir, &kinds, &n);
    if (rc == 0)
        free(kinds);
    return rc ? rc : (int)n;
}

void devices_let_go(struct host *h, uint32_t domid, struct device_list *out)
{
    *out = (struct device_list){0};
    if (devices_kinds(h, domid) == 0)
        return;
    let_go(h, "vbd", domid, out);
    let_go(h, "vif", domid, out);
}

void devices_forget(struct host *h, uint32_t domid)
{
    static const char *const kinds[] = {"vbd", "vif"};
    char dir[DEVICE_PATH];

    for (size_t i = 0; i < 2; i++) {
        snprintf(dir, sizeof(dir), "/local/domain/0/error/backend/%s/%u", kinds[i], domid);
        h->ops->store_rm(h, 0, dir);
    }
}

bool devices_gone(struct device_list *l)
{
    for (size_t i = 0; i < l->nr;) {
        if (device_system->backend_lives(l->names[i]))
            i++;
        else
            memcpy(l->names[i], l->names[--l->nr], DEVICE_NAME);
    }
    return l->nr == 0;
}

void device_list_free(struct device_list *l)
{
    free(l->names);
    *l = (struct device_list){0};
}

/* The disk of /etc/parvis/debian-disk.xml is there where somebody said so when the machine began.
 */
static const char *who_gives(const char *source)
{
    return strcmp(source, "/dev/disk/by-id/virtio-guest") == 0
               ? " (which `make run GUEST_DISK=` gives the machine)"
               : "";
}

static int check_disk(struct host *h, const struct domain_config *c, const struct disk_config *d,
                      struct disk_id *id, struct error *e)
{
    unsigned int major, minor;
    int rc = d->kind == DISK_FILE ? device_system->check_file(d->source, d->readonly)
                                  : device_system->block_number(d->source, &major, &minor);

    rc = rc ? rc : device_system->identify_path(d->source, id);
    if (rc)
        return error_errno(e, rc, "%s: <disk> '%s': %s%s", c->name, d->target, d->source,
                           who_gives(d->source));
    rc = d->shareable ? 0 : device_system->held(d->source, id, d->readonly);
    if (rc && rc != -EBUSY)
        return error_set(e, rc, "%s: <disk> '%s': %s: whether it is mounted here: %s", c->name,
                         d->target, d->source, strerror(-rc));
    if (rc)
        return error_set(e, -EBUSY,
                         "%s: <disk> '%s': %s is in use in the control domain itself: it is "
                         "mounted there, or part of another device",
                         c->name, d->target, d->source);
    rc = disk_share_check(h, 0, c, UINT32_MAX, d, id, e);
    return rc ? error_errno(e, rc, "%s: <disk> '%s': asking who has it", c->name, d->target) : 0;
}

/* Two names of one disk in one configuration are as bad. */
static int check_pair(const struct domain_config *c, const struct disk_config *a,
                      const struct disk_config *b, struct error *e)
{
    if ((a->readonly && b->readonly) || (a->shareable && b->shareable))
        return 0;
    return error_set(e, -EBUSY, "%s: <disk> '%s': %s is the disk of '%s' too, and can be written",
                     c->name, b->target, b->source, a->target);
}

static int check_disks(struct host *h, const struct domain_config *c, struct error *e)
{
    struct disk_id ids[CONFIG_MAX_DISKS];
    int rc = 0;

    for (size_t i = 0; i < c->nr_disks && rc == 0; i++) {
        rc = check_disk(h, c, &c->disks[i], &ids[i], e);
        for (size_t j = 0; j < i && rc == 0; j++)
            rc = disk_overlap(&ids[i], &ids[j]) ? check_pair(c, &c->disks[j], &c->disks[i], e) : 0;
    }
    return rc;
}

static int check_all(struct host *h, const struct domain_config *c, struct error *e)
{
    int rc = check_disks(h, c, e);

    for (size_t i = 0; i < c->nr_nics && rc == 0; i++)
        rc = device_nic_check(h, c, &c->nics[i], e);
    return rc;
}

/* Race: drivers may be all there between a look and the question whether they come: that first. */
int devices_check(struct host *h, const struct domain_config *c, struct error *e)
{
    for (unsigned int ms = 0;; ms += DEVICE_STEP_MS) {
        bool may_come = device_system->starting() && ms < START_MS;
        struct error why = {0};
        int rc = check_all(h, c, &why);

        if (rc == 0)
            return 0;
        if (!may_come || (rc != -ENOENT && rc != -ENODEV && rc != -ENXIO))
            return error_set(e, rc, "%s", why.text);
        if (interrupt_came())
            return interrupt_check(c->name, e);
        if (ms == 0)
            fprintf(stderr, "pvctl: %s; the machine's drivers are being loaded: waiting\n",
                    why.text);
        device_system->sleep_ms(DEVICE_STEP_MS);
    }
}
