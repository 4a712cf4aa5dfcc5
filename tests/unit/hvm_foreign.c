/* SPDX-License-Identifier: MIT */
/*
 * Frames of a fully virtualized domain in the page tables of the control domain, by foreign
 * mappings and by grants: named by the domain's own numbers, hostile ones too, given back and ended
 * meanwhile.
 */
#include "hvm_made.h"

#include <core/domain/domain_pages.h>
#include <core/grant/grant_internal.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>

static uint64_t entry(void)
{
    return mm_words(&control, MM_L1)[SLOT];
}

static long map(uint64_t gfn, uint64_t how, uint64_t flags)
{
    return mm_update_foreign(&control, mm_entry_addr(&control, MM_L1, SLOT) | how,
                             mm_pte(MFN(gfn), flags), d->domain_id);
}

static void unmap(void)
{
    assert_int_equal(mm_update(&control, mm_entry_addr(&control, MM_L1, SLOT), 0), 0);
    assert_int_equal(entry(), 0);
    made_recount(NULL, 0);
}

static void mapped_by_its_own_numbers(void **state)
{
    static const uint64_t gfns[] = {0, 1, 600, 1023, RING};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(gfns) * 4; i++) {
        const uint64_t gfn = gfns[i / 4], flags = i & 1 ? MM_RW : MM_RO;
        const mfn_t mfn = frame(gfn);

        assert_int_equal(map(gfn, i & 2 ? MMU_PT_UPDATE_PRESERVE_AD : 0, flags), 0);
        assert_int_equal(pte_mfn(entry()).n, mfn.n);
        made_recount(&mfn, 1);
        unmap();
        assert_int_equal(mm_call(&control, __HYPERVISOR_update_va_mapping_otherdomain, mm_va(SLOT),
                                 mm_pte(MFN(gfn), flags), 0, d->domain_id),
                         0);
        assert_int_equal(pte_mfn(entry()).n, mfn.n);
        made_recount(&mfn, 1);
        unmap();
    }
}

static void nothing_else_is_mapped(void **state)
{
    const uint64_t bad[] = {PAGES,      RING + 1,   0xfee00,         (1ull << 28) - 1,
                            1ull << 28, 1ull << 39, (1ull << 40) - 1};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(map(bad[i], 0, MM_RW), -XEN_EINVAL);
        assert_int_equal(map(bad[i], MMU_PT_UPDATE_PRESERVE_AD, MM_RO), -XEN_EINVAL);
        assert_int_equal(mm_call(&control, __HYPERVISOR_update_va_mapping_otherdomain, mm_va(SLOT),
                                 mm_pte(MFN(bad[i]), MM_RO), 0, d->domain_id),
                         -XEN_EINVAL);
        assert_int_equal(entry(), 0);
    }
    /* a table is not translated to, nor may another domain map it */
    assert_int_equal(mm_update_foreign(&control, mm_entry_addr(&control, MM_L2, SLOT),
                                       mm_pte(MFN(3), MM_RW), d->domain_id),
                     -XEN_EINVAL);
    assert_int_equal(mm_update_foreign(&other, mm_entry_addr(&other, MM_L1, SLOT),
                                       mm_pte(MFN(3), MM_RO), d->domain_id),
                     -XEN_EPERM);
    made_recount(NULL, 0);
}

/* Cleared and copied by the control domain. */
static void cleared_by_its_own_numbers(void **state)
{
    const unsigned int dom = d->domain_id;
    static const uint8_t zeros[PAGE_SIZE];

    (void)state;
    memset(map_frame(frame(3)), 0x5a, PAGE_SIZE);
    assert_int_equal(mm_ext_foreign(&control, MMUEXT_COPY_PAGE, 600, 3, dom), 0);
    assert_memory_equal(map_frame(frame(600)), map_frame(frame(3)), PAGE_SIZE);
    assert_int_equal(mm_ext_foreign(&control, MMUEXT_CLEAR_PAGE, 3, 0, dom), 0);
    assert_memory_equal(map_frame(frame(3)), zeros, PAGE_SIZE);
    for (unsigned int i = 0; i < 3; i++) {
        const uint64_t hole = (uint64_t[]){PAGES, 0xfee00, ~0ull}[i];

        assert_int_equal(mm_ext_foreign(&control, MMUEXT_CLEAR_PAGE, hole, 0, dom), -XEN_EINVAL);
        assert_int_equal(mm_ext_foreign(&control, MMUEXT_COPY_PAGE, hole, 3, dom), -XEN_EINVAL);
        assert_int_equal(mm_ext_foreign(&control, MMUEXT_COPY_PAGE, 3, hole, dom), -XEN_EINVAL);
    }
    made_recount(NULL, 0);
}

/* By machine numbers, as a resource of it is mapped: a page of its grant table; and no frame of
 * another's by that way. */
static void mapped_by_machine_numbers(void **state)
{
    const mfn_t table = frame_of(d->grant->shared[0]);

    (void)state;
    assert_int_equal(map(table.n, MMU_PT_UPDATE_NO_TRANSLATE, MM_RW), 0);
    assert_int_equal(pte_mfn(entry()).n, table.n);
    assert_int_equal(mm_update(&control, mm_entry_addr(&control, MM_L1, SLOT), 0), 0);
    assert_int_equal(map(other.frame[MM_SPARE].n, MMU_PT_UPDATE_NO_TRANSLATE, MM_RO), -XEN_EBUSY);
    assert_int_equal(entry(), 0);
}

static void give_back(uint64_t gfn)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = 1, .domid = d->domain_id};

    memcpy(host_guest(LIST), &gfn, sizeof(gfn));
    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(
        mm_call(&control, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, ARG, 0, 0), 1);
    assert_true(mfn_eq(frame(gfn), INVALID_MFN));
}

/* What it gives back stays out of the heap while it is mapped, and what comes to its place is
 * another. */
static void given_back_while_mapped(void **state)
{
    const mfn_t mfn = frame(7);

    (void)state;
    assert_int_equal(map(7, 0, MM_RW), 0);
    give_back(7);
    assert_int_equal(mfn_to_page(mfn)->owner, d->domain_id);
    assert_int_equal(mfn_to_page(mfn)->count_info & PGC_count_mask, 1);
    assert_int_equal(made_populate(&control, (uint64_t[]){7}, 1, 0), 1);
    assert_false(mfn_eq(frame(7), mfn));
    made_recount(&mfn, 1);
    unmap();
    assert_int_equal(mfn_to_page(mfn)->owner, DOMID_INVALID);
}

/* It ends while a frame is mapped, which goes when the entry does. */
static void ended_while_mapped(void **state)
{
    (void)state;
    assert_int_equal(map(9, 0, MM_RW), 0);
    host_destroy(d);
    assert_int_equal(d->tot_pages, 1);
    assert_int_equal(map(9, 0, MM_RO), -XEN_EINVAL);
    assert_int_equal(mm_update(&control, mm_entry_addr(&control, MM_L1, SLOT), 0), 0);
    host_reap();
    assert_int_equal(heap_free_frames(), free_before);
    mm_fini();
}

/* --- its grants --- */

static void unmap_grant(uint32_t handle)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = mm_va(SLOT), .handle = handle};

    memcpy(host_guest(ARG), &u, sizeof(u));
    assert_int_equal(
        mm_call(&control, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, ARG, 1, 0), 0);
    memcpy(&u, host_guest(ARG), sizeof(u));
    assert_int_equal(u.status, GNTST_okay);
}

static int16_t copy(grant_ref_t from, grant_ref_t to)
{
    struct gnttab_copy c = {.source = {.u.ref = from, .domid = d->domain_id, .offset = 16},
                            .dest = {.u.ref = to, .domid = d->domain_id},
                            .len = 100,
                            .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref};

    memcpy(host_guest(ARG), &c, sizeof(c));
    assert_int_equal(mm_call(&control, __HYPERVISOR_grant_table_op, GNTTABOP_copy, ARG, 1, 0), 0);
    memcpy(&c, host_guest(ARG), sizeof(c));
    return c.status;
}

static void grants_name_its_own_numbers(void **state)
{
    static const uint32_t holes[] = {PAGES, RING + 1, 0xfee00, 1u << 28, ~0u};
    uint32_t handle;

    (void)state;
    made_give(9, 513);
    for (unsigned int i = 0; i < 2; i++) {
        const mfn_t mfn = frame(513);

        assert_int_equal(made_map_grant(9, i ? GNTMAP_readonly : 0, &handle), GNTST_okay);
        assert_int_equal(pte_mfn(entry()).n, mfn.n);
        made_recount(&mfn, 1);
        unmap_grant(handle);
        made_recount(NULL, 0);
    }
    made_give(10, 700);
    memset(map_frame(frame(513)), 0x5a, 200);
    assert_int_equal(copy(9, 10), GNTST_okay);
    assert_memory_equal(map_frame(frame(700)), map_frame(frame(513)), 100);
    for (unsigned int i = 0; i < ARRAY_SIZE(holes); i++) {
        made_give(11, holes[i]);
        assert_int_equal(made_map_grant(11, 0, &handle), GNTST_bad_page);
        assert_int_equal(copy(11, 10), GNTST_bad_page);
        assert_int_equal(copy(10, 11), GNTST_bad_page);
        assert_int_equal(grant_shared(d->grant, 11)->flags, GTF_permit_access);
    }
    made_recount(NULL, 0);
}

/* A frame that it granted and gives back stays where it is mapped, and nowhere else; who asks for
 * the grant anew gets what is at its number by then. */
static void granted_and_given_back(void **state)
{
    const mfn_t mfn = frame(513);
    uint32_t handle, second;

    (void)state;
    made_give(9, 513);
    made_give(10, 513);
    assert_int_equal(made_map_grant(9, 0, &handle), GNTST_okay);
    give_back(513);
    made_recount(&mfn, 1);
    assert_int_equal(made_map_grant(10, 0, &second), GNTST_bad_page);
    assert_int_equal(copy(10, 10), GNTST_bad_page);
    assert_int_equal(made_populate(&control, (uint64_t[]){513}, 1, 0), 1);
    assert_false(mfn_eq(frame(513), mfn));
    made_recount(&mfn, 1);
    unmap_grant(handle);
    assert_int_equal(mfn_to_page(mfn)->owner, DOMID_INVALID);
    assert_int_equal(made_map_grant(10, 0, &handle), GNTST_okay);
    assert_int_equal(pte_mfn(entry()).n, frame(513).n);
    unmap_grant(handle);
    made_recount(NULL, 0);
}

/* What was found at a number is another's, or nobody's, by the time that it is to be held. */
static void found_and_gone(void **state)
{
    const mfn_t frames[] = {frame(7), other.frame[MM_SPARE]};

    (void)state;
    give_back(7);
    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
        struct page_info *pg = mfn_to_page(frames[i]);
        const uint64_t count = pg->count_info;

        assert_false(d->ops->get_writable(pg, d));
        assert_null(get_page_from_mfn(frames[i], d));
        assert_int_equal(pg->count_info, count);
    }
    made_recount(NULL, 0);
}

/* An entry that goes without an unmap gives back what it holds: a general reference, and no type,
 * which these frames have not. So it is with the last one, at the mapper's end. */
static void granted_entries_go_by_themselves(void **state)
{
    const struct page_info *pg = mfn_to_page(frame(513));
    uint32_t handle;

    (void)state;
    made_give(9, 513);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(made_map_grant(9, i & 1 ? GNTMAP_readonly : 0, &handle), GNTST_okay);
        assert_int_equal(host_recount(), 0);
        if (i == 2)
            break;
        unmap();
        assert_int_equal(host_recount(), 0);
        assert_int_equal(pg->type_info & PGT_count_mask, 0);
    }
    host_destroy(d);
    assert_int_equal(pg->owner, d->domain_id);
    mm_fini();
    assert_int_equal(pg->owner, DOMID_INVALID);
}

#define T(f) cmocka_unit_test_setup_teardown(f, made_setup, made_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(mapped_by_its_own_numbers),
        T(nothing_else_is_mapped),
        T(cleared_by_its_own_numbers),
        T(mapped_by_machine_numbers),
        T(given_back_while_mapped),
        cmocka_unit_test_setup(ended_while_mapped, made_setup),
        T(grants_name_its_own_numbers),
        T(granted_and_given_back),
        T(found_and_gone),
        cmocka_unit_test_setup(granted_entries_go_by_themselves, made_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
