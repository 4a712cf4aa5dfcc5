/* SPDX-License-Identifier: MIT */
/*
 * The walk to the L1 entry of an address remembers the last table that it found: whatever leads to
 * another one, it does not come by the old one. update_va_mapping tells where it came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <xen/errno.h>

#define ENTRY 400u /* of an L1 table, that nobody uses */

/* Tables of the guest's from an L4 down to an empty L1, beside those that it runs on. */
enum { FRAME = MM_SPARE, T1, T2, T3, T4 };

static struct mm_guest control, g;
static struct vcpu *first;

static void make(unsigned int table, unsigned int entry, unsigned int child)
{
    mm_make_table(&g, table);
    mm_words(&g, table)[entry] = mm_pte(g.frame[child], MM_RW);
}

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&control, 0, true);
    mm_guest_init_vcpus(&g, 1, false, 2);
    first = g.v;
    mm_make_table(&g, T1);
    make(T2, 0, T1); /* as MM_VA goes */
    make(T3, 1, T2);
    make(T4, 0, T3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    g.v = first;
    mm_fini();
    return 0;
}

static long map(uint64_t pte)
{
    return mm_update_va(&g, mm_va(ENTRY), pte, 0);
}

static void lands_in(unsigned int table)
{
    assert_int_equal(map(mm_pte(g.frame[FRAME], MM_RO)), 0);
    assert_int_equal(pte_mfn(mm_words(&g, table)[ENTRY]).n, g.frame[FRAME].n);
    assert_int_equal(map(0), 0);
    assert_int_equal(mm_words(&g, table)[ENTRY], 0);
}

/* An entry on the way names another table, none, and the first again. */
static void goes_over(unsigned int table, unsigned int entry, unsigned int child,
                      unsigned int other)
{
    uint64_t at = mm_entry_addr(&g, table, entry);

    lands_in(MM_L1);
    assert_int_equal(mm_update(&g, at, mm_pte(g.frame[other], MM_RW)), 0);
    lands_in(T1);
    assert_int_equal(mm_update(&g, at, 0), 0);
    assert_int_equal(map(0), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, at, mm_pte(g.frame[child], MM_RW)), 0);
    lands_in(MM_L1);
}

static void an_entry_changes(void **state)
{
    (void)state;
    goes_over(MM_L2, 0, MM_L1, T1);
    goes_over(MM_L3, 1, MM_L2, T2);
    goes_over(MM_L4, 0, MM_L3, T3);
}

static long load(unsigned int table)
{
    return mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[table].n, 0);
}

static void the_base_changes(void **state)
{
    (void)state;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
    for (unsigned int i = 0; i < 2; i++) {
        lands_in(MM_L1);
        assert_int_equal(load(T4), 0);
        lands_in(T1);
        assert_int_equal(load(MM_L4), 0);
    }
}

/* Nobody updated an entry of a table meanwhile: it was none. */
static void the_base_is_made_anew(void **state)
{
    (void)state;
    assert_int_equal(load(T4), 0);
    lands_in(T1);
    assert_int_equal(load(MM_L4), 0);
    assert_int_equal(mm_type_count(&g, T4), 0);
    mm_words(&g, T4)[0] = mm_pte(g.frame[MM_L3], MM_RW);
    assert_int_equal(load(T4), 0);
    lands_in(MM_L1);
}

static void two_addresses(void **state)
{
    const gva_t beyond = MM_VA + TABLE_ENTRIES * PAGE_SIZE;

    (void)state;
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 1), mm_pte(g.frame[T1], MM_RW)), 0);
    for (unsigned int i = 0; i < 2; i++) {
        lands_in(MM_L1);
        assert_int_equal(mm_update_va(&g, beyond, mm_pte(g.frame[FRAME + i], MM_RO), 0), 0);
        assert_int_equal(pte_mfn(mm_words(&g, T1)[0]).n, g.frame[FRAME + i].n);
    }
    assert_int_equal(mm_update_va(&g, beyond + TABLE_ENTRIES * PAGE_SIZE, 0, 0), -XEN_EINVAL);
}

/* Another vCPU changes the way, or gives the table up. */
static void another_vcpu(void **state)
{
    (void)state;
    lands_in(MM_L1);
    g.v = g.d->vcpu[1];
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 0), mm_pte(g.frame[T1], MM_RW)), 0);
    g.v = first;
    lands_in(T1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_entry_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_base_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_base_is_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(two_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(another_vcpu, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
