/* SPDX-License-Identifier: MIT */
/*
 * Grants of fully virtualized domains, which have their frames by numbers of their own, in page
 * tables of paravirtual ones: for both, accounting is other than between domains of one kind.
 *
 * What is granted moves and goes, with its domain too. And who has it mapped writes to the entries
 * what he likes, has them in tables that come and go, and ends: so some are unmapped, and some go
 * by themselves, and their handles with the domain.
 */
#include "pages_grants.h"

#include <string.h>
#include <core/grant/grant_internal.h>
#include <core/state/domain.h>

#define REFS  8
#define SLOTS 6 /* of a vCPU, for mappings */

static struct held { /* by a vCPU, and its alone */
    bool used;
    grant_handle_t handle;
    gva_t va;
} held[MOST_DOMAINS][MOST_VCPUS][SLOTS];

static struct held *any_held(const struct guest *g, unsigned int slot)
{
    return &held[g->v->domain->domain_id][g->v->vcpu_id][slot];
}

void pages_give(struct guest *g, uint64_t gfn, unsigned int domains)
{
    struct grant_entry_v1 *e = grant_shared(g->v->domain->grant, chance(g, REFS));

    if (READ_ONCE(e->flags))
        return;
    WRITE_ONCE(e->frame, (uint32_t)gfn);
    WRITE_ONCE(e->domid, (domid_t)(1 + chance(g, domains - 1)));
    __atomic_store_n(&e->flags, GTF_permit_access | (chance(g, 3) ? 0 : GTF_readonly),
                     __ATOMIC_RELEASE);
}

void pages_take_back(struct guest *g)
{
    struct grant_entry_v1 *e = grant_shared(g->v->domain->grant, chance(g, REFS));
    uint16_t flags = READ_ONCE(e->flags);

    if (!(flags & (GTF_reading | GTF_writing)))
        (void)cmpxchg(&e->flags, flags, 0);
}

void pages_grants_born(domid_t id)
{
    memset(held[id], 0, sizeof(held[id]));
}

static void mapped(struct guest *g, long rc)
{
    const struct gnttab_map_grant_ref *m = ARGS(g, gnttab_map_grant_ref);

    if (rc)
        torture_failed("map_grant_ref: %ld", rc);
    if (m->status == GNTST_okay)
        *any_held(g, (unsigned int)g->a[0]) = (struct held){true, m->handle, m->host_addr};
}

void pages_map_grant(struct guest *g, domid_t granter, gva_t va)
{
    g->a[0] = chance(g, SLOTS);
    *ARGS(g, gnttab_map_grant_ref) = (struct gnttab_map_grant_ref){
        .host_addr = va,
        .flags = GNTMAP_host_map | (chance(g, 3) ? 0 : GNTMAP_readonly),
        .ref = chance(g, REFS),
        .dom = granter};
    CALL(g, mapped, grant_table_op, GNTTABOP_map_grant_ref, g->args, 1);
}

static void unmapped(struct guest *g, long rc)
{
    const struct gnttab_unmap_grant_ref *u = ARGS(g, gnttab_unmap_grant_ref);

    if (rc || (u->status && u->status != GNTST_general_error))
        torture_failed("unmap_grant_ref: %ld, %d", rc, u->status);
    any_held(g, (unsigned int)g->a[0])->used = false;
}

void pages_unmap_grant(struct guest *g)
{
    const struct held *h;

    g->a[0] = chance(g, SLOTS);
    h = any_held(g, (unsigned int)g->a[0]);
    if (!h->used)
        return;
    *ARGS(g, gnttab_unmap_grant_ref) =
        (struct gnttab_unmap_grant_ref){.host_addr = h->va, .handle = h->handle};
    CALL(g, unmapped, grant_table_op, GNTTABOP_unmap_grant_ref, g->args, 1);
}

/* Within what is granted, to where no table is: 0xe00 is for no one else. */
void pages_copy_grant(struct guest *g, domid_t granter)
{
    struct gnttab_copy_ptr p = {.domid = granter, .offset = 0xe00};

    p.u.ref = chance(g, REFS);
    *ARGS(g, gnttab_copy) = (struct gnttab_copy){
        .source = p, .dest = p, .len = 16, .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref};
    ARGS(g, gnttab_copy)->dest.u.ref = chance(g, REFS);
    CALL(g, NULL, grant_table_op, GNTTABOP_copy, g->args, 1);
}
