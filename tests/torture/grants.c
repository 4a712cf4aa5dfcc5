/* SPDX-License-Identifier: MIT */
/*
 * Grants: given, taken back, mapped, unmapped and copied between domains that end meanwhile.
 *
 * The guests are of the kind without page tables (tests/host/domain.c): what is tortured is the
 * accounting of grants. Each vCPU unmaps what it mapped before it rests; so at rest no entry is in
 * use, neither for the hypervisor nor in what the granter sees of it; and frames of the dead that
 * were mapped have all come back at the end.
 */
#include "vm.h"

#include <string.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>

#define DOMAINS 5
#define VCPUS   2
#define PAGES   6
#define REFS    6
#define SLOTS   4 /* of a vCPU, for mappings */

static uint64_t frames[DOMAINS][PAGES];

static struct held { /* by a vCPU; others of its domain may unmap it */
    uint32_t used;
    grant_handle_t handle;
} held[DOMAINS][VCPUS][SLOTS];

static unsigned int domain_of(const struct guest *g)
{
    return g->v->domain->domain_id;
}

static struct held *held_by(const struct guest *g)
{
    return held[domain_of(g)][g->v->vcpu_id];
}

static uint64_t address_of(unsigned int domain, unsigned int vcpu, unsigned int slot)
{
    return PAGE_SIZE * (1 + (domain * VCPUS + vcpu) * SLOTS + slot);
}

static uint64_t address(const struct guest *g, unsigned int slot)
{
    return address_of(domain_of(g), g->v->vcpu_id, slot);
}

/* ---- the granter ---- */

static struct grant_entry_v1 *any_entry(struct guest *g)
{
    return grant_shared(g->v->domain->grant, chance(g, REFS));
}

static void give(struct guest *g)
{
    struct grant_entry_v1 *e = any_entry(g);

    if (READ_ONCE(e->flags))
        return;
    WRITE_ONCE(e->frame, (uint32_t)frames[domain_of(g)][chance(g, PAGES)]);
    WRITE_ONCE(e->domid, (domid_t)chance(g, DOMAINS));
    __atomic_store_n(&e->flags, GTF_permit_access | (chance(g, 2) ? GTF_readonly : 0),
                     __ATOMIC_RELEASE);
}

/* As a guest does it: only when nobody uses it. */
static void take_back(struct guest *g)
{
    struct grant_entry_v1 *e = any_entry(g);
    uint16_t flags = READ_ONCE(e->flags);

    if (!(flags & (GTF_reading | GTF_writing)))
        (void)cmpxchg(&e->flags, flags, 0);
}

/* ---- the user ---- */

static void mapped(struct guest *g, long rc)
{
    const struct gnttab_map_grant_ref *m = ARGS(g, gnttab_map_grant_ref);

    if (rc)
        torture_failed("map_grant_ref: %ld", rc);
    if (m->status != GNTST_okay)
        return;
    put(&held_by(g)[g->a[0]].handle, m->handle);
    put(&held_by(g)[g->a[0]].used, 1);
}

static void map(struct guest *g)
{
    unsigned int slot = chance(g, SLOTS);

    if (get(&held_by(g)[slot].used))
        return;
    g->a[0] = slot;
    *ARGS(g, gnttab_map_grant_ref) = (struct gnttab_map_grant_ref){
        .host_addr = address(g, slot),
        .flags = GNTMAP_host_map | (chance(g, 2) ? GNTMAP_readonly : 0),
        .ref = chance(g, REFS),
        .dom = (domid_t)chance(g, DOMAINS)};
    CALL(g, mapped, grant_table_op, GNTTABOP_map_grant_ref, g->args, 1);
}

static void unmapped(struct guest *g, long rc)
{
    const struct gnttab_unmap_grant_ref *u = ARGS(g, gnttab_unmap_grant_ref);

    if (rc || (u->status && u->status != GNTST_bad_handle && u->status != GNTST_general_error))
        torture_failed("unmap_grant_ref: %ld, %d", rc, u->status);
    put(&held_by(g)[g->a[0]].used, 0);
}

static void unmap_slot(struct guest *g, unsigned int slot)
{
    g->a[0] = slot;
    *ARGS(g, gnttab_unmap_grant_ref) = (struct gnttab_unmap_grant_ref){
        .host_addr = address(g, slot), .handle = get(&held_by(g)[slot].handle)};
    CALL(g, unmapped, grant_table_op, GNTTABOP_unmap_grant_ref, g->args, 1);
}

static void unmap(struct guest *g)
{
    unsigned int slot = chance(g, SLOTS);

    if (get(&held_by(g)[slot].used))
        unmap_slot(g, slot);
}

/* What another vCPU mapped, and may unmap at the same time. */
static void unmap_anothers(struct guest *g)
{
    unsigned int vcpu = chance(g, VCPUS), slot = chance(g, SLOTS);
    const struct held *h = &held[domain_of(g)][vcpu][slot];

    if (!get(&h->used))
        return;
    *ARGS(g, gnttab_unmap_grant_ref) = (struct gnttab_unmap_grant_ref){
        .host_addr = address_of(domain_of(g), vcpu, slot), .handle = get(&h->handle)};
    CALL(g, NULL, grant_table_op, GNTTABOP_unmap_grant_ref, g->args, 1);
}

static struct gnttab_copy_ptr end_of_copy(struct guest *g, bool granted)
{
    struct gnttab_copy_ptr p = {.domid = DOMID_SELF, .offset = (uint16_t)chance(g, 2048)};

    if (granted) {
        p.domid = (domid_t)chance(g, DOMAINS);
        p.u.ref = chance(g, REFS);
    } else {
        p.u.gmfn = frames[domain_of(g)][chance(g, PAGES)];
    }
    return p;
}

static void copy(struct guest *g)
{
    unsigned int kind = 1 + chance(g, 3);

    *ARGS(g, gnttab_copy) =
        (struct gnttab_copy){.source = end_of_copy(g, kind & GNTCOPY_source_gref),
                             .dest = end_of_copy(g, kind & GNTCOPY_dest_gref),
                             .len = (uint16_t)chance(g, 64),
                             .flags = (uint16_t)kind};
    CALL(g, NULL, grant_table_op, GNTTABOP_copy, g->args, 1);
}

/* ---- a granter that names frames by its own numbers ---- */

static uint64_t any_frame(struct guest *g)
{
    return frames[domain_of(g)][chance(g, PAGES)];
}

static void populate(struct guest *g)
{
    (void)vm_populate(g, any_frame(g), 0);
}

static void give_back(struct guest *g)
{
    (void)vm_give_back(g, any_frame(g));
    g->next = populate;
}

static void touch(struct guest *g)
{
    uint64_t value;

    (void)vm_touch(g->v->domain, any_frame(g), 4088, &value, NULL);
}

static void vm_operation(struct guest *g)
{
    static step_fn *const any[] = {give, give, give,     take_back, give_back,
                                   give, give, populate, vm_cpuid,  touch};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

static void start_others(struct guest *g)
{
    if (!g->v->vcpu_id)
        vm_ipi(g, 0xc4601, 0, vm_cpuid);
}

static const struct vm_program vm_program = {
    .start = start_others, .operation = vm_operation, .rest = vm_halt};

/* ---- the program ---- */

static void operation(struct guest *g)
{
    static step_fn *const any[] = {give,
                                   give,
                                   give,
                                   take_back,
                                   map,
                                   map,
                                   map,
                                   unmap,
                                   unmap,
                                   copy,
                                   unmap_anothers,
                                   guest_yield,
                                   copy,
                                   unmap,
                                   guest_block_for_a_while};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

static void rest(struct guest *g)
{
    for (unsigned int slot = 0; slot < SLOTS; slot++) {
        if (get(&held_by(g)[slot].used)) {
            unmap_slot(g, slot);
            return;
        }
    }
    guest_block(g);
}

static void born(domid_t id)
{
    memset(held[id], 0, sizeof(held[id]));
    for (unsigned int i = 0; i < PAGES && torture_is_vm(id); i++)
        put(&frames[id][i], 1 + i % (PAGES - 1)); /* 0 has its code */
    if (!torture_is_vm(id))
        torture_frames(id, frames[id], PAGES);
}

static void check(void)
{
    struct domain *d = NULL;
    bool all = true;

    while ((d = next_domain(d)) != NULL)
        all &= !d->pause_count; /* who is paused may still hold some */
    while (all && (d = next_domain(d)) != NULL) {
        for (unsigned int ref = 0; ref < REFS; ref++) {
            const struct active_grant *a = grant_active(d->grant, ref);
            uint16_t flags = grant_shared(d->grant, ref)->flags;

            if (a->readers || a->writers || flags & (GTF_reading | GTF_writing))
                torture_failed("d%u's grant %u: %u readers, %u writers, flags %#x", d->domain_id,
                               ref, a->readers, a->writers, flags);
        }
    }
}

const struct scenario torture_grants = {
    .name = "grants",
    .what = "grants mapped, unmapped and copied while domains end: what was used is given back",
    .operations = 300,
    .domains = DOMAINS,
    .vcpus = VCPUS,
    .pages = PAGES,
    .vms = 1 << 3 | 1 << 4,
    .vm = &vm_program,
    .born = born,
    .start = guest_bind_timer,
    .operation = operation,
    .rest = rest,
    .check = check,
};
