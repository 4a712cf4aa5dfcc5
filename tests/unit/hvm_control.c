/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized domain that the control domain makes: asked for by flags, given memory at
 * frame numbers of its own, told where its console is, and begun. Each step with what is hostile or
 * wrong: it is refused, and all references are as they were.
 */
#include "hvm_made.h"

#include <core/domain/domain_table.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sysctl.h>

static long param(struct mm_guest *by, unsigned int cmd, domid_t id, uint32_t index,
                  uint64_t *value)
{
    struct xen_hvm_param p = {.domid = id, .index = index, .value = *value};
    long rc;

    memcpy(host_guest(ARG), &p, sizeof(p));
    rc = mm_call(by, __HYPERVISOR_hvm_op, cmd, ARG, 0, 0);
    memcpy(&p, host_guest(ARG), sizeof(p));
    *value = p.value;
    return rc;
}

static long set_param(uint32_t index, uint64_t value)
{
    return param(&control, HVMOP_set_param, d->domain_id, index, &value);
}

/* --- asked for --- */

static void by_its_flags(void **state)
{
    static const struct {
        uint32_t flags, emulation;
    } bad[] = {
        {XEN_DOMCTL_CDF_hvm, DEVICES},
        {XEN_DOMCTL_CDF_hap, 0},
        {HVM, 0},
        {HVM, XEN_X86_EMU_ALL},
        {HVM, DEVICES | XEN_X86_EMU_IOAPIC},
        {HVM, DEVICES & ~XEN_X86_EMU_PIC},
        {HVM, DEVICES | 1u << 31},
        {HVM | XEN_DOMCTL_CDF_nested_virt, DEVICES},
        {HVM | XEN_DOMCTL_CDF_iommu, DEVICES},
        {0, DEVICES},
    };
    struct xen_domctl op;
    domid_t id;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(made_create(bad[i].flags, bad[i].emulation, &id), -XEN_EINVAL);
    for (unsigned int i = 0; i < 4; i++) { /* i & 1: as Xen has it, with a PIT or without */
        assert_int_equal(
            made_create(i & 2 ? HVM : 0,
                        (i & 2 ? DEVICES & ~XEN_X86_EMU_PIT : 0) | (i & 1 ? XEN_X86_EMU_PIT : 0),
                        &id),
            0);
        op = (struct xen_domctl){.cmd = XEN_DOMCTL_getdomaininfo, .domain = id};
        assert_int_equal(made_domctl(&op), 0);
        assert_int_equal(op.u.getdomaininfo.flags & (XEN_DOMINF_hvm_guest | XEN_DOMINF_hap),
                         i & 2 ? XEN_DOMINF_hvm_guest | XEN_DOMINF_hap : 0);
        assert_int_equal(op.u.getdomaininfo.arch_config.emulation_flags, i & 2 ? DEVICES : 0);
        op = (struct xen_domctl){.cmd = XEN_DOMCTL_destroydomain, .domain = id};
        assert_int_equal(made_domctl(&op), 0);
    }
}

static uint32_t capabilities(void)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo,
                            .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

    memcpy(host_guest(ARG), &op, sizeof(op));
    assert_int_equal(mm_call(&control, __HYPERVISOR_sysctl, ARG, 0, 0, 0), 0);
    memcpy(&op, host_guest(ARG), sizeof(op));
    return op.u.physinfo.capabilities;
}

static void where_the_machine_can(void **state)
{
    const uint32_t both = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
    domid_t id;

    (void)state;
    assert_int_equal(capabilities() & both, both);
    host_hvm_lacks = "there is none";
    assert_int_equal(capabilities() & both, 0);
    assert_true(capabilities() & XEN_SYSCTL_PHYSCAP_pv);
    assert_int_equal(made_create(HVM, DEVICES, &id), -XEN_EOPNOTSUPP);
    assert_int_equal(made_create(0, 0, &id), 0);
    host_hvm_lacks = NULL;
    d = get_domain_by_id(id);
    put_domain(d);
    host_destroy(d);
}

/* --- its memory --- */

static void memory_where_it_is_asked_for(void **state)
{
    struct hvm_tables t;

    (void)state;
    assert_int_equal(d->tot_pages, PAGES + 1);
    for (uint64_t gfn = 0; gfn < PAGES; gfn++)
        assert_int_equal(machine_to_phys[frame(gfn).n], gfn);
    t = hvm_recount(d, NULL);
    assert_int_equal(t.large, 2);
    assert_int_equal(t.small, 1);
}

/* Where something is, or nothing may be: none of it comes, and nothing is lost. */
static void no_memory_elsewhere(void **state)
{
    static const struct {
        uint64_t gfn;
        unsigned int order;
    } bad[] = {
        {0, 0},          {511, 0},
        {1023, 0},       {RING, 0},
        {1020, 3},       {512, 9},
        {RING - 511, 9}, {0xfee00, 0},
        {0xfede1, 5},    {0xfec01, 9},
        {1ull << 28, 0}, {(1ull << 28) - 1, 1},
        {~0ull, 0},      {(1ull << 52) + 9, 0},
        {1ull << 63, 9}, {2000, 10},
    };
    uint64_t had = d->tot_pages, there = heap_free_frames();

    (void)state;
    d->max_pages += 2048;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(made_populate(&control, &bad[i].gfn, 1, bad[i].order), 0);
        assert_int_equal(d->tot_pages, had);
        made_recount(NULL, 0);
    }
    assert_true(heap_free_frames() + 8 > there); /* tables on the way are kept */
    /* beside it: three of a list, of which the last two have the same place */
    assert_int_equal(made_populate(&control, (uint64_t[]){2000, 3000, 3000}, 3, 0), 2);
    assert_int_equal(made_populate(&other, (uint64_t[]){4000}, 1, 0), 0);   /* not its own */
    assert_int_equal(made_populate(&control, (uint64_t[]){4003}, 1, 9), 1); /* not aligned */
    made_recount(NULL, 0);
    d->max_pages = 0;
    assert_int_equal(made_populate(&control, (uint64_t[]){9000}, 1, 0), 0);
}

/* Before a frame is put in, another CPU ends the domain; and another domain gets all there is. */
static uint64_t inherited;

static void ends_meanwhile(const spinlock_t *l, bool released)
{
    struct domain *heir = other.v->domain;

    if (l != &d->arch.hvm.npt_lock || released)
        return;
    host_on_lock = NULL;
    host_destroy(d);
    heir->max_pages = 8192;
    while (host_frames(heir, 0))
        ;
    inherited = heir->tot_pages;
}

static void a_frame_that_has_an_heir(void **state)
{
    (void)state;
    d->max_pages += 8;
    host_on_lock = ends_meanwhile;
    assert_int_equal(made_populate(&control, (uint64_t[]){2000}, 1, 3), 0);
    assert_null(host_on_lock);
    assert_true(inherited > 6000);
    assert_int_equal(other.v->domain->tot_pages, inherited);
    host_reap();
    host_check_invariants();
    mm_fini();
}

/* --- begun --- */

static void parameters(void **state)
{
    static const uint32_t known[] = {HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN,
                                     HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN};
    const domid_t id = d->domain_id;
    uint64_t value;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
        assert_int_equal(set_param(known[i], 100 + i), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
        value = 7;
        assert_int_equal(param(&control, HVMOP_get_param, id, known[i], &value), 0);
        assert_int_equal(value, 100 + i);
        assert_int_equal(param(&other, HVMOP_get_param, id, known[i], &value), -XEN_EPERM);
        assert_int_equal(param(&other, HVMOP_set_param, id, known[i], &value), -XEN_EPERM);
        /* as for the guest itself */
        host_run_as(d->vcpu[0]);
        assert_int_equal(hvm_param(d, false, known[i], &value), 0);
        if (known[i] == HVM_PARAM_STORE_PFN || known[i] == HVM_PARAM_CONSOLE_PFN)
            assert_int_equal(hvm_param(d, true, known[i], &value), -XEN_EPERM);
        host_run_as(control.v);
    }
    value = 1;
    assert_int_equal(set_param(0x3fffffff, 1), -XEN_EINVAL);
    assert_int_equal(set_param(HVM_PARAMS, 1), -XEN_EINVAL);
    assert_int_equal(set_param(3, 1), -XEN_EINVAL);
    assert_int_equal(param(&control, HVMOP_get_param, id, ~0u, &value), -XEN_EINVAL);
    assert_int_equal(param(&other, HVMOP_get_param, DOMID_SELF, known[0], &value), -XEN_EINVAL);
    assert_int_equal(param(&control, HVMOP_set_param, 5, known[0], &value), -XEN_EINVAL);
    assert_int_equal(param(&control, HVMOP_set_param, 99, known[0], &value), -XEN_ESRCH);
    assert_int_equal(param(&control, 2, id, known[0], &value), -XEN_ENOSYS);
}

static long begin(unsigned int vcpu, const struct vcpu_guest_context *c)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_setvcpucontext,
                            .domain = d->domain_id,
                            .u.vcpucontext = {.vcpu = vcpu, .ctxt = LIST}};

    memcpy(host_guest(LIST), c, sizeof(*c));
    return made_domctl(&op);
}

#define AS_PVH                                                                                     \
    {                                                                                              \
        .user_regs = {.rip = 0x200100, .rbx = 0x5000}, .ctrlreg = { 0x11 }                         \
    }

static void only_as_pvh_begins(void **state)
{
    static const struct vcpu_guest_context good = AS_PVH;
    struct vcpu *v = d->vcpu[0];

    (void)state;
    for (unsigned int i = 0; i < 9; i++) {
        struct vcpu_guest_context c = good;

        if (i == 0)
            c.ctrlreg[0] = 0x80000011;
        else if (i == 1)
            c.ctrlreg[0] = 0x10;
        else if (i == 2)
            c.ctrlreg[4] = 0x20;
        else if (i == 3)
            c.user_regs.rip |= 1ull << 32;
        else if (i == 4)
            c.user_regs.rbx |= 1ull << 32;
        else if (i == 5)
            c.user_regs.rbx |= 8;
        else if (i == 6)
            c.user_regs.rbx = ~0ull;
        assert_int_equal(begin(i > 6, &c), i > 6 ? -XEN_EOPNOTSUPP : -XEN_EINVAL);
        assert_false(v->initialised);
    }
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_PFN, RING + 1), 0); /* nothing is there */
    assert_int_equal(begin(0, &good), -XEN_EINVAL);
    assert_false(v->initialised);
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_PFN, 0), 0); /* none */
    assert_int_equal(begin(0, &good), 0);
    assert_int_equal(v->regs.rip, 0x200100);
    assert_int_equal(v->regs.rbx, 0x5000);
    assert_false(v->pause_flags & VPF_down);
    assert_true(d->vcpu[1]->pause_flags & VPF_down);
    assert_int_equal(begin(0, &good), -XEN_EOPNOTSUPP); /* once */
    made_recount(NULL, 0);
}

/* What it writes to its serial port comes to the ring, and its other end is told. */
static void its_console(void **state)
{
    static const struct vcpu_guest_context good = AS_PVH;
    const struct xencons_interface *ring = map_frame(frame(RING));
    const mfn_t mfn = frame(RING);
    evtchn_port_t port;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(d, 0, NULL, &port), 0);
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_PFN, RING), 0);
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_EVTCHN, port), 0);
    assert_int_equal(begin(0, &good), 0);
    made_recount(&mfn, 1);
    host_run_as(d->vcpu[0]);
    for (const char *s = "hello"; *s; s++)
        hvm_port_write(d->vcpu[0], 0x3f8, 1, (uint8_t)*s);
    host_run_as(control.v);
    assert_int_equal(ring->out_prod, 5);
    assert_memory_equal(ring->out, "hello", 5);
}

/* A port that it does not have: who listens hears nothing, and that is all. */
static void a_console_that_cannot_tell(void **state)
{
    static const struct vcpu_guest_context good = AS_PVH;

    (void)state;
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_PFN, RING), 0);
    assert_int_equal(set_param(HVM_PARAM_CONSOLE_EVTCHN, ~0ull), 0);
    assert_int_equal(begin(0, &good), 0);
    host_run_as(d->vcpu[0]);
    for (unsigned int i = 0; i < 3000; i++)
        hvm_port_write(d->vcpu[0], 0x3f8, 1, 'x');
    host_advance(MILLISECS(100));
    host_run_as(control.v);
}

static long trigger(uint32_t which)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_sendtrigger, .domain = d->domain_id, .u.sendtrigger = {.trigger = which}};

    return made_domctl(&op);
}

/* Its power button; it may be pressed before the guest has begun. There is none for sleep. */
static void its_power_button(void **state)
{
    (void)state;
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_SLEEP), -XEN_ENOSYS);
    assert_int_equal(hvm_port_read(d->vcpu[0], HVM_ACPI_PM1A_EVT, 2), 0);
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_POWER), 0);
    assert_int_equal(hvm_port_read(d->vcpu[0], HVM_ACPI_PM1A_EVT, 2), 0x100);
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_NMI), 0);
    assert_true(d->vcpu[0]->nmi_pending);
}

#define T(f) cmocka_unit_test_setup_teardown(f, made_setup, made_teardown)
#define S(f) cmocka_unit_test_setup_teardown(f, made_start, made_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        S(by_its_flags),
        S(where_the_machine_can),
        T(memory_where_it_is_asked_for),
        T(no_memory_elsewhere),
        cmocka_unit_test_setup(a_frame_that_has_an_heir, made_setup),
        T(parameters),
        T(only_as_pvh_begins),
        T(its_console),
        T(a_console_that_cannot_tell),
        T(its_power_button),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
