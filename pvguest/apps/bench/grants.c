/* SPDX-License-Identifier: MIT */
/*
 * Grants: a page that the domain lends to itself.
 */
#include <guest/grant.h>
#include <guest/kernel.h>
#include <guest/pagetable.h>

#include "bench.h"

static int lent = -1;
static unsigned long place;

static long map_unmap(void)
{
    gnttab_map_grant_ref_t map = {
        .host_addr = place,
        .flags = GNTMAP_host_map,
        .ref = (grant_ref_t)lent,
        .dom = own_domid(),
        .status = GNTST_general_error, /* unless it is carried out */
    };
    gnttab_unmap_grant_ref_t unmap = {.host_addr = place, .status = GNTST_general_error};

    HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    unmap.handle = map.handle;
    HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    return map.status || unmap.status ? -1 : 0;
}

static long copy(unsigned int bytes)
{
    static char target[PAGE_SIZE] __attribute__((aligned(4096)));
    gnttab_copy_t op = {
        .source = {.u.ref = (grant_ref_t)lent, .domid = DOMID_SELF},
        .dest = {.u.gmfn = virt_to_mfn(target), .domid = DOMID_SELF},
        .len = (uint16_t)bytes,
        .flags = GNTCOPY_source_gref,
        .status = GNTST_general_error,
    };

    HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1);
    return op.status;
}

static int prepare_grants(void)
{
    void *page;

    if (lent >= 0)
        return 0;
    page = page_alloc_zeroed();
    if (!page || grant_init())
        return -1;
    place = map_area_alloc(1);
    if (!place || pt_map(place, 0))
        return -1;
    lent = grant_access(own_domid(), virt_to_mfn(page), false);
    return lent < 0;
}

static long op_map(unsigned int n)
{
    return ASK(n, map_unmap());
}

static long op_copy_64(unsigned int n)
{
    return ASK(n, copy(64));
}

static long op_copy_page(unsigned int n)
{
    return ASK(n, copy(PAGE_SIZE));
}

/* clang-format off */
const struct bench grant_rows[] = {
    {"grant_map_unmap", op_map,       prepare_grants, 0},
    {"grant_copy_64",   op_copy_64,   prepare_grants, 0},
    {"grant_copy_4096", op_copy_page, prepare_grants, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
