/* SPDX-License-Identifier: MIT */
/*
 * Ports and grants, and what another CPU does to them at the worst moment.
 */
#include "core_moment.h"

#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <signal.h>
#include <sys/mman.h>
#include <xen/sched.h>

/* --- ports --- */

static struct domain *e;
static evtchn_port_t near, far;

static void connect(void)
{
    struct evtchn_bind_interdomain b = {.remote_dom = 5};

    e = host_domain(6, false, 1, 0);
    assert_int_equal(evtchn_alloc_unbound(d, 6, NULL, &near), 0);
    b.remote_port = near;
    assert_int_equal(call_with(e->vcpu[0], event_channel_op, EVTCHNOP_bind_interdomain, &b), 0);
    far = b.local_port;
    host_exit_path();
    host_run_as(d->vcpu[0]);
}

static void close_the_other_end(void)
{
    assert_int_equal(evtchn_close(e, far, true), 0);
}

/* Both ends are closed at once: each port once, and neither refers to what is closed. */
static void both_ends_are_closed(void **state)
{
    (void)state;
    connect();
    when(&d->evtchn.lock, true, 0, close_the_other_end); /* after the first look, before both */
    assert_int_equal(evtchn_close(d, near, true), 0);
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->evtchn.active + e->evtchn.active, 0);
}

static void the_other_end_goes(void)
{
    host_destroy(e);
}

/* The other domain ends wholly between the two looks: it is held, and freed when it is let go. */
static void its_peer_ends_while_a_port_is_closed(void **state)
{
    (void)state;
    connect();
    when(&d->evtchn.lock, true, 0, the_other_end_goes);
    assert_int_equal(evtchn_close(d, near, true), 0);
    assert_int_equal(moment.times, 1);
    host_reap();
    assert_null(get_domain_by_id(6));
}

static void it_ends(void)
{
    host_destroy(d);
}

/* Who is about to make a port for a domain finds that it has ended meanwhile: nobody would close
 * that port. */
static void a_port_of_the_dead(void **state)
{
    struct evtchn_alloc_unbound a = {.dom = 5};

    (void)state;
    when(&d->evtchn.lock, false, 0, it_ends);
    assert_int_equal(call_with(dom0->vcpu[1], event_channel_op, EVTCHNOP_alloc_unbound, &a),
                     -XEN_EINVAL);
    assert_int_equal(moment.times, 1);
    host_reap();
    assert_null(get_domain_by_id(5));
}

static void send_through_it(void)
{
    long rc = evtchn_send(e, far); /* it may be closed */

    assert_true(rc == 0 || rc == -XEN_EINVAL);
}

/* An event that comes while the port is being closed is not the next user's. */
static void sent_while_it_is_closed(void **state)
{
    evtchn_port_t again;

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        connect();
        when(&d->evtchn.lock, i, 0, send_through_it); /* before, and between the two looks */
        assert_int_equal(evtchn_close(d, near, true), 0);
        assert_int_equal(moment.times, 1);
        assert_int_equal(evtchn_alloc_unbound(d, 0, NULL, &again), 0);
        assert_int_equal(again, near);
        assert_false(evtchn_port_pending(d, again));
        assert_int_equal(evtchn_close(d, again, true), 0);
        host_destroy(e);
    }
}

static void nothing(void)
{
}

/* vCPUs of a guest that interrupt each other meet at no lock of their domain's. */
static void an_ipi_takes_no_lock(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 1};

    (void)state;
    assert_int_equal(call_with(d->vcpu[0], event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
    when(&d->evtchn.lock, false, 0, nothing);
    assert_int_equal(evtchn_send(d, ipi.port), 0);
    assert_int_equal(moment.times, 0);
    assert_true(evtchn_port_pending(d, ipi.port));
    assert_int_equal(evtchn_close(d, ipi.port, true), 0);
    assert_int_equal(moment.times, 1);
    assert_false(evtchn_port_pending(d, ipi.port));
    assert_int_equal(evtchn_send(d, ipi.port), -XEN_EINVAL);
}

/* Nor do those that poll for their ports, as those who wait for a lock of their kernel's do. */
static void a_poll_takes_no_lock(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct sched_poll poll = {.nr_ports = 1, .ports = LIST + 0x200};

    (void)state;
    assert_int_equal(call_with(d->vcpu[0], event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
    memcpy(host_guest(poll.ports), &ipi.port, sizeof(ipi.port));
    when(&d->evtchn.lock, false, 0, nothing);
    assert_int_equal(call_with(d->vcpu[0], sched_op, SCHEDOP_poll, &poll), 0);
    assert_int_equal(d->vcpu[0]->pause_flags, VPF_polling);
    assert_int_equal(evtchn_send(d, ipi.port), 0);
    assert_int_equal(d->vcpu[0]->pause_flags, 0);
    assert_int_equal(moment.times, 0);
}

/* Each port of a poll has to be one, also behind one that is pending; and to be readable. */
static void each_port_of_a_poll_is_looked_at(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct sched_poll poll = {.nr_ports = 3, .ports = LIST + 0x200};
    evtchn_port_t *ports = host_guest(poll.ports);
    struct vcpu *v = d->vcpu[0];

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
        ports[i] = ipi.port;
    }
    ports[2] = ports[1];
    assert_int_equal(evtchn_send(d, ports[0]), 0);
    v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(call_with(v, sched_op, SCHEDOP_poll, &poll), 0);
    assert_int_equal(v->pause_flags, 0);
    ports[1] = 1000;
    assert_int_equal(call_with(v, sched_op, SCHEDOP_poll, &poll), -XEN_EINVAL);
    poll = (struct sched_poll){.nr_ports = 1, .ports = 0xffff800000000000ull};
    assert_int_equal(call_with(v, sched_op, SCHEDOP_poll, &poll), -XEN_EFAULT);
    host_run_as(v);
    assert_int_equal(do_sched_op(SCHEDOP_poll, poll.ports), -XEN_EFAULT);
    assert_int_equal(do_event_channel_op(EVTCHNOP_send, poll.ports), -XEN_EFAULT);
    assert_int_equal(v->pause_flags, 0);
}

static evtchn_port_t ipi_port;
static bool bound_anew;

/* The sender comes to the pending bit, whose page cannot be written yet. */
static void at_the_pending_bit(int sig)
{
    (void)sig;
    mprotect(d->shared_info, PAGE_SIZE, PROT_READ | PROT_WRITE);
    at_copy(0);
}

static void close_the_ipi(void)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 2};

    assert_int_equal(evtchn_close(d, ipi_port, true), 0);
    memcpy(host_guest(LIST), &ipi, sizeof(ipi));
    if (bound_anew)
        assert_int_equal(do_event_channel_op(EVTCHNOP_bind_ipi, LIST), 0);
}

/* An IPI is closed, and perhaps its port bound for another vCPU, when the sender has seen whose it
 * is and has not set it pending yet: who has the port now is told, or nothing is left pending. */
static void an_ipi_is_bound_anew(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 1};
    struct sigaction segv = {.sa_handler = at_the_pending_bit}, was;

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        bound_anew = i;
        assert_int_equal(call_with(d->vcpu[0], event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
        ipi_port = ipi.port;
        when(NULL, false, 0, close_the_ipi);
        moment.by = d->vcpu[1];
        sigaction(SIGSEGV, &segv, &was);
        mprotect(d->shared_info, PAGE_SIZE, PROT_READ);
        assert_int_equal(evtchn_send(d, ipi_port), 0);
        sigaction(SIGSEGV, &was, NULL);
        assert_int_equal(moment.times, 1);
        assert_int_equal(evtchn_port_pending(d, ipi_port), bound_anew);
        assert_int_equal(d->vcpu[2]->vcpu_info->evtchn_pending_sel, bound_anew);
        assert_int_equal(d->vcpu[2]->vcpu_info->evtchn_upcall_pending, bound_anew);
    }
}

static void bind_anew_and_send(void)
{
    bound_anew = true;
    close_the_ipi();
    assert_int_equal(evtchn_send(d, ipi_port), 0);
    assert_int_equal(d->vcpu[2]->vcpu_info->evtchn_pending_sel, 0); /* it is masked */
}

/* An IPI is unmasked; before its bit is clear it is bound for another vCPU, and sent: that one is
 * told, by who clears the bit, and not who had the port before. */
static void an_ipi_is_bound_anew_and_unmasked(void **state)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 1};
    struct evtchn_unmask unmask;
    struct sigaction segv = {.sa_handler = at_the_pending_bit}, was;

    (void)state;
    assert_int_equal(call_with(d->vcpu[0], event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
    unmask.port = ipi_port = ipi.port;
    (void)test_and_set_bit(d->shared_info->evtchn_mask, ipi_port);
    when(NULL, false, 0, bind_anew_and_send);
    moment.by = d->vcpu[0];
    sigaction(SIGSEGV, &segv, &was);
    mprotect(d->shared_info, PAGE_SIZE, PROT_READ);
    assert_int_equal(evtchn_unmask(d, unmask.port), 0);
    sigaction(SIGSEGV, &was, NULL);
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->vcpu[1]->vcpu_info->evtchn_pending_sel, 0);
    assert_int_equal(d->vcpu[2]->vcpu_info->evtchn_pending_sel, 1);
}

static void reset_too(void)
{
    assert_int_equal(evtchn_close_all(d, false), 0);
}

/* Two resets at once: neither goes past what the other left open. */
static void two_resets(void **state)
{
    evtchn_port_t port;

    (void)state;
    for (unsigned int i = 0; i < 100; i++)
        assert_int_equal(evtchn_alloc_unbound(d, 0, NULL, &port), 0);
    host_exit_path();
    when(&d->evtchn.lock, true, 20, reset_too);
    moment.by = d->vcpu[1];
    host_run_as(d->vcpu[0]);
    while (evtchn_close_all(d, false) == -XEN_ERESTART)
        host_exit_path();
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->evtchn.active, 0);
    assert_int_equal(d->evtchn.close_next[0], 0);
}

/* --- grants --- */

static uint32_t handle;
static long second_answer;

static long unmap_by(gva_t arg)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = 0x8000, .handle = handle};

    memcpy(host_guest(arg), &u, sizeof(u));
    assert_int_equal(do_grant_table_op(GNTTABOP_unmap_grant_ref, arg, 1), 0);
    memcpy(&u, host_guest(arg), sizeof(u));
    return u.status;
}

static long unmap(void)
{
    return unmap_by(LIST);
}

static long map(void)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = 0x8000, .flags = GNTMAP_host_map, .ref = 9, .dom = 5};

    memcpy(host_guest(LIST + 0x200), &m, sizeof(m));
    assert_int_equal(do_grant_table_op(GNTTABOP_map_grant_ref, LIST + 0x200, 1), 0);
    memcpy(&m, host_guest(LIST + 0x200), sizeof(m));
    handle = m.handle;
    return m.status;
}

static void unmap_too(void)
{
    second_answer = unmap_by(LIST + 0x100);
}

static void map_too(void)
{
    assert_int_equal(map(), GNTST_okay);
}

/* Two vCPUs unmap one handle: one does (core_grants_lock: two_unmap_one_handle), and where it still
 * holds the pin the other finds the handle gone. A mapping that is made then has another. */
static void a_handle_is_unmapped_by_one(void **state)
{
    struct vcpu *v;
    const struct active_grant *a;

    (void)state;
    e = host_domain(6, false, 2, 0);
    v = e->vcpu[0];
    grant_table_set_entry(d, 9, 6, page_to_mfn(host_frames(d, 0)).n);
    a = grant_active(d->grant, 9);
    host_run_as(v);
    assert_int_equal(map(), GNTST_okay);
    assert_int_equal(a->writers, 1);
    when(&d->grant->lock, false, 0, unmap_too);
    moment.by = e->vcpu[1];
    assert_int_equal(unmap(), GNTST_okay);
    assert_int_equal(moment.times, 1);
    assert_int_equal(second_answer, GNTST_bad_handle);
    assert_int_equal(a->writers, 0);
    assert_int_equal(map(), GNTST_okay);
    when(&d->grant->lock, false, 0, map_too);
    moment.by = e->vcpu[1];
    assert_int_equal(unmap(), GNTST_okay);
    assert_int_equal(a->writers, 1);
    assert_int_equal(unmap(), GNTST_okay);
    assert_int_equal(a->writers, 0);
    host_destroy(e);
}

static void it_begins_to_end(void)
{
    WRITE_ONCE(d->dying, true);
}

/* A grant of a domain whose end has begun is not mapped any more, though its table is still there.
 */
static void a_grant_of_the_dying(void **state)
{
    (void)state;
    e = host_domain(6, false, 1, 0);
    grant_table_set_entry(d, 9, 6, page_to_mfn(host_frames(d, 0)).n);
    host_run_as(e->vcpu[0]);
    when(&d->grant->lock, false, 0, it_begins_to_end);
    assert_int_equal(map(), GNTST_general_error);
    assert_int_equal(moment.times, 1);
    assert_int_equal(grant_active(d->grant, 9)->writers, 0);
    d->dying = false;
    host_destroy(e);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, moment_setup, moment_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_ipi_takes_no_lock),
        TEST(a_poll_takes_no_lock),
        TEST(an_ipi_is_bound_anew),
        TEST(two_resets),
        TEST(both_ends_are_closed),
        TEST(its_peer_ends_while_a_port_is_closed),
        TEST(a_port_of_the_dead),
        TEST(sent_while_it_is_closed),
        TEST(a_handle_is_unmapped_by_one),
        TEST(a_grant_of_the_dying),
        TEST(each_port_of_a_poll_is_looked_at),
        TEST(an_ipi_is_bound_anew_and_unmasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
