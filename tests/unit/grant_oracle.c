/* SPDX-License-Identifier: MIT */
/*
 * The recount of grant_oracle.h.
 */
#include "grant_oracle.h"

#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const struct domain *d, uint32_t n, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "grant oracle: d%u, %u: %s\n", d->domain_id, n, what);
    abort();
}

/* Uses of grant ref of rd by domain ld. */
static struct active_grant uses_by(const struct domain *rd, const struct domain *ld, uint32_t ref)
{
    struct active_grant n = {.domid = ld->domain_id};
    const struct maptrack *m;

    for (uint32_t h = 0; (m = maptrack_entry(ld->grant, h)) != NULL; h++) {
        if (!m->flags || m->rd != rd || m->ref != ref)
            continue;
        if (m->flags & GNTMAP_readonly)
            n.readers++;
        else
            n.writers++;
    }
    return n;
}

static void check_ref(const struct domain *rd, uint32_t ref)
{
    const struct active_grant *a = grant_active(rd->grant, ref);
    unsigned int readers = 0, writers = 0;
    struct domain *ld = NULL;

    while ((ld = next_domain(ld)) != NULL) {
        struct active_grant n = uses_by(rd, ld, ref);

        readers += n.readers;
        writers += n.writers;
        if (n.readers || n.writers)
            must(a->domid == ld->domain_id, rd, ref, "in use by somebody else");
    }
    must(a->readers == readers, rd, ref, "readers differ");
    must(a->writers == writers, rd, ref, "writers differ");
}

/* Each handle is used or on the chain, not both, and the chain ends. */
static void check_handles(const struct domain *d)
{
    struct grant_table *gt = d->grant;
    uint32_t total = gt->nr_maptrack_frames * (uint32_t)MAPTRACK_PER_FRAME, free = 0, used = 0;
    const struct maptrack *m;

    for (uint32_t h = gt->free_handle; h != NO_HANDLE; h = m->ref) {
        m = maptrack_entry(gt, h);
        must(m != NULL, d, h, "free, but no handle");
        must(!m->flags && !m->rd, d, h, "free and in use");
        must(++free <= total, d, h, "the chain of free handles is a ring");
    }
    for (uint32_t h = 0; (m = maptrack_entry(gt, h)) != NULL; h++) {
        used += m->flags != 0;
        must(!m->flags || (m->rd && m->ref < grant_entries(m->rd->grant)), d, h, "leads nowhere");
        must(!m->flags || (m->flags & (GNTMAP_host_map | GNTMAP_device_map)), d, h, "maps nothing");
    }
    must(free + used == total, d, total - free - used, "handles are lost");
}

void grant_oracle_check(void)
{
    struct domain *d = NULL;

    while ((d = next_domain(d)) != NULL) {
        if (!d->grant)
            continue;
        check_handles(d);
        for (uint32_t ref = 0; ref < grant_entries(d->grant); ref++) {
            const struct active_grant *a = grant_active(d->grant, ref);

            /* Most are idle: one that no handle names is looked at only if it says it is used. */
            if (ref < 64 || a->readers || a->writers)
                check_ref(d, ref);
        }
    }
}
