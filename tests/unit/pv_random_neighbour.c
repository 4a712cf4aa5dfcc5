/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized neighbour of the domains of pv_random.h. It has no CPU; but memory by its own
 * numbers, which the control domain moves and maps, and grants, which all map. Entries that map it
 * go as they may. It ends in the middle of it and comes anew.
 */
#include "pv_random.h"

#include <core/grant/grant_table.h>
#include <core/life/life.h>
#include <hvm/hvm_ops.h>
#include <hvm/npt.h>
#include <port/atomic.h>
#include <pv/pv_bits.h>
#include <stdlib.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define take pv_random_take
#define call pv_random_call
#define ARG  PV_RANDOM_ARG
#define LIST PV_RANDOM_LIST
#define GFNS 24u /* where its memory is; half of it at the beginning */

static struct domain *d; /* NULL: there is no memory for it */
static bool ending;

void pv_random_neighbour_begin(domid_t id)
{
    ending = false;
    d = NULL;
    if (heap_free_frames() < 4 * MM_FRAMES)
        return;
    d = host_domain_of(&hvm_guest_ops, id, false, 1, 0);
    atomic_or(&d->vcpu[0]->pause_flags, VPF_down);
    vcpu_sleep(d->vcpu[0]);
    d->max_pages = 2 * GFNS;
    for (unsigned int gfn = 0; gfn < GFNS / 2; gfn++)
        if (npt_map(d, GFN(gfn), page_to_mfn(host_frames(d, 0)), 0))
            abort();
}

struct domain *pv_random_neighbour(void)
{
    return d;
}

static uint64_t any_gfn(void)
{
    return take(8) ? take(GFNS) : pv_random_word();
}

/* One of a few entries of g's. */
static uint64_t entry_of(const struct mm_guest *g)
{
    return mm_entry_addr(g, MM_L1, 30 + take(4));
}

static void map_grant(struct mm_guest *g, struct vcpu *v)
{
    const unsigned int ref = take(6);

    if (take(3))
        grant_table_set_entry(d, ref, g->d->domain_id, any_gfn());
    *(struct gnttab_map_grant_ref *)host_guest(ARG) = (struct gnttab_map_grant_ref){
        .host_addr = entry_of(g),
        .flags = GNTMAP_host_map | GNTMAP_contains_pte | (take(2) ? 0 : take(64)),
        .ref = ref,
        .dom = d->domain_id};
    (void)call(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0);
}

static void write_entry(struct mm_guest *g, struct vcpu *v, bool foreign)
{
    const uint64_t flags[] = {0, MM_RO, MM_RW, MM_RW | PTE_NX};
    uint64_t val = take(2) ? 0 : pv_random_entry();

    if (foreign)
        val = mm_pte(MFN(any_gfn()), flags[take(4)]);
    *(struct mmu_update *)host_guest(ARG) =
        (struct mmu_update){.ptr = entry_of(g) | (take(4) ? 0 : take(8)), .val = val};
    (void)call(v, __HYPERVISOR_mmu_update, ARG, 1, 0, foreign ? d->domain_id : DOMID_SELF);
}

static void reserve(struct vcpu *v)
{
    *(struct xen_memory_reservation *)host_guest(ARG) =
        (struct xen_memory_reservation){.extent_start = LIST,
                                        .nr_extents = 1 + take(3),
                                        .extent_order = take(4) ? 0 : take(4),
                                        .domid = d->domain_id};
    for (unsigned int i = 0; i < 3; i++)
        ((xen_pfn_t *)host_guest(LIST))[i] = any_gfn();
    (void)call(v, __HYPERVISOR_memory_op,
               take(2) ? XENMEM_decrease_reservation : XENMEM_populate_physmap, ARG, 0, 0);
}

static void move(struct vcpu *v)
{
    *(struct xen_add_to_physmap *)host_guest(ARG) = (struct xen_add_to_physmap){
        .domid = d->domain_id, .space = take(4), .idx = any_gfn(), .gpfn = any_gfn()};
    (void)call(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, ARG, 0, 0);
}

static void drop(struct vcpu *v)
{
    *(struct xen_remove_from_physmap *)host_guest(ARG) =
        (struct xen_remove_from_physmap){.domid = d->domain_id, .gpfn = any_gfn()};
    (void)call(v, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, ARG, 0, 0);
}

static void end_a_bit(void)
{
    int rc;

    ending = true;
    this_cpu()->slice_end = 0;
    if (take(4))
        atomic_or(&this_cpu()->pending, CPU_WORK_CONSOLE);
    rc = domain_kill(d);
    atomic_and(&this_cpu()->pending, ~CPU_WORK_CONSOLE);
    if (!rc)
        d = NULL;
}

void pv_random_beside_it(struct mm_guest *g, struct vcpu *v)
{
    const unsigned int what = take(g->d->is_control ? 12 : 7);

    if (!d)
        return;
    if (what < 4)
        map_grant(g, v);
    else if (what < 7)
        write_entry(g, v, false);
    else if (what < 9)
        write_entry(g, v, true);
    else if (what == 9)
        reserve(v);
    else if (what == 10)
        move(v);
    else
        drop(v);
    if (ending || !take(32))
        end_a_bit();
}

void pv_random_neighbour_end(void)
{
    if (d)
        host_destroy(d);
    d = NULL;
}
