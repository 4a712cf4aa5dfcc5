/* SPDX-License-Identifier: MIT */
/*
 * Domains that use more CPUs at one time than at another, by a rhythm, on a simulated clock. In
 * between nobody waits, or a CPU idles: what each uses then, and what it does without, gives nobody
 * more than it is due, and takes nothing from those that compute. All that wake at one moment have
 * a CPU each, and who wants little where it is pinned has it soon, however far others there lag.
 */
#include "core_test.h"

#include <xen/sched.h>

#define STEP  MICROSECS(100)
#define TOTAL SECONDS(10)

static struct domain *farmer;

/* Beside others with a vCPU each, one fewer than there are CPUs: a farmer computes on one CPU,
 * sleeps for a moment, and computes on all. It is due one CPU, as they are. */
static void quiet_and_loud(unsigned int cpus, s_time_t quiet, s_time_t off, s_time_t loud)
{
    struct domain *others[16];
    struct vcpu *v;

    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(cpus);
    farmer = host_domain(1, false, cpus, 0);
    for (unsigned int i = 1; i < cpus; i++)
        others[i] = host_domain((domid_t)(1 + i), false, 1, 0);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        s_time_t at = t % (quiet + off + loud);

        for_each_vcpu (farmer, v)
            host_keep(v, at >= quiet + off || (at < quiet && !v->vcpu_id));
        host_advance(STEP);
    }
    host_check_invariants();
    assert_in_range(host_time_run(farmer),
                    TOTAL / 100 * ((quiet + loud) * 95 / (quiet + off + loud)), TOTAL / 100 * 101);
    for (unsigned int i = 1; i < cpus; i++)
        assert_true(host_time_run(others[i]) >= (uint64_t)TOTAL / 100 * 98);
}

static void being_quiet_and_loud(void **state)
{
    static const struct {
        unsigned int cpus, quiet, off, loud; /* of STEP */
    } rhythm[] = {{2, 110, 3, 150},   {2, 150, 3, 120},     {4, 200, 10, 110},
                  {8, 322, 10, 150},  {8, 200, 10, 110},    {16, 620, 40, 200},
                  {16, 322, 10, 150}, {16, 10300, 10, 150}, {4, 0, 200, 200}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(rhythm); i++)
        quiet_and_loud(rhythm[i].cpus, rhythm[i].quiet * STEP, rhythm[i].off * STEP,
                       rhythm[i].loud * STEP);
}

/* Light, on 16 CPUs of which another has 15, while a third sleeps time and again: the farmer has a
 * whole CPU then, which is more than its part; sleeps, when it is missing less than that; and
 * computes on many. */
static void having_had_more_alone(void **state)
{
    struct domain *big, *sleeper;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(16);
    farmer = host_domain(1, false, 12, 0);
    sched_set_domain(farmer, 16, 0);
    sleeper = host_domain(2, false, 1, 0);
    sched_set_domain(sleeper, 128, 0);
    big = host_domain(3, false, 15, 0);
    sched_set_domain(big, 480, 0);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        s_time_t at = t % (690 * STEP);

        for_each_vcpu (farmer, v)
            host_keep(v, at >= 665 * STEP || (at < 465 * STEP && !v->vcpu_id));
        host_keep(sleeper->vcpu[0], t % (90 * STEP) < 60 * STEP);
        host_advance(STEP);
    }
    assert_in_range(host_time_run(sleeper), TOTAL / 100 * 65, TOTAL / 100 * 67);
    assert_in_range(host_time_run(farmer) * (16 + 480) / 16,
                    (16 * (uint64_t)TOTAL - host_time_run(sleeper)) / 100 * 80,
                    (16 * (uint64_t)TOTAL - host_time_run(sleeper)) / 100 * 101);
}

/* Two in league, or one, each with so many vCPUs awake in the one time and in the other, beside one
 * that computes, and is due all that its vCPUs can use. In some a CPU idles in the one time. */
static void beside_one_that_computes(void **state)
{
    static const struct {
        unsigned int cpus, time[2]; /* of STEP */
        struct {
            uint16_t weight;
            unsigned int vcpus, awake[2];
        } two[2];
        uint16_t weight;
        unsigned int vcpus;
    } world[] = {
        {8, {130, 205}, {{256, 3, {3, 0}}, {64, 1, {1, 1}}}, 2554, 7},
        {16, {100, 30}, {{16, 2, {0, 2}}, {16, 1, {1, 0}}}, 480, 15},
        {4, {400, 100}, {{64, 4, {0, 4}}, {64, 1, {1, 0}}}, 384, 3},
        {4, {50, 100}, {{1024, 4, {1, 4}}, {64, 4, {2, 4}}}, 512, 1},
        {2, {90, 110}, {{256, 1, {1, 1}}, {256, 1, {1, 0}}}, 512, 1},
        {4, {9, 50}, {{256, 4, {4, 1}}}, 256, 2},
        {4, {100, 600}, {{256, 4, {4, 1}}}, 256, 2},
        {8, {9, 50}, {{256, 8, {8, 2}}}, 256, 4},
        {8, {8, 19}, {{512, 8, {2, 8}}, {32, 5, {5, 5}}}, 1024, 3},
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(world); i++) {
        struct domain *two[2], *computes;
        struct vcpu *v;

        host_init(4096);
        host_no_tlbs = true;
        host_set_cpus(world[i].cpus);
        for (unsigned int n = 0; n < 2 && world[i].two[n].vcpus; n++) {
            two[n] = host_domain((domid_t)(1 + n), false, world[i].two[n].vcpus, 0);
            sched_set_domain(two[n], world[i].two[n].weight, 0);
        }
        computes = host_domain(3, false, world[i].vcpus, 0);
        sched_set_domain(computes, world[i].weight, 0);
        for (s_time_t t = 0; t < TOTAL; t += STEP) {
            bool second =
                t % ((world[i].time[0] + world[i].time[1]) * STEP) >= world[i].time[0] * STEP;

            for (unsigned int n = 0; n < 2 && world[i].two[n].vcpus; n++)
                for_each_vcpu (two[n], v)
                    host_keep(v, v->vcpu_id < world[i].two[n].awake[second]);
            host_advance(STEP);
        }
        assert_true(host_time_run(computes) >= (uint64_t)TOTAL / 1000 * 985 * world[i].vcpus);
    }
}

/* Two share a CPU, where they are pinned; one of them sleeps time and again. A third has all other
 * CPUs, with as many vCPUs: nobody waits while it sleeps. */
static void sleeping_where_pinned(void **state)
{
    static const struct {
        unsigned int on, off; /* of STEP */
    } rhythm[] = {{195, 40}, {95, 20}, {90, 20}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(rhythm); i++) {
        struct domain *two[2];

        host_init(4096);
        host_no_tlbs = true;
        host_set_cpus(16);
        for (unsigned int n = 0; n < 2; n++) {
            two[n] = host_domain((domid_t)(1 + n), false, 1, 0);
            assert_int_equal(sched_set_affinity(two[n]->vcpu[0], 1), 0);
        }
        (void)host_domain(3, false, 15, 0);
        for (s_time_t t = 0, slept = 0; t < TOTAL; t += STEP) {
            struct vcpu *v = two[1]->vcpu[0];

            if (v->pause_flags & VPF_blocked && t - slept >= rhythm[i].off * STEP) {
                host_keep(v, true);
            } else if (v->sched.on_cpu &&
                       clock_now() - v->sched.switched_in >= rhythm[i].on * STEP) {
                host_keep(v, false);
                slept = t;
            }
            host_advance(STEP);
        }
        for (unsigned int n = 0; n < 2; n++)
            assert_in_range(host_time_run(two[n]), TOTAL / 200 * 97, TOTAL / 200 * 101);
    }
}

/* A heavy one sleeps for a moment now and then; only a light one waits meanwhile, and is far
 * behind. One between them, that computes all the time, gets no further in front by that. */
static void beside_a_light_one(void **state)
{
    struct domain *heavy, *light;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(16);
    heavy = host_domain(1, false, 12, 0);
    sched_set_domain(heavy, 2048, 0);
    (void)host_domain(2, false, 5, 0);
    light = host_domain(3, false, 12, 0);
    sched_set_domain(light, 16, 0);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        for_each_vcpu (heavy, v)
            host_keep(v, t % (1176 * STEP) >= 128 * STEP);
        host_advance(STEP);
    }
    assert_true(host_time_run(heavy) >= (uint64_t)TOTAL / 1176 * 1048 * 12 / 100 * 99);
}

/* One wants a CPU for moments, where it is pinned. Another may run there and elsewhere, and lags
 * far behind one that may run anywhere; it keeps nobody out for longer than its slices. */
static void beside_one_that_lags(void **state)
{
    s_time_t longest = 0;
    struct domain *lags;
    struct vcpu *v, *one;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(8);
    lags = host_domain(1, false, 5, 0);
    sched_set_domain(lags, 401, 0);
    for_each_vcpu (lags, v)
        assert_int_equal(sched_set_affinity(v, 0x5a), 0);
    sched_set_domain(host_domain(2, false, 5, 0), 29, 0);
    one = host_domain(3, false, 1, 0)->vcpu[0];
    sched_set_domain(one->domain, 213, 0);
    assert_int_equal(sched_set_affinity(one, 0x40), 0);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        for_each_vcpu (lags, v)
            host_keep(v, v->vcpu_id < 3 || t % (663 * STEP) >= 20 * STEP);
        host_keep(one, t % (11 * STEP) < 5 * STEP);
        host_advance(STEP);
        if (one->sched.queued)
            longest = MAX(longest, clock_now() - one->sched.state_since);
    }
    assert_true(longest <= 3 * SCHED_SLICE);
}

/* All of its vCPUs wake at one moment, beside others that compute on all CPUs and come after it:
 * each of its vCPUs has another CPU at once. */
static void waking_together(void **state)
{
    static const struct {
        unsigned int on, off; /* of STEP */
        uint16_t weight;
    } world[] = {{42, 7, 86}, {50, 50, 256}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(world); i++) {
        const unsigned int cycle = world[i].on + world[i].off;
        struct domain *wakes;
        struct vcpu *v;

        host_init(4096);
        host_no_tlbs = true;
        host_set_cpus(4);
        sched_set_domain(host_domain(1, false, 4, 0), world[i].weight, 0);
        wakes = host_domain(2, false, 3, 0);
        sched_set_domain(wakes, 1024, 0);
        for (s_time_t t = 0; t < TOTAL; t += STEP) {
            for_each_vcpu (wakes, v)
                host_keep(v, t % (cycle * STEP) < world[i].on * STEP);
            host_advance(STEP);
        }
        assert_true(host_time_run(wakes) >= (uint64_t)TOTAL / cycle * world[i].on * 3 / 100 * 98);
    }
}

/* Two wake at one moment, and may run on one CPU alone, where others that come after both could go
 * elsewhere: the first of the two, heavier and due little, has it first. */
static void waking_before_another(void **state)
{
    struct domain *first, *second;
    s_time_t longest = 0;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(2);
    first = host_domain(1, false, 1, 0);
    sched_set_domain(first, 1024, 0);
    second = host_domain(2, false, 1, 0);
    sched_set_domain(second, 64, 0);
    (void)host_domain(3, false, 2, 0);
    v = first->vcpu[0];
    assert_int_equal(sched_set_affinity(v, 1), 0);
    assert_int_equal(sched_set_affinity(second->vcpu[0], 1), 0);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        host_keep(v, t % (100 * STEP) < 5 * STEP);
        host_keep(second->vcpu[0], t % (100 * STEP) < 50 * STEP);
        host_advance(STEP);
        if (v->sched.queued)
            longest = MAX(longest, clock_now() - v->sched.state_since);
    }
    assert_true(longest <= STEP);
}

/* A heavy one computes with all its vCPUs, and with some of them, by turns; when some sleep, only a
 * light one waits, and leaps ahead. A farmer wakes with all its vCPUs for a moment, time and again:
 * what it used before, beside the heavy one, is not forgotten by that. Each is due what it had if
 * time were shared without slices. */
static void farming_beside_a_light_one(void **state)
{
    static const struct {
        unsigned int cpus;
        uint16_t light;
        unsigned int some;       /* of the heavy one's vCPUs */
        unsigned int farmed;     /* what the farmer is due, in 1/1000 of a CPU */
        unsigned int heavy_part; /* what the heavy one is due, likewise */
    } world[] = {{8, 16, 3, 737, 5896}, {4, 16, 2, 384, 3071}, {4, 4, 2, 384, 3069}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(world); i++) {
        struct domain *heavy;
        struct vcpu *v;

        host_init(4096);
        host_no_tlbs = true;
        host_set_cpus(world[i].cpus);
        sched_set_domain(host_domain(1, false, world[i].cpus, 0), world[i].light, 0);
        farmer = host_domain(2, false, world[i].cpus, 0);
        sched_set_domain(farmer, 64, 0);
        heavy = host_domain(3, false, world[i].cpus, 0);
        sched_set_domain(heavy, 512, 0);
        for (s_time_t t = 0; t < TOTAL; t += STEP) {
            for_each_vcpu (farmer, v)
                host_keep(v, t % (280 * STEP) < 80 * STEP);
            for_each_vcpu (heavy, v)
                host_keep(v, t % (390 * STEP) < 240 * STEP || v->vcpu_id < world[i].some);
            host_advance(STEP);
        }
        assert_true(host_time_run(farmer) <= (uint64_t)TOTAL / 100000 * world[i].farmed * 101);
        assert_true(host_time_run(heavy) >= (uint64_t)TOTAL / 100000 * world[i].heavy_part * 99);
    }
}

/* A heavy one with one vCPU is kept waiting when all are awake for a moment, and virtual time is
 * held back for it. Of those that compete meanwhile each keeps its place when one sleeps. */
static void computing_beside_who_was_kept_waiting(void **state)
{
    struct domain *light, *held, *sleeps;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(4);
    light = host_domain(1, false, 1, 0);
    sched_set_domain(light, 64, 0);
    held = host_domain(2, false, 1, 0);
    sched_set_domain(held, 512, 0);
    sched_set_domain(host_domain(3, false, 3, 0), 384, 0);
    sleeps = host_domain(4, false, 4, 0);
    sched_set_domain(sleeps, 1024, 0);
    for (s_time_t t = 0; t < 2 * TOTAL; t += STEP) {
        host_keep(held->vcpu[0], t % (210 * STEP) < 200 * STEP);
        for_each_vcpu (sleeps, v)
            host_keep(v, t % (5010 * STEP) < 10 * STEP);
        host_advance(STEP);
    }
    assert_in_range(host_time_run(light), 2 * TOTAL / 1000 * 420, 2 * TOTAL / 1000 * 450);
}

/* Brothers with a cap take turns by their own slice, which is short in a light domain. */
static void light_and_capped(void **state)
{
    s_time_t longest = 0;
    struct domain *d;
    struct vcpu *v;

    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(2);
    d = host_domain(1, false, 5, 0);
    sched_set_domain(d, 4, 12);
    (void)host_domain(2, false, 2, 0);
    for (s_time_t t = 0; t < SECONDS(20); t += STEP) {
        host_advance(STEP);
        for_each_vcpu (d, v)
            if (t >= SECONDS(5) && !v->sched.on_cpu)
                longest = MAX(longest, clock_now() - v->sched.state_since);
    }
    assert_true(longest <= SECONDS(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(being_quiet_and_loud),
        cmocka_unit_test(having_had_more_alone),
        cmocka_unit_test(beside_one_that_computes),
        cmocka_unit_test(sleeping_where_pinned),
        cmocka_unit_test(beside_a_light_one),
        cmocka_unit_test(beside_one_that_lags),
        cmocka_unit_test(waking_together),
        cmocka_unit_test(waking_before_another),
        cmocka_unit_test(farming_beside_a_light_one),
        cmocka_unit_test(computing_beside_who_was_kept_waiting),
        cmocka_unit_test(light_and_capped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
