/* SPDX-License-Identifier: MIT */
/*
 * pvctl block-list, pvctl network-list: the disks and interfaces that domains have, whoever made
 * them: read from the back ends' entries in the store. Guests own the entries of the front ends,
 * and nothing is read from those.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_path.h"
#include "plain.h"
#include "pvctl.h"

/* What a member is called as a column and in JSON, and its key below the back end. */
struct member {
    const char *column, *json, *key;
    int width;
};

struct kind {
    const char *type; /* in the store */
    const struct member *members;
    size_t nr;
};

/* clang-format off */
static const struct member disk_members[] = {
    {"Target", "target", "dev",         8},
    {"Mode",   "mode",   "mode",        5},
    {"Type",   "type",   "device-type", 6},
    {"State",  "state",  "state",       13},
    {"Source", "source", "source",      0},
};

static const struct member nic_members[] = {
    {"MAC",    "mac",    "mac",         18},
    {"Bridge", "bridge", "bridge",      12},
    {"Rate",   "rate",   "rate",        14},
    {"State",  "state",  "state",       13},
    {"IP",     "ip",     "ip",          0},
};
/* clang-format on */

static const struct kind disks = {"vbd", disk_members,
                                  sizeof(disk_members) / sizeof(disk_members[0])};
static const struct kind nics = {"vif", nic_members, sizeof(nic_members) / sizeof(nic_members[0])};

const char *device_state_text(const char *number)
{
    static const char *const words[] = {"unknown",     "initialising",  "waiting",
                                        "initialised", "connected",     "closing",
                                        "closed",      "reconfiguring", "reconfigured"};
    unsigned long n = strtoul(number, NULL, 10);

    return words[n < sizeof(words) / sizeof(words[0]) ? n : 0];
}

/* malloc'ed; NULL: there is none. libxl's disks have their file in params, as "file:/a/b" or
 * "/a/b". */
static char *read_member(struct host *h, const char *dir, const char *key)
{
    char path[DEVICE_PATH + 64], *text = NULL;
    int rc;

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    rc = h->ops->store_read(h, 0, path, &text);
    if (rc && strcmp(key, "source") == 0) {
        snprintf(path, sizeof(path), "%s/params", dir);
        rc = h->ops->store_read(h, 0, path, &text);
    }
    if (rc)
        return NULL;
    plain_line(text);
    return text;
}

static void print_device(const struct call *c, const struct live_domain *l, const struct kind *k,
                         const char *dir, const char *id)
{
    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", l->name);
        json_number("id", l->d.domid);
        json_number("device", strtoul(id, NULL, 10));
    } else {
        printf("%-24s %5u %7s ", l->name, l->d.domid, id);
    }
    for (size_t i = 0; i < k->nr; i++) {
        const struct member *m = &k->members[i];
        char *text = read_member(c->h, dir, m->key);
        const char *shown = text && strcmp(m->key, "state") == 0 ? device_state_text(text) : text;

        if ((c->options & OPT_JSON) && shown)
            json_string(m->json, shown);
        else if (!(c->options & OPT_JSON))
            printf(" %-*s", m->width, shown ? shown : "-");
        free(text);
    }
    if (c->options & OPT_JSON)
        json_close('}');
    else
        putchar('\n');
}

static int print_domain(const struct call *c, const struct live_domain *l, const struct kind *k)
{
    char dir[DEVICE_PATH], path[DEVICE_PATH + 32], **ids;
    unsigned int n;
    int rc;

    device_backs_path(dir, k->type, l->d.domid);
    rc = c->h->ops->store_list(c->h, 0, dir, &ids, &n);
    if (rc)
        return rc == -ENOENT ? 0 : rc; /* it has none */
    for (unsigned int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%.20s", dir, ids[i]);
        print_device(c, l, k, path, ids[i]);
    }
    free(ids);
    return 0;
}

static int print_all(const struct call *c, const struct kind *k)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n;
    int rc = chosen_domains(c, &l, &n), failed = 0;

    if (rc && !n)
        return rc;
    if (c->options & OPT_JSON) {
        json_open('[');
    } else {
        printf("%-24s %5s %7s ", "Name", "ID", "Device");
        for (size_t i = 0; i < k->nr; i++)
            printf(" %-*s", k->members[i].width, k->members[i].column);
        putchar('\n');
    }
    for (size_t i = 0; i < n && failed == 0; i++)
        failed = print_domain(c, &l[i], k);
    if (c->options & OPT_JSON)
        json_close(']');
    free(l);
    if (failed) {
        error_errno(&e, failed, "reading the devices in the store");
        rc = worse(rc, fail(&e));
    }
    return rc;
}

static int run_disks(const struct call *c)
{
    return print_all(c, &disks);
}

const struct verb verb_block_list = {
    .name = "block-list",
    .arg = "[NAME...]",
    .options = OPT_JSON,
    .run = run_disks,
    .summary = "list the disks of domains",
    .help = "Each with the number that the guest knows it by, its name there, w or r, and the "
            "state of its\n"
            "back end: connected when the guest uses it.\n",
    .examples = "pvctl block-list web\n"
                "pvctl block-list --json\n",
};

static int run_nics(const struct call *c)
{
    return print_all(c, &nics);
}

const struct verb verb_network_list = {
    .name = "network-list",
    .arg = "[NAME...]",
    .options = OPT_JSON,
    .run = run_nics,
    .summary = "list the network interfaces of domains",
    .help = "Interface 0 of domain 5 is vif5.0 in the control domain, if its file gives it no "
            "other name. A\n"
            "rate is so many bytes in so many microseconds.\n",
    .examples = "pvctl network-list web\n"
                "pvctl network-list --json\n",
};
