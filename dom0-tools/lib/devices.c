/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces: see devices.h.
 */
#include "devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_path.h"
#include "interrupt.h"
#include "nic_share.h"
#include "store.h"

#define STEP_MS  20u
#define WAIT_MS  15000u
#define START_MS 120000u /* the drivers of a large machine */

#define RATE_US 50000u /* a limit holds for each so long, as Xen's tools have it */

/* One entry of a device's directory; value NULL: there is none. */
struct field {
    const char *key, *value;
};

/* A device to be written: both ends. */
struct device {
    const char *kind; /* "vbd", "vif" */
    uint32_t domid;
    unsigned int id; /* the device's number in the guest */
    const struct field *front, *back;
    size_t nr_front, nr_back;
};

static int put_fields(struct host *h, host_txn_t t, const char *dir, const struct field *f,
                      size_t nr)
{
    int rc = 0;

    for (size_t i = 0; i < nr && rc == 0; i++) {
        char path[DEVICE_PATH + 32];

        snprintf(path, sizeof(path), "%s/%s", dir, f[i].key);
        rc = f[i].value ? h->ops->store_write(h, t, path, f[i].value) : 0;
    }
    return rc;
}

/* Others' tools give devices to our domains, too. */
static int refuse_taken(struct host *h, host_txn_t t, const char *back)
{
    char **keys;
    unsigned int n;
    int rc = h->ops->store_list(h, t, back, &keys, &n);

    if (rc)
        return rc == -ENOENT ? 0 : rc;
    free(keys);
    return -EEXIST;
}

/* Both directories in one transaction; "state" comes last in each, it starts the driver. */
static int put_device(struct host *h, host_txn_t t, void *arg)
{
    const struct device *d = arg;
    char front[DEVICE_PATH], back[DEVICE_PATH], perms[32], domid[16];
    const struct field front_fields[] = {
        {"backend", back}, {"backend-id", "0"}, {"state", XENBUS_INITIALISING}};
    const struct field back_fields[] = {{"frontend", front},
                                        {"frontend-id", domid},
                                        {"online", "1"},
                                        {"state", XENBUS_INITIALISING}};
    int rc;

    device_front_path(front, d->kind, d->domid, d->id, "");
    device_back_path(back, d->kind, d->domid, d->id, "");
    snprintf(domid, sizeof(domid), "%u", d->domid);
    snprintf(perms, sizeof(perms), "n%u r0", d->domid);
    rc = refuse_taken(h, t, back);
    rc = rc ? rc : h->ops->store_mkdir(h, t, front);
    rc = rc ? rc : h->ops->store_perms(h, t, front, perms);
    rc = rc ? rc : put_fields(h, t, front, d->front, d->nr_front);
    rc = rc ? rc : put_fields(h, t, front, front_fields, 3);
    snprintf(perms, sizeof(perms), "n0 r%u", d->domid);
    rc = rc ? rc : h->ops->store_mkdir(h, t, back);
    rc = rc ? rc : h->ops->store_perms(h, t, back, perms);
    rc = rc ? rc : put_fields(h, t, back, d->back, d->nr_back);
    return rc ? rc : put_fields(h, t, back, back_fields, 4);
}

/* 0, -EAGAIN: not yet, or the error that the driver met. */
static int look_at_backend(struct host *h, const char *kind, uint32_t domid, unsigned int id)
{
    char path[DEVICE_PATH], name[DEVICE_NAME];
    char *state = NULL;
    int rc;

    device_back_path(path, kind, domid, id, "/state");
    rc = h->ops->store_read(h, 0, path, &state);
    if (rc)
        return rc;
    if (strcmp(state, XENBUS_INITIALISING) == 0) {
        rc = -EAGAIN;
    } else if (strcmp(state, XENBUS_CLOSING) == 0 || strcmp(state, XENBUS_CLOSED) == 0) {
        rc = -EIO; /* the driver gave up; its reason is in the kernel's log */
    } else if (strcmp(kind, "vbd") == 0) {
        snprintf(name, sizeof(name), "vbd-%u-%u", domid, id);
        rc = device_system->backend_serves(name) ? 0 : -EAGAIN;
    }
    free(state);
    return rc;
}

/* Waits until the back end's driver has taken the device up. */
static int wait_backend(struct host *h, const struct device *d)
{
    for (unsigned int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
        int rc = look_at_backend(h, d->kind, d->domid, d->id);

        if (rc != -EAGAIN)
            return rc;
        if (interrupt_came())
            return -EINTR;
        device_system->sleep_ms(STEP_MS);
    }
    return -ETIMEDOUT;
}

/* A disk's entries, and what decides whether they may be written. */
struct disk_entry {
    struct device device;
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

    return rc ? rc : put_device(h, t, &p->device);
}

static int put_disk(struct host *h, const struct domain_config *c, uint32_t domid,
                    const struct disk_config *disk, const char *params, struct error *e)
{
    char number[32], vdev[16];
    unsigned int major, minor;
    const char *type = disk->cdrom ? "cdrom" : "disk";
    const struct field front[] = {{"virtual-device", vdev}, {"device-type", type}};
    const struct field back[] = {
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
    return rc ? rc : wait_backend(h, &p.device);
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

/* The back end makes the interface some time after it took the device up. */
static int join_bridge(const char *vif, const struct nic_config *nic)
{
    int rc = -ENODEV;

    for (unsigned int ms = 0; ms < WAIT_MS && rc == -ENODEV; ms += STEP_MS) {
        if (interrupt_came())
            return -EINTR;
        if (ms)
            device_system->sleep_ms(STEP_MS);
        rc = device_system->bridge_join(vif, nic->ifname, nic->bridge);
    }
    return rc;
}

/* An interface's entries, and what decides whether it may have its address. */
struct nic_entry {
    struct device device;
    const struct domain_config *c;
    const struct nic_config *nic;
    struct error *e;
};

/* As for disks: the check and the entries in one transaction. */
static int put_nic_entry(struct host *h, host_txn_t t, void *arg)
{
    struct nic_entry *p = arg;
    int rc = nic_share_check(h, t, p->c, p->device.domid, p->device.id, p->nic, p->e);

    return rc ? rc : put_device(h, t, &p->device);
}

const char *devices_nic_rate(const struct nic_config *nic, char text[NIC_RATE])
{
    /* ABI: so many bytes in so many microseconds: it may send them all at once. */
    snprintf(text, NIC_RATE, "%u,%u",
             (unsigned int)((uint64_t)nic->rate_kib * 1024 / (1000000 / RATE_US)), RATE_US);
    return nic->rate_kib ? text : NULL;
}

int devices_attach_nic(struct host *h, const struct domain_config *c, uint32_t domid,
                       const struct nic_config *nic, unsigned int id, struct error *e)
{
    char mac[18], handle[16], vif[32], rate[NIC_RATE], path[DEVICE_PATH];
    const struct field front[] = {{"handle", handle}, {"mac", mac}};
    const struct field back[] = {
        {"handle", handle},      {"mac", mac},    {"type", "vif"},
        {"script", "none"}, /* xen-netback wants one; udev rules would run it */
        {"bridge", nic->bridge}, {"ip", nic->ip}, {"rate", devices_nic_rate(nic, rate)},
    };
    struct nic_entry p = {
        .device = {"vif", domid, id, front, back, 2, sizeof(back) / sizeof(back[0])},
        .c = c,
        .nic = nic,
        .e = e};
    int rc;

    snprintf(handle, sizeof(handle), "%u", id);
    mac_format(nic->mac, mac);
    snprintf(vif, sizeof(vif), "vif%u.%u", domid, id);
    rc = store_transaction(h, put_nic_entry, &p);
    rc = rc ? rc : wait_backend(h, &p.device);
    if (rc == -ETIMEDOUT)
        return error_set(e, rc,
                         "%s: <interface> to '%s': no back end took it up: is xen-netback loaded?",
                         c->name, nic->bridge ? nic->bridge : vif);
    rc = rc ? rc : join_bridge(vif, nic);
    if (rc == -EINTR)
        return interrupt_check(c->name, e);
    if (rc == 0) {
        device_back_path(path, "vif", domid, id, "/hotplug-status");
        rc = h->ops->store_write(h, 0, path, "connected");
    }
    if (rc && !nic->bridge)
        return error_errno(e, rc, "%s: <interface> %s", c->name, vif);
    return rc ? error_errno(e, rc, "%s: <interface> %s to bridge '%s'", c->name, vif, nic->bridge)
              : 0;
}

int devices_attach(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e)
{
    int rc = 0;

    for (size_t i = 0; i < c->nr_disks && rc == 0; i++)
        rc = devices_attach_disk(h, c, domid, &c->disks[i], e);
    for (size_t i = 0; i < c->nr_nics && rc == 0; i++)
        rc = devices_attach_nic(h, c, domid, &c->nics[i], (unsigned int)i, e);
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

static int check_disk(struct host *h, const struct domain_config *c, const struct disk_config *d,
                      struct disk_id *id, struct error *e)
{
    unsigned int major, minor;
    int rc = d->kind == DISK_FILE ? device_system->check_file(d->source, d->readonly)
                                  : device_system->block_number(d->source, &major, &minor);

    rc = rc ? rc : device_system->identify_path(d->source, id);
    if (rc)
        return error_errno(e, rc, "%s: <disk> '%s': %s", c->name, d->target, d->source);
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

static int check_nic(struct host *h, const struct domain_config *c, const struct nic_config *nic,
                     struct error *e)
{
    int rc = nic->bridge ? device_system->check_bridge(nic->bridge) : 0;

    if (rc)
        return error_set(e, rc, "%s: <interface>: there is no bridge '%s'", c->name, nic->bridge);
    rc = nic_share_check(h, 0, c, UINT32_MAX, 0, nic, e);
    return rc ? error_errno(e, rc, "%s: <interface>: asking who has its address", c->name) : 0;
}

static int check_all(struct host *h, const struct domain_config *c, struct error *e)
{
    int rc = check_disks(h, c, e);

    for (size_t i = 0; i < c->nr_nics && rc == 0; i++)
        rc = check_nic(h, c, &c->nics[i], e);
    return rc;
}

/* Race: drivers may be all there between a look and the question whether they come: that first. */
int devices_check(struct host *h, const struct domain_config *c, struct error *e)
{
    for (unsigned int ms = 0;; ms += STEP_MS) {
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
        device_system->sleep_ms(STEP_MS);
    }
}
