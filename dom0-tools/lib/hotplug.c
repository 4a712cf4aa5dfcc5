/* SPDX-License-Identifier: MIT */
/*
 * What comes to a living domain: see hotplug.h; unplug.c has what goes.
 *
 * Race: the domain may end while a device comes to it, and its devices have been taken away by
 * then. So it is asked for behind that, and what was written is taken away again where it is going;
 * who takes a domain away looks for devices once more when it is destroyed (reap.c).
 */
#include "hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <linux/major.h>

#include "config_check.h"
#include "config_vdev.h"
#include "device_nic.h"
#include "device_path.h"
#include "devices.h"
#include "kept.h"
#include "unplug.h"

/* A device on its way into the domain's configuration. */
struct arrival {
    struct host *h;
    const struct live_domain *l;
    struct domain_config *c; /* the device alone */
    unsigned int id;
    bool nic, there; /* there: the store has it by us */
    struct error *e;
};

static int append_disk(struct domain_config *cfg, const struct disk_config *d)
{
    struct disk_config *more = realloc(cfg->disks, (cfg->nr_disks + 1) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    cfg->disks = more;
    more += cfg->nr_disks++;
    *more = *d;
    more->source = strdup(d->source);
    more->target = strdup(d->target);
    return more->source && more->target ? 0 : -ENOMEM;
}

static char *copy_of(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;

    *failed |= text && !copy;
    return copy;
}

static int append_nic(struct domain_config *cfg, const struct nic_config *n)
{
    struct nic_config *more = realloc(cfg->nics, (cfg->nr_nics + 1) * sizeof(*more));
    bool failed = false;

    if (!more)
        return -ENOMEM;
    cfg->nics = more;
    more += cfg->nr_nics++;
    *more = *n;
    more->bridge = copy_of(n->bridge, &failed);
    more->ifname = copy_of(n->ifname, &failed);
    more->script = copy_of(n->script, &failed);
    more->ip = copy_of(n->ip, &failed);
    return failed ? -ENOMEM : 0;
}

static bool keeps_disk(const struct domain_config *cfg, unsigned int vdev)
{
    for (size_t i = 0; i < cfg->nr_disks; i++) {
        if (cfg->disks[i].vdev == vdev)
            return true;
    }
    return false;
}

static bool keeps_nic(const struct domain_config *cfg, const char *address)
{
    char mac[18];

    for (size_t i = 0; i < cfg->nr_nics; i++) {
        mac_format(cfg->nics[i].mac, mac);
        if (strcasecmp(mac, address) == 0)
            return true;
    }
    return false;
}

static int refuse_twin(const struct arrival *a, const struct domain_config *cfg)
{
    unsigned int vdev;
    char mac[18];

    if (a->nic) {
        mac_format(a->c->nics[0].mac, mac);
        return keeps_nic(cfg, mac)
                   ? error_set(a->e, -EEXIST, "%s: it has an interface %s already", a->l->name, mac)
                   : 0;
    }
    return vdev_number(a->c->disks[0].target, &vdev) && keeps_disk(cfg, vdev)
               ? error_set(a->e, -EEXIST, "%s: it has a disk %s already", a->l->name,
                           a->c->disks[0].target)
               : 0;
}

/* As if its file had had it from the beginning: limits, too. */
static int append(struct arrival *a, struct domain_config *cfg)
{
    struct findings f = {0};
    int rc;

    if (a->nic ? cfg->nr_nics == CONFIG_MAX_NICS : cfg->nr_disks == CONFIG_MAX_DISKS)
        return error_set(a->e, -E2BIG, "%s: it has %u %s, which is as many as there can be",
                         a->l->name, a->nic ? CONFIG_MAX_NICS : CONFIG_MAX_DISKS,
                         a->nic ? "interfaces" : "disks");
    rc = refuse_twin(a, cfg);
    if (rc)
        return rc;
    rc = a->nic ? append_nic(cfg, &a->c->nics[0]) : append_disk(cfg, &a->c->disks[0]);
    if (rc)
        return error_errno(a->e, rc, "%s", a->l->name);
    config_check(cfg, &f);
    rc = findings_first(&f, a->l->name, a->e);
    findings_free(&f);
    if (rc == 0 && !a->nic)
        a->id = a->c->disks[0].vdev = cfg->disks[cfg->nr_disks - 1].vdev;
    return rc;
}

/* The least number that no interface of the domain has. */
static int free_number(struct host *h, uint32_t domid, unsigned int *id)
{
    char dir[DEVICE_PATH], **ids;
    unsigned int n;
    int rc;

    device_backs_path(dir, "vif", domid);
    rc = h->ops->store_list(h, 0, dir, &ids, &n);
    *id = 0;
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    for (unsigned int i = 0; i < n; i++) {
        if (strtoul(ids[i], NULL, 10) == *id) {
            ++*id;
            i = (unsigned int)-1; /* from the beginning: they are in no order */
        }
    }
    free(ids);
    return 0;
}

/* An entry of its back end, or of its front end; NULL: there is none. */
static char *entry(const struct arrival *a, unsigned int id, bool front, const char *key)
{
    char path[DEVICE_PATH], *value = NULL;
    uint32_t domid = a->l->d.domid;
    const char *kind = a->nic ? "vif" : "vbd";

    (front ? device_front_path : device_back_path)(path, kind, domid, id, key);
    return a->h->ops->store_read(a->h, 0, path, &value) ? NULL : value;
}

static bool entry_is(const struct arrival *a, unsigned int id, bool front, const char *key,
                     const char *wanted)
{
    char *value = entry(a, id, front, key);
    bool is = value && wanted && strcasecmp(value, wanted) == 0;

    free(value);
    return is;
}

/* Has the store a device of this number, or of this address? Its number is *id then. */
static bool is_in_store(const struct arrival *a, unsigned int *id)
{
    char dir[DEVICE_PATH], mac[18], **ids;
    bool found = false;
    unsigned int n;

    device_backs_path(dir, a->nic ? "vif" : "vbd", a->l->d.domid);
    if (a->h->ops->store_list(a->h, 0, dir, &ids, &n))
        return false;
    if (a->nic)
        mac_format(a->c->nics[0].mac, mac);
    for (unsigned int i = 0; i < n && !found; i++) {
        unsigned int number = (unsigned int)strtoul(ids[i], NULL, 10);

        found = a->nic ? entry_is(a, number, false, "/mac", mac) : number == a->id;
        if (found)
            *id = number;
    }
    free(ids);
    return found;
}

/* The same of a back end's, which may be there or not. */
static bool is_same(const struct arrival *a, unsigned int id, const char *key, const char *wanted)
{
    char *value = entry(a, id, false, key);
    bool same = value && wanted ? strcmp(value, wanted) == 0 : !value && !wanted;

    free(value);
    return same;
}

/* A disk that is on a loop device has these limits from now on; another can have none. */
static bool takes_limits(const struct arrival *a, unsigned int id, const struct disk_rates *rates)
{
    char *number = entry(a, id, false, "/physical-device");
    unsigned int major, minor;
    bool takes = number && sscanf(number, "%x:%x", &major, &minor) == 2 &&
                 (major == LOOP_MAJOR ? device_system->limit(major, minor, rates) == 0
                                      : !disk_rates_any(rates));

    free(number);
    return takes;
}

/* Is the device of this number what is to come? A disk that may be written is not one that may only
 * be read. */
static bool is_wanted(const struct arrival *a, unsigned int id)
{
    const struct disk_config *d = a->c->disks;
    const struct nic_config *n = a->c->nics;
    char rate[DEVICE_NIC_RATE];

    if (a->nic)
        return is_same(a, id, "/bridge", n->bridge) && is_same(a, id, "/ip", n->ip) &&
               is_same(a, id, "/script", device_nic_script(n)) &&
               is_same(a, id, "/rate", device_nic_rate(n, rate));
    return is_same(a, id, "/source", d->source) &&
           is_same(a, id, "/mode", d->readonly ? "r" : "w") &&
           is_same(a, id, "/shareable", d->shareable ? "1" : "0") && takes_limits(a, id, &d->rates);
}

/* Do both ends use it? An interface's front end does so before it is on a bridge, its back end
 * behind that. */
static bool is_in_use(const struct arrival *a, unsigned int id)
{
    return entry_is(a, id, true, "/state", XENBUS_CONNECTED) &&
           entry_is(a, id, false, "/state", XENBUS_CONNECTED);
}

/* What the store has and the configuration has not is another tool's, or was left by an attach that
 * was killed. If the guest uses that, and it is what is to come, it has come; else it goes. 1: it
 * has come, 0: it is to come. */
static int find_left(struct arrival *a)
{
    const char *kind = a->nic ? "vif" : "vbd";
    int rc;

    if (!is_in_store(a, &a->id))
        return 0;
    rc = unplug_is_others(a->h, kind, a->l->d.domid, a->id);
    if (rc < 0)
        return error_errno(a->e, rc, "%s: asking whose devices it has", a->l->name);
    if (rc)
        return error_set(a->e, -EEXIST, "%s: another tool (xl, virsh) has attached device %s %u",
                         a->l->name, kind, a->id);
    if (!is_in_use(a, a->id)) {
        unplug_at_once(a->h, kind, a->l->d.domid, a->id);
        return 0;
    }
    return is_wanted(a, a->id)
               ? 1
               : error_set(a->e, -EEXIST,
                           "%s: it has device %s %u already, of an attach that was cut off: detach "
                           "it first",
                           a->l->name, kind, a->id);
}

/* A disk that a killed attach has left, by whatever name, goes if no guest uses it: it would keep
 * its image from all others, and its loop device. One that the guest uses stays, until it is
 * detached. Who attaches or detaches has the lock: nobody is at it. */
static void sweep_left_disks(const struct arrival *a, const struct domain_config *cfg)
{
    char dir[DEVICE_PATH], **ids;
    unsigned int n;

    device_backs_path(dir, "vbd", a->l->d.domid);
    if (a->h->ops->store_list(a->h, 0, dir, &ids, &n))
        return; /* there is none, or who asks next is told */
    for (unsigned int i = 0; i < n; i++) {
        unsigned int id = (unsigned int)strtoul(ids[i], NULL, 10);

        if (!keeps_disk(cfg, id) && !is_in_use(a, id) &&
            unplug_is_others(a->h, "vbd", a->l->d.domid, id) == 0)
            unplug_at_once(a->h, "vbd", a->l->d.domid, id);
    }
    free(ids);
}

/* What an attach that was killed has left: nobody who asks for an interface without an address says
 * that it is that. One that no guest uses goes; one that the guest uses, and that is what is to
 * come, has come: its address is returned. Who attaches or detaches has the lock: nobody is at it.
 */
static bool look_at_left(const struct arrival *a, const struct domain_config *cfg, unsigned int id,
                         uint8_t mac[6])
{
    char *address = entry(a, id, false, "/mac");
    bool left = address && !keeps_nic(cfg, address) &&
                unplug_is_others(a->h, "vif", a->l->d.domid, id) == 0;
    bool comes = left && is_in_use(a, id) && is_wanted(a, id) &&
                 sscanf(address, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2],
                        &mac[3], &mac[4], &mac[5]) == 6;

    free(address);
    if (left && !is_in_use(a, id))
        unplug_at_once(a->h, "vif", a->l->d.domid, id);
    return comes;
}

/* One that has come is that of an earlier attach, or has the address that it is given, or one that
 * is made up. */
static void settle_address(struct arrival *a, const struct domain_config *cfg)
{
    struct nic_config *nic = &a->c->nics[0];
    char dir[DEVICE_PATH], **ids = NULL;
    unsigned int n = 0;
    uint8_t mac[6];

    device_backs_path(dir, "vif", a->l->d.domid);
    if (a->h->ops->store_list(a->h, 0, dir, &ids, &n))
        ids = NULL, n = 0; /* there is none, or who asks next is told */
    for (unsigned int i = 0; i < n; i++) {
        if (look_at_left(a, cfg, (unsigned int)strtoul(ids[i], NULL, 10), mac) && !nic->mac_given) {
            memcpy(nic->mac, mac, 6);
            nic->mac_given = true;
        }
    }
    free(ids);
    if (!nic->mac_given)
        mac_make(nic->mac);
    nic->mac_given = true;
}

static int plug(struct arrival *a)
{
    uint32_t domid = a->l->d.domid;
    int rc = find_left(a);

    if (rc)
        return rc < 0 ? rc : 0;
    rc = devices_check(a->h, a->c, a->e);
    if (rc)
        return rc;
    if (a->nic) {
        rc = free_number(a->h, domid, &a->id);
        if (rc)
            return error_errno(a->e, rc, "%s: asking which interfaces it has", a->l->name);
        rc = device_nic_attach(a->h, a->c, domid, &a->c->nics[0], a->id, a->e);
    } else {
        rc = devices_attach_disk(a->h, a->c, domid, &a->c->disks[0], a->e);
    }
    a->there = rc != -EEXIST; /* somebody else's */
    return rc;
}

static bool still_lives(struct host *h, const struct live_domain *l)
{
    struct host_domain d;
    unsigned int n = 0;

    return h->ops->domain_list(h, l->d.domid, &d, 1, &n) == 0 && n == 1 && d.domid == l->d.domid &&
           memcmp(d.uuid, l->d.uuid, 16) == 0 && !d.dying;
}

static int has_ended(const struct arrival *a)
{
    return error_set(a->e, -ESRCH, "%s: it has ended meanwhile", a->l->name);
}

static int arrive(struct domain_config *cfg, void *arg)
{
    struct arrival *a = arg;
    int rc;

    if (a->nic)
        settle_address(a, cfg);
    else
        sweep_left_disks(a, cfg);
    rc = append(a, cfg);
    rc = rc ? rc : plug(a);
    return rc || still_lives(a->h, a->l) ? rc : has_ended(a);
}

static int add(struct arrival *a)
{
    const char *kind = a->nic ? "vif" : "vbd";
    int rc = unplug_allowed(a->l, a->e);

    if (rc)
        return rc;
    rc = kept_change(a->l, arrive, a, a->e);
    if (rc && a->there && unplug_is_others(a->h, kind, a->l->d.domid, a->id) == 0)
        unplug_at_once(a->h, kind, a->l->d.domid, a->id);
    return rc;
}

int hotplug_add_disk(struct host *h, const struct live_domain *l, struct domain_config *c,
                     struct error *e)
{
    struct arrival a = {.h = h, .l = l, .c = c, .e = e};

    return add(&a);
}

int hotplug_add_nic(struct host *h, const struct live_domain *l, struct domain_config *c,
                    unsigned int *id, struct error *e)
{
    struct arrival a = {.h = h, .l = l, .c = c, .nic = true, .e = e};
    int rc;

    rc = add(&a);
    *id = a.id;
    return rc;
}
