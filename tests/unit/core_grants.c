/* SPDX-License-Identifier: MIT */
/*
 * Grants: map, unmap, copy, swap, and the questions, with three paravirtual guests and their real
 * page tables. After each call every page reference is recounted (pv_mm_support.c) and every use of
 * every grant (grant_oracle.c); after each test every frame must be free again.
 */
#include <core/domain/domain_table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "grant_call.h"

#include <string.h>
#include <xen/errno.h>
#include <xen/memory.h>

#define SLOT   100u /* where mappings go: nothing else is there */
#define HOST   GNTMAP_host_map
#define DEVICE GNTMAP_device_map
#define RO     GNTMAP_readonly

static struct mm_guest granter, mapper, third;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&granter, 1, false);
    mm_guest_init(&mapper, 2, false);
    mm_guest_init(&third, 3, false);
    return 0;
}

static int map_at(struct mm_guest *g, grant_ref_t ref, uint32_t flags, uint64_t addr,
                  uint32_t *handle)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = addr, .flags = flags, .ref = ref, .dom = granter.d->domain_id, .handle = ~0u};

    assert_int_equal(OP(g, map_grant_ref, m), 0);
    assert_true(m.status <= 0); /* XSA-316: a failure is never positive */
    *handle = m.handle;
    return m.status;
}

static int map(grant_ref_t ref, uint32_t flags, unsigned int slot, uint32_t *handle)
{
    return map_at(&mapper, ref, flags, mm_va(slot), handle);
}

static int unmap(uint32_t handle, uint64_t addr, uint64_t bus)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = addr, .dev_bus_addr = bus, .handle = handle};

    assert_int_equal(OP(&mapper, unmap_grant_ref, u), 0);
    return u.status;
}

static uint64_t bus(unsigned int frame)
{
    return granter.frame[frame].n << PAGE_SHIFT;
}

static void a_grant_is_mapped_and_unmapped(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE), types = mm_type_count(&granter, MM_SPARE);
    uint32_t handle;

    (void)state;
    for (unsigned int ro = 0; ro < 2; ro++) {
        give(&granter, 9, 2, MM_SPARE, ro ? GTF_readonly : 0);
        assert_int_equal(map(9, HOST | (ro ? RO : 0), SLOT, &handle), GNTST_okay);
        assert_int_equal(entry(&granter, 9)->flags & (GTF_reading | GTF_writing),
                         ro ? GTF_reading : GTF_reading | GTF_writing);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 1);
        assert_int_equal(mm_type_count(&granter, MM_SPARE), types + !ro);
        assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
        assert_int_equal(entry(&granter, 9)->flags & (GTF_reading | GTF_writing), 0);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
        assert_int_equal(mm_type_count(&granter, MM_SPARE), types);
        assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_bad_handle);
    }
}

/* A CPU may go on reading through an entry that went without an unmap (pv/page_entry.c): so long is
 * the grant in use. There is an entry for each handle at most, and each unmap flushes. */
static void an_entry_that_goes_by_itself_ends_no_grant(void **state)
{
    uint32_t handle[2];
    unsigned int flushes;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, GTF_readonly);
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(map(9, HOST | RO, SLOT + i, &handle[i]), GNTST_okay);
    assert_int_equal(mm_update(&mapper, mm_entry_addr(&mapper, MM_L1, SLOT), 0), 0);
    assert_int_equal(unmap(handle[0], mm_va(SLOT), 0), GNTST_general_error);
    flushes = host_flushes;
    assert_int_equal(unmap(handle[0], mm_va(SLOT + 1), 0), GNTST_okay);
    assert_int_equal(host_flushes, flushes + 1);
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(unmap(handle[1], mm_va(SLOT + i), 0), GNTST_general_error);
    assert_true(entry(&granter, 9)->flags & GTF_reading);
    mm_guest_gone(&mapper);
    assert_false(entry(&granter, 9)->flags & GTF_reading);
}

/* The upper half of the flags is the guest's own: it goes to the entry and means nothing here. */
static void the_guests_own_flags(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE);
    uint32_t handle;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    for (unsigned int bit = _GNTMAP_guest_avail0; bit < 32; bit++) {
        assert_int_equal(map(9, HOST | DEVICE | 1u << bit, SLOT, &handle), GNTST_okay);
        assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
        assert_int_equal(unmap(handle, 0, bus(MM_SPARE)), GNTST_okay);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    }
    assert_int_equal(map(9, HOST | GNTMAP_guest_avail_mask, SLOT, &handle), GNTST_okay);
    assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
}

static void what_may_not_be_mapped(void **state)
{
    uint32_t handle, first;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, 0, SLOT, &handle), GNTST_bad_gntref); /* mapped for nobody */
    for (unsigned int bit = 5; bit < _GNTMAP_guest_avail0; bit++) /* flags that nobody knows */
        assert_int_equal(map(9, HOST | 1u << bit, SLOT, &handle), GNTST_bad_gntref);
    assert_int_equal(map(512, HOST, SLOT, &handle), GNTST_bad_gntref); /* beyond the table */
    assert_int_equal(map(~0u, HOST, SLOT, &handle), GNTST_bad_gntref);
    assert_int_equal(map(10, HOST, SLOT, &handle), GNTST_general_error); /* not granted */
    assert_int_equal(map_at(&third, 9, HOST, mm_va(SLOT), &handle), GNTST_general_error);
    give(&granter, 9, 2, MM_SPARE, GTF_readonly);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_general_error);
    for (uint16_t type = 0; type < 4; type++) {
        entry(&granter, 9)->flags = type; /* XSA-226: no transitive ones among them */
        if (type != GTF_permit_access)
            assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_general_error);
    }
    /* A page table is not mapped writable; readable it may be. Frames that are not the granter's
     * not at all. */
    give(&granter, 9, 2, MM_L1, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_bad_page);
    assert_int_equal(map(9, HOST | RO, SLOT, &first), GNTST_okay);
    assert_int_equal(unmap(first, mm_va(SLOT), 0), GNTST_okay);
    give(&granter, 9, 2, MM_SPARE, 0);
    entry(&granter, 9)->frame = (uint32_t)third.frame[MM_SPARE].n;
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_bad_page);
    entry(&granter, 9)->frame = ~0u;
    assert_int_equal(map(9, HOST | RO, SLOT, &handle), GNTST_bad_page);
    entry(&granter, 9)->frame = 0;
    assert_int_equal(map(9, HOST | RO | DEVICE, SLOT, &handle), GNTST_bad_page);
    /* None of these kept a handle: the next is the one that was given before. */
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    assert_int_equal(handle, first);
}

static void granters_that_are_not_there(void **state)
{
    static const domid_t ids[] = {77, DOMID_SELF, DOMID_IO, DOMID_XEN, DOMID_INVALID, 0xffff};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
        struct gnttab_map_grant_ref m = {
            .host_addr = mm_va(SLOT), .flags = HOST, .ref = 0, .dom = ids[i]};

        assert_int_equal(OP(&mapper, map_grant_ref, m), 0);
        assert_int_equal(m.status, GNTST_bad_domain);
    }
}

/* XSA-224, XSA-230: each of the two mappings of a handle has its own references; the use ends with
 * the last. */
static void host_and_device_mapping_end_apart(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE), types = mm_type_count(&granter, MM_SPARE);
    const struct active_grant *a = grant_active(granter.d->grant, 9);
    uint32_t handle;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    for (unsigned int order = 0; order < 2; order++) {
        assert_int_equal(map(9, HOST | DEVICE, SLOT, &handle), GNTST_okay);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 2);
        assert_int_equal(mm_type_count(&granter, MM_SPARE), types + 2);
        assert_int_equal(unmap(handle, 0, 0), GNTST_okay); /* names nothing, does nothing */
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 2);
        assert_int_equal(unmap(handle, 0, bus(MM_SPARE + 1)), GNTST_general_error);
        assert_int_equal(unmap(handle, order ? mm_va(SLOT) : 0, order ? 0 : bus(MM_SPARE)),
                         GNTST_okay);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 1);
        assert_int_equal(a->writers, 1);
        assert_true(entry(&granter, 9)->flags & GTF_writing);
        assert_int_equal(unmap(handle, order ? 0 : mm_va(SLOT), order ? bus(MM_SPARE) : 0),
                         GNTST_okay);
        assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
        assert_int_equal(mm_type_count(&granter, MM_SPARE), types);
        assert_int_equal(a->writers, 0);
        assert_false(entry(&granter, 9)->flags & (GTF_writing | GTF_reading));
    }
    /* Both in one call; and both wanted, but the host address wrong: neither is undone. */
    assert_int_equal(map(9, HOST | DEVICE, SLOT, &handle), GNTST_okay);
    assert_int_equal(unmap(handle, mm_va(SLOT + 1), bus(MM_SPARE)), GNTST_general_error);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 2);
    assert_int_equal(unmap(handle, mm_va(SLOT), bus(MM_SPARE)), GNTST_okay);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
}

/* XSA-218: the same handle twice in one batch is undone once. XSA-394: what is dropped is what the
 * first took out. */
static void a_handle_is_unmapped_once(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE);
    struct gnttab_unmap_grant_ref u[3];
    uint32_t handle, second;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    assert_int_equal(map(9, HOST | RO, SLOT + 1, &second), GNTST_okay);
    for (unsigned int i = 0; i < 3; i++)
        u[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = mm_va(SLOT), .handle = handle, .status = 77};
    assert_int_equal(op(&mapper, GNTTABOP_unmap_grant_ref, u, sizeof(u[0]), 3), 0);
    assert_int_equal(u[0].status, GNTST_okay);
    assert_int_equal(u[1].status, GNTST_bad_handle);
    assert_int_equal(u[2].status, GNTST_bad_handle);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 1);
    /* Another's handle, a free one, one beyond the table. */
    assert_int_equal(unmap(second + 1, mm_va(SLOT + 1), 0), GNTST_bad_handle);
    assert_int_equal(unmap(MAPTRACK_PER_FRAME, mm_va(SLOT + 1), 0), GNTST_bad_handle);
    assert_int_equal(unmap(~0u, mm_va(SLOT + 1), 0), GNTST_bad_handle);
    assert_int_equal(unmap(second, mm_va(SLOT + 1), 0), GNTST_okay);
}

/* XSA-234: with the handle of a read-only mapping a writable one is not taken out, nor the other
 * way round. */
static void a_handle_undoes_its_own_kind(void **state)
{
    uint32_t ro, rw;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &rw), GNTST_okay);
    assert_int_equal(map(9, HOST | RO, SLOT + 1, &ro), GNTST_okay);
    assert_int_equal(unmap(ro, mm_va(SLOT), 0), GNTST_general_error);
    assert_int_equal(unmap(rw, mm_va(SLOT + 1), 0), GNTST_general_error);
    assert_int_equal(unmap(ro, mm_va(SLOT + 1), 0), GNTST_okay);
    assert_int_equal(unmap(rw, mm_va(SLOT), 0), GNTST_okay);
}

/* The frame is the one at the beginning of the use, whatever the granter writes meanwhile (XSA-500,
 * XSA-236). */
static void the_frame_in_use_stays(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE), refs1 = mm_refs(&granter, MM_SPARE + 1);
    uint32_t handle, second, none;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    give(&granter, 9, 2, MM_SPARE + 1, GTF_reading | GTF_writing);
    assert_int_equal(map(9, HOST | RO, SLOT + 1, &second), GNTST_okay);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 2);
    give(&granter, 9, 3, MM_SPARE + 1, 0); /* to somebody else, while the mapper still has it */
    assert_int_equal(map_at(&third, 9, HOST, mm_va(SLOT), &none), GNTST_general_error);
    assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
    assert_int_equal(unmap(second, mm_va(SLOT + 1), 0), GNTST_okay);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    assert_int_equal(mm_refs(&granter, MM_SPARE + 1), refs1);
}

/* Handles run out, and come back; XSA-228, XSA-380: taking and giving one is not a search. */
static void handles_run_out(void **state)
{
    const uint32_t all = 8 * MAPTRACK_PER_FRAME;
    uint32_t handle = 0;

    (void)state;
    mm_recount = false;
    give(&granter, 9, 2, MM_SPARE, 0);
    host_run_as(mapper.v);
    for (uint32_t i = 0; i < all; i++) {
        struct gnttab_map_grant_ref m = {.flags = DEVICE | RO, .ref = 9, .dom = 1};

        assert_int_equal(grant_map(&m), GNTST_okay);
        handle = m.handle;
    }
    mm_recount = true;
    assert_int_equal(map(9, DEVICE | RO, 0, &(uint32_t){0}), GNTST_no_device_space);
    assert_int_equal(unmap(handle, 0, bus(MM_SPARE)), GNTST_okay);
    assert_int_equal(map(9, DEVICE | RO, 0, &handle), GNTST_okay);
    assert_int_equal(map(9, DEVICE | RO, 0, &handle), GNTST_no_device_space);
}

/* XSA-18, XSA-134 */
static void swap(void **state)
{
    struct gnttab_swap_grant_ref s = {.ref_a = 9, .ref_b = 10};
    static const grant_ref_t bad[] = {512, 513, 1u << 31, ~0u};
    uint32_t handle;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    give(&granter, 10, 3, MM_SPARE + 1, GTF_readonly);
    assert_int_equal(OP(&granter, swap_grant_ref, s), 0);
    assert_int_equal(s.status, GNTST_okay);
    assert_int_equal(entry(&granter, 9)->domid, 3);
    assert_int_equal(entry(&granter, 10)->frame, granter.frame[MM_SPARE].n);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        s = (struct gnttab_swap_grant_ref){.ref_a = i % 2 ? bad[i] : 9,
                                           .ref_b = i % 2 ? 9 : bad[i]};
        assert_int_equal(OP(&granter, swap_grant_ref, s), 0);
        assert_int_equal(s.status, GNTST_bad_gntref);
    }
    assert_int_equal(map(10, HOST, SLOT, &handle), GNTST_okay);
    s = (struct gnttab_swap_grant_ref){.ref_a = 9, .ref_b = 10};
    assert_int_equal(OP(&granter, swap_grant_ref, s), 0);
    assert_int_equal(s.status, GNTST_eagain);
    assert_int_equal(entry(&granter, 10)->frame, granter.frame[MM_SPARE].n);
    /* A table without entries, as no domain has one: the bound is the number of entries there are.
     */
    s = (struct gnttab_swap_grant_ref){.ref_a = 11, .ref_b = 11};
    assert_int_equal(OP(&granter, swap_grant_ref, s), 0);
    assert_int_equal(s.status, GNTST_okay);
}

/* The granter ends while its frame is mapped: the frame stays its until the unmap, and then goes.
 */
static void the_granter_ends_first(void **state)
{
    uint64_t free;
    uint32_t handle, device;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    assert_int_equal(map(9, DEVICE, 0, &device), GNTST_okay);
    host_destroy(granter.d);
    mm_forget(&granter);
    assert_int_equal(granter.d->tot_pages, 1);
    grant_oracle_check();
    assert_int_equal(host_recount(), 0);
    assert_int_equal(map(9, HOST, SLOT + 1, &(uint32_t){0}), GNTST_general_error);
    free = heap_free_frames();
    assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
    assert_int_equal(unmap(device, 0, bus(MM_SPARE)), GNTST_okay);
    assert_true(heap_free_frames() > free);
    assert_null(get_domain_by_id(1));
}

/* A granter with large tables of its own ends while one frame of it is mapped: no more than that
 * frame, the struct and the entries of that one grant stay, or a guest could leave megabytes behind
 * at each of its lives. */
static void a_granter_leaves_little_behind(void **state)
{
    struct gnttab_setup_table table = {
        .dom = DOMID_SELF, .nr_frames = 4, .frame_list = ARG + 0x800};
    uint64_t before, kept;
    uint32_t handle;

    (void)state;
    assert_int_equal(OP(&granter, setup_table, table), 0);
    assert_int_equal(table.status, GNTST_okay);
    give(&granter, 9, 2, MM_SPARE, 0);
    give(&granter, 10, 1, MM_SPARE, 0);
    for (unsigned int i = 0; i < 600; i++) {
        struct gnttab_map_grant_ref m = {.flags = DEVICE, .ref = 10, .dom = 1, .handle = ~0u};

        assert_int_equal(OP(&granter, map_grant_ref, m), 0);
        assert_int_equal(m.status, GNTST_okay);
    }
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    host_destroy(granter.d);
    mm_forget(&granter);
    before = heap_free_frames();
    assert_int_equal(unmap(handle, mm_va(SLOT), 0), GNTST_okay);
    kept = heap_free_frames() - before;
    assert_in_range(kept, 1, 9); /* fewer than with any of its tables */
    assert_null(get_domain_by_id(1));
}

/* XSA-299's kind: a domain that ends gives back what it has mapped, in whatever way. */
static void the_mapper_ends_first(void **state)
{
    uint64_t refs = mm_refs(&granter, MM_SPARE), types = mm_type_count(&granter, MM_SPARE);
    uint32_t handle;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    assert_int_equal(map(9, HOST, SLOT, &handle), GNTST_okay);
    assert_int_equal(map(9, HOST | DEVICE | RO, SLOT + 1, &handle), GNTST_okay);
    assert_int_equal(map(9, DEVICE, 0, &handle), GNTST_okay);
    /* One whose entry the guest itself wrote over: the handle stays, the reference is gone already.
     */
    assert_int_equal(map(9, HOST, SLOT + 2, &handle), GNTST_okay);
    assert_int_equal(mm_update_va(&mapper, mm_va(SLOT + 2), 0, 0), 0);
    assert_int_equal(unmap(handle, mm_va(SLOT + 2), 0), GNTST_general_error);
    mm_guest_gone(&mapper);
    grant_oracle_check();
    assert_int_equal(host_recount(), 0);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    assert_int_equal(mm_type_count(&granter, MM_SPARE), types);
    assert_false(entry(&granter, 9)->flags & (GTF_reading | GTF_writing));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, grants_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_grant_is_mapped_and_unmapped),
        TEST(an_entry_that_goes_by_itself_ends_no_grant),
        TEST(the_guests_own_flags),
        TEST(what_may_not_be_mapped),
        TEST(granters_that_are_not_there),
        TEST(host_and_device_mapping_end_apart),
        TEST(a_handle_is_unmapped_once),
        TEST(a_handle_undoes_its_own_kind),
        TEST(the_frame_in_use_stays),
        TEST(handles_run_out),
        TEST(swap),
        TEST(the_granter_ends_first),
        TEST(a_granter_leaves_little_behind),
        TEST(the_mapper_ends_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
