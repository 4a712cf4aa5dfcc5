/* SPDX-License-Identifier: MIT */
/*
 * What must be flushed, and when: each test brings a CPU into the state that one flush of the
 * hypervisor is there to end. Nothing is asserted on flushes themselves: the model of the TLBs
 * (tests/host/tlb.c) ends the test when a CPU is left that knows what it must not. `make mutants`
 * leaves each of these flushes out and sees that a test here, or the fuzzer, notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/domain/guest_memory.h>
#include <core/grant/grant_table.h>
#include <pv/pv_bits.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define ARG  HOST_GUEST_BASE
#define LIST (HOST_GUEST_BASE + 0x1000)
#define S    MM_SPARE
#define SLOT 100u

static struct mm_guest g, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&g, 1, false);
    mm_guest_init(&other, 2, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

/* The frame that was writable a moment ago, without a flush by the guest. */
static void writable_becomes_table(void **state)
{
    (void)state;
    mm_make_table(&g, S);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
}

/* XSA-286: a table that was taken out of its parent, which the CPU remembers. */
static void table_becomes_writable(void **state)
{
    uint64_t at = mm_entry_addr(&g, MM_L2, 1);

    (void)state;
    mm_make_table(&g, S);
    mm_words(&g, S)[0] = mm_pte(g.frame[S + 1], MM_RW);
    assert_int_equal(mm_update(&g, at, mm_pte(g.frame[S], MM_RW)), 0);
    assert_int_equal(mm_update(&g, at, 0), 0);
    assert_int_equal(mm_make_plain(&g, S), 0);
    /* and one that becomes a table of another level */
    mm_make_table(&g, S + 2);
    assert_int_equal(mm_update(&g, at, mm_pte(g.frame[S + 2], MM_RW)), 0);
    assert_int_equal(mm_update(&g, at, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[S + 2].n, 0), 0);
}

/* What the guest had writable, gave to an exchange that failed, and makes a table of. */
static void failed_exchange(void **state)
{
    struct xen_memory_exchange x = {
        .in = {.extent_start = LIST, .nr_extents = 2, .domid = DOMID_SELF},
        .out = {.extent_start = LIST, .nr_extents = 1, .extent_order = 1, .domid = DOMID_SELF}};
    xen_pfn_t in[2] = {g.frame[S].n, g.frame[MM_L1].n};

    (void)state;
    mm_make_table(&g, S);
    assert_int_equal(mm_update_va(&g, mm_va(S), 0, 0), 0);
    memcpy(host_guest(ARG), &x, sizeof(x));
    memcpy(host_guest(LIST), in, sizeof(in));
    assert_int_equal(mm_call(&g, __HYPERVISOR_memory_op, XENMEM_exchange, ARG, 0, 0), -XEN_EBUSY);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
}

/* A frame that one domain had mapped is the hypervisor's own next, or another's. */
static void freed_and_given_out(void **state)
{
    struct xen_memory_reservation r = {.extent_start = LIST, .nr_extents = 1, .domid = DOMID_SELF};
    struct page_info *pg, *all[1024];
    unsigned int n = 0;

    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(S), 0, 0), 0);
    memcpy(host_guest(ARG), &r, sizeof(r));
    *(xen_pfn_t *)host_guest(LIST) = g.frame[S].n;
    assert_int_equal(mm_call(&g, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, ARG, 0, 0),
                     1);
    while ((pg = alloc_frames(0, 0)) != NULL)
        all[n++] = pg;
    assert_true(n > 0);
    host_tlb_check();
    while (n--)
        free_frames(all[n], 0);
}

static void map_grant(uint32_t flags)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = mm_va(SLOT), .flags = GNTMAP_host_map | flags, .ref = 1, .dom = 1};

    grant_table_set_entry(g.d, 1, other.d->domain_id, (uint32_t)g.frame[S].n);
    memcpy(host_guest(ARG), &m, sizeof(m));
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0), 0);
    assert_int_equal(((struct gnttab_map_grant_ref *)host_guest(ARG))->status, GNTST_okay);
}

/* The mapper's CPU must not know the frame when its owner makes a table of it: the owner's flush
 * does not reach there. */
static void granted_and_unmapped(void **state)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = mm_va(SLOT)};

    (void)state;
    map_grant(0);
    u.handle = ((struct gnttab_map_grant_ref *)host_guest(ARG))->handle;
    memcpy(host_guest(ARG), &u, sizeof(u));
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, ARG, 1, 0), 0);
    mm_make_table(&g, S);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
}

static void granted_and_written_over(void **state)
{
    (void)state;
    map_grant(0);
    assert_int_equal(mm_update(&other, mm_entry_addr(&other, MM_L1, SLOT), 0), 0);
    mm_make_table(&g, S);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
}

/* Descriptors that the CPU has loaded through its slots. */
static void descriptor_tables(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        mm_make_table(&g, S + i);
        *(uint64_t *)host_guest(ARG) = g.frame[S + i].n;
        assert_int_equal(mm_call(&g, __HYPERVISOR_set_gdt, ARG, 512, 0, 0), 0);
    }
    mm_make_table(&g, S + 2);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(S + 2), 512), 0);
    host_run_as(g.v);
    assert_true(pv_map_ldt_page(g.v, 0));
    assert_false(pv_map_ldt_page(g.v, 0));
    host_tlb_check();
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, 0, 0), 0);
    assert_int_equal(mm_make_plain(&g, S + 2), 0);
}

/* The CPU runs on what the vCPU says it runs on, and the table that it left can be anything. */
static void base_table(void **state)
{
    (void)state;
    mm_make_table(&g, S);
    mm_words(&g, S)[0] = mm_pte(g.frame[MM_L3], MM_RW);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[S].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[MM_L4].n, 0), 0);
    assert_int_equal(mm_make_plain(&g, S), 0);
}

/* A guest that flushes for itself what it changed reads what is there now. */
static void guest_flushes(void **state)
{
    uint64_t one = 1, two = 2, seen;

    (void)state;
    host_walk = true;
    host_run_as(g.v);
    assert_int_equal(copy_to_guest(mm_va(S), &one, 8), 0);
    assert_int_equal(copy_to_guest(mm_va(S + 1), &two, 8), 0);
    assert_int_equal(mm_update_va(&g, mm_va(S), mm_pte(g.frame[S + 1], MM_RW), 0), 0);
    assert_int_equal(copy_from_guest(&seen, mm_va(S), 8), 0);
    assert_int_equal(seen, 1); /* stale, as it was asked for */
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_LOCAL, mm_va(S), 0), 0);
    assert_int_equal(copy_from_guest(&seen, mm_va(S), 8), 0);
    assert_int_equal(seen, 2);
    assert_int_equal(mm_update_va(&g, mm_va(S), mm_pte(g.frame[S], MM_RW), UVMF_TLB_FLUSH), 0);
    assert_int_equal(copy_from_guest(&seen, mm_va(S), 8), 0);
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writable_becomes_table, setup, teardown),
        cmocka_unit_test_setup_teardown(table_becomes_writable, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(freed_and_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(granted_and_unmapped, setup, teardown),
        cmocka_unit_test_setup_teardown(granted_and_written_over, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptor_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(base_table, setup, teardown),
        cmocka_unit_test_setup_teardown(guest_flushes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
