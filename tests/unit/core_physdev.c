/* SPDX-License-Identifier: MIT */
/*
 * physdev_op and pirqs: who may touch interrupts, every number that a guest passes, the way of a
 * pirq from line to event and back, and that nothing of it is left when it fails or the domain
 * ends.
 */
#include "core_support.h"

#include <core/event/pirq.h>
#include <port/atomic.h>
#include <string.h>
#include <xen/physdev.h>

static long op(struct vcpu *v, unsigned int cmd, void *arg, size_t size)
{
    long rc;

    memcpy(host_guest(CORE_ARG), arg, size);
    rc = core_call(v, __HYPERVISOR_physdev_op, cmd, CORE_ARG, 0);
    memcpy(arg, host_guest(CORE_ARG), size);
    return rc;
}
#define OP(v, cmd, arg) op(v, PHYSDEVOP_##cmd, &(arg), sizeof(arg))

static long map(int type, int index, int *pirq)
{
    struct physdev_map_pirq m = {.domid = DOMID_SELF, .type = type, .index = index, .pirq = *pirq};
    long rc = OP(ctl, map_pirq, m);

    *pirq = m.pirq;
    return rc;
}

static long map_gsi(int gsi)
{
    int pirq = gsi;

    return map(MAP_PIRQ_TYPE_GSI, gsi, &pirq);
}

static long unmap(int pirq)
{
    struct physdev_unmap_pirq u = {.domid = DOMID_SELF, .pirq = pirq};

    return OP(ctl, unmap_pirq, u);
}

static long bind(struct vcpu *v, uint32_t pirq, evtchn_port_t *port)
{
    struct evtchn_bind_pirq *b = host_guest(CORE_ARG);
    long rc;

    *b = (struct evtchn_bind_pirq){.pirq = pirq};
    rc = core_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, CORE_ARG, 0);
    *port = b->port;
    return rc;
}

static long close_port(evtchn_port_t port)
{
    *(struct evtchn_close *)host_guest(CORE_ARG) = (struct evtchn_close){.port = port};
    return core_call(ctl, __HYPERVISOR_event_channel_op, EVTCHNOP_close, CORE_ARG, 0);
}

static long eoi(uint32_t pirq)
{
    struct physdev_eoi e = {.irq = pirq};

    return OP(ctl, eoi, e);
}

static void level(unsigned int gsi)
{
    struct physdev_setup_gsi s = {.gsi = (int)gsi, .triggering = 1, .polarity = 1};

    assert_int_equal(OP(ctl, setup_gsi, s), 0);
}

static bool take_pending(evtchn_port_t port)
{
    return test_and_clear_bit(ctl->domain->shared_info->evtchn_pending, port);
}

/* XSA-46, XSA-87, XSA-237: whoever has no hardware has none of these, whatever the arguments. */
static void guests_have_no_hardware(void **state)
{
    static const unsigned int for_all[] = {PHYSDEVOP_set_iopl, PHYSDEVOP_set_iobitmap,
                                           PHYSDEVOP_pirq_eoi_gmfn_v1, PHYSDEVOP_pirq_eoi_gmfn_v2};
    struct domain *d = core_make_guest(1, 1);
    struct vcpu *v = d->vcpu[0];
    evtchn_port_t port;
    uint64_t copies;

    (void)state;
    memset(host_guest(CORE_ARG), 0, 64);
    for (unsigned int cmd = 0; cmd < 64; cmd++) {
        bool all = false;
        long rc;

        for (unsigned int i = 0; i < ARRAY_SIZE(for_all); i++)
            all |= for_all[i] == cmd;
        if (all)
            continue;
        copies = host_copies;
        rc = core_call(v, __HYPERVISOR_physdev_op, cmd, CORE_ARG, 0);
        assert_true(rc == -XEN_EPERM || rc == -XEN_ENOSYS);
        assert_int_equal(host_copies, copies);
    }
    assert_int_equal(bind(v, 5, &port), -XEN_EPERM);
    assert_int_equal(core_call(v, __HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, CORE_ARG, 0),
                     -XEN_ENOSYS);
    assert_null(d->pirqs);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void unknown_operations_and_addresses(void **state)
{
    (void)state;
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, PHYSDEVOP_dbgp_op, CORE_ARG, 0),
                     -XEN_ENOSYS);
    for (unsigned int cmd = PHYSDEVOP_release_msix + 1; cmd < 80; cmd++)
        assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, cmd, CORE_ARG, 0), -XEN_ENOSYS);
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, ~0u, CORE_ARG, 0), -XEN_ENOSYS);
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, PHYSDEVOP_eoi, CORE_NOWHERE, 0),
                     -XEN_EFAULT);
    /* A result that cannot be written is found before the pirq is reserved. */
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + 64;
    assert_int_equal(core_call(ctl, __HYPERVISOR_physdev_op, PHYSDEVOP_get_free_pirq, CORE_ARG, 0),
                     -XEN_EFAULT);
    host_read_only_end = 0;
    struct physdev_get_free_pirq f = {.type = MAP_PIRQ_TYPE_MSI};
    assert_int_equal(OP(ctl, get_free_pirq, f), 0);
    assert_int_equal(f.pirq, NR_IRQS - 1);
}

static void io_privilege_is_virtual(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    struct vcpu *v = d->vcpu[0];
    struct physdev_set_iopl iopl = {.iopl = 3};
    struct physdev_set_iobitmap map = {.bitmap = CORE_DATA, .nr_ports = 65536};

    (void)state;
    assert_int_equal(OP(v, set_iopl, iopl), 0);
    assert_int_equal(v->arch.pv.iopl, 3);
    iopl.iopl = 4;
    assert_int_equal(OP(v, set_iopl, iopl), -XEN_EINVAL);
    iopl.iopl = ~0u;
    assert_int_equal(OP(v, set_iopl, iopl), -XEN_EINVAL);
    assert_int_equal(v->arch.pv.iopl, 3);
    assert_int_equal(OP(v, set_iobitmap, map), 0);
    map.nr_ports = 65537;
    assert_int_equal(OP(v, set_iobitmap, map), -XEN_EINVAL);
    map = (struct physdev_set_iobitmap){.bitmap = 0xffff830000000000ull, .nr_ports = 1};
    assert_int_equal(OP(v, set_iobitmap, map), -XEN_EINVAL);
    map.bitmap = ~0ull;
    assert_int_equal(OP(v, set_iobitmap, map), -XEN_EINVAL);
    assert_int_equal(v->arch.pv.iobmp_limit, 65536);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

/* XSA-13, XSA-16, XSA-21: each number is compared with what there is before it is an index. */
static void numbers_out_of_range(void **state)
{
    static const int bad[] = {-1, INT32_MIN, NR_IRQS, NR_IRQS + 1, INT32_MAX, 1 << 24};
    evtchn_port_t port;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        struct physdev_irq_status_query q = {.irq = (uint32_t)bad[i]};
        struct physdev_setup_gsi s = {.gsi = bad[i]};
        struct physdev_irq a = {.irq = (uint32_t)bad[i]};
        int pirq = bad[i];

        assert_int_equal(map_gsi(bad[i]), -XEN_EINVAL);
        if (bad[i] >= 0)
            assert_int_equal(map(MAP_PIRQ_TYPE_GSI, 3, &pirq), -XEN_EINVAL);
        assert_int_equal(unmap(bad[i]), -XEN_EINVAL);
        assert_int_equal(eoi((uint32_t)bad[i]), -XEN_EINVAL);
        assert_int_equal(OP(ctl, irq_status_query, q), -XEN_EINVAL);
        assert_int_equal(OP(ctl, setup_gsi, s), -XEN_EINVAL);
        assert_int_equal(OP(ctl, alloc_irq_vector, a), -XEN_EINVAL);
        assert_int_equal(bind(ctl, (uint32_t)bad[i], &port), -XEN_EINVAL);
    }
    assert_int_equal(map_gsi(HOST_GSIS), -XEN_EINVAL);
    assert_int_equal(bind(ctl, 3, &port), -XEN_EINVAL); /* not mapped */
    assert_int_equal(ctl->domain->evtchn.active, 0);
}

static void messages_of_wrong_functions(void **state)
{
    struct physdev_map_pirq m;
    static const struct {
        int type, bus, devfn, entry;
        long rc;
    } bad[] = {
        {MAP_PIRQ_TYPE_MSI, 0x100, 0, 0, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, -1, 0, 0, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI_SEG, 0x1ff00, 0, 0, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, 0x100, 0, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, -1, 0, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, 0, 2048, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, 0, 0x10000, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, 0, -1, -XEN_EINVAL},
        {MAP_PIRQ_TYPE_MSI, 0, 0xff, 0, -XEN_ENODEV}, /* has no such capability */
        {MAP_PIRQ_TYPE_MULTI_MSI, 0, 0, 2, -XEN_EOPNOTSUPP},
        {MAP_PIRQ_TYPE_UNKNOWN, 0, 0, 0, -XEN_EINVAL},
        {77, 0, 0, 0, -XEN_EINVAL},
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        m = (struct physdev_map_pirq){.domid = DOMID_SELF,
                                      .type = bad[i].type,
                                      .pirq = -1,
                                      .bus = bad[i].bus,
                                      .devfn = bad[i].devfn,
                                      .entry_nr = bad[i].entry};
        assert_int_equal(OP(ctl, map_pirq, m), bad[i].rc);
        assert_int_equal(m.pirq, -1);
    }
    for (unsigned int i = HOST_GSIS; i < NR_IRQS; i++)
        assert_false(host_irq[i].message);
    m = (struct physdev_map_pirq){.domid = 1, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = 5};
    assert_int_equal(OP(ctl, map_pirq, m), -XEN_EOPNOTSUPP);
    struct physdev_unmap_pirq u = {.domid = 1, .pirq = 5};
    assert_int_equal(OP(ctl, unmap_pirq, u), -XEN_EINVAL);
}

/* A level line is masked by its interrupt until the guest has ended it. */
static void a_line_comes_as_an_event(void **state)
{
    struct physdev_irq_status_query q = {.irq = 9};
    evtchn_port_t port, other;

    (void)state;
    level(9);
    assert_int_equal(map_gsi(9), 0);
    assert_int_equal(map_gsi(9), 0); /* ABI: once more is no error */
    assert_int_equal(OP(ctl, irq_status_query, q), 0);
    assert_int_equal(q.flags, XENIRQSTAT_needs_eoi | XENIRQSTAT_shared);
    host_interrupt(9); /* nobody listens */
    assert_int_equal(bind(ctl, 9, &port), 0);
    assert_int_equal(bind(ctl, 9, &other), -XEN_EEXIST);
    assert_false(host_irq[9].masked);
    host_interrupt(9);
    assert_true(take_pending(port));
    assert_true(host_irq[9].masked);
    host_interrupt(9);
    assert_false(take_pending(port));
    assert_int_equal(eoi(9), 0);
    assert_false(host_irq[9].masked);
    host_interrupt(9);
    assert_true(take_pending(port));
    assert_int_equal(unmap(9), -XEN_EINVAL); /* bound */
    assert_int_equal(close_port(port), 0);
    assert_true(host_irq[9].masked);
    assert_null(host_irq[9].d);
    assert_int_equal(eoi(9), 0); /* has nothing to end */
    assert_true(host_irq[9].masked);
    assert_int_equal(unmap(9), 0);
    assert_int_equal(unmap(9), -XEN_EINVAL);
    assert_int_equal(eoi(9), -XEN_EINVAL);
}

static void an_edge_needs_no_end(void **state)
{
    struct physdev_irq_status_query q = {.irq = 8};
    evtchn_port_t port;

    (void)state;
    assert_int_equal(map_gsi(8), 0);
    assert_int_equal(OP(ctl, irq_status_query, q), 0);
    assert_int_equal(q.flags, 0);
    assert_int_equal(bind(ctl, 8, &port), 0);
    for (unsigned int i = 0; i < 3; i++) {
        host_interrupt(8);
        assert_true(take_pending(port));
    }
}

/* XSA-46: what is in use is not replaced, and a failure leaves the state before it. */
static void what_is_in_use_is_not_replaced(void **state)
{
    int pirq = 40;
    evtchn_port_t port;
    struct physdev_setup_gsi own = {.gsi = 4};

    (void)state;
    assert_int_equal(map_gsi(10), 0);
    assert_int_equal(map(MAP_PIRQ_TYPE_GSI, 10, &pirq), -XEN_EINVAL); /* under a second number */
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq), 0);
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 1, &pirq), -XEN_EEXIST);
    assert_int_equal(pirq, 40);
    pirq = 10;
    assert_int_equal(map(MAP_PIRQ_TYPE_GSI, 11, &pirq), -XEN_EINVAL); /* a second line */
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq), -XEN_EINVAL);
    assert_int_equal(bind(ctl, 10, &port), 0);
    host_interrupt(10);
    assert_true(take_pending(port));
    /* The console's line is the hypervisor's: the port that was taken for it is free again. */
    assert_int_equal(OP(ctl, setup_gsi, own), -XEN_EBUSY);
    assert_int_equal(map_gsi(4), 0);
    assert_int_equal(bind(ctl, 4, &port), -XEN_EBUSY);
    assert_int_equal(ctl->domain->evtchn.active, 1);
}

static void messages(void **state)
{
    struct physdev_get_free_pirq f = {.type = MAP_PIRQ_TYPE_MSI};
    evtchn_port_t port;
    int pirq[HOST_MESSAGES + 1];

    (void)state;
    assert_int_equal(OP(ctl, get_free_pirq, f), 0);
    pirq[0] = (int)f.pirq;
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq[0]), 0);
    for (unsigned int i = 1; i < HOST_MESSAGES; i++) {
        pirq[i] = -1;
        assert_int_equal(map(MAP_PIRQ_TYPE_MSI_SEG, 0, &pirq[i]), 0);
        assert_true(pirq[i] >= HOST_GSIS && pirq[i] < pirq[i - 1]);
    }
    pirq[HOST_MESSAGES] = -1;
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq[HOST_MESSAGES]), -XEN_ENOSPC);
    assert_int_equal(bind(ctl, (uint32_t)pirq[2], &port), 0);
    host_interrupt((unsigned int)pirq[2]);
    assert_true(take_pending(port));
    assert_int_equal(close_port(port), 0);
    for (unsigned int i = 0; i < HOST_MESSAGES; i++)
        assert_int_equal(unmap(pirq[i]), 0);
    for (unsigned int i = HOST_GSIS; i < NR_IRQS; i++)
        assert_false(host_irq[i].message);
}

static void numbers_run_out(void **state)
{
    struct physdev_get_free_pirq f = {.type = MAP_PIRQ_TYPE_MSI};
    int pirq = -1;

    (void)state;
    for (unsigned int i = HOST_GSIS; i < NR_IRQS; i++)
        assert_int_equal(OP(ctl, get_free_pirq, f), 0);
    assert_int_equal(f.pirq, HOST_GSIS);
    assert_int_equal(OP(ctl, get_free_pirq, f), -XEN_ENOSPC);
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq), -XEN_ENOSPC);
    assert_false(host_irq[HOST_GSIS].message);
    assert_int_equal(unmap(100), 0); /* a reservation goes back */
    assert_int_equal(OP(ctl, get_free_pirq, f), 0);
    assert_int_equal(f.pirq, 100);
}

/* The page on which the guest sees which pirqs need an EOI. */
static void eoi_map(void **state)
{
    struct page_info *pg = page_list_first(&ctl->domain->pages);
    struct physdev_pirq_eoi_gmfn g = {.gmfn = max_mfn + 1};
    const uint64_t *bits = map_frame(page_to_mfn(pg));
    uint64_t count = pg->count_info;
    evtchn_port_t port, edge;

    (void)state;
    assert_int_equal(OP(ctl, pirq_eoi_gmfn_v1, g), -XEN_EINVAL);
    g.gmfn = ~0ull;
    assert_int_equal(OP(ctl, pirq_eoi_gmfn_v1, g), -XEN_EINVAL);
    g.gmfn = frame_of(ctl).n; /* the hypervisor's own memory */
    assert_int_equal(OP(ctl, pirq_eoi_gmfn_v1, g), -XEN_EINVAL);
    level(9);
    assert_int_equal(map_gsi(9), 0);
    assert_int_equal(map_gsi(8), 0);
    assert_int_equal(bind(ctl, 9, &port), 0);
    g.gmfn = page_to_mfn(pg).n;
    assert_int_equal(OP(ctl, pirq_eoi_gmfn_v1, g), 0);
    assert_int_equal(pg->count_info, count + 1);
    assert_int_equal(OP(ctl, pirq_eoi_gmfn_v2, g), -XEN_EBUSY);
    assert_int_equal(pg->count_info, count + 1);
    assert_int_equal(bits[0], 1u << 9);
    assert_int_equal(bind(ctl, 8, &edge), 0);
    assert_int_equal(bits[0], 1u << 9);
    /* A bind that fails leaves no bit behind. */
    host_irq[4].level = true;
    assert_int_equal(map_gsi(4), 0);
    assert_int_equal(bind(ctl, 4, &edge), -XEN_EBUSY);
    assert_int_equal(bits[0], 1u << 9);
    /* ABI: with the first form of the map, an EOI unmasks the port too. */
    (void)test_and_set_bit(ctl->domain->shared_info->evtchn_mask, port);
    host_interrupt(9);
    assert_true(host_irq[9].masked);
    assert_int_equal(eoi(9), 0);
    assert_false(test_bit(ctl->domain->shared_info->evtchn_mask, port));
    assert_false(host_irq[9].masked);
    assert_int_equal(close_port(port), 0);
    assert_int_equal(bits[0], 0);
}

/* It goes to the CPU where the vCPU that its port is bound to runs or ran last. */
static void an_interrupt_follows_its_vcpu(void **state)
{
    struct cpu other = {.id = 3};
    evtchn_port_t port;

    (void)state;
    assert_int_equal(map_gsi(9), 0);
    assert_int_equal(bind(ctl, 9, &port), 0);
    host_irq[9].cpu = 5;
    host_interrupt(9); /* it came right */
    assert_true(take_pending(port));
    assert_int_equal(host_irq[9].cpu, 5);
    ctl->cpu_stack = &other;
    host_interrupt(9);
    assert_int_equal(host_irq[9].cpu, 3);
    ctl->cpu_stack = NULL; /* has not run yet */
    host_irq[9].cpu = 5;
    host_interrupt(9);
    assert_int_equal(host_irq[9].cpu, 5);
    ctl->cpu_stack = this_cpu();
    assert_true(take_pending(port));
    assert_int_equal(close_port(port), 0);
}

/* XSA-360: lines are let go and messages are given back with the domain that had them. */
static void the_end_gives_interrupts_back(void **state)
{
    evtchn_port_t port;
    int pirq = -1;

    (void)state;
    assert_int_equal(map_gsi(9), 0);
    assert_int_equal(map(MAP_PIRQ_TYPE_MSI, 0, &pirq), 0);
    assert_int_equal(bind(ctl, 9, &port), 0);
    assert_int_equal(bind(ctl, (uint32_t)pirq, &port), 0);
    host_destroy(ctl->domain);
    for (unsigned int i = 0; i < ARRAY_SIZE(host_irq); i++)
        assert_true(!host_irq[i].d && !host_irq[i].message && host_irq[i].masked);
    ctl = host_domain(0, true, 1, 8)->vcpu[0];
}

static void what_is_only_noted(void **state)
{
    struct physdev_pci_device f = {.bus = 0, .devfn = 0x10};
    struct physdev_manage_pci m = {.bus = 0, .devfn = 0x10};
    struct physdev_pci_mmcfg_reserved w = {.flags = XEN_PCI_MMCFG_RESERVED};
    struct physdev_restore_msi r = {.devfn = 0xff};
    struct physdev_apic a = {.apic_physbase = 0xfec00000, .reg = 1};
    struct physdev_irq i = {.irq = 5};

    (void)state;
    assert_int_equal(OP(ctl, pci_device_add, f), 0);
    assert_int_equal(OP(ctl, pci_device_remove, f), 0);
    assert_int_equal(OP(ctl, prepare_msix, f), 0);
    assert_int_equal(OP(ctl, release_msix, f), 0);
    assert_int_equal(OP(ctl, manage_pci_add, m), 0);
    assert_int_equal(OP(ctl, manage_pci_add_ext, m), 0);
    assert_int_equal(OP(ctl, manage_pci_remove, m), 0);
    assert_int_equal(OP(ctl, pci_mmcfg_reserved, w), 0);
    assert_int_equal(host_mmcfg_trusted, 1);
    assert_int_equal(OP(ctl, restore_msi, r), -XEN_ESRCH);
    assert_int_equal(OP(ctl, restore_msi_ext, f), 0);
    assert_int_equal(OP(ctl, apic_read, a), 0);
    assert_int_equal(a.value, (HOST_GSIS - 1) << 16);
    assert_int_equal(OP(ctl, apic_write, a), 0);
    a.apic_physbase = 0xfee00000;
    assert_int_equal(OP(ctl, apic_read, a), -XEN_EINVAL);
    assert_int_equal(OP(ctl, apic_write, a), -XEN_EINVAL);
    assert_int_equal(OP(ctl, alloc_irq_vector, i), 0);
    assert_int_equal(OP(ctl, free_irq_vector, i), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(guests_have_no_hardware),
        TEST(unknown_operations_and_addresses),
        TEST(io_privilege_is_virtual),
        TEST(numbers_out_of_range),
        TEST(messages_of_wrong_functions),
        TEST(a_line_comes_as_an_event),
        TEST(an_edge_needs_no_end),
        TEST(what_is_in_use_is_not_replaced),
        TEST(messages),
        TEST(numbers_run_out),
        TEST(eoi_map),
        TEST(an_interrupt_follows_its_vcpu),
        TEST(the_end_gives_interrupts_back),
        TEST(what_is_only_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
