/* SPDX-License-Identifier: MIT */
/*
 * What each domain is due: the max-min fair division by weight of the CPUs, under caps and
 * affinity, no vCPU using more than one CPU. Computed from the definition, with nothing of the
 * scheduler's.
 *
 * All grow together, in proportion to their weights, until some can grow no more: those are frozen
 * and the others grow on. Whether amounts can be had at once is a question of flow, from domains
 * over their vCPUs to the CPUs they may run on; when they cannot, the cut says which domains are in
 * each other's way, and how far they can grow.
 */
#include "share_oracle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EPS 1e-9

struct flow {
    const struct world *w;
    double wanted[MOST_DOMAINS], got[MOST_DOMAINS];
    double vcpu[MOST_DOMAINS][MOST_VCPUS];
    double on[MOST_DOMAINS][MOST_VCPUS][MOST_CPUS];
    double load[MOST_CPUS];
    /* The last search from a domain that has not enough: what was reached, and from where */
    bool domain_seen[MOST_DOMAINS];
    struct step {
        bool seen;
        int from; /* the CPU that was left for it; -1: its domain */
    } vcpu_seen[MOST_DOMAINS][MOST_VCPUS];
    struct {
        bool seen;
        unsigned int d, v;
    } cpu_seen[MOST_CPUS];
    /* from which vCPU of its own a domain was reached; -1: it began */
    int domain_from[MOST_DOMAINS];
};

static bool may(const struct flow *f, unsigned int d, unsigned int v, unsigned int c)
{
    return f->w->d[d].affinity[v] >> c & 1;
}

/* What vCPU v of d reaches: CPUs; and, by giving back what it has, its domain. -1, or a CPU with
 * room. */
static int from_vcpu(struct flow *f, unsigned int d, unsigned int v, bool *more)
{
    for (unsigned int c = 0; c < f->w->cpus; c++) {
        if (f->cpu_seen[c].seen || !may(f, d, v, c))
            continue;
        f->cpu_seen[c].seen = true;
        f->cpu_seen[c].d = d;
        f->cpu_seen[c].v = v;
        *more = true;
        if (f->load[c] < 1 - EPS)
            return (int)c;
    }
    if (f->vcpu[d][v] > EPS && !f->domain_seen[d]) {
        f->domain_seen[d] = *more = true;
        f->domain_from[d] = (int)v;
    }
    return -1;
}

static void from_domain(struct flow *f, unsigned int d, bool *more)
{
    for (unsigned int v = 0; v < f->w->d[d].vcpus; v++)
        if (!f->vcpu_seen[d][v].seen && f->vcpu[d][v] < 1 - EPS) {
            f->vcpu_seen[d][v] = (struct step){true, -1};
            *more = true;
        }
}

static void from_cpu(struct flow *f, unsigned int c, bool *more)
{
    for (unsigned int d = 0; d < f->w->domains; d++)
        for (unsigned int v = 0; v < f->w->d[d].vcpus; v++)
            if (!f->vcpu_seen[d][v].seen && f->on[d][v][c] > EPS) {
                f->vcpu_seen[d][v] = (struct step){true, (int)c};
                *more = true;
            }
}

/* A CPU with room that those who have not enough can reach; -1: none. */
static int search(struct flow *f)
{
    bool more = true;

    memset(f->vcpu_seen, 0, sizeof(f->vcpu_seen));
    memset(f->cpu_seen, 0, sizeof(f->cpu_seen));
    for (unsigned int d = 0; d < f->w->domains; d++) {
        f->domain_seen[d] = f->got[d] < f->wanted[d] - EPS;
        f->domain_from[d] = -1;
    }
    while (more) {
        more = false;
        for (unsigned int d = 0; d < f->w->domains; d++) {
            if (f->domain_seen[d])
                from_domain(f, d, &more);
            for (unsigned int v = 0; v < f->w->d[d].vcpus; v++) {
                int c = f->vcpu_seen[d][v].seen ? from_vcpu(f, d, v, &more) : -1;

                if (c >= 0)
                    return c;
            }
        }
        for (unsigned int c = 0; c < f->w->cpus; c++)
            if (f->cpu_seen[c].seen)
                from_cpu(f, c, &more);
    }
    return -1;
}

/* Goes back from CPU c to where the search began; the narrowest place, or, with by, pushes. */
static double walk(struct flow *f, unsigned int c, double by)
{
    double narrow = 1 - f->load[c];

    f->load[c] += by;
    for (;;) {
        unsigned int d = f->cpu_seen[c].d, v = f->cpu_seen[c].v;

        f->on[d][v][c] += by;
        while (f->vcpu_seen[d][v].from < 0) {
            narrow = fmin(narrow, 1 - f->vcpu[d][v]);
            f->vcpu[d][v] += by;
            if (f->domain_from[d] < 0) {
                narrow = fmin(narrow, f->wanted[d] - f->got[d]);
                f->got[d] += by;
                return narrow;
            }
            v = (unsigned int)f->domain_from[d];
            narrow = fmin(narrow, f->vcpu[d][v]);
            f->vcpu[d][v] -= by;
        }
        c = (unsigned int)f->vcpu_seen[d][v].from;
        narrow = fmin(narrow, f->on[d][v][c]);
        f->on[d][v][c] -= by;
    }
}

/* Gives as much as can be had of what is wanted. True: all. Else domain_seen says who is in each
 * other's way. */
static bool flow(struct flow *f)
{
    int c;

    memset(f->got, 0, sizeof(f->got));
    memset(f->vcpu, 0, sizeof(f->vcpu));
    memset(f->on, 0, sizeof(f->on));
    memset(f->load, 0, sizeof(f->load));
    while ((c = search(f)) >= 0)
        walk(f, (unsigned int)c, walk(f, (unsigned int)c, 0));
    for (unsigned int d = 0; d < f->w->domains; d++)
        if (f->got[d] < f->wanted[d] - 1e-7)
            return false;
    return true;
}

static double most_of(const struct want *d)
{
    return d->cap ? d->cap / 100.0 : (double)d->vcpus;
}

/* How far those who are not frozen can grow from here: the level. Freezes who has come to an end.
 */
static void grow(struct flow *f, struct world *w, bool *frozen)
{
    bool blocked[MOST_DOMAINS] = {false};
    double level = INFINITY;

    for (unsigned int d = 0; d < w->domains; d++)
        if (!frozen[d])
            level = fmin(level, most_of(&w->d[d]) / w->d[d].weight);
    for (bool all = false; !all;) {
        double can = 0, weight = 0;

        for (unsigned int d = 0; d < w->domains; d++)
            f->wanted[d] = frozen[d] ? w->d[d].due : level * w->d[d].weight;
        all = flow(f);
        if (all)
            break;
        for (unsigned int d = 0; d < w->domains; d++) {
            blocked[d] = f->domain_seen[d] && !frozen[d];
            if (f->domain_seen[d])
                can += f->got[d] - (frozen[d] ? w->d[d].due : 0);
            if (blocked[d])
                weight += w->d[d].weight;
        }
        if (weight == 0) /* rounding */
            break;
        level = can / weight;
    }
    for (unsigned int d = 0; d < w->domains; d++) {
        if (frozen[d])
            continue;
        w->d[d].due = level * w->d[d].weight;
        frozen[d] = blocked[d] || w->d[d].due >= most_of(&w->d[d]) - EPS;
    }
}

void share_oracle(struct world *w)
{
    struct flow *f = calloc(1, sizeof(*f));
    bool frozen[MOST_DOMAINS] = {false};

    if (!f)
        abort();
    f->w = w;
    for (unsigned int d = 0; d < w->domains; d++)
        for (unsigned int round = 0; !frozen[d] && round < 2 * MOST_DOMAINS; round++)
            grow(f, w, frozen);
    free(f);
}
