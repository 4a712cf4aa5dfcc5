/* SPDX-License-Identifier: MIT */
/*
 * pvctl vcpu-set: how many vCPUs a guest is to use: its kernel takes others off, or may start them.
 * What it finds in the store is a wish; vcpu-list shows what came of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "kept.h"
#include "pvctl.h"
#include "store.h"

static int keep(struct domain_config *cfg, void *n)
{
    cfg->vcpus = *(const unsigned int *)n;
    return 0;
}

static int wish(const struct call *c, const struct live_domain *l, unsigned int n, struct error *e)
{
    int rc = 0;

    for (unsigned int i = 0; i <= l->d.max_vcpu_id && rc == 0; i++) {
        char key[40];

        snprintf(key, sizeof(key), "cpu/%u/availability", i);
        rc = store_domain_set(c->h, l->d.domid, key, i < n ? "online" : "offline");
    }
    return rc ? error_errno(e, rc, "%s: writing the entries of its vCPUs in the store", l->name)
              : 0;
}

static int run(const struct call *c)
{
    const char *text = c->more[0];
    struct live_domain l;
    struct error e = {0};
    unsigned long n;
    char *end;
    int rc;

    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end)
        return usage_error(&verb_vcpu_set, "this is no number of vCPUs: ", text);
    rc = need_asked(c, &l);
    if (rc)
        return rc;
    if (n == 0 || n > l.d.max_vcpu_id + 1) {
        error_set(&e, -ERANGE,
                  "%s: %s vCPUs: it can use 1 to %u; more are given when it is created", l.name,
                  text, l.d.max_vcpu_id + 1);
        return fail(&e);
    }
    rc = wish(c, &l, (unsigned int)n, &e);
    rc = rc ? rc : kept_change(&l, keep, &(unsigned int){(unsigned int)n}, &e);
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_vcpu_set = {
    .name = "vcpu-set",
    .arg = "NAME... N",
    .each = true,
    .behind = 1,
    .run = run,
    .summary = "ask a domain to use so many of its vCPUs",
    .help =
        "Its kernel takes the others off at once. More it has again, and Linux starts them when\n"
        "something in the guest writes 1 to /sys/devices/system/cpu/cpuN/online, or a rule of "
        "udev\n"
        "does: pvctl(1) has it. `pvctl vcpu-list` shows what came of it. It holds in the lives "
        "that\n"
        "follow, too.\n",
    .examples = "pvctl vcpu-set web 2\n"
                "pvctl vcpu-set web db 1\n",
};
