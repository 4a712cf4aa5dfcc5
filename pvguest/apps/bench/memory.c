/* SPDX-License-Identifier: MIT */
/*
 * Memory: how much there is, and a page given to the hypervisor and another one got for it.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>

#include "bench.h"

static long op_current(unsigned int n)
{
    domid_t self = DOMID_SELF;

    return ASK(n, HYPERVISOR_memory_op(XENMEM_current_reservation, &self));
}

/* The page that is given: its frame, which changes, or its place, where the hypervisor translates
 * and another one comes there. It stays out of the linear map. */
static xen_pfn_t given;

static int prepare_page(void)
{
    void *page;

    if (given)
        return 0;
    page = page_alloc();
    if (!page || pt_unmap((unsigned long)page))
        return -1;
    given = virt_to_mfn(page);
    return 0;
}

static long change(unsigned int get)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, &given);
    if (HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r) != 1)
        return -1;
    return HYPERVISOR_memory_op(get, &r) == 1 ? 0 : -1;
}

static long op_change(unsigned int n)
{
    unsigned int get = is_pv() ? XENMEM_increase_reservation : XENMEM_populate_physmap;

    return ASK(n, change(get));
}

/* clang-format off */
const struct bench memory_rows[] = {
    {"current_reservation", op_current, NULL, 0},
    {"decrease_increase",   op_change,  prepare_page, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
