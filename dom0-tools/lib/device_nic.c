/* SPDX-License-Identifier: MIT */
/*
 * An interface: see device_nic.h.
 */
#include "device_nic.h"

#include <errno.h>
#include <stdio.h>

#include "device_entry.h"
#include "device_path.h"
#include "devices.h"
#include "interrupt.h"
#include "nic_script.h"
#include "nic_share.h"
#include "store.h"

#define RATE_US 50000u /* a limit holds for each so long, as Xen's tools have it */

/* The back end makes the interface some time after it took the device up. On a bridge, if it has no
 * script. */
static int wait_interface(const char *vif, const struct nic_config *nic)
{
    int rc = -ENODEV;

    for (unsigned int ms = 0; ms < DEVICE_WAIT_MS && rc == -ENODEV; ms += DEVICE_STEP_MS) {
        if (interrupt_came())
            return -EINTR;
        if (ms)
            device_system->sleep_ms(DEVICE_STEP_MS);
        if (nic->script)
            rc = device_system->has_interface(vif) ? 0 : -ENODEV;
        else
            rc = device_system->bridge_join(vif, nic->ifname, nic->bridge);
    }
    return rc;
}

/* An interface's entries, and what decides whether it may have its address. */
struct nic_entry {
    struct device_entry device;
    const struct domain_config *c;
    const struct nic_config *nic;
    struct error *e;
};

/* As for disks: the check and the entries in one transaction. */
static int put_nic_entry(struct host *h, host_txn_t t, void *arg)
{
    struct nic_entry *p = arg;
    int rc = nic_share_check(h, t, p->c, p->device.domid, p->device.id, p->nic, p->e);

    return rc ? rc : device_entry_put(h, t, &p->device);
}

const char *device_nic_rate(const struct nic_config *nic, char text[DEVICE_NIC_RATE])
{
    /* ABI: so many bytes in so many microseconds: it may send them all at once. */
    snprintf(text, DEVICE_NIC_RATE, "%u,%u",
             (unsigned int)((uint64_t)nic->rate_kib * 1024 / (1000000 / RATE_US)), RATE_US);
    return nic->rate_kib ? text : NULL;
}

const char *device_nic_script(const struct nic_config *nic)
{
    return nic->script ? nic->script : "none";
}

/* A script says itself when it has done its part, without which the two ends do not connect. */
static int take_place(struct host *h, const struct nic_entry *p, const char *vif)
{
    uint32_t domid = p->device.domid;
    char path[DEVICE_PATH];
    int rc = wait_interface(vif, p->nic);

    if (rc == -EEXIST) /* which says of a device that it is another's */
        return error_set(p->e, -EBUSY,
                         "%s: <interface> %s: the control domain has an interface '%s' already",
                         p->c->name, vif, p->nic->ifname);
    if (rc)
        return rc;
    if (p->nic->script)
        return nic_script_online(h, p->nic->script, p->c->name, domid, p->device.id, p->e);
    device_back_path(path, "vif", domid, p->device.id, "/hotplug-status");
    return h->ops->store_write(h, 0, path, "connected");
}

int device_nic_attach(struct host *h, const struct domain_config *c, uint32_t domid,
                      const struct nic_config *nic, unsigned int id, struct error *e)
{
    char mac[18], handle[16], vif[32], rate[DEVICE_NIC_RATE];
    const struct device_field front[] = {{"handle", handle}, {"mac", mac}};
    const struct device_field back[] = {
        {"handle", handle},
        {"mac", mac},
        {"type", "vif"},
        {"script", device_nic_script(nic)}, /* xen-netback wants one */
        {"bridge", nic->bridge},
        {"vifname", nic->ifname},
        {"ip", nic->ip},
        {"rate", device_nic_rate(nic, rate)},
        /* Until a script writes it, the back end of each Linux waits. */
        {"hotplug-status", nic->script ? "" : NULL},
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
    rc = rc ? rc : device_entry_wait(h, &p.device);
    if (rc == -ETIMEDOUT)
        return error_set(e, rc,
                         "%s: <interface> to '%s': no back end took it up: is xen-netback loaded?",
                         c->name, nic->bridge ? nic->bridge : vif);
    rc = rc ? rc : take_place(h, &p, vif);
    if (rc == -EINTR)
        return interrupt_check(c->name, e);
    if (rc && (nic->script || !nic->bridge))
        return error_errno(e, rc, "%s: <interface> %s", c->name, vif);
    return rc ? error_errno(e, rc, "%s: <interface> %s to bridge '%s'", c->name, vif, nic->bridge)
              : 0;
}

/* What a bridge is to a script the script knows. */
static int check_place(const struct domain_config *c, const struct nic_config *nic, struct error *e)
{
    int rc;

    if (nic->script) {
        rc = device_system->script_check(nic->script);
        if (rc == -EACCES)
            return error_set(e, rc, "%s: <interface>: script %s cannot be executed", c->name,
                             nic->script);
        return rc ? error_errno(e, rc, "%s: <interface>: script %s", c->name, nic->script) : 0;
    }
    rc = nic->bridge ? device_system->check_bridge(nic->bridge) : 0;
    return rc ? error_set(e, rc, "%s: <interface>: there is no bridge '%s'", c->name, nic->bridge)
              : 0;
}

int device_nic_check(struct host *h, const struct domain_config *c, const struct nic_config *nic,
                     struct error *e)
{
    int rc = check_place(c, nic, e);

    if (rc)
        return rc;
    rc = nic_share_check(h, 0, c, UINT32_MAX, 0, nic, e);
    return rc ? error_errno(e, rc, "%s: <interface>: asking who has its address", c->name) : 0;
}
