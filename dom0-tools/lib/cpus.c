/* SPDX-License-Identifier: MIT */
/*
 * Which CPUs a domain may use, and how much of them: see cpus.h.
 */
#include "cpus.h"

#include <errno.h>
#include <stdio.h>

#include "cpuset.h"

#define ABSENT_TEXT (CPUSET_TEXT + 64u)

/* "there are no CPUs 4-5: the machine has CPUs 0 to 3" */
static const char *absent_text(uint64_t absent, unsigned int nr_cpus, char out[ABSENT_TEXT])
{
    char list[CPUSET_TEXT], have[24] = "CPU 0";

    cpuset_format(absent, list);
    if (nr_cpus > 1)
        snprintf(have, sizeof(have), "CPUs 0 to %u", nr_cpus - 1);
    snprintf(out, ABSENT_TEXT, "there %s %s: the machine has %s",
             absent & (absent - 1) ? "are no CPUs" : "is no CPU", list, have);
    return out;
}

/* One of them is enough. */
static int any_there(const char *where, uint64_t set, unsigned int nr_cpus, struct error *e)
{
    char text[ABSENT_TEXT];

    if (!set || set & cpuset_first(nr_cpus))
        return 0;
    return error_set(e, -ERANGE, "%s: %s", where, absent_text(set, nr_cpus, text));
}

static void tell_absent(const char *where, uint64_t absent, unsigned int nr_cpus)
{
    char text[ABSENT_TEXT];

    if (absent)
        fprintf(stderr, "pvctl: %s: %s; the others are used\n", where,
                absent_text(absent, nr_cpus, text));
}

/* "QEMU's first CPU" in docs/architecture.md. Whoever asks for it may know better: it is done. */
static void tell_unsafe(const char *where, enum guest_kind kind, uint64_t set,
                        const struct host_physinfo *p)
{
    if (kind != KIND_PV && p->emulated && p->nr_cpus > 1 && set & 1)
        fprintf(stderr,
                "pvctl: %s: on QEMU's CPU 0 a fault of QEMU's may end a guest of kind %s, or the "
                "machine, unless one thread runs all its CPUs; the others are safe\n",
                where, kind_name(kind));
}

int cpus_there(struct host *h, const char *where, enum guest_kind kind, uint64_t set,
               struct error *e)
{
    struct host_physinfo p;
    int rc = h->ops->physinfo(h, &p);

    if (rc)
        return error_errno(e, rc, "%s: asking how many CPUs there are", where);
    rc = any_there(where, set, p.nr_cpus, e);
    if (rc == 0) {
        tell_absent(where, cpuset_absent(set, p.nr_cpus), p.nr_cpus);
        tell_unsafe(where, kind, set, &p);
    }
    return rc;
}

int cpus_check(struct host *h, const struct domain_config *c, struct error *e)
{
    uint64_t absent = 0, asked = c->cpuset;
    struct host_physinfo p;
    char where[128];
    int rc = h->ops->physinfo(h, &p);

    if (rc)
        return error_errno(e, rc, "%s: asking how many CPUs there are", c->name);
    if (c->cap > 100 * p.nr_cpus)
        return error_set(e, -ERANGE,
                         "%s: <global_quota>: a cap of %u %% of a CPU; the machine has %u CPU%s",
                         c->name, c->cap, p.nr_cpus, p.nr_cpus == 1 ? "" : "s");
    snprintf(where, sizeof(where), "%s: <vcpu>", c->name);
    rc = any_there(where, c->cpuset, p.nr_cpus, e);
    absent = cpuset_absent(c->cpuset, p.nr_cpus);
    for (unsigned int i = 0; i < c->max_vcpus && rc == 0; i++) {
        snprintf(where, sizeof(where), "%s: <vcpupin>: vCPU %u", c->name, i);
        rc = any_there(where, c->pin[i], p.nr_cpus, e);
        absent |= cpuset_absent(c->pin[i], p.nr_cpus);
        asked |= c->pin[i];
    }
    if (rc == 0) {
        tell_absent(c->name, absent, p.nr_cpus);
        tell_unsafe(c->name, c->kind, asked, &p);
    }
    return rc;
}

static int set_share(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e)
{
    struct host_sched s;
    int rc;

    if (!c->weight && !c->cap)
        return 0;
    rc = h->ops->domain_get_sched(h, domid, &s);
    if (rc == 0) {
        s.weight = c->weight ? c->weight : s.weight;
        s.cap = c->cap;
        rc = h->ops->domain_set_sched(h, domid, &s);
    }
    return rc ? error_errno(e, rc, "%s: <cputune>: setting weight and cap", c->name) : 0;
}

int cpus_set(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e)
{
    int rc = set_share(h, c, domid, e);

    for (unsigned int i = 0; i < c->max_vcpus && rc == 0; i++) {
        uint64_t cpus = c->pin[i] ? c->pin[i] : c->cpuset;

        rc = cpus ? h->ops->vcpu_set_affinity(h, domid, i, cpus) : 0;
        if (rc)
            error_errno(e, rc, "%s: vCPU %u: setting where it may run", c->name, i);
    }
    return rc;
}
