/* SPDX-License-Identifier: MIT */
/*
 * domctl: who may call, what is refused and how, and the life of a domain as the control domain
 * leads it. Each error that the headers name, each bound, and that neither a failed nor a finished
 * life leaves a frame behind.
 */
#include "core_support.h"

#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/life/life.h>
#include <port/atomic.h>
#include <string.h>
#include <xen/sched.h>

static const uint32_t offered[] = {
    XEN_DOMCTL_createdomain,     XEN_DOMCTL_destroydomain,     XEN_DOMCTL_pausedomain,
    XEN_DOMCTL_unpausedomain,    XEN_DOMCTL_resumedomain,      XEN_DOMCTL_getdomaininfo,
    XEN_DOMCTL_max_mem,          XEN_DOMCTL_max_vcpus,         XEN_DOMCTL_setdomainhandle,
    XEN_DOMCTL_sendtrigger,      XEN_DOMCTL_settimeoffset,     XEN_DOMCTL_setvcpucontext,
    XEN_DOMCTL_getvcpucontext,   XEN_DOMCTL_getvcpuinfo,       XEN_DOMCTL_setvcpuaffinity,
    XEN_DOMCTL_getvcpuaffinity,  XEN_DOMCTL_setnodeaffinity,   XEN_DOMCTL_getnodeaffinity,
    XEN_DOMCTL_scheduler_op,     XEN_DOMCTL_getpageframeinfo3, XEN_DOMCTL_hypercall_init,
    XEN_DOMCTL_set_address_size, XEN_DOMCTL_get_address_size,  XEN_DOMCTL_shadow_op,
    XEN_DOMCTL_settscinfo,       XEN_DOMCTL_gettscinfo,        PARVIS_DOMCTL_counters,
    XEN_DOMCTL_get_cpu_policy,   XEN_DOMCTL_set_cpu_policy,
};

static bool is_offered(uint32_t cmd)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
        if (offered[i] == cmd)
            return true;
    return false;
}

static struct xen_domctl create_op(void)
{
    return (struct xen_domctl){.cmd = XEN_DOMCTL_createdomain,
                               .u.createdomain = {.max_vcpus = 2,
                                                  .max_evtchn_port = 1023,
                                                  .max_grant_frames = 4,
                                                  .max_maptrack_frames = 4,
                                                  .grant_opts = XEN_DOMCTL_GRANT_version(1)}};
}

/* XSA-499: who may not ask gets that as the only answer, before the argument is even looked at. */
static void unprivileged_callers_are_refused(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    uint64_t copies;

    (void)state;
    for (uint32_t cmd = 0; cmd < 90; cmd++) {
        *(struct xen_domctl *)host_guest(CORE_ARG) = (struct xen_domctl){
            .cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = d->domain_id};
        copies = host_copies;
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_domctl, CORE_ARG, 0, 0), -XEN_EPERM);
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_domctl, CORE_NOWHERE, 0, 0),
                         -XEN_EPERM);
        assert_int_equal(host_copies, copies);
    }
    host_run_as(ctl);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void another_version_is_refused(void **state)
{
    struct xen_domctl op = create_op(), before;

    (void)state;
    for (uint32_t version = 0; version < 0x30; version++) {
        if (version == XEN_DOMCTL_INTERFACE_VERSION)
            continue;
        op.interface_version = version;
        before = op;
        assert_int_equal(core_call_with(ctl, __HYPERVISOR_domctl, &op, sizeof(op)), -XEN_EACCES);
        assert_memory_equal(&op, &before, sizeof(op));
    }
    assert_int_equal(core_count_domains(), 1);
}

static void what_is_not_offered_says_so(void **state)
{
    (void)state;
    for (uint32_t cmd = 0; cmd < 1100; cmd++)
        if (!is_offered(cmd))
            assert_int_equal(core_domctl_plain(cmd, 0), -XEN_EOPNOTSUPP);
    assert_int_equal(core_domctl_plain(~0u, 0), -XEN_EOPNOTSUPP);
}

static void no_such_domain(void **state)
{
    static const domid_t ids[] = {1,         0x7fef,        DOMID_SELF, DOMID_IO,
                                  DOMID_XEN, DOMID_INVALID, 0xffff};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
        for (unsigned int k = 0; k < ARRAY_SIZE(ids); k++)
            if (offered[i] != XEN_DOMCTL_createdomain && offered[i] != XEN_DOMCTL_getdomaininfo)
                assert_int_equal(core_domctl_plain(offered[i], ids[k]), -XEN_ESRCH);
}

/* A result that could not be written is found before anything is done. */
static void bad_argument_addresses(void **state)
{
    struct xen_domctl op = create_op();

    (void)state;
    assert_int_equal(core_call(ctl, __HYPERVISOR_domctl, CORE_NOWHERE, 0, 0), -XEN_EFAULT);
    assert_int_equal(core_call(ctl, __HYPERVISOR_domctl, 0xffff800000000000ull, 0, 0), -XEN_EFAULT);
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + sizeof(op);
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    host_read_only_end = 0;
    assert_int_equal(core_count_domains(), 1);
}

static void createdomain_checks_its_configuration(void **state)
{
    static const struct {
        size_t offset;
        uint32_t value;
    } bad[] = {
#define BAD(member, value) {offsetof(struct xen_domctl_createdomain, member), value}
        BAD(flags, XEN_DOMCTL_CDF_hvm),
        BAD(flags, XEN_DOMCTL_CDF_hap),
        BAD(flags, XEN_DOMCTL_CDF_oos_off),
        BAD(flags, XEN_DOMCTL_CDF_iommu),
        BAD(flags, XEN_DOMCTL_CDF_nested_virt),
        BAD(flags, XEN_DOMCTL_CDF_vpmu),
        BAD(flags, 1u << 31),
        BAD(max_vcpus, 0),
        BAD(max_vcpus, MAX_VCPUS + 1),
        BAD(max_vcpus, ~0u),
        BAD(iommu_opts, 1),
        BAD(vmtrace_size, 1),
        BAD(cpupool_id, 1),
        BAD(max_grant_frames, 0),
        BAD(max_grant_frames, (uint32_t)-2),
        BAD(max_grant_frames, INT32_MAX),
        BAD(max_maptrack_frames, (uint32_t)-2),
        BAD(max_maptrack_frames, INT32_MAX),
        BAD(grant_opts, 0),
        BAD(grant_opts, XEN_DOMCTL_GRANT_version(3)),
        BAD(grant_opts, XEN_DOMCTL_GRANT_version(1) | 0x10),
        BAD(arch.emulation_flags, XEN_X86_EMU_LAPIC),
        BAD(arch.misc_flags, 2),
    };
    struct core_memory before = core_memory_in_use();

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        struct xen_domctl op = create_op();

        memcpy((char *)&op.u.createdomain + bad[i].offset, &bad[i].value, sizeof(bad[i].value));
        assert_int_equal(core_domctl(&op), -XEN_EINVAL);
        assert_int_equal(core_count_domains(), 1);
        core_assert_memory(before);
    }
}

static void createdomain_takes_what_is_in_bounds(void **state)
{
    struct xen_domctl op = create_op();
    struct domain *d;

    (void)state;
    op.domain = 77;
    op.u.createdomain.max_vcpus = MAX_VCPUS;
    op.u.createdomain.max_evtchn_port = ~0u;
    op.u.createdomain.max_grant_frames = op.u.createdomain.max_maptrack_frames = -1;
    op.u.createdomain.flags = XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_s3_integrity;
    op.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(2);
    op.u.createdomain.handle[15] = 9;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.domain, 77);
    d = get_domain_by_id(77);
    assert_non_null(d);
    assert_int_equal(d->evtchn.max_ports, NR_EVTCHNS);
    assert_int_equal(d->handle[15], 9);
    assert_true(d->controller_paused);
    assert_false(d->is_control);
    put_domain(d);
    /* The number is taken now. */
    op = create_op();
    op.domain = 77;
    assert_int_equal(core_domctl(&op), -XEN_EEXIST);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, 77), 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, 77), -XEN_ESRCH);
}

/* Before any was chosen, too. */
static void the_first_id_may_be_taken(void **state)
{
    struct xen_domctl op = create_op();

    (void)state;
    op.domain = 1;
    assert_int_equal(core_domctl(&op), 0);
    op = create_op();
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.domain, 2);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, 1), 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, 2), 0);
}

static void ids_are_chosen_and_not_given_twice_in_a_row(void **state)
{
    struct domain *a = core_make_guest(1, 1), *b = core_make_guest(1, 1);
    domid_t ida = a->domain_id, idb = b->domain_id;

    (void)state;
    assert_true(ida && idb && ida != idb);
    assert_int_equal(a->shared_info ? mfn_to_page(frame_of(a->shared_info))->owner : 0, ida);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, idb), 0);
    b = core_make_guest(1, 1);
    assert_true(b->domain_id != ida && b->domain_id != idb);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, b->domain_id), 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, ida), 0);
}

/* XSA-149, XSA-253: what a vCPU has goes with it. */
static void lives_give_back_every_frame(void **state)
{
    struct core_memory before = core_memory_in_use();

    (void)state;
    for (unsigned int i = 0; i < 40; i++) {
        struct domain *d = core_make_guest(1 + i % 8, i % 5);

        if (i % 2)
            assert_int_equal(core_domctl_plain(XEN_DOMCTL_unpausedomain, d->domain_id), 0);
        assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
        core_assert_memory(before);
    }
}

/* Every point at which memory may be short, one after the other. */
static void createdomain_without_memory_leaves_nothing(void **state)
{
    struct core_memory before;
    unsigned int failures = 0;
    struct xen_domctl op;
    long rc = -XEN_ENOMEM;

    (void)state;
    for (uint64_t left = 0; rc; left++, failures++) {
        op = create_op();
        core_run_out(left);
        before = core_memory_in_use();
        rc = core_domctl(&op);
        if (rc) {
            assert_int_equal(rc, -XEN_ENOMEM);
            core_assert_memory(before);
            assert_int_equal(core_count_domains(), 1);
        }
        core_refill();
    }
    assert_true(failures > 3);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, op.domain), 0);
}

/* All vCPUs that a domain may have, one a turn. */
static void max_vcpus_gives_way(void **state)
{
    struct xen_domctl op = create_op();

    (void)state;
    op.u.createdomain.max_vcpus = MAX_VCPUS;
    assert_int_equal(core_domctl(&op), 0);
    op = (struct xen_domctl){
        .cmd = XEN_DOMCTL_max_vcpus, .domain = op.domain, .u.max_vcpus.max = MAX_VCPUS};
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(core_domctl(&op), 0);
    this_cpu()->pending = 0;
    assert_int_equal(core_issues, MAX_VCPUS);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, op.domain), 0);
}

static void max_vcpus_without_memory_goes_on_later(void **state)
{
    struct xen_domctl op = create_op();
    long rc = -XEN_ENOMEM;
    unsigned int failures = 0;
    struct domain *d;

    (void)state;
    op.u.createdomain.max_vcpus = 8;
    assert_int_equal(core_domctl(&op), 0);
    op =
        (struct xen_domctl){.cmd = XEN_DOMCTL_max_vcpus, .domain = op.domain, .u.max_vcpus.max = 7};
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    op.u.max_vcpus.max = 8;
    for (uint64_t left = 0; rc; left++, failures++) {
        core_run_out(left);
        rc = core_domctl(&op);
        core_refill();
        assert_true(!rc || rc == -XEN_ENOMEM);
    }
    assert_true(failures > 1);
    d = get_domain_by_id(op.domain);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(domain_vcpu(d, i)->vcpu_id, i);
    put_domain(d);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, op.domain), 0);
}

static void nobody_ends_or_stops_itself(void **state)
{
    (void)state;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, 0), -XEN_EINVAL);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, 0), -XEN_EINVAL);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_resumedomain, 0), -XEN_EINVAL);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_unpausedomain, 0), -XEN_EINVAL);
    assert_false(ctl->domain->dying);
}

/* A domain with all its ports open, and work waiting all the time: the call is issued many times
 * and comes to the end. */
static void destroydomain_gives_way(void **state)
{
    struct domain *d = core_make_guest(1, 4);
    domid_t id = d->domain_id;
    evtchn_port_t port;

    (void)state;
    while (evtchn_alloc_unbound(d, 0, NULL, &port) == 0)
        ;
    this_cpu()->pending = CPU_WORK_CONSOLE;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, id), 0);
    this_cpu()->pending = 0;
    assert_true(core_issues > 2);
    assert_null(get_domain_by_id(id));
}

/* A guest's reset that was left half done does not make the teardown skip ports: the peer would
 * send to a domain that is gone. */
static void teardown_starts_from_the_first_port(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    struct evtchn_bind_interdomain *bind = host_guest(CORE_ARG);
    evtchn_port_t port, mine;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(d, 0, NULL, &port), 0);
    *bind = (struct evtchn_bind_interdomain){.remote_dom = d->domain_id, .remote_port = port};
    assert_int_equal(
        core_call(ctl, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, CORE_ARG, 0), 0);
    mine = bind->local_port;
    d->evtchn.close_next[false] = 512;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
    assert_int_equal(evtchn_from_port(&ctl->domain->evtchn, mine)->state, EVTCHNSTAT_unbound);
    assert_int_equal(evtchn_send(ctl->domain, mine), 0); /* to nobody */
}

/* XSA-492: one operation a domain at a time; the second is issued again, and other domains are not
 * held up. */
static void one_operation_a_domain_at_a_time(void **state)
{
    struct domain *a = core_make_guest(1, 1), *b = core_make_guest(1, 1);
    struct xen_domctl *op = host_guest(CORE_ARG);

    (void)state;
    a->domctl_busy = true;
    *op = (struct xen_domctl){.cmd = XEN_DOMCTL_destroydomain,
                              .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                              .domain = a->domain_id};
    assert_int_equal(do_domctl(CORE_ARG), -XEN_ERESTART);
    assert_false(a->dying);
    op->domain = b->domain_id;
    assert_int_equal(core_call(ctl, __HYPERVISOR_domctl, CORE_ARG, 0, 0), 0);
    a->domctl_busy = false;
    op->domain = a->domain_id;
    assert_int_equal(core_call(ctl, __HYPERVISOR_domctl, CORE_ARG, 0, 0), 0);
}

/* One pause of the controller's, however often it is asked for. */
static void pause_and_unpause(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    domid_t id = d->domain_id;

    (void)state;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(d->pause_count, 1);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_unpausedomain, id), 0);
    assert_int_equal(d->pause_count, 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_unpausedomain, id), -XEN_EINVAL);
    assert_int_equal(d->pause_count, 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, id), 0);
    assert_int_equal(d->pause_count, 1);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, id), 0);
}

static void shutdown_is_shown_and_undone(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getdomaininfo, .domain = d->domain_id};
    uint32_t count = d->pause_count;

    (void)state;
    domain_shutdown(d, SHUTDOWN_suspend);
    assert_int_equal(core_domctl(&op), 0);
    assert_true(op.u.getdomaininfo.flags & XEN_DOMINF_shutdown);
    assert_int_equal(op.u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask,
                     SHUTDOWN_suspend);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_resumedomain, d->domain_id), 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_resumedomain, d->domain_id),
                     0); /* nothing to undo */
    assert_int_equal(d->pause_count, count);
    assert_int_equal(core_domctl(&op), 0);
    assert_false(op.u.getdomaininfo.flags & XEN_DOMINF_shutdown);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

/* XSA-132: the gaps of a result hold nothing; what is behind it is what the caller had there. */
static void getdomaininfo_is_complete(void **state)
{
    struct domain *d = core_make_guest(2, 3);
    struct xen_domctl_getdomaininfo *i;
    struct xen_domctl op;
    const unsigned char *bytes = (const unsigned char *)&op.u;

    (void)state;
    memset(&op, 0xa5, sizeof(op));
    op.cmd = XEN_DOMCTL_getdomaininfo;
    op.domain = d->domain_id;
    assert_int_equal(core_domctl(&op), 0);
    i = &op.u.getdomaininfo;
    assert_int_equal(i->domain, d->domain_id);
    assert_int_equal(i->tot_pages, 3);
    assert_int_equal(i->max_pages, 3);
    assert_int_equal(i->shared_info_frame, frame_of(d->shared_info).n);
    assert_int_equal(i->max_vcpu_id, 1);
    assert_int_equal(i->nr_online_vcpus, 0);
    assert_true(i->flags & XEN_DOMINF_paused);
    assert_false(i->flags & (XEN_DOMINF_dying | XEN_DOMINF_hvm_guest | XEN_DOMINF_running));
    assert_int_equal(i->pad1, 0);
    for (unsigned int k = 0; k < sizeof(i->pad2); k++)
        assert_int_equal(i->pad2[k], 0);
    for (size_t k = sizeof(*i); k < sizeof(op.u); k++)
        assert_int_equal(bytes[k], 0xa5);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void max_mem_limits(void **state)
{
    struct domain *d = core_make_guest(1, 2);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_max_mem, .domain = d->domain_id};

    (void)state;
    assert_null(host_frames(d, 0));
    op.u.max_mem.max_memkb = 3 * 4 + 3; /* not quite four */
    assert_int_equal(core_domctl(&op), 0);
    assert_non_null(host_frames(d, 0));
    assert_null(host_frames(d, 0));
    op.u.max_mem.max_memkb = 4; /* below what it has */
    assert_int_equal(core_domctl(&op), 0);
    assert_null(host_frames(d, 0));
    op.u.max_mem.max_memkb = ~0ull;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(d->max_pages, max_mfn + 1);
    assert_non_null(host_frames(d, 1));
    assert_int_equal(d->tot_pages, 5);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unprivileged_callers_are_refused),
        TEST(another_version_is_refused),
        TEST(what_is_not_offered_says_so),
        TEST(no_such_domain),
        TEST(bad_argument_addresses),
        TEST(createdomain_checks_its_configuration),
        TEST(createdomain_takes_what_is_in_bounds),
        TEST(the_first_id_may_be_taken),
        TEST(ids_are_chosen_and_not_given_twice_in_a_row),
        TEST(lives_give_back_every_frame),
        TEST(createdomain_without_memory_leaves_nothing),
        TEST(max_vcpus_gives_way),
        TEST(max_vcpus_without_memory_goes_on_later),
        TEST(nobody_ends_or_stops_itself),
        TEST(destroydomain_gives_way),
        TEST(teardown_starts_from_the_first_port),
        TEST(one_operation_a_domain_at_a_time),
        TEST(pause_and_unpause),
        TEST(shutdown_is_shown_and_undone),
        TEST(getdomaininfo_is_complete),
        TEST(max_mem_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
