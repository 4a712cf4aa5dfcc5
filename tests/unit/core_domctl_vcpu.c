/* SPDX-License-Identifier: MIT */
/*
 * domctl: vCPUs, CPU time, frames and the fixed parameters of a domain. Bounds of what a tool
 * passes, results that come back whole, nothing taken when memory is short.
 */
#include "core_support.h"

#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <string.h>
#include <pv/mm.h>
#include <xen/vcpu.h>

static struct domain *d;
static domid_t id;

static int setup(void **state)
{
    (void)state;
    core_init();
    d = core_make_guest(2, 4);
    id = d->domain_id;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, id), 0);
    core_fini();
    return 0;
}

static long context_op(uint32_t cmd, domid_t who, uint32_t vcpu, gva_t ctxt)
{
    struct xen_domctl op = {.cmd = cmd, .domain = who, .u.vcpucontext = {vcpu, ctxt}};

    return core_domctl(&op);
}

static void contexts_go_in_and_come_out(void **state)
{
    struct vcpu_guest_context *c = host_guest(CORE_DATA);

    (void)state;
    assert_int_equal(context_op(XEN_DOMCTL_getvcpucontext, id, 0, CORE_DATA), -XEN_ENODATA);
    memset(c, 0, sizeof(*c));
    c->user_regs.rbx = 0x1234;
    c->flags = VGCF_in_kernel;
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_DATA), 0);
    assert_int_equal(d->pause_count, 1); /* the controller's alone */
    memset(c, 0xa5, sizeof(*c));
    assert_int_equal(context_op(XEN_DOMCTL_getvcpucontext, id, 0, CORE_DATA), 0);
    assert_int_equal(c->user_regs.rbx, 0x1234);
    assert_int_equal(d->vcpu[0]->pause_count, 0);
}

static void contexts_are_refused(void **state)
{
    struct vcpu_guest_context *c = host_guest(CORE_DATA);
    struct core_memory before = core_memory_in_use();

    (void)state;
    memset(c, 0, sizeof(*c));
    for (uint32_t cmd = XEN_DOMCTL_setvcpucontext; cmd <= XEN_DOMCTL_getvcpucontext; cmd++) {
        assert_int_equal(context_op(cmd, id, 2, CORE_DATA), -XEN_ESRCH);
        assert_int_equal(context_op(cmd, id, ~0u, CORE_DATA), -XEN_ESRCH);
        assert_int_equal(context_op(cmd, 0, 0, CORE_DATA), -XEN_EINVAL); /* the caller itself */
    }
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, 0), -XEN_EINVAL);
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_NOWHERE), -XEN_EFAULT);
    c->flags = 1u << 31;
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_DATA), -XEN_EINVAL);
    assert_false(d->vcpu[0]->initialised);
    c->flags = 0;
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_DATA), 0);
    assert_int_equal(context_op(XEN_DOMCTL_getvcpucontext, id, 0, CORE_NOWHERE), -XEN_EFAULT);
    core_run_out(0);
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_DATA), -XEN_ENOMEM);
    assert_int_equal(context_op(XEN_DOMCTL_getvcpucontext, id, 0, CORE_DATA), -XEN_ENOMEM);
    core_refill();
    d->dying = true; /* its page tables were given up already: new ones would stay for ever */
    assert_int_equal(context_op(XEN_DOMCTL_setvcpucontext, id, 0, CORE_DATA), -XEN_EINVAL);
    d->dying = false;
    assert_int_equal(d->pause_count, 1);
    core_assert_memory(before);
}

static void getvcpuinfo(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpuinfo, .domain = id, .u.getvcpuinfo.vcpu = 2};

    (void)state;
    assert_int_equal(core_domctl(&op), -XEN_ESRCH);
    op.u.getvcpuinfo.vcpu = ~0u;
    assert_int_equal(core_domctl(&op), -XEN_ESRCH);
    op.u.getvcpuinfo.vcpu = 1;
    op.u.getvcpuinfo.online = 9;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.getvcpuinfo.online, 0);
    assert_int_equal(op.u.getvcpuinfo.running, 0);
    atomic_and(&d->vcpu[1]->pause_flags, ~VPF_down);
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.getvcpuinfo.online, 1);
    assert_int_equal(op.u.getvcpuinfo.cpu_time, 0);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_getvcpuinfo, .domain = 0};
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.getvcpuinfo.running, 1);
}

static struct xen_domctl affinity_op(uint32_t cmd, uint32_t flags, uint32_t bits)
{
    return (struct xen_domctl){
        .cmd = cmd,
        .domain = id,
        .u.vcpuaffinity = {.flags = flags,
                           .cpumap_hard = {.bitmap = CORE_DATA, .nr_bits = bits},
                           .cpumap_soft = {.bitmap = CORE_DATA + 0x1000, .nr_bits = bits}}};
}

/* Maps of a tool have any length: as many bytes as they have are written, the rest is left alone.
 */
static void bitmaps_of_any_length(void **state)
{
    unsigned char *map = host_guest(CORE_DATA);

    (void)state;
    for (uint32_t bits = 0; bits < 200; bits++) {
        struct xen_domctl op = affinity_op(XEN_DOMCTL_getvcpuaffinity, XEN_VCPUAFFINITY_HARD, bits);
        unsigned int bytes = (bits + 7) / 8;

        memset(map, 0xa5, 64);
        assert_int_equal(core_domctl(&op), 0);
        for (unsigned int i = 0; i < 64; i++) {
            /* All CPUs: whatever the map can say of them. */
            unsigned int known = bits < i * 8        ? 0
                                 : bits - i * 8 >= 8 ? 0xff
                                                     : (1u << (bits - i * 8)) - 1;

            assert_int_equal(map[i], i >= bytes ? 0xa5 : i < 8 ? known : 0);
        }
    }
}

static void affinity(void **state)
{
    const uint32_t both = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
    uint64_t *hard = host_guest(CORE_DATA), *soft = host_guest(CORE_DATA + 0x1000);
    struct xen_domctl op = affinity_op(XEN_DOMCTL_setvcpuaffinity, both, 64);

    (void)state;
    *hard = *soft = ~0ull;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*hard, 1); /* the machine has one CPU: what is in effect comes back */
    assert_int_equal(*soft, 1);
    *hard = 2;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    assert_int_equal(d->vcpu[0]->affinity, 1);
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, 0, 64);
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, 0);
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, 64);
    op.u.vcpuaffinity.cpumap_hard.bitmap = CORE_NOWHERE;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.cmd = XEN_DOMCTL_getvcpuaffinity;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.u.vcpuaffinity.vcpu = 2;
    assert_int_equal(core_domctl(&op), -XEN_ESRCH);
    op.cmd = XEN_DOMCTL_setvcpuaffinity;
    assert_int_equal(core_domctl(&op), -XEN_ESRCH);
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_SOFT, 64);
    *soft = 4; /* kept as it was given; in effect is what is there */
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*soft, 0);
    assert_int_equal(d->vcpu[0]->affinity, 1);
    op = affinity_op(XEN_DOMCTL_getvcpuaffinity, both, 64);
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*hard, 1);
    assert_int_equal(*soft, 4);
    /* One of the two cannot be read, or says nothing: neither is taken. */
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, both, 64);
    *hard = *soft = 1;
    op.u.vcpuaffinity.cpumap_soft.bitmap = CORE_NOWHERE;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op = affinity_op(XEN_DOMCTL_setvcpuaffinity, both, 64);
    *hard = 2;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    assert_int_equal(d->vcpu[0]->soft_affinity, 4);
    assert_int_equal(d->vcpu[1]->affinity & d->vcpu[1]->soft_affinity, ~0ull);
}

/* What a vCPU pinned itself to is in the way, and goes when the tool insists. */
static void affinity_over_a_pin(void **state)
{
    const uint32_t hard = XEN_VCPUAFFINITY_HARD, force = XEN_VCPUAFFINITY_FORCE;
    struct xen_domctl op = affinity_op(XEN_DOMCTL_setvcpuaffinity, hard, 64);
    uint64_t *map = host_guest(CORE_DATA);

    (void)state;
    assert_int_equal(sched_pin(d->vcpu[0], 0), 0);
    *map = ~0ull;
    assert_int_equal(core_domctl(&op), -XEN_EBUSY);
    assert_int_equal(*map, ~0ull);
    op.u.vcpuaffinity.flags = hard | force;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*map, 1);
    assert_int_equal(sched_pin(d->vcpu[0], -1), -XEN_EINVAL); /* it is gone */
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_SOFT | force;  /* and need not be there */
    assert_int_equal(core_domctl(&op), 0);
}

/* Which CPU it is that a vCPU of the control domain is pinned to. */
static void its_physical_cpu(void **state)
{
    const struct vcpu_get_physid *p = host_guest(CORE_DATA);
    const unsigned int nr = __HYPERVISOR_vcpu_op;

    (void)state;
    assert_int_equal(core_call(ctl, nr, VCPUOP_get_physid, 0, CORE_DATA), -XEN_EINVAL);
    assert_int_equal(sched_pin(ctl, 0), 0);
    assert_int_equal(core_call(ctl, nr, VCPUOP_get_physid, 0, CORE_DATA), 0);
    assert_int_equal(xen_vcpu_physid_to_x86_apicid(p->phys_id), machine_apic_id(0));
    assert_int_equal(xen_vcpu_physid_to_x86_acpiid(p->phys_id), machine_acpi_id(0));
    assert_int_equal(sched_pin(ctl, -1), 0);
    assert_int_equal(sched_pin(d->vcpu[0], 0), 0);
    assert_int_equal(core_call(d->vcpu[0], nr, VCPUOP_get_physid, 0, CORE_DATA), -XEN_EINVAL);
}

static long trigger(uint32_t which, uint32_t vcpu)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_sendtrigger, .domain = id, .u.sendtrigger = {which, vcpu}};

    return core_domctl(&op);
}

/* An NMI to the vCPU that is named, which may wait; a paravirtual guest has nothing else to press.
 */
static void triggers(void **state)
{
    struct vcpu *v = d->vcpu[1];

    (void)state;
    atomic_or(&v->pause_flags, VPF_blocked);
    for (uint32_t which = XEN_DOMCTL_SENDTRIGGER_RESET; which < 8; which++)
        assert_int_equal(trigger(which, 1),
                         which == XEN_DOMCTL_SENDTRIGGER_POWER ? -XEN_EINVAL : -XEN_ENOSYS);
    assert_int_equal(trigger(~0u, 1), -XEN_ENOSYS);
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_NMI, 2), -XEN_ESRCH);
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_POWER, ~0u), -XEN_ESRCH);
    assert_false(v->nmi_pending);
    assert_true(v->pause_flags & VPF_blocked);
    assert_int_equal(trigger(XEN_DOMCTL_SENDTRIGGER_NMI, 1), 0);
    assert_true(v->nmi_pending);
    assert_false(d->vcpu[0]->nmi_pending);
    assert_false(v->pause_flags & VPF_blocked);
}

static void node_affinity(void **state)
{
    uint64_t *map = host_guest(CORE_DATA);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_setnodeaffinity,
                            .domain = id,
                            .u.nodeaffinity.nodemap = {.bitmap = CORE_DATA, .nr_bits = 64}};

    (void)state;
    *map = 3;
    assert_int_equal(core_domctl(&op), 0);
    *map = 2;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    op.u.nodeaffinity.nodemap.nr_bits = 0;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    op.u.nodeaffinity.nodemap.nr_bits = 64;
    op.cmd = XEN_DOMCTL_getnodeaffinity;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*map, 1);
    op.u.nodeaffinity.nodemap.bitmap = CORE_NOWHERE;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.cmd = XEN_DOMCTL_setnodeaffinity;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
}

static void scheduler_op(void **state)
{
    const uint16_t beyond[] = {101, 200, 0xfffe};
    struct xen_domctl op = {.cmd = XEN_DOMCTL_scheduler_op,
                            .domain = id,
                            .u.scheduler_op = {.sched_id = XEN_SCHEDULER_CREDIT2,
                                               .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                               .u.credit2 = {.weight = 512, .cap = 40}}};

    (void)state;
    assert_int_equal(core_domctl(&op), 0);
    op.u.scheduler_op.u.credit2.weight = 0; /* as it is */
    op.u.scheduler_op.u.credit2.cap = 50;
    assert_int_equal(core_domctl(&op), 0);
    op.u.scheduler_op.u.credit2.weight = 600;
    op.u.scheduler_op.u.credit2.cap = 0xffff; /* as it is */
    assert_int_equal(core_domctl(&op), 0);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    op.u.scheduler_op.u.credit2.weight = op.u.scheduler_op.u.credit2.cap = 0;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.scheduler_op.u.credit2.weight, 600);
    assert_int_equal(op.u.scheduler_op.u.credit2.cap, 50);
    /* No more than all CPUs there are, whatever its vCPUs. */
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2.cap = 100;
    assert_int_equal(core_domctl(&op), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(beyond); i++) {
        op.u.scheduler_op.u.credit2.weight = 700;
        op.u.scheduler_op.u.credit2.cap = beyond[i];
        assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    }
    assert_int_equal(d->sched.weight, 600);
    assert_int_equal(d->sched.cap, 100);
    for (uint32_t cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo; cmd < 6; cmd++) {
        op.u.scheduler_op.cmd = cmd;
        assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    }
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
}

static void frames_and_their_types(void **state)
{
    struct page_info *pg = page_list_first(&d->pages);
    uint64_t *frame = host_guest(CORE_DATA);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getpageframeinfo3,
                            .domain = id,
                            .u.getpageframeinfo3 = {.num = 8, .array = CORE_DATA}};
    static const uint64_t types[] = {PGT_l1_page_table, PGT_l2_page_table, PGT_l3_page_table,
                                     PGT_l4_page_table};
    uint64_t count = pg->count_info;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
        frame[0] = frame[1] = page_to_mfn(pg).n;
        frame[2] = max_mfn + 1;
        frame[3] = ~0ull;
        frame[4] = 0;
        frame[5] = page_to_mfn(page_list_first(&ctl->domain->pages)).n;
        frame[6] = frame_of(d->shared_info).n;
        frame[7] = 1ull << 63;
        pg->type_info = types[i] | PGT_validated | 1 | (i % 2 ? PGT_pinned : 0);
        assert_int_equal(core_domctl(&op), 0);
        assert_int_equal(frame[0], (XEN_DOMCTL_PFINFO_L1TAB * (i + 1)) |
                                       (i % 2 ? XEN_DOMCTL_PFINFO_LPINTAB : 0));
        assert_int_equal(frame[1], frame[0]);
        assert_int_equal(frame[6], XEN_DOMCTL_PFINFO_NOTAB);
        for (unsigned int k = 2; k < 8; k++)
            if (k != 6)
                assert_int_equal(frame[k], XEN_DOMCTL_PFINFO_XTAB);
    }
    pg->type_info = 0;
    assert_int_equal(pg->count_info, count);
    op.u.getpageframeinfo3.num = 1025;
    assert_int_equal(core_domctl(&op), -XEN_E2BIG);
    op.u.getpageframeinfo3.num = ~0ull;
    assert_int_equal(core_domctl(&op), -XEN_E2BIG);
    op.u.getpageframeinfo3.num = 1024;
    op.u.getpageframeinfo3.array = ~0ull - 64; /* wraps */
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.u.getpageframeinfo3.array = CORE_NOWHERE;
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.u.getpageframeinfo3.num = 0;
    assert_int_equal(core_domctl(&op), 0);
}

/* The page is written only if it is one that the guest itself could write. */
static void hypercall_page(void **state)
{
    struct page_info *pg = page_list_first(&d->pages),
                     *other = page_list_first(&ctl->domain->pages);
    const uint64_t bad[] = {0, max_mfn + 1, ~0ull, 1ull << 52, page_to_mfn(other).n};
    struct xen_domctl op = {.cmd = XEN_DOMCTL_hypercall_init, .domain = id};
    uint64_t count = pg->count_info;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        op.u.hypercall_init.gmfn = bad[i];
        assert_int_equal(core_domctl(&op), -XEN_EACCES);
    }
    assert_int_equal(*(unsigned char *)map_frame(page_to_mfn(other)), 0);
    op.u.hypercall_init.gmfn = page_to_mfn(pg).n;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(*(unsigned char *)map_frame(page_to_mfn(pg)), 0xcc);
    assert_int_equal(pg->count_info, count);
}

static void fixed_parameters(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_get_address_size, .domain = id};

    (void)state;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.address_size.size, 64);
    op.cmd = XEN_DOMCTL_set_address_size;
    assert_int_equal(core_domctl(&op), 0);
    op.u.address_size.size = 32;
    assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    /* XSA-97: there is no log of dirty frames, so nothing of it can take long. */
    for (uint32_t shadow = 0; shadow < 40; shadow++) {
        op = (struct xen_domctl){
            .cmd = XEN_DOMCTL_shadow_op, .domain = id, .u.shadow_op.op = shadow};
        assert_int_equal(core_domctl(&op),
                         shadow == XEN_DOMCTL_SHADOW_OP_OFF ? -XEN_EINVAL : -XEN_EOPNOTSUPP);
    }
}

static void time_of_the_domain(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_settscinfo, .domain = id};
    static const int64_t far[] = {INT64_MAX, INT64_MIN, 3155760001, -3155760001};

    (void)state;
    for (uint32_t mode = 0; mode < 5; mode++) {
        op.u.tsc_info.tsc_mode = mode;
        assert_int_equal(core_domctl(&op), mode == 0 || mode == 2 ? 0 : -XEN_EOPNOTSUPP);
    }
    op.cmd = XEN_DOMCTL_gettscinfo;
    memset(&op.u, 0xa5, sizeof(op.u));
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.tsc_info.tsc_mode, 2);
    assert_int_equal(op.u.tsc_info.gtsc_khz, clock_khz());
    assert_int_equal(op.u.tsc_info.pad, 0);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_settimeoffset, .domain = id};
    for (unsigned int i = 0; i < ARRAY_SIZE(far); i++) {
        op.u.settimeoffset.time_offset_seconds = far[i];
        assert_int_equal(core_domctl(&op), -XEN_EINVAL);
    }
    assert_int_equal(d->time_offset, 0);
    op.u.settimeoffset.time_offset_seconds = -3600;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(d->time_offset, -3600);
    assert_int_equal(d->shared_info->wc_sec, ctl->domain->shared_info->wc_sec - 3600);
}

static void handle(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_setdomainhandle, .domain = id};

    (void)state;
    memset(op.u.setdomainhandle.handle, 0x3c, sizeof(op.u.setdomainhandle.handle));
    assert_int_equal(core_domctl(&op), 0);
    op.cmd = XEN_DOMCTL_getdomaininfo;
    assert_int_equal(core_domctl(&op), 0);
    for (unsigned int i = 0; i < 16; i++)
        assert_int_equal(op.u.getdomaininfo.handle[i], 0x3c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(contexts_go_in_and_come_out),
        TEST(contexts_are_refused),
        TEST(getvcpuinfo),
        TEST(bitmaps_of_any_length),
        TEST(affinity),
        TEST(affinity_over_a_pin),
        TEST(its_physical_cpu),
        TEST(triggers),
        TEST(node_affinity),
        TEST(scheduler_op),
        TEST(frames_and_their_types),
        TEST(hypercall_page),
        TEST(fixed_parameters),
        TEST(time_of_the_domain),
        TEST(handle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
