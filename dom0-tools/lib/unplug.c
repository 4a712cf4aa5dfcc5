/* SPDX-License-Identifier: MIT */
/*
 * What leaves a living domain: see hotplug.h.
 *
 * The two drivers part as they met, by their states in the store. The back end's is set to closing
 * and it is said to be offline: the guest's driver finishes what it was at, gives its pages back
 * and says that it is closed; then the back end's does. Only then both entries are removed. A guest
 * that does not answer keeps the device, unless it is taken by force: then the kernel lets go of it
 * as when a domain is destroyed.
 */
#include "unplug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_vdev.h"
#include "device_path.h"
#include "devices.h"
#include "interrupt.h"
#include "kept.h"
#include "lock.h"
#include "nic_script.h"
#include "plain.h"
#include "store.h"

#define STEP_MS 20u
#define ASK_MS  10000u /* so long a guest may take to let go, as with Xen's tools */
#define GONE_MS 15000u

/* A device on its way out of the domain. */
struct leaving {
    struct host *h;
    const struct live_domain *l;
    const char *kind, *which; /* which: as it was asked for */
    unsigned int id;
    uint8_t mac[6];
    bool force, only; /* only: the domain has no other */
    struct error *e;
};

int unplug_allowed(const struct live_domain *l, struct error *e)
{
    if (!l->ours)
        return error_set(e, -ENODATA,
                         "%s: it was not created by pvctl: the tool that made it has its devices",
                         l->name);
    if (l->d.kind == KIND_HVM)
        return error_set(e, -ENOTSUP, "%s: an hvm guest has neither disks nor interfaces: use PVH",
                         l->name);
    if (l->d.dying || l->d.shutdown)
        return error_set(e, -ESRCH, "%s: it has ended: %s", l->name, domain_state_text(&l->d));
    return 0;
}

int unplug_is_others(struct host *h, const char *kind, uint32_t domid, unsigned int id)
{
    char path[DEVICE_PATH], **names;
    unsigned int n;
    int rc;

    snprintf(path, sizeof(path), "/libxl/%u/device/%s/%u", domid, kind, id);
    rc = h->ops->store_list(h, 0, path, &names, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    free(names);
    return 1;
}

void unplug_at_once(struct host *h, const char *kind, uint32_t domid, unsigned int id)
{
    char path[DEVICE_PATH], name[DEVICE_NAME];

    if (strcmp(kind, "vbd") == 0)
        devices_unlimit_disk(h, domid, id);
    else
        nic_script_offline(h, domid, id);
    device_back_path(path, kind, domid, id, "");
    h->ops->store_rm(h, 0, path);
    device_front_path(path, kind, domid, id, "");
    h->ops->store_rm(h, 0, path);
    snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u/%u", kind, domid, id);
    h->ops->store_rm(h, 0, path);
    snprintf(name, sizeof(name), "%s-%u-%u", kind, domid, id);
    for (unsigned int ms = 0; ms < GONE_MS && device_system->backend_lives(name); ms += STEP_MS)
        device_system->sleep_ms(STEP_MS);
    device_system->sweep_limits();
}

static bool back_is(const struct leaving *d, const char *state)
{
    char path[DEVICE_PATH], *is = NULL;
    bool same;

    device_back_path(path, d->kind, d->l->d.domid, d->id, "/state");
    same = d->h->ops->store_read(d->h, 0, path, &is) == 0 && strcmp(is, state) == 0;
    free(is);
    return same;
}

/* The back end's state and whether it is to stay, if it is there. */
struct wish {
    const struct leaving *d;
    const char *online, *state;
};

static int put_wish(struct host *h, host_txn_t t, void *arg)
{
    const struct wish *w = arg;
    const struct leaving *d = w->d;
    char path[DEVICE_PATH], *is = NULL;
    int rc;

    device_back_path(path, d->kind, d->l->d.domid, d->id, "/state");
    rc = h->ops->store_read(h, t, path, &is);
    free(is);
    rc = rc ? rc : h->ops->store_write(h, t, path, w->state);
    device_back_path(path, d->kind, d->l->d.domid, d->id, "/online");
    return rc ? rc : h->ops->store_write(h, t, path, w->online);
}

/* A guest that said nothing goes on with its device as if nobody had asked. One whose driver has
 * begun to close it, which Linux before 5.15 does when its file system is unmounted, is left to
 * that: the device goes when it is done, and by the next command. */
static void ask_no_more(const struct leaving *d)
{
    struct wish stay = {d, "1", XENBUS_CONNECTED};
    char path[DEVICE_PATH], *front = NULL;

    device_front_path(path, d->kind, d->l->d.domid, d->id, "/state");
    if (d->h->ops->store_read(d->h, 0, path, &front) == 0 && strcmp(front, XENBUS_CONNECTED) == 0 &&
        store_transaction(d->h, put_wish, &stay))
        error_set(d->e, -EIO, "%s: %s: the store does not take back what the guest was asked",
                  d->l->name, d->which);
    free(front);
}

/* A back end that no guest is connected to is nobody's to give back. */
static int ask(const struct leaving *d)
{
    struct wish go = {d, "0", XENBUS_CLOSING};
    int rc = 0;

    if (d->force || (!back_is(d, XENBUS_CONNECTED) && !back_is(d, XENBUS_CLOSING)))
        return 0;
    rc = store_transaction(d->h, put_wish, &go);
    if (rc && rc != -ENOENT)
        return error_errno(d->e, rc, "%s: %s", d->l->name, d->which);
    for (unsigned int ms = 0; back_is(d, XENBUS_CLOSING) || back_is(d, XENBUS_CONNECTED);
         ms += STEP_MS) {
        if (ms >= ASK_MS || interrupt_came()) {
            ask_no_more(d);
            return interrupt_came()
                       ? interrupt_check(d->l->name, d->e)
                       : error_set(d->e, -EBUSY,
                                   "%s: %s: the guest does not let it go: is it mounted or open "
                                   "there? --force takes it away all the same",
                                   d->l->name, d->which);
        }
        device_system->sleep_ms(STEP_MS);
    }
    return 0;
}

static void drop_disk(struct domain_config *cfg, unsigned int vdev)
{
    for (size_t i = 0; i < cfg->nr_disks; i++) {
        struct disk_config *d = &cfg->disks[i];
        unsigned int number;

        if (!vdev_number(d->target, &number) || number != vdev)
            continue;
        free(d->source);
        free(d->target);
        memmove(d, d + 1, (--cfg->nr_disks - i) * sizeof(*d));
        return;
    }
}

static void drop_nic(struct domain_config *cfg, const uint8_t mac[6])
{
    for (size_t i = 0; i < cfg->nr_nics; i++) {
        struct nic_config *n = &cfg->nics[i];

        if (memcmp(n->mac, mac, 6) != 0)
            continue;
        free(n->bridge);
        free(n->ifname);
        free(n->script);
        free(n->ip);
        memmove(n, n + 1, (--cfg->nr_nics - i) * sizeof(*n));
        return;
    }
}

/* A back end's entry, "" where there is none: nothing that a guest can write. */
static void read_back(const struct leaving *d, const char *id, const char *key, char out[64])
{
    char path[DEVICE_PATH], *value = NULL;

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%.20s/%s", d->kind, d->l->d.domid,
             id, key);
    if (d->h->ops->store_read(d->h, 0, path, &value) == 0)
        plain_line(value);
    snprintf(out, 64, "%s", value ? value : "");
    free(value);
}

/* The one that is meant among the devices that the store has: 0; -ENOENT, and all that there are
 * in `have`; or what the store said. */
static int choose(struct leaving *d, bool (*meant)(struct leaving *d, const char *key),
                  const char *key, char *have, size_t size)
{
    char dir[DEVICE_PATH], value[64], **ids;
    unsigned int n = 0;
    int rc;

    device_backs_path(dir, d->kind, d->l->d.domid);
    rc = d->h->ops->store_list(d->h, 0, dir, &ids, &n);
    if (rc)
        return rc;
    d->only = n == 1;
    rc = -ENOENT;
    for (unsigned int i = 0; i < n && rc; i++) {
        size_t len = strlen(have);

        read_back(d, ids[i], key, value);
        d->id = (unsigned int)strtoul(ids[i], NULL, 10);
        rc = meant(d, value) ? 0 : -ENOENT;
        snprintf(have + len, size - len, "%s%s", len ? ", " : "", value);
    }
    free(ids);
    return rc;
}

static bool is_number(const char *text)
{
    return *text && strlen(text) < 10 && strspn(text, "0123456789") == strlen(text);
}

static bool disk_is_meant(struct leaving *d, const char *name)
{
    unsigned int vdev;

    if (is_number(d->which))
        return d->id == strtoul(d->which, NULL, 10);
    return strcmp(name, d->which) == 0 || (vdev_number(d->which, &vdev) && vdev == d->id);
}

static bool nic_is_meant(struct leaving *d, const char *mac)
{
    if (sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &d->mac[0], &d->mac[1], &d->mac[2],
               &d->mac[3], &d->mac[4], &d->mac[5]) != 6)
        memset(d->mac, 0, 6);
    if (!d->which)
        return d->only;
    return is_number(d->which) ? d->id == strtoul(d->which, NULL, 10)
                               : strcasecmp(mac, d->which) == 0;
}

static int none(const struct leaving *d, int rc, const char *what, const char *have)
{
    if (rc != -ENOENT)
        return error_errno(d->e, rc, "%s: asking which %ss it has", d->l->name, what);
    if (!*have)
        return error_set(d->e, rc, "%s: it has no %s", d->l->name, what);
    if (!d->which)
        return error_set(d->e, rc, "%s: which %s? it has %s", d->l->name, what, have);
    return error_set(d->e, rc, "%s: there is no %s %.64s; it has %s", d->l->name, what, d->which,
                     have);
}

/* What another tool gave it, that tool takes away: it knows what else belongs to it. */
static int refuse_others(const struct leaving *d)
{
    int rc = unplug_is_others(d->h, d->kind, d->l->d.domid, d->id);

    if (rc < 0)
        return error_errno(d->e, rc, "%s: asking whose device that is", d->l->name);
    return rc ? error_set(d->e, -ENODATA,
                          "%s: %s: pvctl has not attached it: the tool that has (xl, virsh) "
                          "detaches it",
                          d->l->name, d->which)
              : 0;
}

static int leave(struct domain_config *cfg, void *arg)
{
    struct leaving *d = arg;
    bool disk = strcmp(d->kind, "vbd") == 0;
    char have[256] = "";
    int rc =
        choose(d, disk ? disk_is_meant : nic_is_meant, disk ? "dev" : "mac", have, sizeof(have));

    if (rc)
        return none(d, rc, disk ? "disk" : "interface", have);
    d->which = d->which ? d->which : "its interface";
    rc = refuse_others(d);
    rc = rc ? rc : ask(d);
    if (rc == 0 && disk)
        drop_disk(cfg, d->id);
    else if (rc == 0)
        drop_nic(cfg, d->mac);
    return rc;
}

static void left(void *arg)
{
    const struct leaving *d = arg;

    unplug_at_once(d->h, d->kind, d->l->d.domid, d->id);
}

/* It leaves the configuration first: where this is killed before it has left the store, the next
 * detach finds it there, and the next life has it not. */
static int remove_device(struct leaving *d)
{
    const struct kept_change k = {leave, left, d, LOCK_LIMIT_MS};
    int rc = unplug_allowed(d->l, d->e);

    return rc ? rc : kept_change_of(d->l->d.domid, d->l->name, &k, d->e);
}

int hotplug_remove_disk(struct host *h, const struct live_domain *l, const char *target, bool force,
                        struct error *e)
{
    struct leaving d = {.h = h, .l = l, .kind = "vbd", .which = target, .force = force, .e = e};

    return remove_device(&d);
}

int hotplug_remove_nic(struct host *h, const struct live_domain *l, const char *which, bool force,
                       struct error *e)
{
    struct leaving d = {.h = h, .l = l, .kind = "vif", .which = which, .force = force, .e = e};

    return remove_device(&d);
}
