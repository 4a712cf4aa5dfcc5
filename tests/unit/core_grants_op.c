/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op as a call: lists that end in the middle of nowhere or give way, copies, the table
 * itself, versions, and who may ask about whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "grant_call.h"

#include <string.h>
#include <xen/errno.h>

#define LIST (HOST_GUEST_BASE + 0x10000)
#define SLOT 100u

static struct mm_guest control, granter, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&control, 0, true);
    mm_guest_init(&granter, 1, false);
    mm_guest_init(&other, 2, false);
    return 0;
}

static void commands_and_counts(void **state)
{
    (void)state;
    for (unsigned int cmd = GNTTABOP_cache_flush + 1; cmd < 40; cmd++)
        assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, ARG, 1, 0),
                         -XEN_ENOSYS);
    assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, ~0u, ARG, 1, 0), -XEN_ENOSYS);
    for (unsigned int cmd = 0; cmd <= GNTTABOP_cache_flush; cmd++) {
        bool list = cmd <= GNTTABOP_unmap_grant_ref || cmd == GNTTABOP_transfer ||
                    cmd == GNTTABOP_copy || cmd == GNTTABOP_unmap_and_replace ||
                    cmd == GNTTABOP_swap_grant_ref;
        long none = mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, 0x10, 0, 0);

        assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, ARG, 1u << 31, 0),
                         -XEN_EINVAL);
        if (cmd == GNTTABOP_cache_flush) {
            assert_int_equal(none, -XEN_EOPNOTSUPP);
            continue;
        }
        /* A list of nothing is done; the rest are about one table each. */
        assert_int_equal(none, list ? 0 : -XEN_EINVAL);
        assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, 0x10, 1, 0),
                         -XEN_EFAULT);
        assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, ~0ull - 7, 1, 0),
                         -XEN_EFAULT);
        if (!list)
            assert_int_equal(mm_call(&granter, __HYPERVISOR_grant_table_op, cmd, ARG, 2, 0),
                             -XEN_EINVAL);
    }
}

/* A list that runs into nothing: what is before is done and says so, what is behind is not. */
static void a_list_that_ends_early(void **state)
{
    const gva_t end = HOST_GUEST_BASE + HOST_GUEST_SIZE;
    const size_t size = sizeof(struct gnttab_map_grant_ref);
    struct gnttab_map_grant_ref *m = host_guest(end - 2 * size);
    struct gnttab_unmap_grant_ref *u = host_guest(end - 2 * sizeof(*u));
    uint64_t refs = mm_refs(&granter, MM_SPARE);
    uint32_t handles[2];

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    for (unsigned int i = 0; i < 2; i++)
        m[i] = (struct gnttab_map_grant_ref){
            .host_addr = mm_va(SLOT + i), .flags = GNTMAP_host_map, .ref = 9, .dom = 1};
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, end - 2 * size, 3, 0),
        -XEN_EFAULT);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs + 2);
    for (unsigned int i = 0; i < 2; i++)
        handles[i] = m[i].handle;
    for (unsigned int i = 0; i < 2; i++)
        u[i] = (struct gnttab_unmap_grant_ref){.host_addr = mm_va(SLOT + i), .handle = handles[i]};
    assert_int_equal(mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref,
                             end - 2 * sizeof(*u), 3, 0),
                     -XEN_EFAULT);
    assert_int_equal(u[1].status, GNTST_okay);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    /* The place of the status is tried first: nothing is mapped whose handle the guest would not
     * learn. */
    memcpy(host_guest(ARG),
           &(struct gnttab_map_grant_ref){
               .host_addr = mm_va(SLOT), .flags = GNTMAP_host_map, .ref = 9, .dom = 1},
           size);
    host_read_only = ARG;
    host_read_only_end = ARG + PAGE_SIZE;
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0),
        -XEN_EFAULT);
    host_read_only_end = 0;
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
}

/* Behind the last words there are comes nothing, though the first ones are there. */
static void a_list_past_the_end(void **state)
{
    enum { FIRST = MM_SPARE + 2, LAST, AT_0 = 0, AT_END = 511 };
    struct gnttab_map_grant_ref *m = (void *)(mm_words(&other, LAST) + 512), *beyond;

    (void)state;
    beyond = (void *)mm_words(&other, FIRST);
    for (unsigned int table = MM_L4; table < MM_L1; table++)
        assert_int_equal(mm_update(&other, mm_entry_addr(&other, table, AT_END),
                                   mm_pte(other.frame[table + 1], MM_RW)),
                         0);
    assert_int_equal(
        mm_update(&other, mm_entry_addr(&other, MM_L3, AT_0), mm_pte(other.frame[MM_L2], MM_RW)),
        0);
    assert_int_equal(
        mm_update(&other, mm_entry_addr(&other, MM_L1, AT_0), mm_pte(other.frame[FIRST], MM_RW)),
        0);
    assert_int_equal(
        mm_update(&other, mm_entry_addr(&other, MM_L1, AT_END), mm_pte(other.frame[LAST], MM_RW)),
        0);
    host_walk = true;
    m[-1].status = beyond->status = 99;
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, -sizeof(*m), 2, 0),
        -XEN_EFAULT);
    assert_in_range(-m[-1].status, 1, 20);
    assert_int_equal(beyond->status, 99);
}

#define MANY 40u

static void map_many(uint32_t handles[MANY])
{
    struct gnttab_map_grant_ref *m = host_guest(ARG);

    give(&granter, 9, 2, MM_SPARE, 0);
    for (unsigned int i = 0; i < MANY; i++)
        m[i] = (struct gnttab_map_grant_ref){.host_addr = mm_va(SLOT + i),
                                             .flags = GNTMAP_host_map,
                                             .ref = 9,
                                             .dom = 1,
                                             .status = 77};
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, MANY, 0), 0);
    for (unsigned int i = 0; i < MANY; i++) {
        assert_int_equal(m[i].status, GNTST_okay);
        handles[i] = m[i].handle;
    }
}

static void unmap_many(const uint32_t handles[MANY])
{
    struct gnttab_unmap_grant_ref *u = host_guest(ARG);

    for (unsigned int i = 0; i < MANY; i++)
        u[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = mm_va(SLOT + i), .handle = handles[i], .status = 77};
    assert_int_equal(
        mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, ARG, MANY, 0), 0);
    for (unsigned int i = 0; i < MANY; i++)
        assert_int_equal(u[i].status, GNTST_okay);
}

static void unmaps_share_a_flush(void **state)
{
    uint32_t handles[MANY];
    unsigned int before;

    (void)state;
    mm_recount = false;
    map_many(handles);
    before = host_flushes;
    unmap_many(handles);
    assert_int_equal(host_flushes - before, (MANY + UNMAP_BATCH - 1) / UNMAP_BATCH);
    mm_recount = true;
}

/* XSA-24, XSA-318: a list that gives way after each element comes to its end, each element done
 * once. */
static void lists_give_way(void **state)
{
    struct gnttab_copy *c = host_guest(ARG);
    uint64_t refs = mm_refs(&granter, MM_SPARE);
    uint32_t handles[MANY];

    (void)state;
    mm_preempt = true;
    map_many(handles);
    assert_int_equal(mm_issues, MANY);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs + MANY);
    unmap_many(handles);
    assert_int_equal(mm_issues, MANY);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    for (unsigned int i = 0; i < MANY; i++)
        c[i] =
            (struct gnttab_copy){.source = {.u.gmfn = other.frame[MM_SPARE].n, .domid = DOMID_SELF},
                                 .dest = {.u.ref = 9, .domid = 1, .offset = (uint16_t)(i * 8)},
                                 .len = i == 20 ? 0xffff : 8,
                                 .flags = GNTCOPY_dest_gref,
                                 .status = 77};
    mm_words(&other, MM_SPARE)[0] = 0x1234567;
    assert_int_equal(mm_call(&other, __HYPERVISOR_grant_table_op, GNTTABOP_copy, ARG, MANY, 0), 0);
    assert_int_equal(mm_issues, MANY);
    for (unsigned int i = 0; i < MANY; i++) {
        assert_int_equal(c[i].status, i == 20 ? GNTST_bad_copy_arg : GNTST_okay);
        assert_int_equal(mm_words(&granter, MM_SPARE)[i], i == 20 ? 0 : 0x1234567);
    }
    mm_preempt = false;
}

static int copy(uint64_t from, domid_t from_dom, uint16_t from_off, uint64_t to, domid_t to_dom,
                uint16_t to_off, uint16_t len, uint16_t flags)
{
    struct gnttab_copy c = {.source = {.domid = from_dom, .offset = from_off},
                            .dest = {.domid = to_dom, .offset = to_off},
                            .len = len,
                            .flags = flags};

    if (flags & GNTCOPY_source_gref)
        c.source.u.ref = (grant_ref_t)from;
    else
        c.source.u.gmfn = from;
    if (flags & GNTCOPY_dest_gref)
        c.dest.u.ref = (grant_ref_t)to;
    else
        c.dest.u.gmfn = to;
    assert_int_equal(OP(&other, copy, c), 0);
    return c.status;
}

/* XSA-50, XSA-411: on no way out is anything left held; the recount after each call says so. */
static void copies(void **state)
{
    const uint64_t own = other.frame[MM_SPARE].n;
    char *mine = (char *)mm_words(&other, MM_SPARE), *theirs = (char *)mm_words(&granter, MM_SPARE);

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    give(&granter, 10, 2, MM_SPARE, GTF_readonly);
    strcpy(theirs + 4000, "hello");
    assert_int_equal(copy(10, 1, 4000, own, DOMID_SELF, 90, 96, GNTCOPY_source_gref), GNTST_okay);
    assert_string_equal(mine + 90, "hello");
    assert_int_equal(copy(own, DOMID_SELF, 90, 9, 1, 0, 6, GNTCOPY_dest_gref), GNTST_okay);
    assert_string_equal(theirs, "hello");
    assert_int_equal(copy(9, 1, 0, 9, 1, 2, 4, GNTCOPY_source_gref | GNTCOPY_dest_gref),
                     GNTST_okay);
    assert_string_equal(theirs, "hehell");
    assert_int_equal(copy(own, DOMID_SELF, 0, own, 2, 0, 0, 0),
                     GNTST_okay); /* nothing, to oneself */

    assert_int_equal(copy(own, DOMID_SELF, 0, 10, 1, 0, 1, GNTCOPY_dest_gref), GNTST_general_error);
    assert_int_equal(copy(own, DOMID_SELF, 0, 11, 1, 0, 1, GNTCOPY_dest_gref), GNTST_general_error);
    assert_int_equal(copy(own, DOMID_SELF, 0, ~0u, 1, 0, 1, GNTCOPY_dest_gref), GNTST_bad_gntref);
    assert_int_equal(copy(own, DOMID_SELF, 0, 9, 77, 0, 1, GNTCOPY_dest_gref), GNTST_bad_domain);
    assert_int_equal(copy(9, DOMID_IO, 0, own, DOMID_SELF, 0, 1, GNTCOPY_source_gref),
                     GNTST_bad_domain);
    assert_int_equal(copy(own, DOMID_SELF, 1, 9, 1, 0, PAGE_SIZE, GNTCOPY_dest_gref),
                     GNTST_bad_copy_arg);
    assert_int_equal(copy(own, DOMID_SELF, 0, 9, 1, 0xffff, 1, GNTCOPY_dest_gref),
                     GNTST_bad_copy_arg);
    assert_int_equal(copy(own, DOMID_SELF, 0xffff, 9, 1, 0, 0xffff, GNTCOPY_dest_gref),
                     GNTST_bad_copy_arg);
    /* Frames of one's own: not another's, not a table to write into, not what is no frame. */
    assert_int_equal(copy(granter.frame[MM_SPARE].n, DOMID_SELF, 0, own, DOMID_SELF, 0, 1, 0),
                     GNTST_bad_page);
    assert_int_equal(copy(granter.frame[MM_SPARE].n, 1, 0, own, DOMID_SELF, 0, 1, 0),
                     GNTST_permission_denied);
    assert_int_equal(copy(own, DOMID_SELF, 0, other.frame[MM_L1].n, DOMID_SELF, 0, 8, 0),
                     GNTST_bad_page);
    assert_int_equal(copy(own, DOMID_SELF, 0, ~0ull, DOMID_SELF, 0, 8, 0), GNTST_bad_page);
    assert_int_equal(copy(max_mfn + 1, DOMID_SELF, 0, own, DOMID_SELF, 0, 8, 0), GNTST_bad_page);
    /* A granter that names a frame which is not its own, or its page table. */
    give(&granter, 9, 2, MM_L1, 0);
    assert_int_equal(copy(own, DOMID_SELF, 0, 9, 1, 0, 8, GNTCOPY_dest_gref), GNTST_bad_page);
    grant_shared(granter.d->grant, 9)->frame = (uint32_t)control.frame[MM_SPARE].n;
    assert_int_equal(copy(own, DOMID_SELF, 0, 9, 1, 0, 8, GNTCOPY_dest_gref), GNTST_bad_page);
    assert_int_equal(grant_shared(granter.d->grant, 9)->flags & (GTF_reading | GTF_writing), 0);
}

static int setup_table(struct mm_guest *g, domid_t dom, uint32_t n, gva_t list)
{
    struct gnttab_setup_table s = {.dom = dom, .nr_frames = n, .frame_list = list};

    assert_int_equal(OP(g, setup_table, s), 0);
    return s.status;
}

static void the_table_grows(void **state)
{
    uint64_t *frame = host_guest(LIST);
    struct gnttab_query_size q = {.dom = DOMID_SELF};

    (void)state;
    assert_int_equal(setup_table(&granter, DOMID_SELF, 3, LIST), GNTST_okay);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(frame[i], frame_of(granter.d->grant->shared[i]).n);
        assert_int_equal(mfn_to_page(MFN(frame[i]))->owner, 1);
    }
    assert_int_equal(OP(&granter, query_size, q), 0);
    assert_int_equal(q.status, GNTST_okay);
    assert_int_equal(q.nr_frames, 3);
    assert_int_equal(q.max_nr_frames, 4);
    assert_int_equal(setup_table(&granter, DOMID_SELF, 1, LIST), GNTST_okay); /* it never shrinks */
    assert_int_equal(granter.d->grant->nr_frames, 3);
    assert_int_equal(setup_table(&granter, DOMID_SELF, 5, LIST), GNTST_general_error);
    assert_int_equal(setup_table(&granter, DOMID_SELF, ~0u, LIST), GNTST_general_error);
    assert_int_equal(setup_table(&granter, DOMID_SELF, 1, 0x10), GNTST_bad_virt_addr);
    assert_int_equal(setup_table(&granter, DOMID_SELF, 0, 0x10), GNTST_okay);
    assert_int_equal(setup_table(&granter, 77, 1, LIST), GNTST_bad_domain);
    /* XSA-232: no domain of the hypervisor's own has a table. */
    assert_int_equal(setup_table(&control, DOMID_IO, 1, LIST), GNTST_bad_domain);
    assert_int_equal(setup_table(&control, DOMID_XEN, 1, LIST), GNTST_bad_domain);
    assert_int_equal(setup_table(&granter, 2, 1, LIST), GNTST_permission_denied);
    assert_int_equal(setup_table(&control, 1, 4, LIST), GNTST_okay);
    q = (struct gnttab_query_size){.dom = 2};
    assert_int_equal(OP(&granter, query_size, q), 0);
    assert_int_equal(q.status, GNTST_permission_denied);
    q.dom = 1;
    assert_int_equal(OP(&control, query_size, q), 0);
    assert_int_equal(q.nr_frames, 4);
    struct gnttab_dump_table dump = {.dom = DOMID_SELF};
    assert_int_equal(OP(&granter, dump_table, dump), 0);
    assert_int_equal(dump.status, GNTST_permission_denied);
    dump.dom = 1;
    assert_int_equal(OP(&control, dump_table, dump), 0);
    assert_int_equal(dump.status, GNTST_okay);
}

/* The table of a domain that ends is not grown any more, and stays gone. */
static void a_dying_domain_has_no_table(void **state)
{
    uint32_t nr;

    (void)state;
    give(&granter, 9, 2, MM_SPARE, 0);
    struct gnttab_map_grant_ref m = {.flags = GNTMAP_device_map, .ref = 9, .dom = 1};
    assert_int_equal(OP(&other, map_grant_ref, m), 0);
    assert_int_equal(m.status, GNTST_okay);
    host_destroy(granter.d);
    mm_forget(&granter);
    nr = granter.d->grant->nr_frames;
    assert_int_equal(setup_table(&control, 1, 1, LIST), GNTST_general_error);
    assert_int_equal(setup_table(&control, 1, 4, LIST), GNTST_general_error);
    assert_int_equal(granter.d->grant->nr_frames, nr);
    assert_int_equal(copy(9, 1, 0, other.frame[MM_SPARE].n, DOMID_SELF, 0, 8, GNTCOPY_source_gref),
                     GNTST_general_error);
    struct gnttab_unmap_grant_ref u = {.dev_bus_addr = m.dev_bus_addr, .handle = m.handle};
    assert_int_equal(OP(&other, unmap_grant_ref, u), 0);
    assert_int_equal(u.status, GNTST_okay);
}

/* XSA-26, 255, 379, 382, 384, 486, 501: there is one version, and it never changes. */
static void versions(void **state)
{
    struct gnttab_get_version get = {.dom = DOMID_SELF, .version = 77};
    struct gnttab_get_status_frames frames = {
        .nr_frames = 1, .dom = DOMID_SELF, .frame_list = LIST};

    (void)state;
    for (uint32_t v = 0; v < 5; v++) {
        struct gnttab_set_version set = {.version = v};

        assert_int_equal(OP(&granter, set_version, set), v == 1   ? 0
                                                         : v == 2 ? -XEN_ENOSYS
                                                                  : -XEN_EINVAL);
        assert_int_equal(set.version, 1);
    }
    assert_int_equal(OP(&granter, get_version, get), 0);
    assert_int_equal(get.version, 1);
    assert_int_equal(OP(&granter, get_status_frames, frames), 0);
    assert_int_equal(frames.status, GNTST_general_error);
}

/* XSA-217, 284: pages are not transferred. */
static void transfer_is_refused(void **state)
{
    struct gnttab_transfer t = {.mfn = granter.frame[MM_SPARE].n, .domid = 2, .ref = 9};
    uint64_t refs = mm_refs(&granter, MM_SPARE);

    (void)state;
    grant_shared(other.d->grant, 9)->domid = 1;
    grant_shared(other.d->grant, 9)->flags = GTF_accept_transfer;
    assert_int_equal(OP(&granter, transfer, t), 0);
    assert_int_equal(t.status, GNTST_general_error);
    assert_int_equal(mm_page(&granter, MM_SPARE)->owner, 1);
    assert_int_equal(mm_refs(&granter, MM_SPARE), refs);
    assert_int_equal(grant_shared(other.d->grant, 9)->flags, GTF_accept_transfer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, grants_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_and_counts),
        TEST(a_list_that_ends_early),
        TEST(a_list_past_the_end),
        TEST(unmaps_share_a_flush),
        TEST(lists_give_way),
        TEST(copies),
        TEST(the_table_grows),
        TEST(a_dying_domain_has_no_table),
        TEST(versions),
        TEST(transfer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
