/* SPDX-License-Identifier: MIT */
/*
 * Who tries to get more than its share, on a simulated clock: a domain whose vCPUs leave just
 * before each slice ends, and one whose vCPUs sleep and wake, get at most their share and 1 % of
 * it; nor less than it, when they sleep for moments; nor does it get more when some of them come
 * and go, or it is light. The lightest beside the heaviest does not wait without end, nor does who
 * sleeps while others' leads are narrowed; and who wakes beside one that runs alone waits a slice.
 */
#include "core_test.h"

#include <core/sched/pause.h>
#include <xen/sched.h>

#define STEP   MICROSECS(100)
#define TOTAL  SECONDS(10)
#define HONEST 2u

static struct domain *farmer, *honest[HONEST];

/* Each has a vCPU for each CPU. */
static void begin(unsigned int cpus)
{
    host_init(4096);
    host_no_tlbs = true;
    host_set_cpus(cpus);
    farmer = host_domain(1, false, cpus, 0);
    for (unsigned int i = 0; i < HONEST; i++)
        honest[i] = host_domain((domid_t)(2 + i), false, cpus, 0);
    host_advance(0);
}

/* v has run for so long since it got a CPU: it sleeps. */
static void sleep_after(struct vcpu *v, s_time_t run)
{
    const struct cpu *c = v->sched.on_cpu;

    if (c && clock_now() - v->sched.switched_in >= run)
        host_keep(v, false);
}

/* Begun; all vCPUs of the farmer do the same, in step. */
static void let_farm(s_time_t run, s_time_t asleep)
{
    s_time_t since[4] = {0};
    struct vcpu *v;

    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        for_each_vcpu (farmer, v) {
            if (v->pause_flags & VPF_blocked) {
                if (clock_now() - since[v->vcpu_id] >= asleep)
                    vcpu_unblock(v);
                continue;
            }
            sleep_after(v, run);
            if (v->pause_flags & VPF_blocked)
                since[v->vcpu_id] = clock_now();
        }
        host_advance(STEP);
    }
    host_check_invariants();
}

static void farm(unsigned int cpus, s_time_t run, s_time_t asleep)
{
    begin(cpus);
    let_farm(run, asleep);
    for (unsigned int i = 0; i < HONEST; i++)
        assert_true(host_time_run(farmer) <=
                    host_time_run(honest[i]) + host_time_run(honest[i]) / 100);
    assert_true(host_time_run(farmer) * (HONEST + 1) <= (uint64_t)TOTAL * cpus * 101 / 100);
    assert_true(host_time_run(farmer) > (uint64_t)TOTAL / 20);
}

static void leaving_before_the_slice_ends(void **state)
{
    (void)state;
    for (unsigned int cpus = 1; cpus <= 4; cpus *= 2)
        farm(cpus, SCHED_SLICE - STEP, STEP);
}

static void sleeping_and_waking(void **state)
{
    (void)state;
    for (unsigned int cpus = 1; cpus <= 4; cpus *= 2)
        for (s_time_t t = STEP; t <= 16 * STEP; t *= 4)
            farm(cpus, t, t);
}

/* Beside one that never sleeps, and has as many vCPUs as there are CPUs: when all vCPUs of the
 * farmer sleep, nobody waits. What it has used, and what it lags, is not forgotten by that. */
static void sleeping_all_at_once(void **state)
{
    static const s_time_t run[] = {STEP, MILLISECS(1), MILLISECS(7), MILLISECS(9)};

    (void)state;
    for (unsigned int cpus = 1; cpus <= 4; cpus *= 2)
        for (unsigned int i = 0; i < ARRAY_SIZE(run) * 2; i++) {
            s_time_t asleep = i % 2 ? MILLISECS(2) : STEP;
            uint64_t due = (uint64_t)TOTAL * cpus / 2;

            begin(cpus);
            domain_pause_nosync(honest[1]);
            let_farm(run[i / 2], asleep);
            assert_true(host_time_run(farmer) <= due + due / 100);
            assert_true(asleep > STEP || host_time_run(farmer) >= due - due / 50);
        }
}

/* On two CPUs, beside one vCPU that computes, or sleeps for a moment each 2 ms: a farmer has one
 * that computes, and another that does so for a while now and then. */
static void come_and_go(s_time_t away, s_time_t there, bool naps)
{
    struct vcpu *one;

    begin(2);
    one = honest[0]->vcpu[0];
    domain_pause_nosync(honest[1]);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        host_keep(honest[0]->vcpu[1], false);
        host_keep(farmer->vcpu[1], t % (away + there) >= away);
        if (one->pause_flags & VPF_blocked)
            vcpu_unblock(one);
        else if (naps)
            sleep_after(one, MILLISECS(2));
        host_advance(STEP);
    }
    host_check_invariants();
}

/* The one gets all of a CPU, but for its naps. */
static void coming_and_going(void **state)
{
    static const s_time_t rhythm[][2] = {{30, 11}, {45, 25}, {100, 50}, {650, 300}, {1300, 300}};

    (void)state;
    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(rhythm); i++) {
        come_and_go(MILLISECS(rhythm[i / 2][0]), MILLISECS(rhythm[i / 2][1]), i % 2);
        assert_true(host_time_run(honest[0]) >= (uint64_t)TOTAL / 100 * (i % 2 ? 94 : 99));
    }
}

/* Beside one that computes, on one CPU: it computes for a moment and sleeps for as long, or longer.
 * It is due its share, by a weight that may be less. */
static void sleeping_beside_one(void **state)
{
    static const struct {
        uint16_t weight;
        unsigned int on, off, least; /* of STEP; of a hundred */
    } rhythm[] = {{16, 10, 10, 97}, {16, 10, 100, 97}, {16, 3, 20, 97},  {16, 50, 450, 90},
                  {16, 100, 3, 97}, {256, 80, 10, 98}, {256, 10, 3, 98}, {256, 70, 30, 98}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(rhythm); i++) {
        s_time_t due = TOTAL * rhythm[i].weight / (rhythm[i].weight + SCHED_WEIGHT_DEFAULT);

        begin(1);
        domain_pause_nosync(honest[1]);
        sched_set_domain(farmer, rhythm[i].weight, 0);
        for (s_time_t t = 0; t < TOTAL; t += STEP) {
            host_keep(farmer->vcpu[0],
                      t % ((rhythm[i].on + rhythm[i].off) * STEP) < rhythm[i].on * STEP);
            host_advance(STEP);
        }
        assert_in_range(host_time_run(farmer), due / 100 * rhythm[i].least, due / 100 * 101);
    }
}

/* Due 1 in 65,535 of a CPU, it gets a millisecond in about a minute. */
static void the_lightest_runs(void **state)
{
    s_time_t last, longest = 0;
    struct vcpu *v;

    (void)state;
    begin(1);
    sched_set_domain(farmer, 1, 0);
    sched_set_domain(honest[0], 65535, 0);
    domain_pause_nosync(honest[1]);
    v = farmer->vcpu[0];
    last = clock_now();
    for (s_time_t t = 0; t < SECONDS(300); t += MILLISECS(1)) {
        host_advance(MILLISECS(1));
        if (v->sched.on_cpu)
            last = clock_now();
        longest = MAX(longest, clock_now() - last);
    }
    assert_true(host_time_run(farmer) > 0);
    assert_true(longest < SECONDS(70));
}

/* Two domains share CPU 1 and lead, for CPU 0 is wanted by more. One of them sleeps so long, time
 * and again, or rests for its cap: gaps are narrowed while it is away. How long did it wait? */
static s_time_t longest_wait(s_time_t asleep, uint16_t cap)
{
    s_time_t last, longest = 0;
    struct vcpu *v;

    begin(2);
    for_each_vcpu (farmer, v)
        assert_int_equal(sched_set_affinity(v, 2), 0);
    for_each_vcpu (honest[0], v)
        assert_int_equal(sched_set_affinity(v, 2), 0);
    for_each_vcpu (honest[1], v)
        assert_int_equal(sched_set_affinity(v, 1), 0);
    for (unsigned int id = 9; id <= 10; id++)
        assert_int_equal(sched_set_affinity(host_domain((domid_t)id, false, 1, 0)->vcpu[0], 1), 0);
    sched_set_domain(farmer, SCHED_WEIGHT_DEFAULT, cap);
    last = clock_now();
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        bool away = t % MILLISECS(31) < asleep;

        for_each_vcpu (farmer, v) {
            if (away)
                host_keep(v, false);
            else if (v->pause_flags & VPF_blocked)
                vcpu_unblock(v);
        }
        if (!farmer->sched.waiting || farmer->sched.running)
            last = clock_now();
        longest = MAX(longest, clock_now() - last);
        host_advance(STEP);
    }
    host_check_invariants();
    return longest;
}

static void who_is_away_while_gaps_are_narrowed(void **state)
{
    (void)state;
    for (unsigned int i = 0; i <= 14; i += 2)
        assert_true(longest_wait(MILLISECS(i), 0) <= 3 * SCHED_SLICE);
    assert_true(longest_wait(0, 20) <= 3 * SCHED_SLICE);
}

/* One that runs alone has a long slice. From when somebody waits it is a short one: also when who
 * wakes is too little behind to be taken at once. */
static void beside_one_that_is_alone(void **state)
{
    struct cpu *c;
    struct vcpu *v;

    (void)state;
    begin(1);
    c = cpu_by_id(0);
    domain_pause_nosync(honest[1]);
    do {
        host_advance(MICROSECS(10));
        v = c->running;
    } while (v->domain != farmer);
    v->vcpu_info->evtchn_upcall_pending = 0;
    vcpu_block(v);
    host_advance(MICROSECS(200));
    assert_ptr_equal(c->running->domain, honest[0]);
    assert_true(c->turn_ends > clock_now() + 10 * SCHED_SLICE);
    vcpu_unblock(v);
    host_advance(0);
    assert_ptr_equal(c->running->domain, honest[0]);
    assert_true(host_armed_at[0] <= clock_now() + SCHED_SLICE);
    host_advance(SCHED_SLICE);
    assert_ptr_equal(c->running, v);
    v->vcpu_info->evtchn_upcall_pending = 0;
    vcpu_block(v);
    host_advance(SCHED_SLICE); /* the timer goes off for nothing once: it was set for a short one */
    assert_ptr_equal(c->running->domain, honest[0]);
    assert_true(host_armed_at[0] > clock_now() + 10 * SCHED_SLICE);
}

/* Until another one runs: it has just begun then. */
static void until_another_runs(const struct cpu *c)
{
    const struct vcpu *last = c->running;

    while (c->running == last)
        host_advance(MICROSECS(1));
}

/* Who wakes beside one that has just begun has its CPU after a moment; else at once. */
static void beside_one_that_has_just_begun(void **state)
{
    struct vcpu *v, *one;
    struct cpu *c;

    (void)state;
    begin(1);
    c = cpu_by_id(0);
    v = farmer->vcpu[0];
    while (c->running != v)
        until_another_runs(c);
    host_keep(v, false);
    host_advance(0);
    for (unsigned int slice = 0; slice < 100; slice++)
        until_another_runs(c);
    one = c->running;
    vcpu_unblock(v);
    host_advance(MICROSECS(90));
    assert_ptr_equal(c->running, one);
    host_advance(MICROSECS(10));
    assert_ptr_equal(c->running, v);
    host_keep(v, false);
    host_advance(0);
    host_advance(MICROSECS(200));
    assert_ptr_not_equal(c->running, v);
    vcpu_unblock(v);
    host_advance(0);
    assert_ptr_equal(c->running, v);
}

/* A brother that wakes has the CPU at once: who has it may be waiting for the brother's answer. */
static void beside_a_brother_that_has_just_begun(void **state)
{
    struct vcpu *v, *one;

    (void)state;
    begin(1);
    for (unsigned int i = 0; i < HONEST; i++)
        domain_pause_nosync(honest[i]);
    domain_pause_nosync(farmer);
    v = host_domain(5, false, 2, 0)->vcpu[0];
    one = v->domain->vcpu[1];
    while (!v->sched.on_cpu)
        host_advance(MILLISECS(1));
    host_keep(v, false);
    host_advance(0);
    host_advance(MILLISECS(5));
    host_keep(one, false);
    host_advance(0);
    host_advance(MILLISECS(1));
    vcpu_unblock(one);
    host_advance(MICROSECS(10));
    assert_ptr_equal(cpu_by_id(0)->running, one);
    vcpu_unblock(v);
    host_advance(0);
    assert_ptr_equal(cpu_by_id(0)->running, v);
}

/* To set its weight again and again gives it no more than its cap. */
static void its_weight_is_set_all_the_time(void **state)
{
    (void)state;
    begin(2);
    sched_set_domain(farmer, SCHED_WEIGHT_DEFAULT, 20);
    for (s_time_t t = 0; t < TOTAL; t += STEP) {
        sched_set_domain(farmer, (uint16_t)(SCHED_WEIGHT_DEFAULT + t / STEP % 2), 20);
        host_advance(STEP);
    }
    assert_true(host_time_run(farmer) < (uint64_t)TOTAL / 100 * 21);
    assert_true(host_time_run(farmer) > (uint64_t)TOTAL / 100 * 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_before_the_slice_ends),
        cmocka_unit_test(sleeping_and_waking),
        cmocka_unit_test(sleeping_all_at_once),
        cmocka_unit_test(coming_and_going),
        cmocka_unit_test(sleeping_beside_one),
        cmocka_unit_test(the_lightest_runs),
        cmocka_unit_test(who_is_away_while_gaps_are_narrowed),
        cmocka_unit_test(beside_one_that_is_alone),
        cmocka_unit_test(beside_one_that_has_just_begun),
        cmocka_unit_test(beside_a_brother_that_has_just_begun),
        cmocka_unit_test(its_weight_is_set_all_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
