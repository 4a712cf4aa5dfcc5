/* SPDX-License-Identifier: MIT */
/*
 * What a domain takes with it into its next life: see carried.h.
 */
#include "carried.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "restart.h"
#include "state.h"

/* Room for the longest: two numbers, and a word of 16 digits for each vCPU. */
#define FILE_TEXT (32u + CONFIG_MAX_VCPUS * 17u)

static void tell(const char *name, uint32_t domid, const char *what, int rc)
{
    fprintf(stderr, "parvisd: %s (domain %u): %s: %s\n", name, domid, what, error_reason(rc));
}

/* "256 50 3 ffff ...": weight, cap, and the CPUs of each vCPU */
static int keep(const char *name, const struct carried *c)
{
    char text[FILE_TEXT];
    size_t n = (size_t)snprintf(text, sizeof(text), "%u %u", c->sched.weight, c->sched.cap);

    for (unsigned int i = 0; i < CONFIG_MAX_VCPUS; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %" PRIx64, c->cpus[i]);
    return state_write_file(restart_carried_path(name), text);
}

void carried_take(struct host *h, const struct host_domain *d, const char *name,
                  struct carried *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = h->ops->domain_get_sched(h, d->domid, &out->sched);
    if (rc)
        tell(name, d->domid, "its weight and cap are not known to its next life", rc);
    for (uint32_t i = 0; i <= d->max_vcpu_id && i < CONFIG_MAX_VCPUS; i++) {
        char what[80];

        rc = h->ops->vcpu_get_affinity(h, d->domid, i, &out->cpus[i]);
        snprintf(what, sizeof(what), "where vCPU %u may run is not known to its next life", i);
        if (rc)
            tell(name, d->domid, what, rc);
    }
    rc = keep(name, out);
    if (rc)
        tell(name, d->domid, "its weight, cap and CPUs are not kept for a parvisd after this one",
             rc);
}

void carried_load(const char *name, struct carried *out)
{
    char *text, *at;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = state_read_file(restart_carried_path(name), &text);
    if (rc && rc != -ENOENT)
        fprintf(stderr, "parvisd: %s: its weight, cap and CPUs are not known: %s\n", name,
                strerror(-rc));
    if (rc)
        return;
    out->sched.weight = (unsigned int)strtoul(text, &at, 10);
    out->sched.cap = (unsigned int)strtoul(at, &at, 10);
    for (unsigned int i = 0; i < CONFIG_MAX_VCPUS; i++)
        out->cpus[i] = strtoull(at, &at, 16);
    free(text);
}

void carried_give(struct host *h, uint32_t domid, const char *name, const struct carried *c)
{
    int rc = c->sched.weight ? h->ops->domain_set_sched(h, domid, &c->sched) : 0;

    if (rc)
        tell(name, domid, "weight and cap of its former life could not be set", rc);
    for (unsigned int i = 0; i < CONFIG_MAX_VCPUS; i++) {
        char what[80];

        rc = c->cpus[i] ? h->ops->vcpu_set_affinity(h, domid, i, c->cpus[i]) : 0;
        snprintf(what, sizeof(what), "vCPU %u could not be pinned as in its former life", i);
        if (rc)
            tell(name, domid, what, rc);
    }
}
