/* SPDX-License-Identifier: MIT */
/*
 * pvctl sched: a domain's weight and cap; shows them, or sets them from now on.
 */
#include <errno.h>
#include <stdlib.h>

#include "pvctl.h"

static void print(const struct call *c, const struct live_domain *l, const struct host_sched *s)
{
    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", l->name);
        json_number("id", l->d.domid);
        json_number("weight", s->weight);
        json_number("cap", s->cap);
        json_close('}');
    } else if (s->cap) {
        printf("%-24s %5u %7u %7u\n", l->name, l->d.domid, s->weight, s->cap);
    } else {
        printf("%-24s %5u %7u %7s\n", l->name, l->d.domid, s->weight, "none");
    }
}

static int show(const struct call *c)
{
    struct live_domain *l;
    struct host_sched s;
    size_t n;
    int rc = chosen_domains(c, &l, &n);

    if (rc && !n)
        return rc;
    if (c->options & OPT_JSON)
        json_open('[');
    else
        printf("%-24s %5s %7s %7s\n", "Name", "ID", "Weight", "Cap(%)");
    for (size_t i = 0; i < n; i++) {
        /* What does not answer is a domain that goes at this moment. */
        if (c->h->ops->domain_get_sched(c->h, l[i].d.domid, &s) == 0)
            print(c, &l[i], &s);
    }
    if (c->options & OPT_JSON)
        json_close(']');
    free(l);
    return rc;
}

/* No more than it could use. */
static int check_cap(const struct call *c, const struct live_domain *l, struct error *e)
{
    uint32_t vcpus = l->d.max_vcpu_id + 1;
    struct host_physinfo p;
    int rc = c->h->ops->physinfo(c->h, &p);

    if (rc)
        return error_errno(e, rc, "%s: asking how many CPUs there are", l->name);
    if (c->number[AT_CAP] > 100 * (vcpus < p.nr_cpus ? vcpus : p.nr_cpus))
        return error_set(e, -ERANGE, "%s: a cap of %u %%: vCPUs %u, CPUs %u, so at most %u %%",
                         l->name, c->number[AT_CAP], vcpus, p.nr_cpus,
                         100 * (vcpus < p.nr_cpus ? vcpus : p.nr_cpus));
    return 0;
}

static int set_one(const struct call *c)
{
    struct live_domain l;
    struct host_sched s;
    struct error e = {0};
    int rc = need_whole(c, &l);

    if (rc)
        return rc;
    rc = c->options & OPT_CAP ? check_cap(c, &l, &e) : 0;
    if (rc)
        return fail(&e);
    rc = c->h->ops->domain_get_sched(c->h, l.d.domid, &s);
    if (rc == 0) {
        s.weight = c->options & OPT_WEIGHT ? c->number[AT_WEIGHT] : s.weight;
        s.cap = c->options & OPT_CAP ? c->number[AT_CAP] : s.cap;
        rc = c->h->ops->domain_set_sched(c->h, l.d.domid, &s);
    }
    if (rc == 0)
        return EXIT_OK;
    error_errno(&e, rc, "%s: setting weight and cap", l.name);
    return fail(&e);
}

static int set(const struct call *c)
{
    struct call one = *c;
    int rc = EXIT_OK;

    for (size_t i = 0; i < c->nr_args; i++) {
        one.arg = c->args[i];
        rc = worse(rc, set_one(&one));
    }
    return rc;
}

static int run(const struct call *c)
{
    return c->options & (OPT_WEIGHT | OPT_CAP) ? set(c) : show(c);
}

const struct verb verb_sched = {
    .name = "sched",
    .arg = "[NAME...]",
    .options = OPT_WEIGHT | OPT_CAP | OPT_JSON,
    .run = run,
    .summary = "show or set weight and cap, the shares of CPU time",
    .help =
        "A domain with twice the weight of another gets twice the time where both want all they\n"
        "can get. A cap holds all its vCPUs together below so many percent of one CPU: 150 is one "
        "and\n"
        "a half. Without --weight and --cap it shows those of the domain, or of all.\n",
    .examples = "pvctl sched\n"
                "pvctl sched --weight 512 web db\n"
                "pvctl sched --cap 150 web\n",
};
