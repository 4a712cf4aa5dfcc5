/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: shares follow weights, to the nanosecond accounted; nobody gets more by sleeping
 * at the right moment; caps hold; every runnable vCPU is on the queue exactly once; run states add
 * up to the time that passed. And what guests see of time.
 */
#include "core_test.h"

#include <core/sched/pause.h>
#include <core/sched/runqueue.h>
#include <core/sched/vcpu_time.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static struct domain *dom[4];

static int setup(void **state)
{
    (void)state;
    host_init(4096);
    three_that_compute(dom);
    return 0;
}

static uint64_t used(unsigned int i)
{
    struct vcpu_runstate_info r;

    vcpu_runstate_get(dom[i]->vcpu[0], &r);
    return r.time[RUNSTATE_running];
}

static void run(s_time_t total, s_time_t step)
{
    for (s_time_t t = 0; t < total; t += step) {
        host_advance(step);
        host_check_invariants();
    }
}

static void equal_weights(void **state)
{
    (void)state;
    run(SECONDS(3), MILLISECS(1));
    for (unsigned int i = 1; i < 4; i++)
        assert_in_range(used(i), (uint64_t)MILLISECS(970), (uint64_t)MILLISECS(1030));
}

static void weights_are_shares(void **state)
{
    (void)state;
    sched_set_domain(dom[1], 512, 0);
    sched_set_domain(dom[2], 128, 0);
    run(SECONDS(7), MILLISECS(1)); /* 512 : 128 : 256 = 4 : 1 : 2 */
    assert_in_range(used(1), (uint64_t)MILLISECS(3900), (uint64_t)MILLISECS(4100));
    assert_in_range(used(2), (uint64_t)MILLISECS(950), (uint64_t)MILLISECS(1050));
    assert_in_range(used(3), (uint64_t)MILLISECS(1900), (uint64_t)MILLISECS(2100));
}

/* One runs 9 ms of each 10 and sleeps before a tick would come: where time is sampled it takes
 * nearly all. */
static void leaving_before_the_tick_gains_nothing(void **state)
{
    struct vcpu *thief = dom[1]->vcpu[0];

    (void)state;
    vcpu_pause(dom[3]->vcpu[0]);
    for (int i = 0; i < 3000; i++) {
        host_advance(MICROSECS(900));
        if (current == thief) {
            thief->vcpu_info->evtchn_upcall_pending = 0;
            vcpu_block(thief);
            host_exit_path();
        }
        host_advance(MICROSECS(100));
        vcpu_unblock(thief);
        host_exit_path();
        host_check_invariants();
    }
    assert_true(used(1) <= used(2) + (uint64_t)MILLISECS(50));
}

/* Sleeping long and then running does not starve the rest for long. */
static void sleep_is_not_saved_up(void **state)
{
    uint64_t before;

    (void)state;
    vcpu_pause(dom[1]->vcpu[0]);
    run(SECONDS(5), MILLISECS(5));
    before = used(2) + used(3);
    vcpu_unpause(dom[1]->vcpu[0]);
    run(MILLISECS(100), MILLISECS(1));
    assert_true(used(2) + used(3) - before >= (uint64_t)MILLISECS(45));
}

static void caps_hold(void **state)
{
    (void)state;
    sched_set_domain(dom[1], 256, 20);
    vcpu_pause(dom[2]->vcpu[0]);
    vcpu_pause(dom[3]->vcpu[0]);
    run(SECONDS(5), MILLISECS(1)); /* alone, and yet */
    assert_in_range(used(1), (uint64_t)MILLISECS(950), (uint64_t)MILLISECS(1050));
    sched_set_domain(dom[1], 256, 0);
    host_advance(MILLISECS(1));
    run(SECONDS(1), MILLISECS(1));
    assert_true(used(1) >= (uint64_t)MILLISECS(1900));
}

static void yield_lets_the_next_one_run(void **state)
{
    struct vcpu *before;

    (void)state;
    host_advance(MILLISECS(1));
    before = current;
    assert_int_equal(call(before, sched_op, SCHEDOP_yield, 0), 0);
    host_exit_path();
    assert_ptr_not_equal(current, before);
    vcpu_pause(dom[1]->vcpu[0]);
    vcpu_pause(dom[2]->vcpu[0]);
    host_exit_path();
    assert_int_equal(call(dom[3]->vcpu[0], sched_op, SCHEDOP_yield, 0), 0);
    host_exit_path();
    assert_ptr_equal(current, dom[3]->vcpu[0]); /* nobody else: at once again */
}

static void block_looks_for_events(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];

    (void)state;
    v->vcpu_info->evtchn_upcall_pending = 1;
    v->vcpu_info->evtchn_upcall_mask = 1;
    assert_int_equal(call(v, sched_op, SCHEDOP_block, 0), 0);
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 0);
    assert_false(v->pause_flags & VPF_blocked);
    v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(call(v, sched_op, SCHEDOP_block, 0), 0);
    host_exit_path();
    assert_ptr_not_equal(current, v);
    assert_int_equal(v->sched.state, RUNSTATE_blocked);
    vcpu_mark_events_pending(v);
    assert_int_equal(v->sched.state, RUNSTATE_runnable);
}

static void idle_when_nobody_can(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 4; i++)
        vcpu_pause(dom[i]->vcpu[0]);
    host_exit_path();
    assert_ptr_equal(current, this_cpu()->idle);
    vcpu_unpause(dom[2]->vcpu[0]);
    host_exit_path();
    assert_ptr_equal(current, dom[2]->vcpu[0]);
}

static void states_add_up(void **state)
{
    struct vcpu_runstate_info r;
    struct vcpu *v = dom[2]->vcpu[0];
    uint64_t sum = 0, start = (uint64_t)clock_now(), before = 0;

    (void)state;
    vcpu_runstate_get(v, &r);
    for (unsigned int i = 0; i < 4; i++)
        before += r.time[i];
    for (int i = 0; i < 502; i++) { /* at the end it runs */
        host_advance(MILLISECS(1));
        if (i % 7 == 0)
            vcpu_pause(v);
        if (i % 7 == 3)
            vcpu_unpause(v);
        host_exit_path();
    }
    vcpu_runstate_get(v, &r);
    for (unsigned int i = 0; i < 4; i++)
        sum += r.time[i];
    assert_ptr_equal(current, v);
    assert_int_equal(sum - before, (uint64_t)clock_now() - start);
}

static void going_down_and_up(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];

    (void)state;
    assert_int_equal(call(v, vcpu_op, VCPUOP_is_up, 0), 1);
    assert_int_equal(call(v, vcpu_op, VCPUOP_is_up, 1), -XEN_ENOENT);
    assert_int_equal(call(v, vcpu_op, VCPUOP_down, 0), 0);
    host_exit_path();
    assert_true(dom[1]->shutting_down); /* ABI: the last one */
    assert_int_equal(dom[1]->shutdown_code, SHUTDOWN_poweroff);
}

/* ---- time ---- */

static uint64_t guest_now(const struct vcpu_time_info *t)
{
    uint64_t delta = clock_ticks() - t->tsc_timestamp;

    assert_int_equal(t->version % 2, 0);
    return t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
}

static void the_guests_clock_is_ours(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];

    (void)state;
    for (int i = 0; i < 3000; i++) {
        host_advance(MILLISECS(3) + i);
        if (current == v)
            assert_int_equal(guest_now(&v->vcpu_info->time), clock_now());
    }
    assert_true(v->vcpu_info->time.version > 4);
}

/* Another CPU is told; this one sees it on its way out. */
static void work_for_a_cpu(void **state)
{
    struct cpu other = {.id = 1};
    unsigned int kicks = host_kicks;

    (void)state;
    cpu_raise(this_cpu(), CPU_WORK_TIMER);
    assert_true(this_cpu()->pending & CPU_WORK_TIMER);
    assert_int_equal(host_kicks, kicks);
    cpu_raise(&other, CPU_WORK_CONSOLE);
    cpu_raise(&other, CPU_WORK_TIMER);
    assert_int_equal(other.pending, CPU_WORK_CONSOLE | CPU_WORK_TIMER);
    assert_int_equal(host_kicks, kicks + 2);
}

static void wall_clock(void **state)
{
    struct shared_info *s = dom[1]->shared_info;
    uint32_t version = s->wc_version;

    (void)state;
    assert_int_equal(version % 2, 0);
    host_run_as(dom[2]->vcpu[0]);
    wallclock_set(1234567890ull * 1000000000ull + 5);
    assert_int_equal(dom[2]->shared_info->wc_sec, 1234567890);
    assert_int_equal(s->wc_version, version);
    host_run_as(dom[1]->vcpu[0]);
    assert_int_equal(s->wc_sec, 1234567890);
    assert_int_equal(s->wc_nsec, 5);
    assert_int_equal(s->wc_version, version + 2);
}

static void run_state_area(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];
    struct vcpu_register_runstate_memory_area area = {.addr.h = LIST};
    struct vcpu_runstate_info *r = host_guest(LIST);

    (void)state;
    host_run_as(v);
    host_advance(MILLISECS(1));
    memcpy(host_guest(ARG), &area, sizeof(area));
    assert_int_equal(call(v, vcpu_op, VCPUOP_register_runstate_memory_area, 0, ARG), 0);
    assert_int_equal(r->state, RUNSTATE_running);
    assert_int_equal(r->time[RUNSTATE_running], v->sched.time[RUNSTATE_running]);
    dom[1]->vm_assist = 1u << VMASST_TYPE_runstate_update_flag;
    host_run_as(dom[2]->vcpu[0]);
    assert_int_equal(r->state, RUNSTATE_runnable);
    assert_false(r->state_entry_time & XEN_RUNSTATE_UPDATE);
    assert_int_equal(r->state_entry_time, clock_now());
    /* not writable at the switch (user mode): said, and made up for later */
    host_fault = LIST;
    host_fault_end = LIST + 100;
    host_run_as(v);
    assert_true(v->areas_stale);
    host_fault = host_fault_end = 0;
    vcpu_areas_switched_in(v);
    assert_false(v->areas_stale);
    assert_int_equal(r->state, RUNSTATE_running);
    area.addr.h = 0xffff800000000000ull;
    memcpy(host_guest(ARG), &area, sizeof(area));
    assert_int_equal(call(v, vcpu_op, VCPUOP_register_runstate_memory_area, 0, ARG), -XEN_EFAULT);
}

static void timers_of_a_vcpu(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];
    struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};
    struct vcpu_set_singleshot_timer s = {.flags = VCPU_SSHOTTMR_future};
    struct vcpu_set_periodic_timer p = {.period_ns = 999};

    (void)state;
    assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_bind_virq, &b), 0);
    s.timeout_abs_ns = (uint64_t)clock_now() - 1;
    memcpy(host_guest(ARG), &s, sizeof(s));
    assert_int_equal(call(v, vcpu_op, VCPUOP_set_singleshot_timer, 0, ARG), -XEN_ETIME);
    s.timeout_abs_ns = (uint64_t)clock_now() + 5000;
    memcpy(host_guest(ARG), &s, sizeof(s));
    assert_int_equal(call(v, vcpu_op, VCPUOP_set_singleshot_timer, 0, ARG), 0);
    host_advance(4999);
    assert_false(evtchn_port_pending(dom[1], b.port));
    host_advance(1);
    assert_true(test_and_clear_bit(dom[1]->shared_info->evtchn_pending, b.port));
    /* XSA-20 */
    for (p.period_ns = 0; p.period_ns < 1000000; p.period_ns = p.period_ns * 2 + 1) {
        memcpy(host_guest(ARG), &p, sizeof(p));
        assert_int_equal(call(v, vcpu_op, VCPUOP_set_periodic_timer, 0, ARG), -XEN_EINVAL);
    }
    p.period_ns = ~0ull;
    memcpy(host_guest(ARG), &p, sizeof(p));
    assert_int_equal(call(v, vcpu_op, VCPUOP_set_periodic_timer, 0, ARG), -XEN_EINVAL);
    p.period_ns = 2000000;
    memcpy(host_guest(ARG), &p, sizeof(p));
    assert_int_equal(call(v, vcpu_op, VCPUOP_set_periodic_timer, 0, ARG), 0);
    for (int i = 0; i < 3; i++) {
        host_advance(2000000);
        assert_true(test_and_clear_bit(dom[1]->shared_info->evtchn_pending, b.port));
    }
    assert_int_equal(call(v, vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
    host_advance(9000000);
    assert_false(evtchn_port_pending(dom[1], b.port));
    /* the old way, and a guest that cannot count */
    assert_int_equal(call(v, set_timer_op, (uint64_t)-5), 0);
    host_advance(MILLISECS(101));
    assert_true(test_and_clear_bit(dom[1]->shared_info->evtchn_pending, b.port));
    assert_int_equal(call(v, set_timer_op, (uint64_t)clock_now() + (1ull << 50) + 1), 0);
    host_advance(MILLISECS(101));
    assert_true(test_and_clear_bit(dom[1]->shared_info->evtchn_pending, b.port));
    assert_int_equal(call(v, set_timer_op, (uint64_t)clock_now() + (1ull << 50)), 0);
    host_advance(MILLISECS(101));
    assert_false(evtchn_port_pending(dom[1], b.port));
    assert_int_equal(call(v, set_timer_op, (uint64_t)clock_now() + 10), 0);
    assert_int_equal(call(v, set_timer_op, 0), 0);
    host_advance(1000);
    assert_false(evtchn_port_pending(dom[1], b.port));
}

/* The heaviest there is, looked at all the time, as when its second vCPU comes and goes: what it
 * used is charged, however little it is. */
static void being_looked_at_all_the_time(void **state)
{
    struct domain *d;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    d = host_domain(1, false, 2, 0);
    sched_set_domain(d, 65535, 0);
    sched_set_domain(host_domain(2, false, 1, 0), 65535, 0);
    v = d->vcpu[1];
    for (s_time_t t = 0; t < MILLISECS(200); t += 250) {
        atomic_or(&v->pause_flags, VPF_down);
        vcpu_sleep(v);
        host_advance(250);
        atomic_and(&v->pause_flags, ~VPF_down);
        vcpu_wake(v);
    }
    assert_in_range(host_time_run(d), MILLISECS(94), MILLISECS(106));
}

/* A domain with two vCPUs and another are level, to the nanosecond, when a slice ends: the two take
 * turns all the same. */
static void brothers_take_turns_beside_one_that_is_level(void **state)
{
    struct domain *two, *other = dom[1];

    (void)state;
    for (unsigned int i = 2; i < 4; i++)
        domain_pause_nosync(dom[i]);
    two = host_domain(5, false, 2, 0);
    vcpu_pause(two->vcpu[1]);
    while (!two->vcpu[0]->sched.on_cpu || two->vcpu[1]->sched.queued)
        host_advance(MILLISECS(1));
    vcpu_unpause(two->vcpu[1]);
    host_exit_path();
    assert_ptr_equal(current, two->vcpu[0]);
    spin_lock(&runqueue.lock);
    sched_account(two, clock_now());
    sched_account(other, clock_now());
    other->sched.vtime = two->sched.vtime;
    two->vcpu[0]->sched.used = two->vcpu[1]->sched.used + (uint64_t)MILLISECS(5);
    cpu_raise(this_cpu(), CPU_WORK_SCHEDULE);
    spin_unlock(&runqueue.lock);
    host_exit_path();
    assert_ptr_equal(current, two->vcpu[1]);
}

/* After days in which the lightest waited for each other, virtual time is near its end. */
static void at_the_end_of_virtual_time(void **state)
{
    (void)state;
    run(SCHED_SLICE, SCHED_SLICE);
    spin_lock(&runqueue.lock);
    runqueue.vtime += 1ull << 62;
    for (unsigned int i = 0; i < 4; i++)
        dom[i]->sched.vtime += 1ull << 62;
    spin_unlock(&runqueue.lock);
    run(SECONDS(1), SCHED_SLICE);
    assert_true(runqueue.vtime < 1ull << 62);
    for (unsigned int i = 1; i < 4; i++)
        assert_in_range(used(i), MILLISECS(320), MILLISECS(350));
}

/* A cap lets one of eight be active, and who has most of CPU 0, where seven are pinned, gives it
 * away seldom: the eighth, on CPU 1, is active when it has been seen that one waits in vain, and at
 * once where that CPU idles; it alone, though its turn is last. Nobody looks for it where all eight
 * are on CPU 0, nor do more than one wait there. */
static void a_wait_in_vain_keeps_back_who_gains_nothing(void **state)
{
    (void)state;
    for (unsigned int elsewhere = 0; elsewhere < 2; elsewhere++)
        for (unsigned int busy = 0; busy < 2; busy++) {
            struct domain *d;
            struct vcpu *v;

            host_init(4096);
            host_no_tlbs = true;
            host_set_cpus(2);
            for (unsigned int i = 0; i <= busy; i++) {
                d = host_domain((domid_t)(1 + i), false, 1, 0);
                sched_set_domain(d, 65535, 0);
                assert_int_equal(sched_set_affinity(d->vcpu[0], 1ull << i), 0);
            }
            host_advance(0);
            d = host_domain(3, false, 8, 0);
            for_each_vcpu (d, v)
                assert_int_equal(sched_set_affinity(v, v->vcpu_id == 1 ? 1ull << elsewhere : 1), 0);
            sched_set_domain(d, 256, 50);
            host_advance(elsewhere && busy ? MICROSECS(600) : 0);
            assert_int_equal(d->sched.running + d->sched.waiting, 1 + elsewhere);
            assert_int_equal(d->vcpu[1]->sched.resting, !elsewhere);
            assert_int_equal(d->vcpu[1]->sched.on_cpu != NULL, elsewhere && !busy);
            host_advance(MILLISECS(1));
            assert_int_equal(d->sched.cap_timer.rank, 0);
        }
}

static void until_it_runs(const struct sched_domain *s, bool runs)
{
    for (unsigned int i = 0; (s->running > 0) != runs; i++) {
        assert_true(i < 100);
        run(MILLISECS(1), MILLISECS(1));
    }
}

/* What a cap may overdraw is gathered also while no CPU idles: it is used as soon as one does. */
static void a_cpu_that_idles_later_is_used_in_time(void **state)
{
    struct sched_domain *s = &dom[1]->sched;

    (void)state;
    vcpu_pause(dom[2]->vcpu[0]);
    vcpu_pause(dom[3]->vcpu[0]);
    sched_set_domain(dom[1], 256, 50);
    run(SECONDS(1), MILLISECS(1));
    until_it_runs(s, true);
    until_it_runs(s, false);
    vcpu_unpause(dom[2]->vcpu[0]);
    run(MILLISECS(5), MILLISECS(1));
    sched_set_domain(dom[1], 256, 50); /* a look */
    run(MILLISECS(5), MILLISECS(1));
    assert_int_equal(s->running, 0);
    vcpu_pause(dom[2]->vcpu[0]);
    run(MILLISECS(11), MILLISECS(1));
    assert_int_equal(s->running, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(equal_weights),
        TEST(weights_are_shares),
        TEST(leaving_before_the_tick_gains_nothing),
        TEST(sleep_is_not_saved_up),
        TEST(caps_hold),
        TEST(yield_lets_the_next_one_run),
        TEST(block_looks_for_events),
        TEST(idle_when_nobody_can),
        TEST(states_add_up),
        TEST(being_looked_at_all_the_time),
        TEST(brothers_take_turns_beside_one_that_is_level),
        TEST(a_wait_in_vain_keeps_back_who_gains_nothing),
        TEST(a_cpu_that_idles_later_is_used_in_time),
        TEST(at_the_end_of_virtual_time),
        TEST(going_down_and_up),
        TEST(the_guests_clock_is_ours),
        TEST(wall_clock),
        TEST(work_for_a_cpu),
        TEST(run_state_area),
        TEST(timers_of_a_vcpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
