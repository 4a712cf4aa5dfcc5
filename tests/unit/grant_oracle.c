/* SPDX-License-Identifier: MIT */
/*
 * The recount of grant_oracle.h.
 */
#include "grant_oracle.h"

#include <core/domain/domain_table.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const struct domain *d, uint32_t n, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "grant oracle: d%u, %u: %s\n", d->domain_id, n, what);
    abort();
}

#define MOST_DOMAINS 16
#define MOST_ENTRIES 8192

/* What the maptracks say, by granter and reference. */
static struct {
    const struct domain *rd;
    struct active_grant uses[MOST_ENTRIES];
} said[MOST_DOMAINS];

static struct active_grant *uses_of(const struct domain *rd, uint32_t ref)
{
    for (unsigned int i = 0; i < MOST_DOMAINS; i++)
        if (said[i].rd == rd)
            return &said[i].uses[ref];
    must(false, rd, ref, "a grant of a domain that is not");
    return NULL;
}

static void begin_count(void)
{
    struct domain *d = NULL;
    unsigned int i = 0;

    while ((d = next_domain(d)) != NULL) {
        if (!d->grant)
            continue;
        must(i < MOST_DOMAINS && grant_entries(d->grant) <= MOST_ENTRIES, d, i, "too many");
        said[i].rd = d;
        memset(said[i++].uses, 0, grant_entries(d->grant) * sizeof(said->uses[0]));
    }
    while (i < MOST_DOMAINS)
        said[i++].rd = NULL;
}

static void count_uses(const struct domain *ld)
{
    const struct maptrack *m;

    for (uint32_t h = 0; (m = maptrack_entry(ld->grant, h)) != NULL; h++) {
        struct active_grant *n;

        if (!m->flags)
            continue;
        n = uses_of(m->rd, m->ref);
        must(!(n->readers | n->writers) || n->domid == ld->domain_id, m->rd, m->ref, "two users");
        n->domid = ld->domain_id;
        if (m->flags & GNTMAP_readonly)
            n->readers++;
        else
            n->writers++;
    }
}

static void check_ref(const struct domain *rd, uint32_t ref)
{
    const struct active_grant *a, *n = uses_of(rd, ref);

    if (!rd->grant->active[ref / ENTRIES_PER_FRAME]) { /* it is dead, and they were idle */
        must(!n->readers && !n->writers, rd, ref, "in use, and forgotten");
        return;
    }
    a = grant_active(rd->grant, ref);
    if (n->readers || n->writers)
        must(a->domid == n->domid, rd, ref, "in use by somebody else");
    must(a->readers == n->readers, rd, ref, "readers differ");
    must(a->writers == n->writers, rd, ref, "writers differ");
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

    begin_count();
    while ((d = next_domain(d)) != NULL) {
        if (!d->grant)
            continue;
        check_handles(d);
        count_uses(d);
    }
    for (unsigned int i = 0; i < MOST_DOMAINS && said[i].rd; i++)
        for (uint32_t ref = 0; ref < grant_entries(said[i].rd->grant); ref++)
            check_ref(said[i].rd, ref);
}
