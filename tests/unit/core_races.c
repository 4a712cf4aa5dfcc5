/* SPDX-License-Identifier: MIT */
/*
 * The lives of domains, vCPUs, and what another CPU does to them at the worst moment.
 */
#include "core_moment.h"

#include <core/base/log.h>
#include <core/base/log_share.h>
#include <core/domain/claim.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <core/sched/pause.h>
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/* --- the begin and the end of a domain --- */

static void look_for_it(void)
{
    assert_null(get_domain_by_id(9));
    assert_int_equal(get_domain_from(6) != NULL, 0);
}

/* One that is not made to its end has an id, and nobody finds it. */
static void a_domain_is_found_when_it_is_whole(void **state)
{
    const struct domain_config cfg = {.kind = guest_kinds[0],
                                      .domid = 9,
                                      .max_vcpus = 1,
                                      .max_evtchn_port = 99,
                                      .max_grant_frames = 1};
    struct domain *made;

    (void)state;
    when(&domlist_lock, true, 0, look_for_it);
    assert_int_equal(domain_create(&cfg, &made), 0);
    assert_int_equal(moment.times, 1);
    assert_ptr_equal(get_domain_by_id(9), made);
    put_domain(made);
    host_destroy(made);
}

/* Who goes through all domains passes by one whose last reference has gone and that is not freed
 * yet. */
static void one_that_goes_is_passed_by(void **state)
{
    struct domain *next;

    (void)state;
    host_run_as(dom0->vcpu[0]);
    while (domain_kill(d) == -XEN_ERESTART)
        ;
    assert_int_equal(d->refcount, 0);
    assert_null(get_domain_by_id(5));
    assert_null(get_domain_from(5));
    next = host_domain(7, false, 1, 0);
    assert_ptr_equal(get_domain_from(5), next);
    put_domain(next);
    host_reap();
}

/* A guest whose vCPUs write to the log on CPUs whose clocks differ gets no more of it than others.
 */
static void one_clock_is_behind(void **state)
{
    (void)state;
    assert_true(log_share_take(d, false, LOG_DEBUG, 16000));
    d->log_share.since = (uint64_t)clock_now() + 1; /* so a CPU wrote it whose clock is ahead */
    assert_false(log_share_take(d, false, LOG_DEBUG, 1000));
    assert_int_equal(d->log_share.used, 16000);
}

static jmp_buf stopped;

static void on_stop(void)
{
    longjmp(stopped, 1);
}

static void the_other_ends_too(void)
{
    domain_shutdown(dom0, SHUTDOWN_poweroff);
}

/* Two guests end at once: how the machine ends does not depend on who is first to look. */
static void the_last_two_end_at_once(void **state)
{
    (void)state;
    dom0->is_control = false;
    control_domain = NULL;
    host_on_stop = on_stop;
    when(&d->lock, true, 0, the_other_ends_too);
    if (!setjmp(stopped)) {
        domain_shutdown(d, SHUTDOWN_crash);
        fail();
    }
    host_run_on(0);
    assert_int_equal(host_stop_kind, STOP_CRASHED);
    assert_int_equal(moment.times, 1);
}

static void resume_it(void)
{
    domain_resume(d);
    assert_int_equal(d->pause_count, 0);
}

/* A domain that is resumed as soon as its end is seen. */
static void resumed_at_once(void **state)
{
    (void)state;
    when(&d->lock, true, 0, resume_it);
    domain_shutdown(d, SHUTDOWN_suspend);
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->pause_count, 0);
    assert_true(vcpu_runnable(d->vcpu[0]));
}

static bool the_second_stays;

static void its_other_vcpu_ends_it_too(void)
{
    this_cpu()->running = this_cpu()->idle;
    host_run_as(d->vcpu[1]);
    atomic_and(&this_cpu()->pending, ~CPU_WORK_SCHEDULE);
    domain_crash(d, "once more");
    the_second_stays = !(this_cpu()->pending & CPU_WORK_SCHEDULE);
    host_run_as(this_cpu()->idle);
}

/* Two vCPUs end their domain: the second goes back to its guest no more than the first does, though
 * that has told nobody yet. */
static void two_vcpus_end_their_domain(void **state)
{
    (void)state;
    host_run_as(d->vcpu[0]);
    when(&d->lock, true, 0, its_other_vcpu_ends_it_too);
    domain_shutdown(d, SHUTDOWN_poweroff);
    assert_int_equal(moment.times, 1);
    assert_false(the_second_stays);
    assert_true(this_cpu()->pending & CPU_WORK_SCHEDULE);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
    host_exit_path();
}

static void claim_more(void)
{
    assert_int_equal(claim_set(d, 50), -XEN_EINVAL);
}

/* What is claimed for a domain after its end took its claim would be nobody's to give back. */
static void claimed_for_the_dying(void **state)
{
    (void)state;
    assert_int_equal(claim_set(d, 60), 0);
    when(&d->page_alloc_lock, true, 0, claim_more);
    host_destroy(d);
    assert_int_equal(moment.times, 1);
    assert_int_equal(claims_outstanding(), 0);
}

static void grants_grow(void)
{
    mfn_t mfn;

    d->dying = false; /* it had looked already */
    assert_int_equal(grant_table_frame(d, 2, &mfn), 0);
    d->dying = true;
}

/* Whoever adds frames to a grant table holds its lock; the end looks for the last time after it. */
static void grants_grow_behind_the_end(void **state)
{
    (void)state;
    host_exit_path();
    d->dying = true;
    when(&d->grant->lock, false, 1, grants_grow); /* one frame is there: its second look */
    assert_int_equal(grant_table_free_frames(d), 0);
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->grant->nr_frames, 3);
    assert_int_equal(d->xenheap_pages, 1); /* shared_info */
    d->dying = false;
}

/* --- vCPUs --- */

static long second_answer;

static void initialise_too(void)
{
    second_answer = do_vcpu_op(VCPUOP_initialise, 2, LIST);
}

/* Two vCPUs give a third its first context: one does, and the other asks again. */
static void two_first_contexts(void **state)
{
    struct vcpu_guest_context c = {.flags = VGCF_in_kernel};

    (void)state;
    d->vcpu[2]->initialised = false;
    memcpy(host_guest(LIST), &c, sizeof(c));
    when(NULL, false, 0, initialise_too);
    moment.by = d->vcpu[1];
    host_on_copy = at_copy;
    assert_int_equal(call(d->vcpu[0], vcpu_op, VCPUOP_initialise, 2, LIST), 0);
    assert_int_equal(moment.times, 1);
    assert_int_equal(second_answer, -XEN_ERESTART);
    assert_int_equal(call(d->vcpu[1], vcpu_op, VCPUOP_initialise, 2, LIST), -XEN_EEXIST);
}

/* One whose vcpu_info another is to move is down already, but not off its CPU yet. */
static void its_info_moves_while_it_leaves(void **state)
{
    struct vcpu_register_vcpu_info info = {.offset = 64};
    struct vcpu *v = d->vcpu[2];

    (void)state;
    info.mfn = page_to_mfn(host_frames(d, 0)).n;
    host_run_as(v);
    atomic_or(&v->pause_flags, VPF_down);
    host_run_on(1);
    this_cpu()->running = d->vcpu[0];
    assert_int_equal(vcpu_info_register(v, &info), -XEN_ERESTART);
    this_cpu()->running = this_cpu()->idle;
    host_run_on(0);
    host_run_as(d->vcpu[0]);
    assert_int_equal(vcpu_info_register(v, &info), 0);
}

static struct vcpu_register_vcpu_info new_place = {.offset = 64};

static void move_its_info(void)
{
    assert_false(d->vcpu[2]->sched.queued); /* nobody takes it meanwhile */
    assert_int_equal(vcpu_info_register(d->vcpu[2], &new_place), 0);
}

/* One that waited for a CPU goes down; another moves its vcpu_info as soon as it is. */
static void its_info_moves_when_it_is_down(void **state)
{
    (void)state;
    new_place.mfn = page_to_mfn(host_frames(d, 0)).n;
    atomic_and(&d->vcpu[2]->pause_flags, ~VPF_down);
    vcpu_wake(d->vcpu[2]);
    host_run_as(d->vcpu[0]);
    assert_true(d->vcpu[2]->sched.queued);
    when(&d->lock, true, 0, move_its_info);
    moment.by = d->vcpu[1];
    assert_int_equal(do_vcpu_op(VCPUOP_down, 2, 0), 0);
    assert_int_equal(moment.times, 1);
}

static void move_it(void)
{
    assert_int_equal(sched_set_affinity(dom0->vcpu[0], 1), 0);
}

/* A vCPU pins itself to a CPU while the control domain forbids it that one. */
static void pinned_where_it_may_not_be(void **state)
{
    struct sched_pin_override pin = {.pcpu = 1};

    (void)state;
    host_run_as(dom0->vcpu[0]);
    when(&runqueue.lock, false, 0, move_it);
    moment.by = dom0->vcpu[1];
    memcpy(host_guest(ARG), &pin, sizeof(pin));
    assert_int_equal(do_sched_op(SCHEDOP_pin_override, ARG), -XEN_EINVAL);
    assert_int_equal(moment.times, 1);
    assert_int_equal(dom0->vcpu[0]->affinity, 1);
}

/* It is to rest, and its CPU has not left it yet. */
static void pause_it_as_it_rests(const spinlock_t *l, bool released)
{
    struct vcpu *v = d->vcpu[0];

    if (l != &runqueue.lock || !released || !v->sched.on_cpu || v->sched.on_cpu->running == v ||
        v->sched.leaving)
        return;
    host_on_lock = NULL;
    atomic_or(&v->pause_flags, VPF_down);
    vcpu_sleep(v);
}

/* A vCPU that is paused while its cap takes its CPU from it waits for none. */
static void paused_as_it_rests(void **state)
{
    struct vcpu_runstate_info r;

    (void)state;
    sched_set_domain(d, SCHED_WEIGHT_DEFAULT, 20);
    host_on_lock = pause_it_as_it_rests;
    for (unsigned int i = 0; i < 1000 && host_on_lock; i++)
        host_advance(MILLISECS(1));
    assert_null(host_on_lock);
    vcpu_runstate_get(d->vcpu[0], &r);
    assert_int_equal(r.state, RUNSTATE_offline);
}

static void ask_for_mine(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpucontext,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .u.vcpucontext = {.vcpu = 0, .ctxt = LIST}};

    memcpy(host_guest(LIST + 0x10000), &op, sizeof(op));
    second_answer = do_domctl(LIST + 0x10000);
}

/* Two vCPUs of the control domain ask for each other's context. The first waits for the second to
 * leave its CPU; the second gives way, and so comes to where it leaves. */
static void each_others_contexts(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpucontext,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .u.vcpucontext = {.vcpu = 1, .ctxt = LIST}};

    (void)state;
    host_run_as(dom0->vcpu[0]);
    when(&runqueue.lock, false, 0, ask_for_mine);
    moment.by = dom0->vcpu[1];
    memcpy(host_guest(ARG), &op, sizeof(op));
    assert_int_equal(do_domctl(ARG), 0);
    assert_int_equal(moment.times, 1);
    assert_int_equal(second_answer, -XEN_ERESTART);
}

static void up_too(void)
{
    assert_int_equal(do_vcpu_op(VCPUOP_up, 2, 0), 0);
}

/* One moves the vcpu_info of a vCPU that is down, while another brings it up. */
static void it_comes_up_while_its_info_moves(void **state)
{
    struct vcpu_register_vcpu_info info = {.offset = 64};
    struct vcpu *v = d->vcpu[2];

    (void)state;
    info.mfn = page_to_mfn(host_frames(d, 0)).n;
    v->pause_flags = VPF_down;
    vcpu_sleep(v);
    when(&d->lock, false, 0, up_too);
    moment.by = d->vcpu[1];
    memcpy(host_guest(ARG), &info, sizeof(info));
    assert_int_equal(call(d->vcpu[0], vcpu_op, VCPUOP_register_vcpu_info, 2, ARG), -XEN_EINVAL);
    assert_int_equal(moment.times, 1);
    assert_ptr_equal(v->vcpu_info, &d->shared_info->vcpu_info[2]);
}

/* The area of another vCPU, which may run: its own CPU writes it. */
static void anothers_time_area(void **state)
{
    struct vcpu_register_time_memory_area area = {.addr.h = LIST};
    struct vcpu_time_info *at = host_guest(LIST);

    (void)state;
    memset(at, 0, sizeof(*at));
    memcpy(host_guest(ARG), &area, sizeof(area));
    assert_int_equal(call(d->vcpu[0], vcpu_op, VCPUOP_register_vcpu_time_memory_area, 1, ARG), 0);
    assert_int_equal(at->version, 0);
    host_run_as(d->vcpu[1]);
    assert_int_equal(at->tsc_to_system_mul, d->vcpu[1]->vcpu_info->time.tsc_to_system_mul);
    assert_true(at->version && !(at->version & 1));
}

static void poll_again(void)
{
    struct vcpu *v = d->vcpu[0];

    vcpu_unblock(v); /* somebody else was quicker, and the guest has polled again since */
    vcpu_poll_begin(v, 7, clock_now() + SECONDS(1));
    vcpu_sleep(v);
}

/* Who ends a poll and is late ends the next; not a half of it, which would not be found then. */
static void a_poll_is_ended_late(void **state)
{
    struct vcpu *v = d->vcpu[0];

    (void)state;
    vcpu_poll_begin(v, 3, 0);
    vcpu_sleep(v);
    when(&v->poll_lock, false, 0, poll_again);
    vcpu_unblock(v);
    assert_int_equal(moment.times, 1);
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(d->poll_mask, 0);
    assert_int_equal(v->poll_port, 0);
    assert_int_equal(v->poll_timer.rank, 0);
    assert_true(v->sched.queued || current == v);
}

/* What a vCPU looks for when it blocks or polls is an NMI as well: who sends one sees no flag yet.
 */
static void an_nmi_before_the_block(void **state)
{
    struct sched_poll poll = {.nr_ports = 0, .timeout = 0};
    struct vcpu *v = d->vcpu[0];

    (void)state;
    assert_int_equal(call(d->vcpu[1], vcpu_op, VCPUOP_send_nmi, 0, 0), 0);
    assert_int_equal(call(v, sched_op, SCHEDOP_block, 0), 0);
    assert_int_equal(v->pause_flags, 0);
    assert_int_equal(call_with(v, sched_op, SCHEDOP_poll, &poll), 0);
    assert_int_equal(v->pause_flags, 0);
    v->nmi_masked = true; /* it is in its handler */
    assert_int_equal(call(v, sched_op, SCHEDOP_block, 0), 0);
    assert_int_equal(v->pause_flags, VPF_blocked);
    vcpu_unblock(v);
}

/* It is over before it has begun: nobody could end it. */
static void a_poll_until_now(void **state)
{
    struct vcpu *v = d->vcpu[0];

    (void)state;
    for (s_time_t late = 0; late < 2; late++) {
        struct sched_poll poll = {.timeout = (uint64_t)(clock_now() - late)};

        assert_int_equal(call_with(v, sched_op, SCHEDOP_poll, &poll), 0);
        assert_int_equal(v->pause_flags, 0);
        assert_int_equal(d->poll_mask, 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, moment_setup, moment_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_domain_is_found_when_it_is_whole),
        TEST(one_that_goes_is_passed_by),
        TEST(one_clock_is_behind),
        TEST(the_last_two_end_at_once),
        TEST(resumed_at_once),
        TEST(two_vcpus_end_their_domain),
        TEST(claimed_for_the_dying),
        TEST(grants_grow_behind_the_end),
        TEST(two_first_contexts),
        TEST(each_others_contexts),
        TEST(it_comes_up_while_its_info_moves),
        TEST(anothers_time_area),
        TEST(its_info_moves_while_it_leaves),
        TEST(its_info_moves_when_it_is_down),
        TEST(pinned_where_it_may_not_be),
        TEST(paused_as_it_rests),
        TEST(a_poll_is_ended_late),
        TEST(an_nmi_before_the_block),
        TEST(a_poll_until_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
