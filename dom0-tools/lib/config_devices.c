/* SPDX-License-Identifier: MIT */
/*
 * The devices of a document: see config_fill.h.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_fill.h"
#include "config_nodes.h"
#include "config_rates.h"
#include "config_script.h"

static void let_disk_go(struct disk_config *d)
{
    free(d->source);
    free(d->target);
    *d = (struct disk_config){0};
}

/* What it lacks may be what was refused of it. */
static void lacks_source(xmlNodePtr n, const char *name, struct findings *f)
{
    if (!node_marked(n))
        findings_error(f, -EINVAL, xmlGetLineNo(n), "<%s> lacks <source>", name);
}

/* false: there is none of it, and that has been told. */
static bool fill_source(xmlNodePtr n, struct disk_config *d, struct findings *f)
{
    xmlNodePtr source = node_child(n, "source");
    bool block = d->kind == DISK_BLOCK;
    const char *wanted = block ? "dev" : "file";

    if (!source && d->cdrom) {
        findings_note(f, d->line, "<disk>: a drive without a medium is left out");
        return false;
    }
    if (!source) {
        lacks_source(n, "disk", f);
        return false;
    }
    d->source = node_attr(source, wanted);
    if (!node_marked(source) && !node_marked(n) &&
        (!d->source || xmlHasProp(source, BAD_CAST(block ? "file" : "dev"))))
        findings_error(f, -EINVAL, xmlGetLineNo(source),
                       "<source> of a disk of type '%s' has the one attribute '%s'",
                       block ? "block" : "file", wanted);
    return d->source != NULL;
}

/* false: nothing of it is kept. */
static bool fill_disk(xmlNodePtr n, struct disk_config *d, struct findings *f)
{
    d->kind = node_attr_is(n, "type", "block") ? DISK_BLOCK : DISK_FILE;
    d->line = xmlGetLineNo(n);
    d->cdrom = node_attr_is(n, "device", "cdrom");
    d->readonly = d->cdrom || node_child(n, "readonly") != NULL;
    d->shareable = node_child(n, "shareable") != NULL;
    d->target = node_attr(node_child(n, "target"), "dev");
    config_rates_fill(n, &d->rates, f);
    if (fill_source(n, d, f) && d->target)
        return true;
    let_disk_go(d);
    return false;
}

static void fill_mac(xmlNodePtr n, struct nic_config *nic)
{
    char *mac = node_attr(n, "address");

    nic->mac_given =
        mac && sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &nic->mac[0], &nic->mac[1],
                      &nic->mac[2], &nic->mac[3], &nic->mac[4], &nic->mac[5]) == 6;
    free(mac);
}

/* "10.0.0.2 10.0.0.3" */
static int fill_addresses(xmlNodePtr n, struct nic_config *nic)
{
    for (n = node_child(n, "ip"); n; n = node_next(n)) {
        char *address = node_attr(n, "address"), *all;

        if (!address)
            continue;
        if (asprintf(&all, "%s%s%s", nic->ip ? nic->ip : "", nic->ip ? " " : "", address) < 0)
            all = NULL;
        free(address);
        free(nic->ip);
        nic->ip = all;
        if (!all)
            return -ENOMEM;
    }
    return 0;
}

/* libvirt alone knows the bridges of its networks; in a live domain's XML it says which. */
static void fill_bridge(xmlNodePtr n, struct nic_config *nic, struct findings *f)
{
    xmlNodePtr source = node_child(n, "source");

    nic->bridge = node_attr(source, "bridge");
    if (nic->bridge && node_attr_is(n, "type", "ethernet"))
        findings_error(f, -EINVAL, nic->line,
                       "<interface type='ethernet'> is on no bridge: no <source bridge=''/>");
    else if (!nic->bridge && !node_marked(source) && node_attr_is(n, "type", "network"))
        findings_error(f, -EINVAL, nic->line,
                       "<interface type='network'>: which bridge it is libvirt alone knows: "
                       "type='bridge' and <source bridge='...'/> say it");
    else if (!nic->bridge && !source && node_attr_is(n, "type", "bridge"))
        lacks_source(n, "interface", f);
    else if (!nic->bridge && !node_marked(source) && node_attr_is(n, "type", "bridge"))
        findings_error(f, -EINVAL, xmlGetLineNo(source), "<source> lacks the attribute 'bridge'");
}

static void fill_rate(xmlNodePtr n, struct nic_config *nic, struct findings *f)
{
    unsigned long rate = node_number(node_attr(n, "average"), 0);

    if (n && xmlHasProp(n, BAD_CAST "average") && (rate < 1 || rate > CONFIG_MAX_RATE_KIB))
        findings_error(f, -ERANGE, xmlGetLineNo(n),
                       "<outbound>: average='%lu' KiB a second is not between 1 and %u", rate,
                       CONFIG_MAX_RATE_KIB);
    else
        nic->rate_kib = (uint32_t)rate;
}

static int fill_script(xmlNodePtr n, struct nic_config *nic, struct findings *f)
{
    char *path = node_attr(n, "path");
    int rc = path ? config_script(path, "<script>: path", xmlGetLineNo(n), nic, f) : 0;

    free(path);
    return rc;
}

static int fill_nic(xmlNodePtr n, struct nic_config *nic, struct findings *f)
{
    nic->line = xmlGetLineNo(n);
    fill_mac(node_child(n, "mac"), nic);
    fill_bridge(n, nic, f);
    nic->ifname = node_attr(node_child(n, "target"), "dev");
    fill_rate(node_at(n, "bandwidth/outbound"), nic, f);
    return fill_script(node_child(n, "script"), nic, f) ? -ENOMEM : fill_addresses(n, nic);
}

static size_t count(xmlNodePtr n, const char *name)
{
    size_t nr = 0;

    for (n = node_child(n, name); n; n = node_next(n))
        nr++;
    return nr;
}

static void fill_limit(xmlNodePtr n, const char *name, uint32_t *limit, struct findings *f)
{
    unsigned long value = node_number(node_attr(n, name), 0);

    if (n && xmlHasProp(n, BAD_CAST name) && value == 0)
        findings_error(f, -ERANGE, xmlGetLineNo(n), "<controller>: %s='0': 1 or more", name);
    *limit = (uint32_t)value;
}

int config_fill_devices(xmlNodePtr devices, struct domain_config *c, struct findings *f)
{
    size_t disks = count(devices, "disk"), nics = count(devices, "interface");
    xmlNodePtr controller = node_child(devices, "controller");
    int rc = 0;

    if (disks > CONFIG_MAX_DISKS || nics > CONFIG_MAX_NICS) {
        findings_error(f, -E2BIG, xmlGetLineNo(devices),
                       "<devices>: at most %u disks and %u interfaces", CONFIG_MAX_DISKS,
                       CONFIG_MAX_NICS);
        return 0;
    }
    c->disks = calloc(disks + 1, sizeof(*c->disks));
    c->nics = calloc(nics + 1, sizeof(*c->nics));
    if (!c->disks || !c->nics)
        return -ENOMEM;
    for (xmlNodePtr n = node_child(devices, "disk"); n; n = node_next(n))
        c->nr_disks += fill_disk(n, &c->disks[c->nr_disks], f);
    for (xmlNodePtr n = node_child(devices, "interface"); n && rc == 0; n = node_next(n))
        rc = fill_nic(n, &c->nics[c->nr_nics++], f);
    c->console = node_child(devices, "console") || node_child(devices, "serial");
    c->line.limits = node_line(controller, devices);
    fill_limit(controller, "maxGrantFrames", &c->max_grant_frames, f);
    fill_limit(controller, "maxEventChannels", &c->max_event_channels, f);
    return rc;
}
