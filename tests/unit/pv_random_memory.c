/* SPDX-License-Identifier: MIT */
/*
 * The part of pv_random.h that is memory's: page tables, frames that come and go, grants.
 */
#include "pv_random.h"

#include <core/base/hypercall.h>
#include <core/grant/grant_table.h>
#include <pv/pv_bits.h>
#include <string.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define take   pv_random_take
#define call   pv_random_call
#define ARG    PV_RANDOM_ARG
#define LIST   PV_RANDOM_LIST
#define TABLES 20u /* the first frames of each guest, among which its tables are */

void pv_random_tables(struct mm_guest *g, struct vcpu *v)
{
    struct mmu_update *req = host_guest(ARG);
    struct mmuext_op *op = host_guest(ARG);
    unsigned int n = 1 + take(3);

    switch (take(4)) {
    case 0:
        for (unsigned int i = 0; i < n; i++)
            req[i] = (struct mmu_update){mm_entry_addr(g, take(TABLES), take(64)) |
                                             (take(8) ? 0 : take(8)),
                                         pv_random_entry()};
        (void)call(v, __HYPERVISOR_mmu_update, ARG, n, 0, pv_random_domid());
        break;
    case 1:
        (void)call(v, __HYPERVISOR_update_va_mapping, mm_va(take(MM_FRAMES)), pv_random_entry(),
                   take(8), 0);
        break;
    default:
        for (unsigned int i = 0; i < n; i++)
            op[i] = (struct mmuext_op){.cmd = take(22),
                                       .arg1.mfn =
                                           take(4) ? g->frame[take(TABLES)].n : pv_random_word(),
                                       .arg2.nr_ents = (unsigned int)pv_random_word()};
        (void)call(v, __HYPERVISOR_mmuext_op, ARG, n, 0, take(4) ? DOMID_SELF : pv_random_domid());
    }
}

/* Makes what the guest has writable zeros, so that it can become a table, and read-only. */
void pv_random_make_table(struct mm_guest *g, struct vcpu *v)
{
    unsigned int i = MM_SPARE + take(12);
    struct page_info *pg = mm_page(g, i);

    if (!get_page_and_writable(pg, g->d))
        return;
    memset(mm_words(g, i), 0, PAGE_SIZE);
    for (unsigned int k = take(4); k--;)
        mm_words(g, i)[take(64)] = pv_random_entry();
    put_page_and_type(pg);
    (void)call(v, __HYPERVISOR_update_va_mapping, mm_va(i), mm_pte(g->frame[i], MM_RO), 0, 0);
}

void pv_random_reservations(struct mm_guest *g, struct vcpu *v)
{
    struct xen_memory_reservation *r = host_guest(ARG);
    unsigned int n = 1 + take(3), order = take(4) ? 0 : take(4);
    struct xen_memory_exchange x = {
        .in = {.extent_start = LIST,
               .nr_extents = n,
               .domid = take(8) ? DOMID_SELF : pv_random_domid()},
        .out = {.extent_start = LIST + 64, .nr_extents = n, .domid = DOMID_SELF}};

    if (take(8) == 0) {
        pv_random_fill(ARG, 8);
        (void)call(v, __HYPERVISOR_memory_op, take(32), ARG, 0, 0);
        return;
    }
    for (unsigned int i = 0; i < 8; i++)
        ((xen_pfn_t *)host_guest(LIST))[i] =
            take(8) ? g->frame[MM_SPARE + take(16)].n : pv_random_word();
    if (take(2)) { /* unmapped first: only what nobody uses can go */
        for (unsigned int i = 0; i < n; i++)
            (void)call(v, __HYPERVISOR_update_va_mapping, mm_va(MM_SPARE + take(16)), 0, 0, 0);
    }
    if (take(2)) {
        *r = (struct xen_memory_reservation){.extent_start = LIST,
                                             .nr_extents = n,
                                             .extent_order = order,
                                             .domid = take(8) ? DOMID_SELF : pv_random_domid()};
        (void)call(v, __HYPERVISOR_memory_op,
                   take(3) ? XENMEM_decrease_reservation + take(6) * 5u % 7u
                           : XENMEM_decrease_reservation,
                   ARG, 0, 0);
        return;
    }
    if (take(2)) {
        x.in.nr_extents = n & ~1u;
        x.out.nr_extents = n >> 1;
        x.out.extent_order = 1;
    }
    memcpy(host_guest(ARG), &x, sizeof(x));
    (void)call(v, __HYPERVISOR_memory_op, XENMEM_exchange, ARG, 0, 0);
}

void pv_random_grants(struct mm_guest *g, struct vcpu *v)
{
    struct gnttab_map_grant_ref *m = host_guest(ARG);
    struct gnttab_unmap_grant_ref *u = host_guest(ARG);
    unsigned int how = take(6), at = 30 + take(4);

    if (how == 0) {
        grant_table_set_entry(g->d, take(6), pv_random_domid(),
                              (uint32_t)(take(8) ? g->frame[take(24)] : pv_random_frame()).n);
    } else if (how < 3) {
        /* each grants to the next, mostly */
        struct mm_guest *granter = pv_random_guest();

        if (take(2))
            grant_table_set_entry(granter->d, take(6), g->d->domain_id,
                                  (uint32_t)granter->frame[MM_SPARE + take(16)].n);
        *m = (struct gnttab_map_grant_ref){
            .host_addr = take(4) ? mm_va(at) : mm_entry_addr(g, MM_L1, at),
            .flags = GNTMAP_host_map | (take(2) ? 0 : take(64)),
            .ref = take(6),
            .dom = take(8) ? granter->d->domain_id : pv_random_domid()};
        (void)call(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0);
    } else if (how == 3) {
        *u = (struct gnttab_unmap_grant_ref){.host_addr = mm_va(at), .handle = take(6)};
        (void)call(v, __HYPERVISOR_grant_table_op, take(4) ? GNTTABOP_unmap_grant_ref : 7, ARG, 1,
                   0);
    } else {
        pv_random_fill(ARG, 4);
        (void)call(v, __HYPERVISOR_grant_table_op, take(14), ARG, 1 + take(2), 0);
    }
}
