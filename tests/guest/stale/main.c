/* SPDX-License-Identifier: MIT */
/*
 * Shows: a page that becomes a page table cannot be written any more, not even by a guest that
 * keeps the processor's memory of an old, writable mapping.
 *
 * A guest may drop a mapping without a flush: the TLB entry stays, and is the guest's own affair as
 * long as the page is ordinary memory. Before the page becomes a table the hypervisor must flush.
 * The test drops a writable mapping, lets the page go through an operation that fails half way and
 * gives it back, makes it a table, and writes through the old mapping.
 *
 * XSA-241 and its kin (XSA-286, XSA-408): flushes that were left out; XSA-159, XSA-212 (an exchange
 * that fails).
 */
#include "test.h"

const char test_name[] = "stale";

#define ROUNDS        8
#define FOREIGN_FRAME 0x100ul

typedef void (*detour_t)(unsigned long mfn);

static void nothing(unsigned long mfn)
{
    (void)mfn;
}

static void grown_and_shrunk(unsigned long mfn)
{
    test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
    test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
}

/* The first frame can be exchanged, the second is not ours: nothing is. */
static void failed_exchange(unsigned long mfn)
{
    xen_pfn_t in[2] = {mfn, FOREIGN_FRAME}, out[1] = {0};
    struct xen_memory_exchange x = {
        .in = {.nr_extents = 2, .domid = DOMID_SELF},
        .out = {.nr_extents = 1, .extent_order = 1, .domid = DOMID_SELF},
    };

    set_xen_guest_handle(x.in.extent_start, in);
    set_xen_guest_handle(x.out.extent_start, out);
    HYPERVISOR_memory_op(XENMEM_exchange, &x);
}

static void try_detour(detour_t detour, const char *what)
{
    unsigned int written = 0, tried = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        uint64_t *page = test_page();
        unsigned long va = (unsigned long)page, mfn = virt_to_mfn(page);
        pte_t pte = *pt_walk(pt_root, va, 1);

        *(volatile uint64_t *)&page[1] = 0; /* now the TLB knows it as writable */
        NEED(!HYPERVISOR_update_va_mapping(va, 0, 0));
        detour(mfn);
        if (!test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0)) {
            tried++;
            written += probe_write(&page[1], 0, NULL) == -1;
            NEED(!test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
        }
        NEED(!HYPERVISOR_update_va_mapping(va, pte, UVMF_INVLPG));
        page_free((void *)va);
    }
    CHECK_EQ(tried, ROUNDS, "the page can be made a table");
    CHECK_EQ(written, 0, what);
}

void test_main(void)
{
    try_detour(nothing, "a stale entry does not reach a table");
    try_detour(grown_and_shrunk, "nor one that is a table for the second time");
    try_detour(failed_exchange, "nor one that an exchange took and gave back");
}
