/* SPDX-License-Identifier: MIT */
/*
 * The memory of a fully virtualized guest that is told of Xen, as it moves it by hypercalls: frames
 * given back and got anew, pages that the hypervisor shares, frames of its own elsewhere; and
 * grants. After each step the references of all its frames are counted anew.
 */
#include "hvm_guest.h"
#include "hvm_whole.h"

#include <core/control/domctl.h>
#include <core/domain/domain_pages.h>
#include <core/grant/grant_table.h>
#include <core/state/guest_ops.h>
#include <hvm/npt.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define HOLE  0x100000ull /* a frame number where nothing is */
#define PLACE 0x3000ull

static int setup(void **state)
{
    whole_setup(state);
    d->arch.hvm.xen = true;
    d->max_pages = WHOLE_PAGES + 600;
    return 0;
}

static void recount(uint64_t pages)
{
    hvm_recount(d, NULL);
    host_check_invariants();
    assert_int_equal(d->tot_pages, pages);
}

static uint64_t frame_at(uint64_t gfn)
{
    return npt_lookup(d, GFN(gfn)).n;
}

static long reserve(struct vcpu *who, unsigned int cmd, domid_t domid, const uint64_t *gfns,
                    uint64_t n, unsigned int order)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = n, .extent_order = order, .domid = domid};

    memcpy(host_guest(LIST), gfns, n * sizeof(*gfns));
    return call_with(who, memory_op, cmd, &r);
}

static void back_and_anew(void **state)
{
    static const uint64_t gfns[] = {7, 8};

    (void)state;
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, gfns, 2, 0), 2);
    assert_int_equal(frame_at(7), INVALID_MFN.n);
    recount(WHOLE_PAGES - 2);
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, gfns, 2, 0), 2);
    assert_memory_equal(host_guest(LIST), gfns, sizeof(gfns)); /* no frame of the machine is told */
    assert_true(mfn_valid(npt_lookup(d, GFN(8))));
    recount(WHOLE_PAGES);
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, (uint64_t[]){HOLE}, 1, 9), 1);
    recount(WHOLE_PAGES + 512);
    assert_int_equal(
        reserve(v, XENMEM_decrease_reservation, DOMID_SELF, (uint64_t[]){HOLE + 3}, 1, 0), 1);
    assert_int_equal(frame_at(HOLE + 3), INVALID_MFN.n);
    recount(WHOLE_PAGES + 511);
    host_run_as(dom0->vcpu[0]); /* and as who builds it */
    assert_int_equal(
        reserve(dom0->vcpu[0], XENMEM_populate_physmap, 1, (uint64_t[]){HOLE + 3}, 1, 0), 1);
    recount(WHOLE_PAGES + 512);
}

/* What is refused has taken nothing. */
static void nowhere(void **state)
{
    static const uint64_t where[] = {5, 0xfee00, 1ull << 28, ~0ull, 1ull << 40};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(where); i++) {
        assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, &where[i], 1, 0), 0);
        recount(WHOLE_PAGES);
    }
    /* A block of which a part lies where something is */
    assert_int_equal(
        reserve(v, XENMEM_populate_physmap, DOMID_SELF, (uint64_t[]){WHOLE_PAGES - 1}, 1, 4), 0);
    recount(WHOLE_PAGES);
    assert_int_equal(reserve(v, XENMEM_increase_reservation, DOMID_SELF, where, 1, 0), 0);
    d->max_pages = WHOLE_PAGES;
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, (uint64_t[]){HOLE}, 1, 0), 0);
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, (uint64_t[]){HOLE}, 1, 0),
                     0);
    recount(WHOLE_PAGES);
}

static long add(domid_t domid, unsigned int space, uint64_t idx, uint64_t gfn)
{
    struct xen_add_to_physmap a = {.domid = domid, .space = space, .idx = idx, .gpfn = gfn};

    return call_with(current, memory_op, XENMEM_add_to_physmap, &a);
}

static long drop(domid_t domid, uint64_t gfn)
{
    struct xen_remove_from_physmap r = {.domid = domid, .gpfn = gfn};

    return call_with(current, memory_op, XENMEM_remove_from_physmap, &r);
}

/* What a device could reach is nothing to it: it would not know the frame. */
static void no_exchange(void **state)
{
    struct xen_memory_exchange x = {
        .in = {.extent_start = LIST, .nr_extents = 1, .domid = DOMID_SELF},
        .out = {.extent_start = LIST + 8, .nr_extents = 1, .domid = DOMID_SELF}};

    (void)state;
    memcpy(host_guest(LIST), (uint64_t[]){7, 7}, 16);
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EOPNOTSUPP);
    recount(WHOLE_PAGES);
}

/* Where it wants them, and elsewhere when it wants so; what was there is nobody's. */
static void shared_pages(void **state)
{
    mfn_t shared = frame_of(d->shared_info), grants;

    (void)state;
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 5), 0);
    assert_int_equal(frame_at(5), shared.n);
    recount(WHOLE_PAGES - 1);
    /* It is there: nothing has to be had for it. */
    d->arch.hvm.npt_tables += 1000;
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 5), 0);
    d->arch.hvm.npt_tables -= 1000;
    assert_int_equal(add(1, XENMAPSPACE_shared_info, 0, HOLE), 0);
    assert_int_equal(frame_at(HOLE), shared.n);
    assert_int_equal(frame_at(5), INVALID_MFN.n);
    recount(WHOLE_PAGES - 1);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, i, HOLE + 1 + i), 0);
        assert_int_equal(grant_table_frame(d, i, &grants), 0);
        assert_int_equal(frame_at(HOLE + 1 + i), grants.n);
    }
    /* One shared page in the place of another */
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE + 1), 0);
    assert_int_equal(frame_at(HOLE + 1), shared.n);
    recount(WHOLE_PAGES - 1);
    /* What was there is the hypervisor's still. */
    assert_int_equal(grant_table_frame(d, 0, &grants), 0);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, 0, HOLE + 3), 0);
    assert_int_equal(frame_at(HOLE + 3), grants.n);
    /* They are not its own to give back, but may be nowhere. */
    assert_int_equal(
        reserve(v, XENMEM_decrease_reservation, DOMID_SELF, (uint64_t[]){HOLE + 1}, 1, 0), 0);
    assert_int_equal(drop(DOMID_SELF, HOLE + 1), 0);
    assert_int_equal(drop(DOMID_SELF, HOLE + 1), -XEN_ENOENT);
    recount(WHOLE_PAGES - 1);
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(add(1, XENMAPSPACE_shared_info, 0, 5), 0);
    recount(WHOLE_PAGES - 1);
}

static void frames_of_its_own(void **state)
{
    uint64_t six = frame_at(6);

    (void)state;
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn, 6, 7), 0);
    assert_int_equal(frame_at(7), six);
    assert_int_equal(frame_at(6), INVALID_MFN.n);
    recount(WHOLE_PAGES - 1);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn, 7, HOLE), 0);
    assert_int_equal(frame_at(HOLE), six);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn, 7, 8), -XEN_EINVAL); /* nothing is there */
    recount(WHOLE_PAGES - 1);
    assert_int_equal(drop(DOMID_SELF, 9), 0);
    hvm_recount(d, NULL);
    assert_int_equal(d->tot_pages, WHOLE_PAGES - 1); /* it has it still, nowhere */
}

static void physmap_refused(void **state)
{
    (void)state;
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 1, HOLE), -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, 1u << 20, HOLE), -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, 1ull << 32, HOLE), -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, HOLE),
                     -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn, ~0ull, HOLE), -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn_range, 5, HOLE), -XEN_EOPNOTSUPP);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_gmfn_foreign, 5, HOLE), -XEN_EOPNOTSUPP);
    assert_int_equal(add(DOMID_SELF, 77, 0, HOLE), -XEN_EOPNOTSUPP);
    assert_int_equal(add(0, XENMAPSPACE_shared_info, 0, HOLE), -XEN_EPERM);
    assert_int_equal(drop(0, 5), -XEN_EPERM);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 0xfee00), -XEN_EINVAL);
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 1ull << 40), -XEN_EINVAL);
    recount(WHOLE_PAGES);
    host_run_as(dom0->vcpu[0]); /* a kind that has no such map */
    assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 5), -XEN_EOPNOTSUPP);
    assert_int_equal(drop(DOMID_SELF, 5), -XEN_EOPNOTSUPP);
}

/* What the hypervisor says of its pages are its own numbers too. */
static void told_by_its_own_numbers(void **state)
{
    struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 2, .frame_list = LIST};
    struct xen_domctl_getdomaininfo info;
    const uint64_t *list = host_guest(LIST);

    (void)state;
    for (unsigned int placed = 0; placed < 2; placed++) {
        memcpy(host_guest(ARG), &s, sizeof(s));
        assert_int_equal(call(v, grant_table_op, GNTTABOP_setup_table, ARG, 1), 0);
        memcpy(&s, host_guest(ARG), sizeof(s));
        assert_int_equal(s.status, GNTST_okay);
        domain_info(d, &info);
        assert_int_equal(list[0], placed ? HOLE + 1 : INVALID_GPFN);
        assert_int_equal(list[1], INVALID_GPFN);
        assert_int_equal(info.shared_info_frame, placed ? HOLE : INVALID_GPFN);
        assert_int_equal(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE), 0);
        assert_int_equal(add(DOMID_SELF, XENMAPSPACE_grant_table, 0, HOLE + 1), 0);
    }
    recount(WHOLE_PAGES);
}

/* It maps none of others'; and gives its own by its own frame numbers. */
static void grants(void **state)
{
    struct gnttab_map_grant_ref map = {.dom = 0};
    struct gnttab_unmap_grant_ref unmap = {.handle = 0};
    struct gnttab_unmap_and_replace replace = {.handle = 0};
    struct gnttab_copy copy = {.source = {.domid = 1, .u.ref = 9},
                               .dest = {.domid = DOMID_SELF, .u.gmfn = 8},
                               .len = 16,
                               .flags = GNTCOPY_source_gref};

    (void)state;
    memcpy(host_guest(ARG), &map, sizeof(map));
    assert_int_equal(call(v, grant_table_op, GNTTABOP_map_grant_ref, ARG, 1), -XEN_ENOSYS);
    memcpy(host_guest(ARG), &unmap, sizeof(unmap));
    assert_int_equal(call(v, grant_table_op, GNTTABOP_unmap_grant_ref, ARG, 1), -XEN_ENOSYS);
    memcpy(host_guest(ARG), &replace, sizeof(replace));
    assert_int_equal(call(v, grant_table_op, GNTTABOP_unmap_and_replace, ARG, 1), -XEN_ENOSYS);
    memcpy(whole_memory(PLACE), "given to myself.", 16);
    grant_table_set_entry(d, 9, 1, PLACE >> PAGE_SHIFT);
    memcpy(host_guest(ARG), &copy, sizeof(copy));
    assert_int_equal(call(v, grant_table_op, GNTTABOP_copy, ARG, 1), 0);
    memcpy(&copy, host_guest(ARG), sizeof(copy));
    assert_int_equal(copy.status, GNTST_okay);
    assert_memory_equal(whole_memory(0x8000), "given to myself.", 16);
    grant_table_set_entry(d, 9, 1, HOLE); /* where nothing is */
    memcpy(host_guest(ARG), &copy, sizeof(copy));
    assert_int_equal(call(v, grant_table_op, GNTTABOP_copy, ARG, 1), 0);
    memcpy(&copy, host_guest(ARG), sizeof(copy));
    assert_int_not_equal(copy.status, GNTST_okay);
    recount(WHOLE_PAGES);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(back_and_anew),
        T(nowhere),
        T(no_exchange),
        T(shared_pages),
        T(frames_of_its_own),
        T(physmap_refused),
        T(told_by_its_own_numbers),
        T(grants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
