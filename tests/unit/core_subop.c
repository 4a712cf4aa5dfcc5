/* SPDX-License-Identifier: MIT */
/*
 * The one way through all operations: a result that cannot be written leaves nothing changed, in
 * every family that has results; what cannot be read is not run; who may not ask is told before
 * anything is read; and whoever wants to show operations is handed name, argument and answer.
 */
#include "core_support.h"

#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <core/grant/grant_internal.h>
#include <string.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static struct vcpu *v; /* of a guest */

static int setup(void **state)
{
    (void)core_setup(state);
    v = host_domain(3, false, 2, 16)->vcpu[0];
    return 0;
}

static int teardown(void **state)
{
    host_destroy(v->domain);
    return core_teardown(state);
}

/* The operation with an argument that can be read and not written. */
static long unwritable(struct vcpu *who, unsigned int nr, uint64_t cmd, const void *arg,
                       size_t size, uint64_t count)
{
    long rc;

    memcpy(host_guest(CORE_ARG), arg, size);
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + size;
    rc = core_call(who, nr, cmd, CORE_ARG, count);
    host_read_only_end = 0;
    assert_memory_equal(host_guest(CORE_ARG), arg, size);
    return rc;
}
#define UNWRITABLE(who, call, cmd, arg)                                                            \
    assert_int_equal(unwritable(who, __HYPERVISOR_##call, cmd, &(arg), sizeof(arg), 1), -XEN_EFAULT)

static void ports(void **state)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = 0};
    struct evtchn_bind_interdomain inter = {.remote_dom = DOMID_SELF};
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct evtchn_status status = {.dom = DOMID_SELF, .port = 1};

    (void)state;
    UNWRITABLE(v, event_channel_op, EVTCHNOP_alloc_unbound, unbound);
    UNWRITABLE(v, event_channel_op, EVTCHNOP_bind_virq, virq);
    UNWRITABLE(v, event_channel_op, EVTCHNOP_bind_ipi, ipi);
    assert_int_equal(v->domain->evtchn.active, 0);
    assert_int_equal(v->virq_port[VIRQ_TIMER], 0);
    assert_int_equal(evtchn_alloc_unbound(v->domain, 3, NULL, &inter.remote_port), 0);
    UNWRITABLE(v, event_channel_op, EVTCHNOP_bind_interdomain, inter);
    assert_int_equal(evtchn_from_port(&v->domain->evtchn, inter.remote_port)->state,
                     EVTCHNSTAT_unbound);
    assert_int_equal(v->domain->evtchn.active, 1);
    UNWRITABLE(v, event_channel_op, EVTCHNOP_status, status);
}

static void interrupts(void **state)
{
    struct physdev_get_free_pirq unused = {.type = MAP_PIRQ_TYPE_MSI}, next = unused;
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 10, .pirq = 10};
    struct physdev_irq_status_query query = {.irq = 10};

    (void)state;
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, PHYSDEVOP_get_free_pirq, CORE_ARG, 0),
                     0);
    memcpy(&unused, host_guest(CORE_ARG), sizeof(unused));
    UNWRITABLE(ctl, physdev_op, PHYSDEVOP_get_free_pirq, next);
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, PHYSDEVOP_get_free_pirq, CORE_ARG, 0),
                     0);
    memcpy(&next, host_guest(CORE_ARG), sizeof(next));
    assert_int_equal(next.pirq, unused.pirq - 1); /* the one between was not taken */
    UNWRITABLE(ctl, physdev_op, PHYSDEVOP_map_pirq, map);
    UNWRITABLE(ctl, physdev_op, PHYSDEVOP_irq_status_query, query);
}

static void domains_and_machine(void **state)
{
    struct xen_domctl create = {.cmd = XEN_DOMCTL_createdomain,
                                .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                                .u.createdomain = {.max_vcpus = 1,
                                                   .max_grant_frames = 1,
                                                   .max_maptrack_frames = 1,
                                                   .grant_opts = XEN_DOMCTL_GRANT_version(1)}};
    struct xen_sysctl console = {.cmd = XEN_SYSCTL_readconsole,
                                 .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
                                 .u.readconsole = {.clear = 1, .buffer = CORE_DATA, .count = 64}};
    struct xen_platform_op cpu = {.cmd = XENPF_get_cpuinfo,
                                  .interface_version = XENPF_INTERFACE_VERSION};
    unsigned int before = core_count_domains();
    uint32_t pos = 0;
    char text[16];

    (void)state;
    assert_int_equal(unwritable(ctl, __HYPERVISOR_domctl, CORE_ARG, &create, sizeof(create), 0),
                     -XEN_EFAULT);
    assert_int_equal(core_count_domains(), before);
    log_info("stays");
    assert_int_equal(unwritable(ctl, __HYPERVISOR_sysctl, CORE_ARG, &console, sizeof(console), 0),
                     -XEN_EFAULT);
    assert_true(log_read(text, sizeof(text), &pos) > 0);
    assert_int_equal(unwritable(ctl, __HYPERVISOR_platform_op, CORE_ARG, &cpu, sizeof(cpu), 0),
                     -XEN_EFAULT);
}

static void memory_and_vcpus(void **state)
{
    struct xen_machphys_mapping m2p = {0};
    struct xen_memory_map map = {0};
    struct vcpu_runstate_info info = {0};

    (void)state;
    UNWRITABLE(v, memory_op, XENMEM_machphys_mapping, m2p);
    UNWRITABLE(ctl, memory_op, XENMEM_machine_memory_map, map);
    memcpy(host_guest(CORE_ARG), &info, sizeof(info));
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + sizeof(info);
    assert_int_equal(core_call(v, __HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, CORE_ARG),
                     -XEN_EFAULT);
    host_read_only_end = 0;
}

static long grant_one(unsigned int cmd, void *op, size_t size)
{
    long rc;

    memcpy(host_guest(CORE_ARG), op, size);
    rc = core_call(v, __HYPERVISOR_grant_table_op, cmd, CORE_ARG, 1);
    memcpy(op, host_guest(CORE_ARG), size);
    return rc;
}

static void grants(void **state)
{
    struct gnttab_setup_table table = {.dom = DOMID_SELF, .nr_frames = 2, .frame_list = CORE_DATA};
    struct gnttab_map_grant_ref map = {.flags = GNTMAP_device_map, .ref = 8, .dom = 0};
    struct gnttab_unmap_grant_ref unmap = {0};
    unsigned int frames = v->domain->grant->nr_frames;

    (void)state;
    UNWRITABLE(v, grant_table_op, GNTTABOP_setup_table, table);
    assert_int_equal(v->domain->grant->nr_frames, frames);
    grant_table_set_entry(ctl->domain, 8, 3, (uint32_t)ctl->domain->pages.first);
    UNWRITABLE(v, grant_table_op, GNTTABOP_map_grant_ref, map);
    assert_int_equal(grant_active(ctl->domain->grant, 8)->writers, 0);
    assert_int_equal(grant_one(GNTTABOP_map_grant_ref, &map, sizeof(map)), 0);
    assert_int_equal(map.status, GNTST_okay);
    unmap.dev_bus_addr = map.dev_bus_addr;
    unmap.handle = map.handle;
    UNWRITABLE(v, grant_table_op, GNTTABOP_unmap_grant_ref, unmap);
    assert_int_equal(grant_active(ctl->domain->grant, 8)->writers, 1);
    assert_int_equal(grant_one(GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap)), 0);
    assert_int_equal(unmap.status, GNTST_okay);
    assert_int_equal(grant_active(ctl->domain->grant, 8)->writers, 0);
    assert_int_equal(host_recount(), 0);
}

static void nothing_is_read_for_who_may_not_ask(void **state)
{
    (void)state;
    assert_int_equal(core_call(v, __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, CORE_NOWHERE, 0),
                     -XEN_EPERM);
    assert_int_equal(
        core_call(v, __HYPERVISOR_memory_op, XENMEM_machine_memory_map, CORE_NOWHERE, 0),
        -XEN_EPERM);
    assert_int_equal(
        core_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, CORE_NOWHERE, 0),
        -XEN_EFAULT);
    assert_int_equal(core_call(v, __HYPERVISOR_event_channel_op, 77, CORE_NOWHERE, 0), -XEN_ENOSYS);
    assert_int_equal(core_call(v, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, CORE_NOWHERE), 1);
}

static const char *shown;
static long answer;
static evtchn_port_t shown_port;

static void show(const struct subop *row, const void *arg, long rc)
{
    shown = row->name;
    answer = rc;
    if (!strcmp(row->name, "EVTCHNOP_send"))
        shown_port = ((const struct evtchn_send *)arg)->port;
}

static void they_can_be_shown(void **state)
{
    struct evtchn_send *send = host_guest(CORE_ARG);
    struct gnttab_unmap_grant_ref unmap = {0};
    uint32_t pos = 0;
    char text[4096];
    size_t n;

    (void)state;
    subop_show = show;
    send->port = 99;
    assert_int_equal(core_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_send, CORE_ARG, 0),
                     -XEN_EINVAL);
    assert_string_equal(shown, "EVTCHNOP_send");
    assert_int_equal(shown_port, 99);
    assert_int_equal(answer, -XEN_EINVAL);
    assert_int_equal(core_call(v, __HYPERVISOR_sched_op, SCHEDOP_yield, CORE_NOWHERE, 0), 0);
    assert_string_equal(shown, "SCHEDOP_yield");
    assert_int_equal(grant_one(GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap)), 0);
    assert_string_equal(shown, "GNTTABOP_unmap_grant_ref");
    subop_show = NULL;
    assert_null(v->hc_subop);

    /* A refusal says in which operation it was. */
    log_clear();
    send->port = 99;
    assert_int_equal(core_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_close, CORE_ARG, 0),
                     -XEN_EINVAL);
    n = log_read(text, sizeof(text) - 1, &pos);
    text[n] = 0;
    assert_non_null(strstr(text, "event_channel_op: EVTCHNOP_close: port 99"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ports),
        TEST(interrupts),
        TEST(domains_and_machine),
        TEST(memory_and_vcpus),
        TEST(grants),
        TEST(nothing_is_read_for_who_may_not_ask),
        TEST(they_can_be_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
