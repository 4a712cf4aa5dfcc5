/* SPDX-License-Identifier: MIT */
/*
 * Who wants little has it soon, on a simulated clock: a domain that sleeps most of the time, beside
 * others that compute and have caps; and a vCPU beside its own brothers, whatever each of them has
 * used before. And nobody changes places with another without end while no time passes.
 */
#include "core_test.h"

#include <core/sched/pause.h>
#include <core/sched/runqueue.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define STEP MICROSECS(500)

/* v computes for a while each time it wakes, and sleeps for a while, for so long in all. The
 * longest time that it waited. */
static s_time_t longest_wait(struct vcpu *v, s_time_t run, s_time_t asleep, s_time_t total)
{
    s_time_t longest = 0, since = clock_now();

    for (s_time_t t = 0; t < total; t += STEP) {
        if (v->pause_flags & VPF_blocked) {
            if (clock_now() - since >= asleep)
                vcpu_unblock(v);
        } else if (v->sched.on_cpu && clock_now() - v->sched.switched_in >= run) {
            host_keep(v, false);
            since = clock_now();
        }
        host_advance(STEP);
        if (v->sched.queued)
            longest = MAX(longest, clock_now() - v->sched.state_since);
    }
    host_check_invariants();
    return longest;
}

static void begin(unsigned int cpus)
{
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(cpus);
}

static void pass(s_time_t total)
{
    for (s_time_t t = 0; t < total; t += SCHED_SLICE)
        host_advance(SCHED_SLICE);
}

/* One has no cap, so that somebody always waits. */
static void beside_capped_domains(void **state)
{
    (void)state;
    for (uint16_t cap = 0; cap <= 40; cap += 10)
        for (unsigned int guests = 2; guests <= 8; guests += 3) {
            struct domain *d;

            begin(1);
            d = host_domain(0, true, 1, 0);
            for (unsigned int i = 1; i <= guests; i++) {
                sched_set_domain(host_domain((domid_t)i, false, 1, 0), SCHED_WEIGHT_DEFAULT,
                                 i > 1 ? cap : 0);
                host_advance(MILLISECS(3));
            }
            (void)longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), SECONDS(1));
            assert_true(longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), SECONDS(10)) <
                        2 * SCHED_SLICE);
        }
}

/* As many compute as there are CPUs, so that nobody waits while it sleeps; with spare CPUs, where
 * none of them may run: all idle, or the first of them and another that somebody else may use. */
static void one_for_each_cpu(unsigned int cpus, unsigned int spare, uint16_t weight)
{
    struct domain *d, *other;

    begin(cpus + spare);
    d = host_domain(1, false, 1, 0);
    sched_set_domain(d, weight, 0);
    assert_int_equal(sched_set_affinity(d->vcpu[0], (1ull << cpus) - 1), 0);
    for (unsigned int i = 0; i < cpus; i++) {
        other = host_domain((domid_t)(2 + i), false, 1, 0);
        assert_int_equal(sched_set_affinity(other->vcpu[0], (1ull << cpus) - 1), 0);
    }
    if (spare > 1) {
        other = host_domain((domid_t)(2 + cpus), false, 1, 0);
        assert_int_equal(sched_set_affinity(other->vcpu[0], 3ull << cpus), 0);
    }
    (void)longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), SECONDS(1));
    assert_true(longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), SECONDS(10)) <= STEP);
}

static void beside_one_for_each_cpu(void **state)
{
    (void)state;
    for (unsigned int cpus = 1; cpus <= 4; cpus *= 2)
        for (unsigned int spare = 0; spare <= 2; spare++)
            for (uint16_t weight = 64; weight <= 256; weight *= 4)
                one_for_each_cpu(cpus, spare, weight);
}

/* One runs on one CPU, where it has a right to more, and then on all. It has no more of a start
 * than others. */
static void beside_one_that_grows(void **state)
{
    struct domain *d, *grows;
    struct vcpu *v;

    (void)state;
    begin(3);
    d = host_domain(1, false, 1, 0);
    grows = host_domain(2, false, 3, 0);
    (void)host_domain(3, false, 3, 0);
    for (unsigned int i = 0; i < 4; i++) {
        for_each_vcpu (grows, v)
            if (v->vcpu_id) {
                atomic_or(&v->pause_flags, VPF_down);
                vcpu_sleep(v);
            }
        (void)longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), SECONDS(1));
        for_each_vcpu (grows, v)
            if (v->vcpu_id) {
                atomic_and(&v->pause_flags, ~VPF_down);
                vcpu_wake(v);
            }
        assert_true(longest_wait(d->vcpu[0], MILLISECS(1), MILLISECS(19), MILLISECS(400)) <=
                    3 * SCHED_SLICE);
    }
}

/* Pinned, beside one that computes there; others, which are not pinned, wait for CPUs elsewhere. */
static void where_it_is_pinned(void **state)
{
    (void)state;
    for (unsigned int cpus = 2; cpus <= 16; cpus *= 2) {
        struct domain *d, *there;

        begin(cpus);
        d = host_domain(1, false, 1, 0);
        there = host_domain(2, false, 1, 0);
        assert_int_equal(sched_set_affinity(d->vcpu[0], 1), 0);
        assert_int_equal(sched_set_affinity(there->vcpu[0], 1), 0);
        (void)host_domain(3, false, 2 * cpus, 0);
        (void)longest_wait(d->vcpu[0], MILLISECS(2), MILLISECS(50), SECONDS(3));
        assert_true(longest_wait(d->vcpu[0], MILLISECS(2), MILLISECS(50), SECONDS(10)) <=
                    2 * SCHED_SLICE);
    }
}

/* v0 has run alone for a minute, while v1 slept; v1 wakes, and v0 has slept for a moment, or not.
 */
static void after_a_long_time_alone(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 6; n++) {
        unsigned int cpus = 1u << n / 2;
        struct domain *d;
        struct vcpu *v0, *v1;

        begin(cpus);
        d = host_domain(1, false, 2, 0);
        v0 = d->vcpu[0];
        v1 = d->vcpu[1];
        sched_set_domain(d, SCHED_WEIGHT_DEFAULT, cpus > 1 ? 100 : 0);
        while (!v1->sched.on_cpu)
            host_advance(STEP);
        host_keep(v1, false);
        pass(SECONDS(60));
        if (n % 2)
            host_keep(v0, false);
        host_advance(0);
        vcpu_unblock(v1);
        vcpu_unblock(v0);
        assert_true(longest_wait(v0, SECONDS(60), 0, SECONDS(2)) <= 4 * SCHED_SLICE);
        assert_true(longest_wait(v1, SECONDS(60), 0, SECONDS(2)) <= 4 * SCHED_SLICE);
    }
}

/* Two have shared a CPU while a third slept: it has as much as they have from now on, not before.
 */
static void after_a_long_sleep(void **state)
{
    struct domain *d;
    struct vcpu *v1;

    (void)state;
    begin(1);
    d = host_domain(1, false, 3, 0);
    v1 = d->vcpu[1];
    while (!v1->sched.on_cpu)
        host_advance(STEP);
    host_keep(v1, false);
    pass(SECONDS(20));
    vcpu_unblock(v1);
    assert_true(longest_wait(d->vcpu[0], SECONDS(60), 0, SECONDS(1)) <= 4 * SCHED_SLICE);
    assert_true(longest_wait(d->vcpu[2], SECONDS(60), 0, SECONDS(1)) <= 4 * SCHED_SLICE);
    assert_true(longest_wait(v1, SECONDS(60), 0, SECONDS(1)) <= 4 * SCHED_SLICE);
}

/* v0 has a CPU of its own, v1 to v3 share another: what v0 has used does not hold v1 up. */
static void beside_brothers_that_are_pinned(void **state)
{
    struct domain *d;
    struct vcpu *v;

    (void)state;
    begin(2);
    d = host_domain(1, false, 4, 0);
    for_each_vcpu (d, v)
        assert_int_equal(sched_set_affinity(v, v->vcpu_id ? 2 : 1), 0);
    pass(SECONDS(60));
    assert_true(longest_wait(d->vcpu[1], MILLISECS(1), MILLISECS(20), SECONDS(10)) <=
                4 * SCHED_SLICE);
}

/* What one used while nobody waited is of little account when another comes. */
static void after_a_time_alone(void **state)
{
    struct domain *d, *other;

    (void)state;
    begin(1);
    d = host_domain(1, false, 1, 0);
    other = host_domain(2, false, 1, 0);
    pass(SECONDS(1));
    domain_pause_nosync(other);
    pass(MILLISECS(900));
    domain_unpause(other);
    assert_true(longest_wait(d->vcpu[0], SECONDS(60), 0, SECONDS(1)) <= 4 * SCHED_SLICE);
}

/* Nobody looks at who runs while somebody waits, three times: it is charged for those moments when
 * it is looked at, and for nothing else; also when somebody waits then. */
static void what_was_contended_is_charged(void **state)
{
    struct domain *d, *other;
    uint64_t before;
    s_time_t t;

    (void)state;
    begin(1);
    d = host_domain(1, false, 1, 0);
    other = host_domain(2, false, 1, 0);
    domain_pause_nosync(other);
    host_advance(SECONDS(1));
    assert_int_equal(d->sched.running, 1);
    spin_lock(&runqueue.lock);
    t = clock_now();
    sched_account(d, t);
    before = d->sched.vtime;
    for (unsigned int i = 0; i < 3; i++, t += MILLISECS(10)) {
        sched_begin_wait(other, t + MILLISECS(2));
        sched_end_wait(other, t + MILLISECS(4));
    }
    sched_account(d, t);
    assert_int_equal(d->sched.vtime - before, MILLISECS(6));
    sched_begin_wait(other, t + MILLISECS(2));
    sched_account(d, t + MILLISECS(3));
    assert_int_equal(d->sched.vtime - before, MILLISECS(7));
    sched_end_wait(other, t + MILLISECS(5));
    sched_account(d, t + MILLISECS(20));
    assert_int_equal(d->sched.vtime - before, MILLISECS(9));
    spin_unlock(&runqueue.lock);
}

/* The clocks of two CPUs are not one: a domain is looked at from the one that is behind. While
 * somebody waits its lead is its own, as ever. */
static void looked_at_by_a_clock_that_is_behind(void **state)
{
    struct domain *d, *other;
    uint64_t lead;
    s_time_t t;

    (void)state;
    begin(1);
    d = host_domain(1, false, 1, 0);
    other = host_domain(2, false, 1, 0);
    pass(SECONDS(1));
    spin_lock(&runqueue.lock);
    assert_int_equal(d->sched.waiting + other->sched.waiting, 1);
    t = clock_now();
    sched_account(d, t);
    sched_account(other, t + 50);
    lead = d->sched.vtime += SECONDS(5);
    sched_account(d, t + 10);
    sched_account(d, t + 1000);
    assert_in_range(d->sched.vtime, lead, lead + 1000);
    spin_unlock(&runqueue.lock);
    host_check_invariants();
}

static uint64_t vtime_of(struct domain *d)
{
    uint64_t vtime;

    spin_lock(&runqueue.lock);
    sched_account(d, clock_now());
    vtime = d->sched.vtime;
    spin_unlock(&runqueue.lock);
    return vtime;
}

/* While a CPU idled where it might run, it was short of nothing: also when it is pinned elsewhere
 * after that. */
static void before_it_was_pinned(void **state)
{
    struct domain *d, *other;
    uint64_t before;

    (void)state;
    begin(2);
    d = host_domain(1, false, 1, 0);
    host_advance(0);
    host_keep(d->vcpu[0], false);
    other = host_domain(2, false, 1, 0);
    assert_int_equal(sched_set_affinity(other->vcpu[0], 2), 0);
    pass(SECONDS(1));
    before = vtime_of(d);
    pass(MILLISECS(500));
    assert_int_equal(runqueue.idle_cpus, 1);
    assert_int_equal(sched_set_affinity(d->vcpu[0], 2), 0);
    assert_int_equal(vtime_of(d), before);
    pass(MILLISECS(500));
    assert_true(vtime_of(d) < before);
}

/* Nor is who is new. */
static void before_it_was_there(void **state)
{
    struct domain *d, *other;

    (void)state;
    begin(1);
    (void)host_domain(1, false, 1, 0);
    other = host_domain(2, false, 1, 0);
    pass(SECONDS(10));
    domain_pause_nosync(other);
    pass(SECONDS(1));
    d = host_domain(3, false, 1, 0);
    assert_int_equal(vtime_of(d), runqueue.vtime);
}

/* One has a CPU of its own, so that it leads two that share another. When nobody waited for some
 * time, its lead is of no account: it shares a CPU with them. */
static void after_a_lead(void **state)
{
    struct domain *alone, *two[2];

    (void)state;
    begin(2);
    alone = host_domain(1, false, 1, 0);
    assert_int_equal(sched_set_affinity(alone->vcpu[0], 1), 0);
    for (unsigned int i = 0; i < 2; i++) {
        two[i] = host_domain((domid_t)(i + 2), false, 1, 0);
        assert_int_equal(sched_set_affinity(two[i]->vcpu[0], 2), 0);
    }
    pass(SECONDS(10));
    for (unsigned int i = 0; i < 2; i++)
        domain_pause_nosync(two[i]);
    pass(SECONDS(2));
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(sched_set_affinity(two[i]->vcpu[0], 1), 0);
        domain_unpause(two[i]);
    }
    assert_true(longest_wait(alone->vcpu[0], SECONDS(60), 0, SECONDS(2)) <= 4 * SCHED_SLICE);
}

/* Without a cap each had a CPU of its own, some for longer: a cap makes them take turns at once. */
static void with_a_cap_that_is_new(void **state)
{
    (void)state;
    for (uint16_t cap = 50; cap <= 100; cap += 50) {
        struct domain *d;

        begin(2);
        d = host_domain(1, false, 2, 0);
        while (!d->vcpu[1]->sched.on_cpu)
            host_advance(STEP);
        host_keep(d->vcpu[1], false);
        pass(SECONDS(60));
        vcpu_unblock(d->vcpu[1]);
        pass(SECONDS(1));
        sched_set_domain(d, SCHED_WEIGHT_DEFAULT, cap);
        for (unsigned int i = 0; i < 2; i++)
            assert_true(longest_wait(d->vcpu[i], SECONDS(60), 0, SECONDS(5)) <= 10 * SCHED_SLICE);
    }
}

/* It is not taken for used up when it begins. */
static void a_cap_that_is_new_is_not_used_up(void **state)
{
    struct domain *d;

    (void)state;
    begin(1);
    d = host_domain(1, false, 1, 0);
    (void)host_domain(2, false, 1, 0);
    pass(SECONDS(1));
    for (uint16_t cap = 10; cap < 100; cap += 10) {
        sched_set_domain(d, SCHED_WEIGHT_DEFAULT, cap);
        host_advance(0);
        assert_false(d->vcpu[0]->sched.resting);
        sched_set_domain(d, SCHED_WEIGHT_DEFAULT, 0);
        pass(MILLISECS(200));
    }
}

/* A heavy domain and a light one share a CPU. How far who runs may lag does not change by looking:
 * else they take it from each other again and again, at one moment. */
static void at_one_moment(void **state)
{
    static const uint16_t weight[] = {1, 65535, 256};
    struct domain *d[3];
    uint64_t latitude;

    (void)state;
    begin(1);
    for (unsigned int i = 0; i < 3; i++) {
        d[i] = host_domain((domid_t)(i + 1), false, 1, 0);
        sched_set_domain(d[i], weight[i], 0);
    }
    pass(SECONDS(1));
    domain_pause_nosync(d[0]);
    host_advance(0);
    latitude = runqueue.latitude;
    for (unsigned int i = 0; i < 100; i++) {
        vcpu_yield();
        host_advance(0);
    }
    assert_int_equal(runqueue.latitude, latitude);
    for (unsigned int i = 0; i < 1000; i++)
        host_advance(MILLISECS(1));
    assert_true(runqueue.latitude < latitude / 2);
}

/* One comes while virtual time is held back for a heavy one that was kept waiting: it has no more
 * of a start than those that compete. */
static void beside_one_that_is_new(void **state)
{
    struct domain *computes, *held, *sleeps;
    s_time_t longest = 0;
    struct vcpu *v;

    (void)state;
    begin(4);
    sched_set_domain(host_domain(1, false, 1, 0), 64, 0);
    held = host_domain(2, false, 1, 0);
    sched_set_domain(held, 512, 0);
    computes = host_domain(3, false, 3, 0);
    sched_set_domain(computes, 384, 0);
    sleeps = host_domain(4, false, 4, 0);
    sched_set_domain(sleeps, 1024, 0);
    for (s_time_t t = 0; t < SECONDS(7); t += STEP) {
        for_each_vcpu (sleeps, v)
            host_keep(v, t % MILLISECS(500) < MILLISECS(1));
        if (t == SECONDS(5))
            sched_set_domain(host_domain(5, false, 4, 0), 1024, 0);
        host_advance(STEP);
        for_each_vcpu (computes, v)
            if (t >= SECONDS(5) && v->sched.queued)
                longest = MAX(longest, clock_now() - v->sched.state_since);
    }
    assert_true(longest <= 10 * SCHED_SLICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_capped_domains),
        cmocka_unit_test(beside_one_for_each_cpu),
        cmocka_unit_test(beside_one_that_grows),
        cmocka_unit_test(where_it_is_pinned),
        cmocka_unit_test(after_a_long_time_alone),
        cmocka_unit_test(after_a_long_sleep),
        cmocka_unit_test(beside_brothers_that_are_pinned),
        cmocka_unit_test(after_a_time_alone),
        cmocka_unit_test(what_was_contended_is_charged),
        cmocka_unit_test(looked_at_by_a_clock_that_is_behind),
        cmocka_unit_test(before_it_was_pinned),
        cmocka_unit_test(before_it_was_there),
        cmocka_unit_test(after_a_lead),
        cmocka_unit_test(with_a_cap_that_is_new),
        cmocka_unit_test(a_cap_that_is_new_is_not_used_up),
        cmocka_unit_test(at_one_moment),
        cmocka_unit_test(beside_one_that_is_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
