/* SPDX-License-Identifier: MIT */
/*
 * The disks and interfaces of an xl file: see config_xl_internal.h. xl-disk-configuration(5) and
 * xl-network-configuration(5) of Xen have their grammars; that of disks the library knows.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"
#include "config_script.h"
#include "config_xl_internal.h"

#define DEFAULT_BRIDGE "xenbr0" /* as xl has it */

/* malloc'ed strings that the library puts into its struct. */
static void let_go(libxl_device_disk *d)
{
    free(d->backend_domname);
    free(d->pdev_path);
    free(d->vdev);
    free(d->script);
    free(d->colo_host);
    free(d->colo_export);
    free(d->active_disk);
    free(d->hidden_disk);
}

static bool is_control_domain(const char *name)
{
    return !name || strcmp(name, "0") == 0 || strcmp(name, "Domain-0") == 0;
}

/* NULL, or what of it there is not. */
static const char *lacking(const libxl_device_disk *d)
{
    if (!is_control_domain(d->backend_domname))
        return "backend: back ends are in the control domain";
    if (d->format != LIBXL_DISK_FORMAT_RAW && d->format != LIBXL_DISK_FORMAT_EMPTY &&
        d->format != LIBXL_DISK_FORMAT_UNKNOWN)
        return "format: images are raw: `qemu-img convert -O raw` makes one";
    if (d->backend == LIBXL_DISK_BACKEND_STANDALONE ||
        d->specification == LIBXL_DISK_SPECIFICATION_VIRTIO)
        return "specification: disks are Xen's";
    return NULL;
}

/* As xl: a path that does not begin with / is below /dev. */
static bool fill_source(const libxl_device_disk *d, struct disk_config *out)
{
    if (asprintf(&out->source, "%s%s", *d->pdev_path == '/' ? "" : "/dev/", d->pdev_path) < 0) {
        out->source = NULL;
        return false;
    }
    out->kind = strncmp(out->source, "/dev/", 5) == 0 ? DISK_BLOCK : DISK_FILE;
    return true;
}

static int keep_disk(const struct xl *x, const libxl_device_disk *d, long line)
{
    struct disk_config *out = &x->c->disks[x->c->nr_disks];
    const char *why = lacking(d);
    bool medium = d->pdev_path && *d->pdev_path;

    if (!d->vdev || !*d->vdev)
        why = "vdev: its name in the guest is missing, such as xvda";
    else if (!why && !medium && !d->is_cdrom)
        why = "target: the file or block device is missing";
    if (!why && d->script)
        findings_error(x->f, -ENOTSUP, line, "disk: script: '%.64s': scripts are not run",
                       d->script);
    else if (why)
        findings_error(x->f, -EINVAL, line, "disk: %s", why);
    if (why || d->script)
        return 0;
    if (!medium) {
        findings_note(x->f, line, "disk: a drive without a medium is left out");
        return 0;
    }
    *out = (struct disk_config){.line = line,
                                .cdrom = d->is_cdrom,
                                .readonly = d->is_cdrom || !d->readwrite,
                                .target = strdup(d->vdev)};
    x->c->nr_disks++;
    if (!out->target || !fill_source(d, out))
        return -ENOMEM;
    (void)xl_keeps(x, "disk", out->source, line); /* of a command line it may be anything */
    return 0;
}

/* Where the library misses what is not at its place. */
static void tell_target(struct xl *x, const libxl_device_disk *d, long line)
{
    findings_error(x->f, -EINVAL, line,
                   "disk: target= takes all that is behind it, and so comes last: '%.64s'",
                   d->pdev_path);
    rewind(x->report);
}

int xl_fill_disk(struct xl *x, const char *spec, long line)
{
    libxl_device_disk d;
    int rc = 0;

    memset(&d, 0, sizeof(d));
    if (xlu_disk_parse(x->cfg, 1, &spec, &d) == 0)
        rc = keep_disk(x, &d, line);
    else if (!d.vdev && d.pdev_path && strstr(d.pdev_path, ",vdev="))
        tell_target(x, &d, line);
    else
        xl_heard(x, "disk", line);
    let_go(&d);
    return rc;
}

static int list_of(const struct xl *x, const char *key, unsigned int most, XLU_ConfigList **list)
{
    int entries = 0;

    if (xlu_cfg_get_list(x->cfg, key, list, &entries, 1) == EINVAL)
        findings_error(x->f, -EINVAL, xl_line(&x->places, key, -1),
                       "%s: one value, where a list is wanted: %s = [ '...' ]", key, key);
    if (entries > (int)most) {
        findings_error(x->f, -E2BIG, xl_line(&x->places, key, (int)most), "%s: at most %u", key,
                       most);
        entries = 0;
    }
    return entries;
}

int xl_fill_disks(struct xl *x)
{
    XLU_ConfigList *list;
    int entries = list_of(x, "disk", CONFIG_MAX_DISKS, &list), rc = 0;

    x->c->disks = calloc((size_t)entries + 1, sizeof(*x->c->disks));
    if (!x->c->disks)
        return -ENOMEM;
    for (int i = 0; i < entries && rc == 0; i++) {
        char *spec = xl_item(x, "disk", list, i);

        rc = spec ? xl_fill_disk(x, spec, xl_line(&x->places, "disk", i)) : 0;
        free(spec);
    }
    return rc;
}

static void wrong(const struct xl *x, const struct nic_config *n, const char *key,
                  const char *value, const char *accepted)
{
    findings_error(x->f, -EINVAL, n->line, "vif: %s: '%.64s' is not accepted; accepted: %s", key,
                   value, accepted);
}

static void fill_mac(const struct xl *x, struct nic_config *n, const char *value)
{
    int end = 0;

    n->mac_given = strspn(value, "0123456789abcdefABCDEF:") == 17 && strlen(value) == 17 &&
                   sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &n->mac[0], &n->mac[1],
                          &n->mac[2], &n->mac[3], &n->mac[4], &n->mac[5], &end) == 6 &&
                   end == 17;
    if (!n->mac_given)
        wrong(x, n, "mac", value, "six bytes in hexadecimal, as 00:16:3e:00:00:01");
}

/* Linux takes it, and it stands for no other place where it is a part of a path. */
static bool is_ifname(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= 15 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

static int fill_ifname(const struct xl *x, const struct nic_config *n, const char *key,
                       const char *value, char **out)
{
    if (!is_ifname(value)) {
        wrong(x, n, key, value,
              "the name of a network interface: 1 to 15 of the characters A-Z a-z 0-9 _ . -, "
              "neither . nor ..");
        return 0;
    }
    free(*out);
    *out = strdup(value);
    return *out ? 0 : -ENOMEM;
}

/* "10Mb/s@20ms": the library knows the grammar. */
static void fill_rate(struct xl *x, struct nic_config *n, const char *value)
{
    libxl_device_nic nic;
    uint64_t kib;

    memset(&nic, 0, sizeof(nic));
    if (xlu_vif_parse_rate(x->cfg, value, &nic) || !nic.rate_interval_usecs) {
        xl_heard(x, "vif: rate, such as 10Mb/s or 512KB/s", n->line);
        return;
    }
    if (strchr(value, '@'))
        findings_note(x->f, n->line, "vif: rate: its interval is always 50 ms");
    if (__builtin_mul_overflow(nic.rate_bytes_per_interval, UINT64_C(1000000), &kib))
        kib = UINT64_MAX;
    kib = (kib / nic.rate_interval_usecs + 1023) / 1024;
    if (kib < 1 || kib > CONFIG_MAX_RATE_KIB)
        findings_error(x->f, -ERANGE, n->line,
                       "vif: rate: '%.64s' is not between 1 KiB and 4 GiB a second", value);
    else
        n->rate_kib = (uint32_t)kib;
}

static int fill_addresses(struct nic_config *n, const char *value)
{
    free(n->ip);
    n->ip = *value ? strdup(value) : NULL;
    return n->ip || !*value ? 0 : -ENOMEM;
}

/* What of the others there is, is the same for all interfaces. */
static void check_other(const struct xl *x, const struct nic_config *n, const char *key,
                        const char *value)
{
    static const char *const passed[] = {"type",    "devid",      "accel", "netdev",
                                         "trusted", "gatewaydev", "model", "mtu"};

    if (strcmp(key, "backend") == 0 && !is_control_domain(value)) {
        findings_error(x->f, -ENOTSUP, n->line,
                       "vif: backend: back ends are in the control domain");
        return;
    }
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        if (strcmp(key, passed[i]) != 0)
            continue;
        if (x->how->strict)
            findings_error(x->f, -ENOTSUP, n->line, "vif: %s: it has no effect", key);
        else if (i >= 5) /* from gatewaydev on somebody may expect one */
            findings_note(x->f, n->line, "vif: %s: the front and back end decide on it", key);
        return;
    }
    if (strcmp(key, "backend") != 0)
        findings_error(x->f, -EINVAL, n->line,
                       "vif: '%.32s' is not known; known: mac, bridge, ip, rate, vifname, script",
                       key);
}

static int fill_pair(struct xl *x, struct nic_config *n, const char *key, const char *value)
{
    if (strcmp(key, "mac") == 0)
        fill_mac(x, n, value);
    else if (strcmp(key, "bridge") == 0)
        return fill_ifname(x, n, key, value, &n->bridge);
    else if (strcmp(key, "vifname") == 0)
        return fill_ifname(x, n, key, value, &n->ifname);
    else if (strcmp(key, "ip") == 0)
        return fill_addresses(n, value);
    else if (strcmp(key, "rate") == 0)
        fill_rate(x, n, value);
    else if (strcmp(key, "script") == 0)
        return config_script(value, "vif: script", n->line, n, x->f);
    else
        check_other(x, n, key, value);
    return 0;
}

/* "mac=00:16:3e:00:00:01, bridge=xenbr0": blanks around words mean nothing. */
int xl_fill_nic(struct xl *x, struct nic_config *n, char *spec)
{
    char *save = NULL;
    int rc = 0;

    for (char *p = strtok_r(spec, ",", &save); p && rc == 0; p = strtok_r(NULL, ",", &save)) {
        char *equal, *end = p + strlen(p);

        p += strspn(p, " ");
        while (end > p && end[-1] == ' ')
            *--end = '\0';
        equal = strchr(p, '=');
        if (!*p)
            continue;
        if (equal) {
            *equal = '\0';
            rc = fill_pair(x, n, p, equal + 1 + strspn(equal + 1, " "));
        } else {
            findings_error(x->f, -EINVAL, n->line, "vif: '%.64s' is no KEY=VALUE", p);
        }
    }
    if (rc == 0 && !n->bridge)
        n->bridge = strdup(DEFAULT_BRIDGE);
    return n->bridge ? rc : -ENOMEM;
}

int xl_fill_nics(struct xl *x)
{
    XLU_ConfigList *list;
    int entries = list_of(x, "vif", CONFIG_MAX_NICS, &list), rc = 0;

    x->c->nics = calloc((size_t)entries + 1, sizeof(*x->c->nics));
    if (!x->c->nics)
        return -ENOMEM;
    for (int i = 0; i < entries && rc == 0; i++) {
        struct nic_config *n = &x->c->nics[x->c->nr_nics++];
        char *spec = xl_item(x, "vif", list, i);

        n->line = xl_line(&x->places, "vif", i);
        rc = spec ? xl_fill_nic(x, n, spec) : 0;
        free(spec);
    }
    return rc;
}
