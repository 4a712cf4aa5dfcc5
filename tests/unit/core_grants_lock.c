/* SPDX-License-Identifier: MIT */
/*
 * Grants and locks: what one domain does keeps no lock that others need for longer than it must,
 * and takes none where it is allowed nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "grant_call.h"

#include <core/state/guest_ops.h>
#include <pv/pv_ops.h>
#include <string.h>
#include <xen/errno.h>

#define SLOT 100u

static struct mm_guest granter, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&granter, 1, false);
    mm_guest_init(&other, 2, false);
    return 0;
}

static uint32_t the_handle;

/* What takes an entry out waits for a page table of its own domain's, so nobody's lock is held; and
 * the handle is this CPU's alone. */
static int another_unmaps_too(uint64_t host_addr, mfn_t frame, unsigned int flags,
                              uint64_t new_addr)
{
    static bool at_it;
    struct grant_unmaps none = {.nr = 0};

    assert_false(at_it);
    at_it = true;
    assert_int_equal(host_locks_held(), 0);
    assert_int_equal(grant_unmap(&none, the_handle, host_addr, 0, 0), -XEN_ERESTART);
    assert_int_equal(grant_unmap(&none, the_handle, 0, frame.n << PAGE_SHIFT, 0), -XEN_ERESTART);
    assert_int_equal(none.nr, 0);
    at_it = false;
    return pv_guest_ops.grant_unmap(host_addr, frame, flags, new_addr);
}

/* XSA-218: of two that unmap one handle at once, one does; the other asks again, and then finds
 * what is left of it. */
static void two_unmap_one_handle(void **state)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = mm_va(SLOT), .flags = GNTMAP_host_map | GNTMAP_device_map, .ref = 9, .dom = 1};
    struct guest_ops ops = pv_guest_ops;
    struct gnttab_unmap_grant_ref u;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    ops.grant_unmap = another_unmaps_too;
    other.d->ops = &ops;
    OP(&other, map_grant_ref, m);
    assert_int_equal(m.status, GNTST_okay);
    the_handle = m.handle;
    /* a failure leaves the handle as it was */
    u = (struct gnttab_unmap_grant_ref){.host_addr = mm_va(SLOT + 1), .handle = m.handle};
    OP(&other, unmap_grant_ref, u);
    assert_int_equal(u.status, GNTST_general_error);
    u.host_addr = mm_va(SLOT);
    OP(&other, unmap_grant_ref, u);
    assert_int_equal(u.status, GNTST_okay);
    u = (struct gnttab_unmap_grant_ref){.dev_bus_addr = m.dev_bus_addr, .handle = m.handle};
    OP(&other, unmap_grant_ref, u);
    assert_int_equal(u.status, GNTST_okay);
    OP(&other, unmap_grant_ref, u);
    assert_int_equal(u.status, GNTST_bad_handle);
    other.d->ops = &pv_guest_ops;
}

static unsigned int granters_lock_taken;
static bool granters_lock_held;

static void look_at_lock(const spinlock_t *l, bool released)
{
    if (l == &granter.d->grant->lock) {
        granters_lock_taken += !released;
        granters_lock_held = !released;
    } else {
        assert_false(granters_lock_held);
    }
}

/* Who is allowed nothing there does not take the granter's lock, whatever he names; who is refused
 * for another reason hears so when it is free again. */
static void refused_without_the_lock(void **state)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = mm_va(SLOT), .flags = GNTMAP_host_map, .ref = 9, .dom = 1};
    struct gnttab_copy c = {.source = {.u.ref = 9, .domid = 1},
                            .dest = {.u.gmfn = other.frame[MM_SPARE].n, .domid = DOMID_SELF},
                            .len = 8,
                            .flags = GNTCOPY_source_gref};

    (void)state;
    mm_recount = false;
    give(&granter, 9, 0, MM_SPARE, 0);
    give(&granter, 10, 2, MM_SPARE, GTF_readonly);
    host_on_lock = look_at_lock;
    granters_lock_taken = 0;
    OP(&other, map_grant_ref, m);
    assert_int_equal(m.status, GNTST_general_error);
    OP(&other, copy, c);
    assert_int_equal(c.status, GNTST_general_error);
    m.ref = 1u << 20;
    OP(&other, map_grant_ref, m);
    assert_int_equal(m.status, GNTST_bad_gntref);
    assert_int_equal(granters_lock_taken, 0);
    m.ref = 10;
    OP(&other, map_grant_ref, m);
    assert_int_equal(m.status, GNTST_general_error);
    assert_int_equal(granters_lock_taken, 1);
    host_on_lock = NULL;
    mm_recount = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_unmap_one_handle, setup, grants_teardown),
        cmocka_unit_test_setup_teardown(refused_without_the_lock, setup, grants_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
