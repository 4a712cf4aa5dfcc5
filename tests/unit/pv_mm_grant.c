/* SPDX-License-Identifier: MIT */
/*
 * Grant mappings as page-table entries: installed and taken out with the grant code's references,
 * never with another's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <pv/pv_ops.h>
#include <core/domain/domain_pages.h>
#include <xen/grant_table.h>

#define SLOT 100u

static struct mm_guest g, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&g, 1, false);
    mm_guest_init(&other, 2, false);
    host_run_as(g.v);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

/* As the grant code does: takes the references, installs the entry. */
static int map(uint64_t addr, unsigned int frame, unsigned int flags)
{
    struct page_info *pg = mm_page(&other, frame);
    int rc;

    assert_true(get_page(pg, other.d));
    if (!(flags & GNTMAP_readonly))
        assert_int_equal(get_page_type(pg, PGT_writable_page, other.d), 0);
    rc = pv_grant_map(addr, other.frame[frame], flags);
    if (rc) {
        if (!(flags & GNTMAP_readonly))
            put_page_type(pg);
        put_page(pg);
    }
    assert_int_equal(host_recount(), 0);
    return rc;
}

static int unmap(uint64_t addr, unsigned int frame, unsigned int flags, uint64_t new_addr)
{
    struct page_info *pg = mm_page(&other, frame);
    int rc = pv_grant_unmap(addr, other.frame[frame], flags, new_addr);

    if (!rc) {
        if (!(flags & GNTMAP_readonly))
            put_page_type(pg);
        put_page(pg);
    }
    assert_int_equal(host_recount(), 0);
    return rc;
}

static uint64_t slot(void)
{
    return mm_words(&g, MM_L1)[SLOT];
}

static void map_and_unmap(void **state)
{
    const unsigned int flags[] = {0, GNTMAP_readonly, GNTMAP_application_map,
                                  GNTMAP_readonly | GNTMAP_application_map};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(flags) * 2; i++) {
        unsigned int f = flags[i / 2] | GNTMAP_host_map | (i & 1 ? GNTMAP_contains_pte : 0);
        uint64_t addr = i & 1 ? mm_entry_addr(&g, MM_L1, SLOT) : mm_va(SLOT);

        assert_int_equal(map(addr, MM_SPARE, f | 5u << _GNTMAP_guest_avail0), GNTST_okay);
        assert_int_equal(pte_mfn(slot()).n, other.frame[MM_SPARE].n);
        assert_int_equal(!!(slot() & PTE_RW), !(f & GNTMAP_readonly));
        assert_int_equal(!!(slot() & PTE_GUEST_KERNEL), !(f & GNTMAP_application_map));
        assert_int_equal(!!(slot() & PTE_GLOBAL), !!(f & GNTMAP_application_map));
        assert_int_equal(slot() >> 9 & 7, 5);
        assert_true(slot() & PTE_NX);
        assert_int_equal(unmap(addr, MM_SPARE, f, 0), GNTST_okay);
        assert_int_equal(slot(), 0);
        assert_int_equal(mm_refs(&other, MM_SPARE), 2);
    }
}

/* XSA-227: half an entry. Others: not a table, not one's own, not an L1, no address. */
static void bad_places(void **state)
{
    const unsigned int pte = GNTMAP_contains_pte;

    (void)state;
    for (unsigned int i = 1; i < 8; i++)
        assert_int_equal(map(mm_entry_addr(&g, MM_L1, SLOT) + i, MM_SPARE, pte),
                         GNTST_general_error);
    assert_int_equal(map(mm_entry_addr(&g, MM_SPARE, 0), MM_SPARE, pte), GNTST_general_error);
    assert_int_equal(map(mm_entry_addr(&other, MM_L1, SLOT), MM_SPARE, pte), GNTST_general_error);
    assert_int_equal(map(mm_entry_addr(&g, MM_L2, SLOT), MM_SPARE, pte), GNTST_general_error);
    assert_int_equal(map(1ull << 51, MM_SPARE, pte), GNTST_general_error);
    assert_int_equal(map(0x10, MM_SPARE, 0), GNTST_general_error);
    assert_int_equal(map(0xffff830000000000ull, MM_SPARE, 0), GNTST_general_error);
}

/* XSA-224, 234: an unmap drops the references of exactly that mapping; another frame's or another
 * right's are not there to drop. */
static void unmap_of_something_else(void **state)
{
    (void)state;
    assert_int_equal(map(mm_va(SLOT), MM_SPARE, GNTMAP_readonly), GNTST_okay);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, 0, 0), GNTST_general_error);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE + 1, GNTMAP_readonly, 0), GNTST_general_error);
    assert_int_equal(unmap(mm_va(SLOT + 1), MM_SPARE, GNTMAP_readonly, 0), GNTST_general_error);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, GNTMAP_readonly, 0), GNTST_okay);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, GNTMAP_readonly, 0), GNTST_general_error);
}

/* What the entry held before is given back; what the guest does to the entry later gives the
 * grant's references back. */
static void other_ways_out(void **state)
{
    unsigned int flushes;

    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), mm_pte(g.frame[MM_SPARE], MM_RW), 0), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 2);
    assert_int_equal(map(mm_va(SLOT), MM_SPARE, 0), GNTST_okay);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    assert_int_equal(mm_type_count(&other, MM_SPARE), 2);
    /* no TLB of this domain knows the frame when its owner gets it back */
    mm_recount = false;
    flushes = host_flushes;
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), 0, 0), 0);
    assert_int_equal(host_flushes, flushes + 1);
    mm_recount = true;
    assert_int_equal(mm_type_count(&other, MM_SPARE), 1);
    /* and it is not made writable through the table */
    assert_int_equal(map(mm_va(SLOT), MM_SPARE, GNTMAP_readonly), GNTST_okay);
    assert_int_not_equal(mm_update_va(&g, mm_va(SLOT), slot() | PTE_RW, 0), 0);
}

static void unmap_and_replace(void **state)
{
    uint64_t with = mm_pte(g.frame[MM_SPARE], MM_RO);

    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(SLOT + 1), with, 0), 0);
    with = mm_words(&g, MM_L1)[SLOT + 1];
    assert_int_equal(map(mm_va(SLOT), MM_SPARE, 0), GNTST_okay);
    assert_int_equal(
        unmap(mm_entry_addr(&g, MM_L1, SLOT), MM_SPARE, GNTMAP_contains_pte, mm_va(SLOT + 1)),
        GNTST_general_error);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, 0, 0x10), GNTST_general_error);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, 0, mm_va(SLOT + 1)), GNTST_okay);
    assert_int_equal(slot(), with);
    assert_int_equal(mm_words(&g, MM_L1)[SLOT + 1], 0);
    /* a failure leaves the other entry as it was, with its references */
    assert_int_equal(unmap(mm_va(SLOT + 3), MM_SPARE, 0, mm_va(SLOT)), GNTST_general_error);
    assert_int_equal(slot(), with);
    assert_int_equal(unmap(mm_va(SLOT), MM_SPARE, 0, mm_va(SLOT)), GNTST_general_error);
    assert_int_equal(slot(), with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(map_and_unmap, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_places, setup, teardown),
        cmocka_unit_test_setup_teardown(unmap_of_something_else, setup, teardown),
        cmocka_unit_test_setup_teardown(other_ways_out, setup, teardown),
        cmocka_unit_test_setup_teardown(unmap_and_replace, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
