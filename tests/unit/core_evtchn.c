/* SPDX-License-Identifier: MIT */
/*
 * Event channels: what each operation does, who may do it, and that every port of both ends agrees
 * afterwards; limits; closing and resetting in slices; polls; virtual interrupts; moving vcpu_info
 * without losing an event.
 */
#include "core_test.h"

#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static struct domain *dom0, *a, *b;
static struct vcpu *va, *vb;

static int setup(void **state)
{
    (void)state;
    host_init(4096);
    dom0 = host_domain(0, true, 1, 0);
    a = host_domain(1, false, 2, 8);
    b = host_domain(2, false, 1, 0);
    va = a->vcpu[0];
    vb = b->vcpu[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_check_invariants();
    host_destroy(a);
    host_destroy(b);
    host_check_invariants();
    return 0;
}

static evtchn_port_t alloc(struct vcpu *v, domid_t remote)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};

    assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
    return op.port;
}

static long bind(struct vcpu *v, domid_t remote, evtchn_port_t rport, evtchn_port_t *lport)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = rport};
    long rc = call_with(v, event_channel_op, EVTCHNOP_bind_interdomain, &op);

    *lport = op.local_port;
    return rc;
}

static long port_op(struct vcpu *v, unsigned int cmd, evtchn_port_t port)
{
    struct evtchn_send op = {.port = port};

    return call_with(v, event_channel_op, cmd, &op);
}

static bool pending(struct domain *d, evtchn_port_t port)
{
    return test_and_clear_bit(d->shared_info->evtchn_pending, port);
}

static void an_event_arrives(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    assert_true(pending(b, pb)); /* ABI: whoever binds gets one at once */
    assert_false(pending(a, pa));
    vb->vcpu_info->evtchn_upcall_pending = 0;
    vb->vcpu_info->evtchn_pending_sel = 0;
    assert_int_equal(port_op(va, EVTCHNOP_send, pa), 0);
    assert_true(test_bit(b->shared_info->evtchn_pending, pb));
    assert_int_equal(vb->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(vb->vcpu_info->evtchn_pending_sel, 1ul << (pb / 64));
    assert_int_equal(port_op(vb, EVTCHNOP_send, pb), 0);
    assert_true(pending(a, pa));
}

static void masked_waits_for_unmask(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    pending(b, pb);
    vb->vcpu_info->evtchn_upcall_pending = 0;
    vb->vcpu_info->evtchn_pending_sel = 0;
    (void)test_and_set_bit(b->shared_info->evtchn_mask, pb);
    assert_int_equal(port_op(va, EVTCHNOP_send, pa), 0);
    assert_int_equal(vb->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(port_op(vb, EVTCHNOP_unmask, pb), 0);
    assert_int_equal(vb->vcpu_info->evtchn_upcall_pending, 1);
    assert_false(test_bit(b->shared_info->evtchn_mask, pb));
}

static void only_who_is_meant_binds(void **state)
{
    evtchn_port_t pa = alloc(va, 0), p;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, 77, &p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, 0, &p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, 5000, &p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, ~0u, &p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 99, pa, &p), -XEN_ESRCH);
    assert_int_equal(bind(dom0->vcpu[0], 1, pa, &p), 0);
    assert_int_equal(bind(dom0->vcpu[0], 1, pa, &p), -XEN_EINVAL); /* taken */
}

static void only_control_makes_ports_of_others(void **state)
{
    struct evtchn_alloc_unbound op = {.dom = 2, .remote_dom = DOMID_SELF};

    (void)state;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_alloc_unbound, &op), -XEN_EPERM);
    assert_int_equal(call_with(dom0->vcpu[0], event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
    assert_int_equal(evtchn_from_port(&b->evtchn, op.port)->u.remote_dom, 0);
}

static void closing_leaves_the_other_end_open(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    assert_int_equal(port_op(vb, EVTCHNOP_close, pb), 0);
    assert_int_equal(evtchn_from_port(&a->evtchn, pa)->state, EVTCHNSTAT_unbound);
    assert_int_equal(port_op(va, EVTCHNOP_send, pa), 0); /* ABI: into the void */
    assert_int_equal(port_op(vb, EVTCHNOP_send, pb), -XEN_EINVAL);
    assert_int_equal(port_op(vb, EVTCHNOP_close, pb), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, pa, &pb), 0); /* and it may come back */
}

static void a_pair_within_one_domain(void **state)
{
    evtchn_port_t p = alloc(va, 1), q;

    (void)state;
    assert_int_equal(bind(va, DOMID_SELF, p, &q), 0);
    assert_int_not_equal(p, q);
    host_check_invariants();
    assert_int_equal(port_op(va, EVTCHNOP_send, q), 0);
    assert_true(pending(a, p));
    assert_int_equal(port_op(va, EVTCHNOP_close, p), 0);
}

static struct domain *sent_by;
static evtchn_port_t sent_through;

static void hypervisors_port(struct domain *d, evtchn_port_t port)
{
    sent_by = d;
    sent_through = port;
}

static void hypervisors_ports_are_not_the_guests(void **state)
{
    evtchn_port_t p, q;

    (void)state;
    assert_int_equal(evtchn_alloc_unbound(a, DOMID_XEN, hypervisors_port, &p), 0);
    sent_by = NULL;
    assert_int_equal(port_op(va, EVTCHNOP_send, p), 0);
    assert_ptr_equal(sent_by, a);
    assert_int_equal(sent_through, p);
    assert_int_equal(port_op(va, EVTCHNOP_close, p), -XEN_EINVAL);
    assert_int_equal(bind(vb, 1, p, &q), -XEN_EINVAL);
    evtchn_notify_guest(a, p);
    assert_true(pending(a, p));
    struct evtchn_reset r = {.dom = DOMID_SELF};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_reset, &r), 0);
    assert_int_equal(evtchn_from_port(&a->evtchn, p)->state, EVTCHNSTAT_unbound);
}

/* XSA-317: the ABI has 4096 ports and none beyond. */
static void ports_run_out(void **state)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = 0};
    unsigned int n = 0, issues;
    long rc;

    (void)state;
    while ((rc = call_with(va, event_channel_op, EVTCHNOP_alloc_unbound, &op)) == 0) {
        assert_true(op.port < NR_EVTCHNS);
        n++;
    }
    assert_int_equal(rc, -XEN_ENOSPC);
    assert_int_equal(n, NR_EVTCHNS - 1);
    /* Who asks again and again is told so without a look at each: another's lock may be held. */
    assert_int_equal(evtchn_close(a, 1, true), 0);
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
    assert_int_equal(op.port, 1);
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_alloc_unbound, &op), -XEN_ENOSPC);
    assert_int_equal(a->evtchn.lowest_free, NR_EVTCHNS);
    /* XSA-344: closing all of them is not done at one go when time is short. */
    struct evtchn_reset r = {.dom = DOMID_SELF};
    memcpy(host_guest(ARG), &r, sizeof(r));
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(host_hypercall(va, __HYPERVISOR_event_channel_op,
                                    (uint64_t[6]){EVTCHNOP_reset, ARG}, &issues),
                     0);
    assert_true(issues > 1);
    assert_int_equal(a->evtchn.active, 0);
    this_cpu()->pending = 0;
}

static void reset_is_for_oneself(void **state)
{
    struct evtchn_reset r = {.dom = 2};

    (void)state;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_reset, &r), -XEN_EPERM);
    r.dom = 55;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_reset, &r), -XEN_ESRCH);
}

static long bind_virq(struct vcpu *v, uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
    long rc = call_with(v, event_channel_op, EVTCHNOP_bind_virq, &op);

    *port = op.port;
    return rc;
}

static void virqs(void **state)
{
    evtchn_port_t t0, t1, p;
    uint32_t active;

    (void)state;
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 0, &t0), 0);
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 1, &t1), 0);
    active = a->evtchn.active;
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 0, &p), -XEN_EEXIST);
    assert_int_equal(bind_virq(va, VIRQ_CONSOLE, 1, &p), -XEN_EINVAL); /* global: vCPU 0 alone */
    assert_int_equal(bind_virq(va, NR_VIRQS, 0, &p), -XEN_EINVAL);
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 7, &p), -XEN_ENOENT);
    assert_int_equal(a->evtchn.active, active); /* XSA-496: nothing half done */
    send_vcpu_virq(a->vcpu[1], VIRQ_TIMER);
    assert_true(pending(a, t1));
    assert_false(pending(a, t0));
    assert_int_equal(port_op(va, EVTCHNOP_close, t1), 0);
    send_vcpu_virq(a->vcpu[1], VIRQ_TIMER); /* nobody: lost */
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 1, &t1), 0);
}

static void ipis_and_moving(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 1};
    struct evtchn_bind_vcpu move;
    evtchn_port_t pa = alloc(va, 2), t;

    (void)state;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
    assert_int_equal(port_op(va, EVTCHNOP_send, ipi.port), 0);
    assert_int_equal(a->vcpu[1]->vcpu_info->evtchn_upcall_pending, 1);
    move = (struct evtchn_bind_vcpu){.port = ipi.port, .vcpu = 0};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
    assert_int_equal(bind_virq(va, VIRQ_TIMER, 0, &t), 0);
    move = (struct evtchn_bind_vcpu){.port = t, .vcpu = 1};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL);
    move = (struct evtchn_bind_vcpu){.port = pa, .vcpu = 1};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_vcpu, &move), 0);
    move.vcpu = 2;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_vcpu, &move), -XEN_ENOENT);
    ipi.vcpu = 9;
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_bind_ipi, &ipi), -XEN_ENOENT);
}

static void status_of(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;
    struct evtchn_status s = {.dom = DOMID_SELF, .port = pa};

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_status, &s), 0);
    assert_int_equal(s.status, EVTCHNSTAT_interdomain);
    assert_int_equal(s.u.interdomain.dom, 2);
    assert_int_equal(s.u.interdomain.port, pb);
    s = (struct evtchn_status){.dom = 2, .port = pb};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_status, &s), -XEN_EPERM);
    assert_int_equal(call_with(dom0->vcpu[0], event_channel_op, EVTCHNOP_status, &s), 0);
    s = (struct evtchn_status){.dom = DOMID_SELF, .port = 4095};
    assert_int_equal(call_with(va, event_channel_op, EVTCHNOP_status, &s), -XEN_EINVAL);
}

static void poll_args(const evtchn_port_t *ports, unsigned int n, uint64_t timeout)
{
    struct sched_poll p = {.ports = LIST, .nr_ports = n, .timeout = timeout};

    memcpy(host_guest(LIST), ports, MIN(n, 200u) * sizeof(*ports));
    memcpy(host_guest(ARG), &p, sizeof(p));
}

static unsigned int reads;

static void count_reads(gva_t gva)
{
    reads += gva == LIST;
}

static void poll_ends_by_event_or_time(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    pending(b, pb);
    vb->vcpu_info->evtchn_upcall_pending = 0;
    (void)test_and_set_bit(b->shared_info->evtchn_mask, pb); /* a poll sees masked ports too */
    poll_args(&pb, 1, 0);
    assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), 0);
    assert_true(vb->pause_flags & VPF_polling);
    host_exit_path();
    host_check_invariants();
    assert_int_equal(port_op(va, EVTCHNOP_send, pa), 0);
    assert_false(vb->pause_flags & VPF_polling);
    host_check_invariants();

    pending(b, pb);
    poll_args(&pb, 1, (uint64_t)clock_now() + 1000);
    reads = 0;
    host_on_copy = count_reads;
    assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), 0);
    host_on_copy = NULL;
    assert_int_equal(reads, 1); /* what it waits for is what was looked at */
    host_exit_path();
    host_advance(2000);
    assert_false(vb->pause_flags & VPF_polling);
    host_check_invariants();
}

static void poll_with_bad_ports(void **state)
{
    evtchn_port_t ports[200] = {0};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        ports[0] = i ? ~0u : 0; /* XSA-221 */
        poll_args(ports, 1, 0);
        assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), -XEN_EINVAL);
        assert_false(vb->pause_flags & VPF_polling);
    }
    poll_args(ports, 129, 0);
    assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), -XEN_EINVAL);
    struct sched_poll p = {.ports = 0xffff800000000000ull, .nr_ports = 2};
    memcpy(host_guest(ARG), &p, sizeof(p));
    assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), -XEN_EFAULT);
    assert_false(vb->pause_flags & VPF_polling);
    host_check_invariants();
}

/* An old timeout must not end a later wait of another kind. */
static void a_poll_timeout_is_only_for_its_poll(void **state)
{
    evtchn_port_t pa = alloc(va, 2), pb;

    (void)state;
    assert_int_equal(bind(vb, 1, pa, &pb), 0);
    pending(b, pb);
    vb->vcpu_info->evtchn_upcall_pending = 0;
    poll_args(&pb, 1, (uint64_t)clock_now() + 1000);
    reads = 0;
    host_on_copy = count_reads;
    assert_int_equal(call(vb, sched_op, SCHEDOP_poll, ARG), 0);
    host_on_copy = NULL;
    assert_int_equal(reads, 1); /* what it waits for is what was looked at */
    host_exit_path();
    assert_int_equal(port_op(va, EVTCHNOP_send, pa), 0);
    vb->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(call(vb, sched_op, SCHEDOP_block, 0), 0);
    host_exit_path();
    host_advance(5000);
    assert_true(vb->pause_flags & VPF_blocked);
}

static void vcpu_info_moves_once(void **state)
{
    struct page_info *pg = page_list_first(&a->pages);
    struct vcpu_register_vcpu_info r = {.mfn = page_to_mfn(pg).n, .offset = PAGE_SIZE - 8};

    (void)state;
    host_run_as(va);
    /* XSA-327 */
    for (r.offset = 1; r.offset < 8; r.offset++) {
        memcpy(host_guest(ARG), &r, sizeof(r));
        assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_ENXIO);
    }
    r.offset = PAGE_SIZE - 8;
    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_ENXIO);
    r = (struct vcpu_register_vcpu_info){.mfn = ~0ull, .offset = 64};
    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_EINVAL);
    r.mfn = 3; /* not RAM */
    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_EINVAL);

    va->vcpu_info->arch.cr2 = 0x1234;
    r.mfn = page_to_mfn(pg).n;
    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), 0);
    assert_ptr_equal(va->vcpu_info, (char *)map_frame(page_to_mfn(pg)) + 64);
    assert_int_equal(va->vcpu_info->arch.cr2, 0x1234);
    assert_int_equal(va->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(va->vcpu_info->evtchn_pending_sel, ~0ul);
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_EINVAL);
    assert_int_equal(call(va, vcpu_op, VCPUOP_register_vcpu_info, 1, ARG),
                     -XEN_EINVAL); /* it is up */
}

static void bad_addresses(void **state)
{
    (void)state;
    for (unsigned int cmd = 0; cmd < 16; cmd++) {
        long rc = call(va, event_channel_op, cmd, 0xffff820000000000ull);
        assert_true(rc == -XEN_EFAULT || rc == -XEN_ENOSYS);
    }
}

/* FIFO ports, which each kernel asks for at its start: no line of the log is about them. */
static void fifo_is_refused_in_silence(void **state)
{
    char text[256] = "";
    uint32_t pos = 0;

    (void)state;
    log_clear();
    assert_int_equal(call(va, event_channel_op, EVTCHNOP_init_control, ARG), -XEN_ENOSYS);
    assert_int_equal(call(va, event_channel_op, EVTCHNOP_set_priority, ARG), -XEN_ENOSYS);
    assert_int_equal(log_read(text, sizeof(text) - 1, &pos), 0);
    assert_int_equal(call(va, event_channel_op, 14, ARG), -XEN_ENOSYS);
    log_read(text, sizeof(text) - 1, &pos);
    assert_non_null(strstr(text, "there is no operation 14"));
}

/* A domain may get ports and events before it has a vCPU. */
static void no_vcpu_yet(void **state)
{
    const struct domain_config cfg = {.kind = guest_kinds[0],
                                      .domid = 9,
                                      .max_vcpus = 1,
                                      .max_evtchn_port = 100,
                                      .max_grant_frames = 1,
                                      .max_maptrack_frames = 1};
    struct evtchn_alloc_unbound op = {.dom = 9, .remote_dom = 0};
    evtchn_port_t p;
    struct domain *d;

    (void)state;
    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_int_equal(call_with(dom0->vcpu[0], event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
    assert_int_equal(bind(dom0->vcpu[0], 9, op.port, &p), 0);
    assert_int_equal(port_op(dom0->vcpu[0], EVTCHNOP_send, p), 0);
    assert_true(pending(d, op.port));
    host_destroy(d);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_event_arrives),
        TEST(masked_waits_for_unmask),
        TEST(only_who_is_meant_binds),
        TEST(only_control_makes_ports_of_others),
        TEST(closing_leaves_the_other_end_open),
        TEST(a_pair_within_one_domain),
        TEST(hypervisors_ports_are_not_the_guests),
        TEST(ports_run_out),
        TEST(reset_is_for_oneself),
        TEST(virqs),
        TEST(ipis_and_moving),
        TEST(status_of),
        TEST(poll_ends_by_event_or_time),
        TEST(poll_with_bad_ports),
        TEST(a_poll_timeout_is_only_for_its_poll),
        TEST(vcpu_info_moves_once),
        TEST(bad_addresses),
        TEST(fifo_is_refused_in_silence),
        TEST(no_vcpu_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
