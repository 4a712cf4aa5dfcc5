/* SPDX-License-Identifier: MIT */
/*
 * sysctl: the machine as the control domain sees it: numbers, lists, the log. Who may ask, what is
 * refused, and lists of every length.
 */
#include "core_support.h"

#include <port/atomic.h>

#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <parvis/speculation.h>
#include <string.h>

static const uint32_t offered[] = {
    XEN_SYSCTL_readconsole,        XEN_SYSCTL_physinfo,     XEN_SYSCTL_sched_id,
    XEN_SYSCTL_getdomaininfolist,  XEN_SYSCTL_getcpuinfo,   XEN_SYSCTL_availheap,
    XEN_SYSCTL_cputopoinfo,        XEN_SYSCTL_numainfo,     XEN_SYSCTL_cpupool_op,
    XEN_SYSCTL_debug_keys,         XEN_SYSCTL_scheduler_op, PARVIS_SYSCTL_speculation,
    XEN_SYSCTL_pcitopoinfo,        XEN_SYSCTL_livepatch_op, XEN_SYSCTL_get_cpu_policy,
    XEN_SYSCTL_get_cpu_featureset,
};

static bool is_offered(uint32_t cmd)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
        if (offered[i] == cmd)
            return true;
    return false;
}

/* XSA-499: whether the caller may ask is decided before the argument is read. */
static void unprivileged_callers_are_refused(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    uint64_t copies = host_copies;

    (void)state;
    for (uint32_t cmd = 0; cmd < 140; cmd++) {
        *(struct xen_sysctl *)host_guest(CORE_ARG) =
            (struct xen_sysctl){.cmd = cmd, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_sysctl, CORE_ARG, 0, 0), -XEN_EPERM);
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_sysctl, CORE_NOWHERE, 0, 0),
                         -XEN_EPERM);
    }
    assert_int_equal(host_copies, copies);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void refusals(void **state)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo, .interface_version = 0x14};

    (void)state;
    assert_int_equal(core_call_with(ctl, __HYPERVISOR_sysctl, &op, sizeof(op)), -XEN_EACCES);
    assert_int_equal(core_call(ctl, __HYPERVISOR_sysctl, CORE_NOWHERE, 0, 0), -XEN_EFAULT);
    for (uint32_t cmd = 0; cmd < 64; cmd++) {
        op = (struct xen_sysctl){.cmd = cmd};
        if (!is_offered(cmd))
            assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    }
    op.cmd = ~0u;
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + sizeof(op);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_readconsole,
                             .u.readconsole = {.clear = 1, .buffer = CORE_DATA, .count = 1}};
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    host_read_only_end = 0;
}

/* As the machine says it (tests/host/machine.c). */
static void speculation(void **state)
{
    struct xen_sysctl op = {.cmd = PARVIS_SYSCTL_speculation};
    struct parvis_sysctl_speculation got, want;

    (void)state;
    machine_speculation(&want);
    assert_int_equal(core_sysctl(&op), 0);
    memcpy(&got, &op.u, sizeof(got));
    assert_memory_equal(&got, &want, sizeof(got));
}

static void physinfo(void **state)
{
    struct xen_sysctl op;
    const struct xen_sysctl_physinfo *p = &op.u.physinfo;
    const unsigned char *bytes = (const unsigned char *)&op.u;

    (void)state;
    memset(&op, 0xa5, sizeof(op));
    op.cmd = XEN_SYSCTL_physinfo;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(p->nr_cpus, 1);
    assert_int_equal(p->max_cpu_id, 0);
    assert_int_equal(p->nr_nodes, 1);
    assert_int_equal(p->cpu_khz, clock_khz());
    assert_int_equal(p->capabilities, XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1);
    assert_int_equal(p->total_pages, heap_total_frames());
    assert_int_equal(p->free_pages, heap_free_frames());
    assert_int_equal(p->outstanding_pages, 0);
    assert_int_equal(p->max_mfn, max_mfn);
    assert_int_equal(p->hw_cap[7], 0x1007);
    /* XSA-132 */
    assert_int_equal(p->pad, 0);
    assert_int_equal(bytes[sizeof(*p)], 0xa5);
}

/* As many as there are, each in its place. */
static void several_cpus(void **state)
{
    const struct xen_sysctl_cputopo *topo = host_guest(CORE_DATA);
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo};
    uint64_t *map = host_guest(CORE_DATA), *idle = host_guest(CORE_DATA), before[7];

    (void)state;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.physinfo.threads_per_core, 1);
    assert_int_equal(op.u.physinfo.cores_per_socket, 1);
    host_set_cpus(7);
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.physinfo.nr_cpus, 7);
    assert_int_equal(op.u.physinfo.max_cpu_id, 6);
    assert_int_equal(op.u.physinfo.threads_per_core, 2);
    assert_int_equal(op.u.physinfo.cores_per_socket, 2);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_cputopoinfo,
                             .u.cputopoinfo = {.num_cpus = ~0u, .cputopo = CORE_DATA}};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.cputopoinfo.num_cpus, 7);
    for (unsigned int i = 0; i < 7; i++)
        assert_true(topo[i].socket == i / 4 && topo[i].core == i / 2 % 2 && topo[i].node == 0);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_cpupool_op,
                             .u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_INFO,
                                              .cpumap = {.bitmap = CORE_DATA, .nr_bits = 64}}};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(*map, 0x7f);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_getcpuinfo,
                             .u.getcpuinfo = {.max_cpus = 64, .info = CORE_DATA}};
    idle[7] = 42;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.getcpuinfo.nr_cpus, 7);
    assert_int_equal(idle[7], 42);
    memcpy(before, idle, sizeof(before));
    host_advance(SECONDS(3));
    assert_int_equal(core_sysctl(&op), 0);
    for (unsigned int i = 1; i < 7; i++) /* those that nobody uses */
        assert_int_equal(idle[i], before[i] + SECONDS(3));
    assert_int_equal(idle[0], before[0]); /* who asks runs there */
}

static void plain_numbers(void **state)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_sched_id};

    (void)state;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT2);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_availheap, .u.availheap.node = -1};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.availheap.avail_bytes, heap_free_frames() << PAGE_SHIFT);
    /* XSA-231: a node is not an index here, whatever it says. */
    op.u.availheap.node = 1;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    op.u.availheap.node = INT32_MAX;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    op.u.availheap = (struct xen_sysctl_availheap){.min_bitwidth = 33};
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
}

static void cpus(void **state)
{
    struct xen_sysctl_cputopo *topo = host_guest(CORE_DATA);
    uint64_t *idle = host_guest(CORE_DATA);
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_getcpuinfo,
                            .u.getcpuinfo = {.max_cpus = ~0u, .info = CORE_DATA}};

    (void)state;
    idle[0] = idle[1] = ~0ull;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.getcpuinfo.nr_cpus, 1);
    assert_true(idle[0] != ~0ull && idle[1] == ~0ull);
    op.u.getcpuinfo.max_cpus = 0;
    op.u.getcpuinfo.info = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.getcpuinfo.nr_cpus, 0);
    op.u.getcpuinfo.max_cpus = 1;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);

    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_cputopoinfo};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.cputopoinfo.num_cpus, 1);
    topo[0] = topo[1] = (struct xen_sysctl_cputopo){9, 9, 9};
    op.u.cputopoinfo = (struct xen_sysctl_cputopoinfo){.num_cpus = ~0u, .cputopo = CORE_DATA};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.cputopoinfo.num_cpus, 1);
    assert_true(topo[0].core == 0 && topo[0].socket == 0 && topo[0].node == 0 && topo[1].core == 9);
    op.u.cputopoinfo.cputopo = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
}

static void one_node_one_pool(void **state)
{
    struct xen_sysctl_meminfo *mem = host_guest(CORE_DATA);
    uint32_t *distance = host_guest(CORE_DATA + 0x1000);
    uint64_t *map = host_guest(CORE_DATA);
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_numainfo,
        .u.numainfo = {.num_nodes = ~0u, .meminfo = CORE_DATA, .distance = CORE_DATA + 0x1000}};

    (void)state;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.numainfo.num_nodes, 1);
    assert_int_equal(mem->memsize, heap_total_frames() << PAGE_SHIFT);
    assert_int_equal(*distance, 10);
    op.u.numainfo.meminfo = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    op.u.numainfo = (struct xen_sysctl_numainfo){.num_nodes = 0, .meminfo = CORE_NOWHERE};
    assert_int_equal(core_sysctl(&op), 0);

    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_cpupool_op,
                             .u.cpupool_op = {.op = XEN_SYSCTL_CPUPOOL_OP_INFO,
                                              .cpupool_id = XEN_SYSCTL_CPUPOOL_PAR_ANY,
                                              .cpumap = {.bitmap = CORE_DATA, .nr_bits = 64}}};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.cpupool_op.cpupool_id, 0);
    assert_int_equal(op.u.cpupool_op.n_dom, 1);
    assert_int_equal(*map, 1);
    op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(*map, 0);
    op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
    op.u.cpupool_op.cpupool_id = 1;
    assert_int_equal(core_sysctl(&op), -XEN_ENOENT);
    for (uint32_t sub = 0; sub < 12; sub++) {
        op.u.cpupool_op.op = sub;
        if (sub != XEN_SYSCTL_CPUPOOL_OP_INFO && sub != XEN_SYSCTL_CPUPOOL_OP_FREEINFO)
            assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    }
}

static void scheduler_without_parameters(void **state)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_scheduler_op,
        .u.scheduler_op = {.sched_id = XEN_SCHEDULER_CREDIT2, .cmd = XEN_SYSCTL_SCHEDOP_getinfo}};
    struct xen_sysctl_scheduler_op *a = &op.u.scheduler_op;

    (void)state;
    a->u.sched_credit2.ratelimit_us = 1000;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->u.sched_credit2.ratelimit_us, 0);
    a->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
    assert_int_equal(core_sysctl(&op), 0);
    a->u.sched_credit2.ratelimit_us = 1000;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    a->u.sched_credit2.ratelimit_us = 0;
    a->cmd = 2;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    a->cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    a->sched_id = XEN_SCHEDULER_CREDIT;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    a->sched_id = XEN_SCHEDULER_CREDIT2;
    a->cpupool_id = 1;
    assert_int_equal(core_sysctl(&op), -XEN_ESRCH);
}

static uint32_t list(uint32_t first, uint32_t max, gva_t buffer)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_getdomaininfolist,
                            .u.getdomaininfolist = {.first_domain = (domid_t)first,
                                                    .max_domains = max,
                                                    .buffer = buffer}};
    long rc = core_sysctl(&op);

    return rc ? (uint32_t)rc : op.u.getdomaininfolist.num_domains;
}

static void lists_of_domains(void **state)
{
    const struct xen_domctl_getdomaininfo *info = host_guest(CORE_DATA);
    struct domain *d[5];
    domid_t dead;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        d[i] = core_make_guest(1, i);
    dead = d[2]->domain_id;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, dead), 0);
    assert_int_equal(list(0, 100, CORE_DATA), 5);
    assert_int_equal(info[0].domain, 0);
    for (unsigned int i = 1; i < 5; i++) {
        assert_true(info[i].domain > info[i - 1].domain && info[i].domain != dead);
        assert_true(info[i].tot_pages < 5);
    }
    assert_int_equal(list(0, 2, CORE_DATA), 2);
    assert_int_equal(list(dead, 100, CORE_DATA), 2);
    assert_int_equal(info[0].domain, d[3]->domain_id);
    assert_int_equal(list(0xffff, 100, CORE_DATA), 0);
    assert_int_equal(list(DOMID_SELF, 100, CORE_DATA), 0);
    assert_int_equal(list(0, 0, CORE_NOWHERE), 0);
    assert_int_equal(list(0, 1, CORE_NOWHERE), (uint32_t)-XEN_EFAULT);
    assert_int_equal(list(0, ~0u, ~0ull - 100), (uint32_t)-XEN_EFAULT);
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        if (i != 2)
            assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d[i]->domain_id), 0);
}

/* In a domain with work waiting, each turn lists one domain; a second list meanwhile is its own. */
static void lists_give_way(void **state)
{
    const struct xen_domctl_getdomaininfo *info = host_guest(CORE_DATA);
    struct domain *d[3];

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        d[i] = core_make_guest(MAX_VCPUS, i);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(list(0, 100, CORE_DATA), 4);
    assert_int_equal(core_issues, 5); /* and once to see that there are no more */
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        assert_int_equal(info[i + 1].domain, d[i]->domain_id);
    assert_int_equal(list(d[1]->domain_id, 2, CORE_DATA), 2);
    assert_int_equal(info[1].domain, d[2]->domain_id);
    this_cpu()->pending = 0;
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d[i]->domain_id), 0);
}

/* Ids far apart, neighbours, the last one. */
static void ids_are_found(void **state)
{
    static const domid_t id[] = {1, 63, 64, 65, 1000, DOMID_FIRST_RESERVED - 1};
    struct domain *d[ARRAY_SIZE(id)];
    unsigned int first = 0;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(id); i++)
        d[i] = host_domain(id[i], false, 1, 0);
    assert_int_equal(count_domains(), ARRAY_SIZE(id) + 1);
    for (unsigned int i = 0; i < ARRAY_SIZE(id); i++) {
        struct domain *found = get_domain_from(first + 1);

        assert_ptr_equal(found, d[i]);
        put_domain(found);
        first = id[i];
    }
    assert_null(get_domain_from(first + 1));
    for (unsigned int i = 0; i < ARRAY_SIZE(id); i++)
        host_destroy(d[i]);
    assert_int_equal(count_domains(), 1);
}

/* A free id is looked for behind the one that was given last, and behind a block that is full. */
static void ids_are_given(void **state)
{
    struct domain *d[64];

    (void)state;
    for (unsigned int i = 1; i < ARRAY_SIZE(d); i++)
        d[i] = host_domain((domid_t)i, false, 1, 0);
    d[0] = host_domain(DOMID_INVALID, false, 1, 0);
    assert_int_equal(d[0]->domain_id, 64);
    host_destroy(d[5]);
    host_destroy(d[0]);
    d[0] = host_domain(DOMID_INVALID, false, 1, 0);
    assert_int_equal(d[0]->domain_id, 65);
    d[5] = get_domain_from(5);
    assert_int_equal(d[5]->domain_id, 6);
    put_domain(d[5]);
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
        if (i != 5)
            host_destroy(d[i]);
}

static struct xen_sysctl read_op(bool clear, bool incremental, uint32_t index, uint32_t count)
{
    return (struct xen_sysctl){.cmd = XEN_SYSCTL_readconsole,
                               .u.readconsole = {.clear = clear,
                                                 .incremental = incremental,
                                                 .index = index,
                                                 .buffer = CORE_DATA,
                                                 .count = count}};
}

static void the_log(void **state)
{
    const uint32_t room = 0x20000;
    char *text = host_guest(CORE_DATA);
    struct xen_sysctl op = read_op(true, false, 0, room);
    uint32_t index;

    (void)state;
    assert_int_equal(core_sysctl(&op), 0);
    log_info("a line for the tool");
    op = read_op(false, false, 0, room);
    memset(text, 0, room);
    assert_int_equal(core_sysctl(&op), 0);
    assert_non_null(strstr(text, "a line for the tool"));
    assert_int_equal(strlen(text), op.u.readconsole.count);
    index = op.u.readconsole.index;
    /* From where the last one ended: what came since. */
    log_info("another");
    op = read_op(false, true, index, room);
    memset(text, 0, room);
    assert_int_equal(core_sysctl(&op), 0);
    assert_non_null(strstr(text, "another"));
    assert_null(strstr(text, "a line for the tool"));
    /* Any place that a tool may name, and less room than there is text. */
    op = read_op(false, true, index + 0x12345678, room);
    assert_int_equal(core_sysctl(&op), 0);
    assert_non_null(strstr(text, "a line for the tool"));
    op = read_op(false, false, 0, 5);
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.readconsole.count, 5);
    op = read_op(false, false, 0, room);
    op.u.readconsole.buffer = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    op = read_op(true, false, 0, 0);
    assert_int_equal(core_sysctl(&op), 0);
    op = read_op(false, false, 0, room);
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.readconsole.count, 0);
}

static void debug_keys(void **state)
{
    char *text = host_guest(CORE_DATA + 0x1000), line[16];
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_debug_keys,
                            .u.debug_keys = {.keys = CORE_DATA, .nr_keys = 3}};
    struct domain *d = core_make_guest(4, 2);

    (void)state;
    memcpy(host_guest(CORE_DATA), "qgh", 3);
    assert_int_equal(core_sysctl(&op), 0);
    log_clear();
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(core_sysctl(&op), 0);
    this_cpu()->pending = 0;
    assert_int_equal(op.u.debug_keys.nr_keys, 3);
    assert_true(core_issues > 7); /* it gives way after each vCPU, and each domain of each key */
    op.u.debug_keys.nr_keys = 17;
    assert_int_equal(core_sysctl(&op), -XEN_E2BIG);
    op.u.debug_keys = (struct xen_sysctl_debug_keys){.keys = CORE_NOWHERE, .nr_keys = 1};
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    op = read_op(false, false, 0, 0x20000);
    op.u.readconsole.buffer = CORE_DATA + 0x1000;
    memset(text, 0, 0x20000);
    assert_int_equal(core_sysctl(&op), 0);
    assert_non_null(strstr(text, ": 2 of 2 pages"));
    for (unsigned int i = 0; i < 4; i++) {
        snprintf(line, sizeof(line), "d%uv%u: ", d->domain_id, i);
        text = strstr(text, line);
        assert_non_null(text);
        assert_null(strstr(text + 1, line)); /* once */
    }
    assert_non_null(strstr(text, "grant table of 1 frames"));
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unprivileged_callers_are_refused),
        TEST(refusals),
        TEST(physinfo),
        TEST(speculation),
        cmocka_unit_test_setup(several_cpus, core_setup), /* CPUs stay */
        TEST(plain_numbers),
        TEST(cpus),
        TEST(one_node_one_pool),
        TEST(scheduler_without_parameters),
        TEST(lists_of_domains),
        TEST(the_log),
        TEST(debug_keys),
        TEST(lists_give_way),
        TEST(ids_are_found),
        TEST(ids_are_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
