/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: frames for frames; whole or not at all; in several turns, with what is in flight
 * between them kept for who goes on, and given back when nobody does.
 */
#include "core_memory_test.h"

static struct xen_memory_exchange exchange_args(uint64_t nin, unsigned int oin, uint64_t nout,
                                                unsigned int oout)
{
    return (struct xen_memory_exchange){
        .in = {.extent_start = LIST, .nr_extents = nin, .extent_order = oin, .domid = DOMID_SELF},
        .out = {.extent_start = LIST + 0x8000,
                .nr_extents = nout,
                .extent_order = oout,
                .domid = DOMID_SELF}};
}

static void pages_become_contiguous(void **state)
{
    struct xen_memory_exchange x = exchange_args(16, 0, 1, 4);
    xen_pfn_t *out = host_guest(LIST + 0x8000);
    uint64_t before;

    (void)state;
    x.out.mem_flags = XENMEMF_address_bits(24);
    populate(16, 0);
    before = heap_free_frames();
    out[0] = 0x400;
    x.in.domid = x.out.domid = d->domain_id;
    assert_int_equal(call_with(dom0->vcpu[0], memory_op, XENMEM_exchange, &x), 0);
    assert_int_equal(x.nr_exchanged, 16);
    assert_int_equal(d->tot_pages, 16);
    assert_int_equal(heap_free_frames(), before);
    assert_int_equal(out[0] % 16, 0);
    assert_true(out[0] + 16 <= 1u << 12);
    for (unsigned int k = 0; k < 16; k++)
        assert_int_equal(machine_to_phys[out[0] + k], 0x400 + k);
    assert_int_equal(machine_to_phys[list()[3]], INVALID_GPFN);
    /* and back */
    x = exchange_args(1, 4, 16, 0);
    list()[0] = out[0];
    for (unsigned int k = 0; k < 16; k++)
        out[k] = k;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), 0);
    for (unsigned int k = 0; k < 16; k++)
        assert_int_equal(machine_to_phys[out[k]], k);
}

static void an_exchange_fails_whole(void **state)
{
    struct xen_memory_exchange x = exchange_args(4, 0, 1, 2);
    struct page_info *pg;
    xen_pfn_t saved;

    (void)state;
    populate(4, 0);
    ((xen_pfn_t *)host_guest(LIST + 0x8000))[0] = 0;
    saved = list()[3];
    list()[3] = list()[0]; /* one of them twice */
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EINVAL);
    assert_int_equal(d->tot_pages, 4);
    host_check_invariants();
    list()[3] = frame_of(d->shared_info).n;
    x = exchange_args(4, 0, 1, 2);
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EINVAL);
    list()[3] = saved;
    pg = mfn_to_page(MFN(saved));
    assert_true(get_page(pg, d)); /* in use */
    x = exchange_args(4, 0, 1, 2);
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EBUSY);
    put_page(pg);
    assert_int_equal(d->tot_pages, 4);
    host_check_invariants();
    x.out.mem_flags = XENMEMF_address_bits(23); /* low frames are not for guests */
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EPERM);
    x.out.mem_flags = XENMEMF_address_bits(13); /* nothing is there */
    x.in.domid = x.out.domid = d->domain_id;
    assert_int_equal(call_with(dom0->vcpu[0], memory_op, XENMEM_exchange, &x), -XEN_ENOMEM);
    assert_int_equal(d->tot_pages, 4);
    host_check_invariants();
}

/* XSA-29, XSA-212: lists that point into the hypervisor, also through where to go on. */
/* As many frames for as many of one domain, and not too many at once. */
static void what_is_no_exchange(void **state)
{
    static const struct {
        uint64_t nin, nout, done;
        unsigned int oin, oout;
        domid_t to;
        int rc;
    } bad[] = {
        {4, 1, 5, 0, 2, DOMID_SELF, -XEN_EINVAL},     {4, 1, 0, 0, 2, 0, -XEN_EINVAL},
        {4, 1, 0, 0, 1, DOMID_SELF, -XEN_EINVAL},     {1, 1, 0, 30, 30, DOMID_SELF, -XEN_EPERM},
        {~0u, ~0u, 0, 0, 0, DOMID_SELF, -XEN_EINVAL},
    };

    (void)state;
    populate(4, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        struct xen_memory_exchange x =
            exchange_args(bad[i].nin, bad[i].oin, bad[i].nout, bad[i].oout);

        x.nr_exchanged = bad[i].done;
        x.out.domid = bad[i].to;
        assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), bad[i].rc);
        assert_int_equal(d->tot_pages, 4);
    }
}

static void exchange_writes_nowhere_else(void **state)
{
    struct xen_memory_exchange x = exchange_args(4, 0, 4, 0), y;

    (void)state;
    populate(4, 0);
    x.out.extent_start = 0xffff800000000000ull - 16;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EFAULT);
    x = exchange_args(4, 0, 4, 0);
    x.in.extent_start = 0xffff820000000000ull;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &x), -XEN_EFAULT);
    y = x = exchange_args(1ul << 56, 0, 1ul << 56, 0);
    x.nr_exchanged = (1ul << 56) - 1;
    x.out.extent_start = LIST - 8 * x.nr_exchanged;
    assert_true(call_with(v, memory_op, XENMEM_exchange, &x) < 0);
    y.nr_exchanged = y.in.nr_extents + 1;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &y), -XEN_EINVAL);
    y = exchange_args(4, 0, 2, 0); /* not as many */
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &y), -XEN_EINVAL);
    y = exchange_args(1, 200, 1, 200);
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &y), -XEN_EPERM);
    y = exchange_args(4, 0, 4, 0);
    y.out.domid = 0;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &y), -XEN_EINVAL);
    y.in.domid = 0;
    assert_int_equal(call_with(v, memory_op, XENMEM_exchange, &y), -XEN_EPERM);
}

static void exchange_gives_way(void **state)
{
    struct xen_memory_exchange x = exchange_args(64, 0, 16, 2);
    unsigned int issues;

    (void)state;
    populate(64, 0);
    memset(host_guest(LIST + 0x8000), 0, 16 * 8);
    memcpy(host_guest(ARG), &x, sizeof(x));
    host_run_as(v);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(
        host_hypercall(v, __HYPERVISOR_memory_op, (uint64_t[6]){XENMEM_exchange, ARG}, &issues), 0);
    assert_int_equal(issues, 16);
    memcpy(&x, host_guest(ARG), sizeof(x));
    assert_int_equal(x.nr_exchanged, 64);
    assert_int_equal(d->tot_pages, 64);
    this_cpu()->pending = 0;
}

#define A_WHILE MILLISECS(11) /* so long that nobody goes on with what was left */

/* One issue of an exchange, which gives way wherever it looks; what it says. */
static long one_turn_of(struct vcpu *who, const struct xen_memory_exchange *x, uint64_t arg)
{
    long rc;

    memcpy(host_guest(arg), x, sizeof(*x));
    host_run_as(who);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    rc = do_memory_op(XENMEM_exchange, arg);
    who->continuation = false;
    this_cpu()->pending = 0;
    return rc;
}

static long one_turn(const struct xen_memory_exchange *x, uint64_t arg)
{
    return one_turn_of(v, x, arg);
}

/* 512 pages for an extent and back, in as many turns as can be. */
static void large_exchange_gives_way(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9);
    xen_pfn_t *out = host_guest(LIST + 0x8000);
    unsigned int issues;

    (void)state;
    populate(512, 0);
    for (unsigned int turn = 0; turn < 2; turn++) {
        memcpy(host_guest(ARG), &x, sizeof(x));
        for (unsigned int k = 0; k < 512; k++)
            out[k] = turn ? 2000 + k : 1000;
        host_run_as(v);
        atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
        assert_int_equal(
            host_hypercall(v, __HYPERVISOR_memory_op, (uint64_t[6]){XENMEM_exchange, ARG}, &issues),
            0);
        this_cpu()->pending = 0;
        assert_true(issues >= 512 / 32);
        assert_int_equal(d->tot_pages, 512);
        for (unsigned int k = 0; k < 512; k++)
            assert_int_equal(machine_to_phys[turn ? out[k] : out[0] + k],
                             turn ? 2000 + k : 1000 + k);
        list()[0] = out[0];
        x = exchange_args(1, 9, 512, 0);
    }
}

/* The same to its end. */
static long turns(const struct xen_memory_exchange *x, uint64_t arg, unsigned int *n)
{
    long rc;

    *n = 0;
    do {
        rc = one_turn(x, arg);
        ++*n;
    } while (rc == -XEN_ERESTART);
    return rc;
}

/* What the last of 512 pages makes impossible is undone as slowly as it was done. */
static void a_failure_is_undone_in_turns(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9);
    unsigned int n;

    (void)state;
    populate(512, 0);
    list()[511] = list()[0];
    assert_int_equal(turns(&x, ARG, &n), -XEN_EINVAL);
    assert_in_range(n, 2 * (511 / 32), 2 * (512 / 32) + 2);
    assert_int_equal(d->in_flight.taken.count, 0);
    assert_int_equal(d->tot_pages, 512);
    assert_int_equal(d->in_flight.error, 0);
}

static void an_exchange_left_half_done(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9), other = exchange_args(1, 0, 1, 0);
    xen_pfn_t *out = host_guest(LIST + 0x8000);
    unsigned int n;

    (void)state;
    populate(512, 0);
    out[0] = 0;
    assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    assert_true(d->in_flight.taken.count > 0 && d->tot_pages < 512);
    host_time_passes(A_WHILE);
    assert_int_equal(turns(&other, ARG + 0x100, &n), 0);
    assert_int_equal(d->in_flight.taken.count, 0);
    assert_int_equal(d->tot_pages, 512);
    list()[0] = out[0];
    while (!d->in_flight.committed)
        assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    assert_int_equal(one_turn(&other, ARG + 0x100), -XEN_ERESTART);
    host_time_passes(A_WHILE);
    assert_int_equal(one_turn(&other, ARG + 0x100), -XEN_EBUSY);
    assert_true(d->in_flight.taken.count > 0);
}

/* What the control domain left half done for the guest is not the guest's to end, at the same
 * address of its own: the lists there are others. */
static void anothers_exchange(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9), mine = x;

    (void)state;
    populate(512, 0);
    ((xen_pfn_t *)host_guest(LIST + 0x8000))[0] = 0;
    x.in.domid = x.out.domid = d->domain_id;
    while (!d->in_flight.committed)
        assert_int_equal(one_turn_of(dom0->vcpu[0], &x, ARG), -XEN_ERESTART);
    assert_int_equal(one_turn(&mine, ARG), -XEN_ERESTART);
    host_time_passes(A_WHILE);
    assert_int_equal(one_turn(&mine, ARG), -XEN_EBUSY);
    while (one_turn_of(dom0->vcpu[0], &x, ARG) == -XEN_ERESTART)
        ;
    assert_int_equal(d->in_flight.taken.count, 0);
    assert_int_equal(d->tot_pages, 512);
}

/* What another has begun to undo is not gone on with: it is undone to its end, and begun again. */
static void an_exchange_half_undone(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9), other = exchange_args(1, 0, 1, 0);
    uint64_t had;
    unsigned int n;

    (void)state;
    populate(512, 0);
    ((xen_pfn_t *)host_guest(LIST + 0x8000))[0] = 0;
    while (d->in_flight.taken.count < 200)
        assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    had = d->in_flight.taken.count;
    host_time_passes(A_WHILE);
    assert_int_equal(one_turn(&other, ARG + 0x100), -XEN_ERESTART);
    assert_in_range(d->in_flight.taken.count, 1, had - 1);
    assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    host_time_passes(A_WHILE); /* and the other does not go on with that either */
    assert_int_equal(turns(&x, ARG, &n), 0);
    assert_int_equal(d->in_flight.taken.count, 0);
    assert_int_equal(d->tot_pages, 512);
}

/* Two vCPUs at once: neither undoes what the other is doing, or both would go on for ever. */
static void two_exchanges_at_once(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9), y = x;
    long x_rc = -XEN_ERESTART, y_rc = -XEN_ERESTART;
    unsigned int n;

    (void)state;
    populate(1024, 0);
    ((xen_pfn_t *)host_guest(LIST + 0x8000))[0] = ((xen_pfn_t *)host_guest(LIST + 0x8008))[0] = 0;
    y.in.extent_start += 512 * sizeof(xen_pfn_t);
    y.out.extent_start += sizeof(xen_pfn_t);
    for (n = 0; n < 1000 && (x_rc == -XEN_ERESTART || y_rc == -XEN_ERESTART); n++) {
        if (x_rc == -XEN_ERESTART)
            x_rc = one_turn(&x, ARG);
        if (y_rc == -XEN_ERESTART)
            y_rc = one_turn(&y, ARG + 0x100);
    }
    assert_int_equal(x_rc, 0);
    assert_int_equal(y_rc, 0);
    assert_int_equal(d->tot_pages, 1024);
}

/* The control domain does not wait for what the guest began, as long as that can be undone. */
static void the_control_domain_does_not_wait(void **state)
{
    struct xen_memory_exchange x = exchange_args(512, 0, 1, 9), y = exchange_args(1, 0, 1, 0);
    long rc;

    (void)state;
    populate(512, 0);
    ((xen_pfn_t *)host_guest(LIST + 0x8000))[0] = 0;
    assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    y.in.domid = y.out.domid = d->domain_id;
    for (unsigned int n = 0; n < 100; n++) {
        rc = one_turn_of(dom0->vcpu[0], &y, ARG);
        if (rc != -XEN_ERESTART)
            break;
        assert_int_equal(one_turn(&x, ARG), -XEN_ERESTART);
    }
    assert_int_equal(rc, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_become_contiguous),    TEST(an_exchange_fails_whole),
        TEST(what_is_no_exchange),        TEST(exchange_writes_nowhere_else),
        TEST(exchange_gives_way),         TEST(large_exchange_gives_way),
        TEST(an_exchange_left_half_done), TEST(a_failure_is_undone_in_turns),
        TEST(anothers_exchange),          TEST(an_exchange_half_undone),
        TEST(two_exchanges_at_once),      TEST(the_control_domain_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
