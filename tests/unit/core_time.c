/* SPDX-License-Identifier: MIT */
/*
 * What guests are told of the clock: pvclock says what clock_now() says, and that it is stable
 * where it is; the registered copy never shows a half-written state as a whole one; and where the
 * CPUs' TSCs differ a vCPU is told anew whenever it gets a CPU. And how far ahead a timer may be.
 */
#include "core_test.h"

#include <core/sched/pause.h>
#include <core/sched/vcpu_time.h>
#include <xen/vcpu.h>

#define AREA (HOST_GUEST_BASE + 0x20000)

static struct domain *d;
static struct vcpu *v;

static int setup(void **state)
{
    (void)state;
    host_init(1024);
    host_clock_stable = true;
    clock_told_holds = SECONDS(1);
    d = host_domain(3, false, 2, 1);
    v = d->vcpu[0];
    vcpu_pause(d->vcpu[1]);
    host_run_as(v);
    host_advance(1);
    return 0;
}

static const struct vcpu_time_info *area(void)
{
    return host_guest(AREA);
}

/* As a guest reads it; false: it would have to try again. */
static bool read_clock(const struct vcpu_time_info *t, uint64_t *ns)
{
    *ns = t->system_time + ((clock_ticks() - t->tsc_timestamp) * t->tsc_to_system_mul >> 32);
    return !(t->version & 1);
}

static void check_clock(const struct vcpu_time_info *t)
{
    uint64_t ns;

    assert_true(read_clock(t, &ns));
    assert_int_equal(ns, clock_now());
}

static void register_area(void)
{
    struct vcpu_register_time_memory_area r = {.addr.p = AREA};

    memcpy(host_guest(ARG), &r, sizeof(r));
    assert_int_equal(call(v, vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, ARG), 0);
}

static void it_is_the_hypervisors_clock(void **state)
{
    (void)state;
    register_area();
    for (unsigned int i = 0; i < 100; i++) {
        check_clock(&v->vcpu_info->time);
        check_clock(area());
        host_advance(SECONDS(1) / 7);
    }
    assert_in_range(clock_now() - (s_time_t)area()->system_time, 0, SECONDS(1) + MILLISECS(1));
}

static void stable_is_told_where_it_is(void **state)
{
    (void)state;
    register_area();
    assert_int_equal(v->vcpu_info->time.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
    assert_int_equal(area()->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
    host_clock_stable = false;
    host_advance(SECONDS(2));
    assert_int_equal(v->vcpu_info->time.flags, 0);
    assert_int_equal(area()->flags, 0);
}

static unsigned int looks, odd;

/* Another vCPU, which reads the copy while it is written: in the middle, version is odd. */
static void look(gva_t gva)
{
    uint64_t ns;

    if (gva < AREA || gva >= AREA + sizeof(struct vcpu_time_info))
        return;
    looks++;
    if (read_clock(area(), &ns))
        assert_int_equal(ns, clock_now());
    else
        odd++;
}

static void never_half_written(void **state)
{
    uint32_t version = 0;

    (void)state;
    register_area();
    looks = odd = 0;
    host_on_copy = look;
    for (unsigned int i = 0; i < 10; i++) {
        host_advance(SECONDS(2));
        assert_int_equal(area()->version & 1, 0);
        assert_true(area()->version > version);
        version = area()->version;
        memset(host_guest(AREA), 0x54, 4); /* what the guest puts there counts for nothing */
    }
    host_on_copy = NULL;
    assert_int_equal(looks, odd + 10);
    assert_in_range(odd, 10, 100);
}

/* The copy cannot be written while v is in user mode: it is, when its kernel runs again. */
static void what_failed_is_made_up_for(void **state)
{
    (void)state;
    register_area();
    host_fault = AREA;
    host_fault_end = AREA + 64;
    host_clock_stable = false;
    host_advance(SECONDS(2));
    assert_int_equal(area()->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
    assert_true(v->areas_stale);
    host_fault = host_fault_end = 0;
    vcpu_areas_switched_in(v);
    assert_int_equal(area()->flags, 0);
    check_clock(area());
}

static void told_anew_on_each_cpu(void **state)
{
    uint32_t version;

    (void)state;
    vcpu_unpause(d->vcpu[1]);
    version = v->vcpu_info->time.version;
    host_run_as(d->vcpu[1]);
    host_run_as(v);
    assert_int_equal(v->vcpu_info->time.version, version); /* one clock: what it knows holds */
    clock_told_holds = 0;
    host_run_as(d->vcpu[1]);
    host_run_as(v);
    assert_true(v->vcpu_info->time.version > version);
    check_clock(&v->vcpu_info->time);
}

static void the_wall_clock(void **state)
{
    const struct shared_info *s = d->shared_info;

    (void)state;
    assert_int_equal(s->wc_sec, clock_wall_at_zero() / SECONDS(1));
    wallclock_set(SECONDS(77) + 5);
    host_advance(SECONDS(1));
    assert_int_equal(s->wc_sec, 77);
    assert_int_equal(s->wc_nsec, 5);
    assert_int_equal(s->wc_version & 1, 0);
}

/* How far ahead a timer is counts from now, not from when its vCPU began to run. */
static void a_far_timer_of_who_has_run_a_while(void **state)
{
    struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};

    (void)state;
    assert_int_equal(call_with(v, event_channel_op, EVTCHNOP_bind_virq, &b), 0);
    host_advance(SECONDS(1));
    assert_true(clock_now() - v->sched.state_since >= SECONDS(1));
    for (unsigned int over = 0; over < 2; over++) {
        assert_int_equal(call(v, set_timer_op, (uint64_t)clock_now() + (1ull << 50) + over), 0);
        host_advance(MILLISECS(101));
        assert_int_equal(evtchn_port_pending(d, b.port), over);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_the_hypervisors_clock, setup),
        cmocka_unit_test_setup(stable_is_told_where_it_is, setup),
        cmocka_unit_test_setup(never_half_written, setup),
        cmocka_unit_test_setup(what_failed_is_made_up_for, setup),
        cmocka_unit_test_setup(told_anew_on_each_cpu, setup),
        cmocka_unit_test_setup(the_wall_clock, setup),
        cmocka_unit_test_setup(a_far_timer_of_who_has_run_a_while, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
