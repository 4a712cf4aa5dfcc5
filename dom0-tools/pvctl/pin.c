/* SPDX-License-Identifier: MIT */
/*
 * pvctl pin: on which CPUs a vCPU may run; shows it, or sets it from now on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "cpuset.h"
#include "pvctl.h"

struct vcpus {
    uint32_t first, last;
};

/* `which` is a number, "all", or NULL, which is all. */
static int choose(const struct live_domain *l, const char *which, struct vcpus *out)
{
    uint32_t greatest = l->d.max_vcpu_id;
    struct error e = {0};
    char *end;

    *out = (struct vcpus){0, greatest};
    if (!which || strcmp(which, "all") == 0)
        return 0;
    out->first = out->last = (uint32_t)strtoul(which, &end, 10);
    if (*which < '0' || *which > '9' || *end || strlen(which) > 4)
        return usage_error(&verb_pin, "neither a vCPU's number nor all: ", which);
    if (out->first <= greatest)
        return 0;
    error_set(&e, -ERANGE, "%s: there is no vCPU %s: it has %u", l->name, which, greatest + 1);
    return fail(&e);
}

static int show(const struct call *c, const struct live_domain *l, struct vcpus v)
{
    struct host_physinfo p;
    char affinity[CPUSET_TEXT];
    struct error e = {0};
    uint64_t cpus;
    int rc = c->h->ops->physinfo(c->h, &p);

    for (uint32_t i = v.first; i <= v.last && rc == 0; i++) {
        rc = c->h->ops->vcpu_get_affinity(c->h, l->d.domid, i, &cpus);
        if (rc)
            break;
        affinity_text(cpus, p.nr_cpus, true, affinity);
        printf("vCPU %-3u %s\n", i, affinity);
    }
    if (rc == 0)
        return EXIT_OK;
    error_errno(&e, rc, "%s: asking where its vCPUs may run", l->name);
    return fail(&e);
}

static int run(const struct call *c)
{
    const char *list = c->more[1], *wrong;
    struct live_domain l;
    struct error e = {0};
    struct vcpus v;
    uint64_t cpus;
    int rc = need_whole(c, &l);

    rc = rc ? rc : choose(&l, c->more[0], &v);
    if (rc)
        return rc;
    if (!list)
        return show(c, &l, v);
    wrong = cpuset_parse(list, &cpus);
    if (wrong) {
        char text[128];

        snprintf(text, sizeof(text), "%s: ", wrong);
        return usage_error(&verb_pin, text, list);
    }
    rc = cpus_there(c->h, l.name, l.d.kind, cpus, &e);
    for (uint32_t i = v.first; i <= v.last && rc == 0; i++) {
        rc = c->h->ops->vcpu_set_affinity(c->h, l.d.domid, i, cpus);
        if (rc)
            error_errno(&e, rc, "%s: vCPU %u: setting where it may run", l.name, i);
    }
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_pin = {
    .name = "pin",
    .arg = "NAME [VCPU] [CPUS]",
    .one_more = "where a vCPU runs is a must, not a wish: there is no soft affinity: ",
    .run = run,
    .summary = "show or set on which CPUs a vCPU may run",
    .help = "VCPU is a number or all. CPUS is a list: 0-3,5,^2 (^ takes out again), or all. Those "
            "that the\n"
            "machine lacks are named, and left out; where it lacks all of them, that is an error. "
            "Without\n"
            "CPUS it shows where the vCPUs may run; `pvctl vcpu-list --json` has it for programs: "
            "affinity.\n",
    .examples = "pvctl pin web\n"
                "pvctl pin web 0 2\n"
                "pvctl pin web all 0-3,^1\n",
};
