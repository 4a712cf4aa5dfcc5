/* SPDX-License-Identifier: MIT */
/*
 * memory_op: reservations, exchange, maps, claims, resources: what they count, what they refuse,
 * that they can be pre-empted anywhere, and that no frame is lost whatever goes wrong in the
 * middle.
 */
#include "core_memory_test.h"

#include <core/domain/claim.h>
#include <core/domain/domain_table.h>
#include <parvis/boot_info.h>
#include <xen/vcpu.h>

/* A reservation's progress in the command word, in extents. */
#define EXTENTS_SHIFT (MEMOP_EXTENT_SHIFT + MEMOP_INSIDE_BITS)

static void get_and_give_back(void **state)
{
    struct xen_memory_domain self = {.domid = DOMID_SELF};
    uint64_t before = heap_free_frames();

    (void)state;
    populate(20, 2);
    assert_int_equal(d->tot_pages, 80);
    for (unsigned int i = 0; i < 20; i++)
        for (unsigned int k = 0; k < 4; k++)
            assert_int_equal(machine_to_phys[list()[i] + k], i * 4 + k);
    host_check_invariants();
    assert_int_equal(call_with(v, memory_op, XENMEM_current_reservation, &self), 80);
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 20, 2), 20);
    assert_int_equal(d->tot_pages, 0);
    assert_int_equal(heap_free_frames(), before);
    assert_int_equal(machine_to_phys[list()[0]], INVALID_GPFN);
}

/* A list that cannot be written to: nobody would know the frames, so there are none. */
static void a_list_for_reading(void **state)
{
    static const unsigned int cmds[] = {XENMEM_populate_physmap, XENMEM_increase_reservation};
    uint64_t before = heap_free_frames();

    (void)state;
    host_read_only = LIST;
    host_read_only_end = LIST + 8;
    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++)
        assert_int_equal(reserve(v, cmds[i], DOMID_SELF, 2, 0), 0);
    host_read_only = LIST + 8;
    host_read_only_end = LIST + 16;
    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++)
        assert_int_equal(reserve(v, cmds[i], DOMID_SELF, 2, 0), 1);
    host_read_only_end = 0;
    assert_int_equal(d->tot_pages, 2);
    assert_int_equal(heap_free_frames(), before - 2);
}

/* A guest names its frames by numbers of its kind, which are no machine frames. */
static void numbers_are_the_kinds(void **state)
{
    struct vcpu_register_vcpu_info info = {.offset = 0};
    mfn_t frame;

    (void)state;
    populate(3, 0);
    host_gfn_base = 0x100000;
    frame = MFN(list()[2]);
    info.mfn = frame.n + host_gfn_base;
    memcpy(host_guest(ARG), &info, sizeof(info));
    assert_int_equal(call(v, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), 0);
    assert_ptr_equal(v->vcpu_info, map_frame(frame));
    list()[2] = frame.n;
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 2, 0), 0);
    list()[0] += host_gfn_base;
    list()[1] += host_gfn_base;
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 3, 0), 2);
    assert_int_equal(d->tot_pages, 1);
}

static void what_is_not_ours_is_not_given_back(void **state)
{
    (void)state;
    populate(3, 0);
    list()[2] = list()[0];
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 3, 0),
                     2);                    /* twice the same */
    list()[0] = frame_of(d->shared_info).n; /* XSA-507: the hypervisor's */
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
    list()[0] = frame_of(dom0->shared_info).n;
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
    list()[0] = ~0ul;
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
    list()[0] = 2; /* no RAM */
    assert_int_equal(reserve(v, XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
    assert_true(mfn_valid(frame_of(d->shared_info)));
}

static void limits(void **state)
{
    struct xen_memory_reservation r = {.extent_start = LIST, .nr_extents = 1, .domid = DOMID_SELF};

    (void)state;
    d->max_pages = 5;
    for (unsigned int i = 0; i < 10; i++)
        list()[i] = i;
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, 10, 0), 5);
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, 1, 10), 0); /* XSA-31, 158 */
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, 1, 0xffffffff), 0);
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, ~0ul, 0), 0);
    assert_int_equal(reserve(v, XENMEM_populate_physmap, 0, 1, 0), 0); /* somebody else's */
    assert_int_equal(reserve(v, XENMEM_populate_physmap, 77, 1, 0), 0);
    d->max_pages = 6;
    r.mem_flags = XENMEMF_populate_on_demand;
    assert_int_equal(call_with(v, memory_op, XENMEM_populate_physmap, &r), 0);
    r.mem_flags = XENMEMF_address_bits(12);
    assert_int_equal(call_with(v, memory_op, XENMEM_populate_physmap, &r), 0);
    assert_int_equal(d->tot_pages, 5);
    /* going on behind the end */
    assert_int_equal(call(v, memory_op, 9ul << EXTENTS_SHIFT | XENMEM_populate_physmap, ARG), 9);
    assert_int_equal(call(v, memory_op, ~0ul << EXTENTS_SHIFT | XENMEM_populate_physmap, ARG),
                     ~0ul >> EXTENTS_SHIFT);
    d->max_pages = 100;
    r = (struct xen_memory_reservation){.extent_start = LIST,
                                        .nr_extents = 4,
                                        .domid = DOMID_SELF,
                                        .mem_flags = XENMEMF_address_bits(23)};
    /* Low frames: for who drives devices, for himself or for others. */
    assert_int_equal(call_with(v, memory_op, XENMEM_populate_physmap, &r), 0);
    assert_int_equal(call_with(v, memory_op, XENMEM_increase_reservation, &r), 0);
    r.domid = d->domain_id;
    assert_int_equal(call_with(v0, memory_op, XENMEM_populate_physmap, &r), 4);
    for (unsigned int i = 0; i < 4; i++)
        assert_true(list()[i] < 1u << 11);
    r.domid = DOMID_SELF;
    r.mem_flags = XENMEMF_address_bits(25); /* that is all there are */
    assert_int_equal(call_with(v, memory_op, XENMEM_populate_physmap, &r), 4);
    r.mem_flags = XENMEMF_address_bits(0xff);
    assert_int_equal(call_with(v, memory_op, XENMEM_populate_physmap, &r), 4);
}

static void the_control_domain_builds(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 10; i++)
        list()[i] = 100 + i;
    assert_int_equal(reserve(v0, XENMEM_populate_physmap, 1, 10, 0), 10);
    assert_int_equal(d->tot_pages, 10);
    assert_int_equal(dom0->tot_pages, 0);
}

static void pre_empted_anywhere(void **state)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = 300, .domid = DOMID_SELF};
    unsigned int issues;

    (void)state;
    for (unsigned int i = 0; i < 300; i++)
        list()[i] = i;
    memcpy(host_guest(ARG), &r, sizeof(r));
    host_run_as(v);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER); /* stays: each look says: give way */
    assert_int_equal(host_hypercall(v, __HYPERVISOR_memory_op,
                                    (uint64_t[6]){XENMEM_populate_physmap, ARG}, &issues),
                     300);
    assert_int_equal(issues, 300);
    assert_int_equal(d->tot_pages, 300);
    for (unsigned int i = 0; i < 300; i++)
        assert_int_equal(machine_to_phys[list()[i]], i);
    assert_int_equal(host_hypercall(v, __HYPERVISOR_memory_op,
                                    (uint64_t[6]){XENMEM_decrease_reservation, ARG}, &issues),
                     300);
    assert_int_equal(d->tot_pages, 0);
    this_cpu()->pending = 0;
}

/* An extent of 512 frames is given back in several turns, and cleared in several when it is got. */
static void large_extents_give_way(void **state)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = 2, .extent_order = 9, .domid = DOMID_SELF};
    const uint64_t populate[6] = {XENMEM_populate_physmap, ARG};
    const uint64_t decrease[6] = {XENMEM_decrease_reservation, ARG};
    unsigned int issues;

    (void)state;
    memcpy(host_guest(ARG), &r, sizeof(r));
    host_run_as(v);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER); /* stays: each look says: give way */
    for (unsigned int turn = 0; turn < 2; turn++) {
        list()[0] = 0;
        list()[1] = 512;
        assert_int_equal(host_hypercall(v, __HYPERVISOR_memory_op, populate, &issues), 2);
        assert_true(issues >= 1024 / MEMOP_CLEAR_BUDGET);
        assert_int_equal(d->tot_pages, 1024);
        for (unsigned int i = 0; i < 2; i++)
            for (unsigned int k = 0; k < 512; k++) {
                const uint64_t *frame = map_frame(MFN(list()[i] + k));

                assert_int_equal(machine_to_phys[list()[i] + k], i * 512 + k);
                assert_int_equal(frame[0] | frame[511], 0);
            }
        memset(map_frame(MFN(list()[0])), 0x55, 512 * PAGE_SIZE);
        assert_int_equal(host_hypercall(v, __HYPERVISOR_memory_op, decrease, &issues), 2);
        assert_true(issues >= 1024 / 64);
        assert_int_equal(d->tot_pages, 0);
    }
    this_cpu()->pending = 0;
}

/* Who has all that it may have is refused at once, however much there would be to clear. */
static void nothing_beyond_the_limit(void **state)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = 1, .extent_order = 6, .domid = DOMID_SELF};
    const unsigned int cmds[] = {XENMEM_populate_physmap, XENMEM_increase_reservation};
    unsigned int issues;

    (void)state;
    _Static_assert(MEMOP_CLEAR_BUDGET == 1 << 6, "an extent uses up what one issue may clear");
    memcpy(host_guest(ARG), &r, sizeof(r));
    d->max_pages = 63;
    for (unsigned int i = 0; i < 2; i++) {
        const uint64_t args[6] = {cmds[i], ARG};

        assert_int_equal(host_hypercall(v, __HYPERVISOR_memory_op, args, &issues), 0);
        assert_int_equal(issues, 1);
        assert_int_equal(d->tot_pages, 0);
    }
}

/* What is not gone on with is undone by the next, refused when it is committed, and freed at the
 * end of the domain (teardown compares). */
static void maps(void **state)
{
    struct xen_foreign_memory_map f = {.domid = 1, .map = {.nr_entries = 2, .buffer = LIST}};
    struct xen_memory_map m = {.nr_entries = 128, .buffer = LIST};
    struct boot_info *bi = calloc(1, sizeof(*bi));

    (void)state;
    assert_int_equal(call_with(v, memory_op, XENMEM_memory_map, &m), -XEN_ENOSYS);
    memset(host_guest(LIST), 7, 40);
    assert_int_equal(call_with(v, memory_op, XENMEM_set_memory_map, &f), -XEN_EPERM);
    assert_int_equal(call_with(v0, memory_op, XENMEM_set_memory_map, &f), 0);
    assert_int_equal(call_with(v0, memory_op, XENMEM_set_memory_map, &f), 0);
    memset(host_guest(LIST), 0, 40);
    m.nr_entries = 1;
    assert_int_equal(call_with(v, memory_op, XENMEM_memory_map, &m), -XEN_EINVAL);
    m.nr_entries = 100;
    assert_int_equal(call_with(v, memory_op, XENMEM_memory_map, &m), 0);
    assert_int_equal(m.nr_entries, 2);
    assert_int_equal(((char *)host_guest(LIST))[39], 7);
    f.map.nr_entries = 129;
    assert_int_equal(call_with(v0, memory_op, XENMEM_set_memory_map, &f), -XEN_EINVAL);
    f.map.nr_entries = 0;
    assert_int_equal(call_with(v0, memory_op, XENMEM_set_memory_map, &f), -XEN_EINVAL);

    bi->nr_mem = 3;
    bi->mem[0] = (struct boot_mem){0, 0x1000, BOOT_MEM_RAM, 0};
    bi->mem[1] = (struct boot_mem){0x1000, 0x1000, BOOT_MEM_LOADER, 0};
    bi->mem[2] = (struct boot_mem){0x9000, 0x1000, BOOT_MEM_RESERVED, 0};
    memory_map_init(bi);
    free(bi);
    m = (struct xen_memory_map){.nr_entries = 10, .buffer = LIST};
    assert_int_equal(call_with(v, memory_op, XENMEM_machine_memory_map, &m), -XEN_EPERM);
    assert_int_equal(call_with(v0, memory_op, XENMEM_machine_memory_map, &m), 0);
    assert_int_equal(m.nr_entries, 2);
    assert_int_equal(((uint64_t *)host_guest(LIST))[1], 0x2000); /* one piece of RAM */
}

static void grant_frames_for_tools(void **state)
{
    struct xen_mem_acquire_resource r = {.domid = 1, .type = XENMEM_resource_grant_table};
    xen_pfn_t *frames = list();

    (void)state;
    assert_int_equal(call_with(v, memory_op, XENMEM_acquire_resource, &r), -XEN_EPERM);
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), 0);
    assert_int_equal(r.nr_frames, 4);
    r.frame_list = LIST;
    r.nr_frames = 2;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), 0);
    assert_ptr_equal(owner_of_page(mfn_to_page(MFN(frames[0]))), d);
    assert_true(get_page(mfn_to_page(MFN(frames[1])), d));
    put_page(mfn_to_page(MFN(frames[1])));
    r.frame = 3;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), -XEN_EINVAL);
    r.frame = ~0ull;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), -XEN_EINVAL);
    r.frame = 0;
    r.id = 1;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), -XEN_EINVAL);
    r.type = XENMEM_resource_ioreq_server;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), -XEN_EOPNOTSUPP);
    r.pad = 1;
    assert_int_equal(call_with(v0, memory_op, XENMEM_acquire_resource, &r), -XEN_EINVAL);
}

static void questions(void **state)
{
    struct xen_memory_domain who = {.domid = 0};
    struct xen_machphys_mapping m = {.v_start = 0};
    struct xen_add_to_physmap add = {.domid = DOMID_SELF};

    (void)state;
    assert_int_equal(call_with(v, memory_op, XENMEM_maximum_reservation, &who), -XEN_EPERM);
    who.domid = 1;
    assert_int_equal(call_with(v0, memory_op, XENMEM_maximum_reservation, &who), 2000);
    who.domid = DOMID_SELF;
    assert_int_equal(call_with(v, memory_op, XENMEM_maximum_reservation, &who), 2000);
    /* What a guest says of itself comes out of a hypercall of the one who asks: never an error. */
    d->shared_info->arch.max_pfn = (unsigned long)-XEN_ERESTART + 1;
    who.domid = 1;
    assert_true(call_with(v0, memory_op, XENMEM_maximum_gpfn, &who) >= 0);
    d->shared_info->arch.max_pfn = 0;
    assert_int_equal(call_with(v0, memory_op, XENMEM_maximum_gpfn, &who), 0);
    d->shared_info->arch.max_pfn = 2000;
    assert_int_equal(call_with(v0, memory_op, XENMEM_maximum_gpfn, &who), 1999);
    assert_int_equal(call(v, memory_op, XENMEM_maximum_ram_page, 0), 8192);
    assert_int_equal(call_with(v, memory_op, XENMEM_machphys_mapping, &m), 0);
    assert_int_equal(m.v_start, 0xffff800000000000ull);
    assert_int_equal(call_with(v, memory_op, XENMEM_add_to_physmap, &add), -XEN_EOPNOTSUPP);
    assert_int_equal(call(v, memory_op, 63, ARG), -XEN_ENOSYS);
    assert_int_equal(call(v, memory_op, 1ul << MEMOP_EXTENT_SHIFT | XENMEM_exchange, ARG),
                     -XEN_ENOSYS);
}

static void claims_by_hypercall(void **state)
{
    struct xen_memory_reservation r = {.nr_extents = 50, .domid = 1};

    (void)state;
    assert_int_equal(call_with(v, memory_op, XENMEM_claim_pages, &r), -XEN_EPERM);
    assert_int_equal(call_with(v0, memory_op, XENMEM_claim_pages, &r), 0);
    assert_int_equal(claims_outstanding(), 50);
    r.extent_order = 1;
    assert_int_equal(call_with(v0, memory_op, XENMEM_claim_pages, &r), -XEN_EINVAL);
    r = (struct xen_memory_reservation){.domid = 1};
    assert_int_equal(call_with(v0, memory_op, XENMEM_claim_pages, &r), 0);
    assert_int_equal(claims_outstanding(), 0);
    r.domid = 66;
    assert_int_equal(call_with(v0, memory_op, XENMEM_claim_pages, &r), -XEN_ESRCH);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(get_and_give_back),
        TEST(a_list_for_reading),
        TEST(numbers_are_the_kinds),
        TEST(what_is_not_ours_is_not_given_back),
        TEST(limits),
        TEST(the_control_domain_builds),
        TEST(pre_empted_anywhere),
        TEST(large_extents_give_way),
        TEST(nothing_beyond_the_limit),
        TEST(maps),
        TEST(grant_frames_for_tools),
        TEST(questions),
        TEST(claims_by_hypercall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
