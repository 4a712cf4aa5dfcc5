/* SPDX-License-Identifier: MIT */
/*
 * Checks beyond the grammar: see config_check.h.
 *
 * Each check is one function, one rule, one message.
 */
#include "config_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Block device numbers of the xen block protocol: 202 is the major of xvd. */
#define XVD_MAJOR 202u

bool domain_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= 64 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "0123456789") != len &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-") ==
               len;
}

static int check_name(const struct domain_config *c, const char *file, struct error *e)
{
    if (!domain_name_ok(c->name))
        return error_set(e, -EINVAL,
                         "%s:%ld: <name>: '%s' may not be a number alone, nor begin with . or -",
                         file, c->line.name, c->name);
    if (strcmp(c->name, "Domain-0") == 0)
        return error_set(e, -EINVAL, "%s:%ld: <name>: Domain-0 is the control domain", file,
                         c->line.name);
    return 0;
}

static int check_memory(const struct domain_config *c, const char *file, struct error *e)
{
    if (c->memory_kib < CONFIG_MIN_MEMORY_KIB || c->memory_kib > CONFIG_MAX_MEMORY_KIB)
        return error_set(e, -ERANGE, "%s:%ld: <memory>: %llu KiB is not between 2 MiB and 16 TiB",
                         file, c->line.memory, (unsigned long long)c->memory_kib);
    if (c->current_kib < CONFIG_MIN_MEMORY_KIB || c->current_kib > c->memory_kib)
        return error_set(e, -ERANGE,
                         "%s:%ld: <currentMemory>: %llu KiB is not between 2 MiB and <memory>",
                         file, c->line.current, (unsigned long long)c->current_kib);
    return 0;
}

static int check_vcpus(const struct domain_config *c, const char *file, struct error *e)
{
    if (c->max_vcpus < 1 || c->max_vcpus > CONFIG_MAX_VCPUS)
        return error_set(e, -ERANGE, "%s:%ld: <vcpu>: %u is not between 1 and %u", file,
                         c->line.vcpu, c->max_vcpus, CONFIG_MAX_VCPUS);
    if (c->vcpus < 1 || c->vcpus > c->max_vcpus)
        return error_set(e, -ERANGE, "%s:%ld: <vcpu>: current='%u' is not between 1 and %u", file,
                         c->line.vcpu, c->vcpus, c->max_vcpus);
    if (c->weight > 65535)
        return error_set(e, -ERANGE, "%s:%ld: <shares>: %u is not between 1 and 65535", file,
                         c->line.shares, c->weight);
    if (c->cap > 100 * c->max_vcpus)
        return error_set(
            e, -ERANGE,
            "%s:%ld: <global_quota>: %u %% of a CPU is more than the %u %% that <vcpu> "
            "can use",
            file, c->line.quota, c->cap, 100 * c->max_vcpus);
    for (unsigned int i = c->max_vcpus; i < CONFIG_MAX_VCPUS; i++) {
        if (c->pin[i])
            return error_set(e, -ERANGE, "%s:%ld: <vcpupin>: vcpu='%u' is not between 0 and %u",
                             file, c->line.pin[i], i, c->max_vcpus - 1);
    }
    return 0;
}

/* What a fully virtualized guest is given at its start it has from there on; and what it is not
 * told of it can't ask for. */
static int check_kind(const struct domain_config *c, const char *file, struct error *e)
{
    if (c->kind != KIND_PV && c->vcpus != c->max_vcpus)
        return error_set(e, -EINVAL,
                         "%s:%ld: <vcpu>: current='%u': a guest of kind %s starts all that it has",
                         file, c->line.vcpu, c->vcpus, kind_name(c->kind));
    if (c->kind == KIND_HVM && c->current_kib != c->memory_kib)
        return error_set(e, -EINVAL,
                         "%s:%ld: <currentMemory>: an hvm guest cannot be given more later: it "
                         "must be as <memory>",
                         file, c->line.current);
    return 0;
}

static int check_cmdline(const struct domain_config *c, const char *file, struct error *e)
{
    size_t len = strlen(c->cmdline);

    if (len > CONFIG_MAX_CMDLINE)
        return error_set(e, -E2BIG, "%s:%ld: <cmdline>: %zu bytes, at most %u fit into start_info",
                         file, c->line.cmdline, len, CONFIG_MAX_CMDLINE);
    return 0;
}

/* xvda = 0, each disk has 16 numbers; past xvdp the extended form is used. */
static unsigned int vdev_number(const char *target)
{
    unsigned int disk = (unsigned int)(target[3] - 'a');
    unsigned int part = (unsigned int)strtoul(target + 4, NULL, 10);

    return disk < 16 ? XVD_MAJOR << 8 | disk << 4 | part : 1u << 28 | disk << 8 | part;
}

static int check_disks(struct domain_config *c, const char *file, struct error *e)
{
    for (size_t i = 0; i < c->nr_disks; i++) {
        c->disks[i].vdev = vdev_number(c->disks[i].target);
        for (size_t j = 0; j < i; j++) {
            if (c->disks[i].vdev == c->disks[j].vdev)
                return error_set(e, -EEXIST, "%s:%ld: <disk>: target '%s' is given twice", file,
                                 c->disks[i].line, c->disks[i].target);
        }
    }
    return 0;
}

static int check_nics(const struct domain_config *c, const char *file, struct error *e)
{
    for (size_t i = 0; i < c->nr_nics; i++) {
        const struct nic_config *n = &c->nics[i];

        if (n->mac_given && (n->mac[0] & 1))
            return error_set(
                e, -EINVAL, "%s:%ld: <mac>: %02x:%02x:%02x:%02x:%02x:%02x is a group address", file,
                n->line, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
        for (size_t j = 0; j < i; j++) {
            const struct nic_config *o = &c->nics[j];

            if (n->mac_given && o->mac_given && memcmp(n->mac, o->mac, 6) == 0)
                return error_set(
                    e, -EEXIST, "%s:%ld: <mac>: %02x:%02x:%02x:%02x:%02x:%02x is given twice", file,
                    n->line, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
            if (n->ifname && o->ifname && strcmp(n->ifname, o->ifname) == 0)
                return error_set(e, -EEXIST, "%s:%ld: <interface>: target '%s' is given twice",
                                 file, n->line, n->ifname);
        }
    }
    return 0;
}

int config_check(struct domain_config *c, const char *file, struct error *e)
{
    int rc = check_name(c, file, e);

    rc = rc ? rc : check_memory(c, file, e);
    rc = rc ? rc : check_vcpus(c, file, e);
    rc = rc ? rc : check_kind(c, file, e);
    rc = rc ? rc : check_cmdline(c, file, e);
    rc = rc ? rc : check_disks(c, file, e);
    return rc ? rc : check_nics(c, file, e);
}
