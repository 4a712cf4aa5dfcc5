/* SPDX-License-Identifier: MIT */
/*
 * The scheduler on several CPUs: who waits takes one that idles, by itself or by an exchange;
 * affinity and pins are obeyed, whoever was told what meanwhile.
 */
#include "core_test.h"

#include <core/sched/pause.h>
#include <core/sched/runqueue.h>
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

static void run(s_time_t total)
{
    for (s_time_t t = 0; t < total; t += MILLISECS(1)) {
        host_advance(MILLISECS(1));
        host_check_invariants();
    }
}

/* A vCPU of each of dom[1..3], and n CPUs. */
static void with_cpus(unsigned int n)
{
    host_set_cpus(n);
    host_advance(MILLISECS(1));
    host_check_invariants();
}

static struct vcpu *on(unsigned int cpu)
{
    return cpu_by_id(cpu)->running;
}

/* Two wake-ups wake two CPUs. */
static void each_takes_another(void **state)
{
    (void)state;
    with_cpus(4);
    for (unsigned int i = 1; i < 4; i++)
        assert_non_null(dom[i]->vcpu[0]->sched.on_cpu);
    assert_int_equal(__builtin_popcountll(runqueue.idle_cpus), 1);
    run(SECONDS(1));
    for (unsigned int i = 1; i < 4; i++)
        assert_true(host_time_run(dom[i]) >= (uint64_t)MILLISECS(999));
}

static void affinity_is_obeyed(void **state)
{
    struct vcpu *v = dom[1]->vcpu[0];

    (void)state;
    with_cpus(2);
    for (unsigned int cpu = 0; cpu < 2; cpu++) {
        assert_int_equal(sched_set_affinity(v, 1ull << cpu), 0);
        for (unsigned int i = 0; i < 100; i++) {
            host_advance(MILLISECS(1));
            assert_ptr_not_equal(on(!cpu), v);
        }
        host_check_invariants();
    }
    assert_int_equal(sched_set_affinity(v, 4), -XEN_EINVAL);
    assert_int_equal(v->affinity, 2);
}

/* One that could run elsewhere stands where another must: it moves. */
static void who_can_run_elsewhere_does(void **state)
{
    (void)state;
    with_cpus(3);
    domain_pause_nosync(dom[3]);
    for (unsigned int i = 1; i < 3; i++)
        assert_int_equal(sched_set_affinity(dom[i]->vcpu[0], i == 1 ? 1 : 3), 0);
    host_advance(1);
    assert_ptr_equal(on(0), dom[1]->vcpu[0]);
    assert_ptr_equal(on(1), dom[2]->vcpu[0]);
    /* a chain: 3 -> CPU 1, where 2 is, -> CPU 0, where 1 is, -> CPU 2, which idles */
    assert_int_equal(sched_set_affinity(dom[1]->vcpu[0], 5), 0);
    assert_int_equal(sched_set_affinity(dom[3]->vcpu[0], 2), 0);
    domain_unpause(dom[3]);
    host_advance(1);
    assert_ptr_equal(on(1), dom[3]->vcpu[0]);
    assert_ptr_equal(on(0), dom[2]->vcpu[0]);
    assert_ptr_equal(on(2), dom[1]->vcpu[0]);
    host_check_invariants();
}

/* A chain leads to one that has just begun: it is put out at once, for the CPU that would take the
 * first of the chain when it has run for a moment is another. */
static void a_chain_spares_nobody(void **state)
{
    struct vcpu *first = dom[1]->vcpu[0], *second = dom[2]->vcpu[0], *third = dom[3]->vcpu[0];

    (void)state;
    with_cpus(2);
    assert_int_equal(sched_set_affinity(first, 1), 0);
    assert_int_equal(sched_set_affinity(second, 1), 0);
    assert_int_equal(sched_set_affinity(third, 2), 0);
    domain_pause_nosync(dom[1]);
    domain_pause_nosync(dom[3]);
    host_advance(MILLISECS(1));
    assert_ptr_equal(on(0), second);
    assert_int_equal(sched_set_affinity(second, 3), 0);
    domain_unpause(dom[3]);
    host_advance(1);
    assert_ptr_equal(on(1), third);
    dom[3]->sched.vtime = dom[2]->sched.vtime + (uint64_t)MILLISECS(2);
    dom[1]->sched.vtime = dom[2]->sched.vtime;
    domain_unpause(dom[1]);
    host_advance(1);
    assert_ptr_equal(on(0), first);
    assert_ptr_equal(on(1), second);
    host_check_invariants();
}

/* A CPU is told to take one, and takes another that came meanwhile and may run there alone: the
 * first goes elsewhere. */
static void who_was_told_takes_another(void **state)
{
    (void)state;
    with_cpus(2);
    for (unsigned int i = 1; i < 4; i++)
        domain_pause_nosync(dom[i]);
    assert_int_equal(sched_set_affinity(dom[2]->vcpu[0], 2), 0);
    host_advance(1);
    dom[1]->vcpu[0]->sched.last_cpu = 1;
    dom[1]->sched.vtime = dom[2]->sched.vtime + (uint64_t)MICROSECS(100);
    domain_unpause(dom[1]);
    domain_unpause(dom[2]);
    host_advance(1);
    assert_ptr_equal(on(1), dom[2]->vcpu[0]);
    assert_ptr_equal(on(0), dom[1]->vcpu[0]);
    host_check_invariants();
}

/* Who waits is set to another CPU, where somebody runs who could go elsewhere, and does so as soon
 * as there is room. */
static void who_is_sent_elsewhere_is_not_forgotten(void **state)
{
    (void)state;
    with_cpus(3);
    vcpu_unblock(dom[0]->vcpu[0]);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(sched_set_affinity(dom[i]->vcpu[0], i < 2 ? 1 : 1ull << (i - 1)), 0);
    domain_pause_nosync(dom[1]);
    host_advance(1);
    dom[1]->sched.vtime = dom[0]->sched.vtime + (uint64_t)SECONDS(1);
    domain_unpause(dom[1]);
    assert_int_equal(sched_set_affinity(dom[2]->vcpu[0], 6), 0);
    assert_int_equal(sched_set_affinity(dom[1]->vcpu[0], 2), 0);
    host_advance(1);
    assert_ptr_equal(on(1), dom[2]->vcpu[0]);
    domain_pause_nosync(dom[3]);
    host_advance(1);
    assert_ptr_equal(on(1), dom[1]->vcpu[0]);
    assert_ptr_equal(on(2), dom[2]->vcpu[0]);
}

/* A CPU that was told to look, and has not chosen yet, is one of those that there are. */
static void anywhere_is_wherever_a_cpu_is(void **state)
{
    const struct vcpu *v = dom[1]->vcpu[0];

    (void)state;
    with_cpus(2);
    for (unsigned int i = 2; i < 4; i++)
        domain_pause_nosync(dom[i]);
    assert_true(sched_may_run_anywhere(v));
    assert_int_equal(sched_set_affinity(dom[1]->vcpu[0], 1), 0);
    host_advance(1);
    assert_false(sched_may_run_anywhere(v));
    vcpu_unblock(dom[0]->vcpu[0]);
    assert_int_equal(runqueue.idle_cpus | runqueue.busy_cpus, 1);
    assert_false(sched_may_run_anywhere(v));
}

/* One that wakes may run on CPU 0 alone, and comes after who runs there; who can go to CPU 1, where
 * one runs that comes after both: also when that CPU was told to choose and has not yet. */
static void an_exchange_with_one_that_is_late(void **state)
{
    struct vcpu *v = dom[3]->vcpu[0], *before, *last;
    uint64_t vtime;

    (void)state;
    with_cpus(2);
    domain_pause_nosync(dom[3]);
    host_advance(MILLISECS(1));
    assert_int_equal(sched_set_affinity(v, 1), 0);
    before = on(0);
    last = on(1);
    spin_lock(&runqueue.lock);
    for (unsigned int i = 1; i < 4; i++)
        sched_account(dom[i], clock_now());
    vtime = before->domain->sched.vtime = runqueue.vtime;
    v->domain->sched.vtime = vtime + (uint64_t)MILLISECS(1);
    last->domain->sched.vtime = vtime + (uint64_t)MILLISECS(2);
    spin_unlock(&runqueue.lock);
    atomic_or(&cpu_by_id(1)->pending, CPU_WORK_SCHEDULE);
    domain_unpause(dom[3]);
    host_exit_path(); /* CPU 0's alone */
    assert_ptr_equal(on(0), v);
    host_advance(0);
    assert_ptr_equal(on(1), before);
    assert_true(last->sched.queued);
    host_check_invariants();
}

/* Two brothers are pinned to CPU 0, where another comes each time when a slice ends, that can go to
 * CPU 1: who was put out by it takes its CPU back by an exchange, and is not who used less. */
static void brothers_take_turns_by_an_exchange(void **state)
{
    struct domain *d = host_domain(5, false, 2, 0);
    struct vcpu *v;

    (void)state;
    with_cpus(2);
    for_each_vcpu (d, v)
        assert_int_equal(sched_set_affinity(v, 1), 0);
    assert_int_equal(sched_set_affinity(dom[1]->vcpu[0], 2), 0);
    sched_set_domain(dom[1], SCHED_WEIGHT_DEFAULT / 16, 0);
    domain_pause_nosync(dom[3]);
    for (unsigned int ms = 0; ms < 1000; ms++) {
        host_keep(dom[2]->vcpu[0], true);
        host_advance(MICROSECS(400));
        host_keep(dom[2]->vcpu[0], false);
        host_advance(MICROSECS(1600));
        host_check_invariants();
    }
    for_each_vcpu (d, v)
        assert_in_range(v->sched.time[RUNSTATE_running], MILLISECS(900), MILLISECS(1100));
}

/* A CPU was told to take one that its domain's cap keeps out by then. */
static void who_was_wanted_is_over_its_cap(void **state)
{
    struct domain *d = host_domain(5, false, 2, 0);
    struct cpu *c = cpu_by_id(0);
    struct vcpu *v;

    (void)state;
    for (unsigned int i = 1; i < 4; i++)
        domain_pause_nosync(dom[i]);
    for_each_vcpu (d, v)
        assert_int_equal(sched_set_affinity(v, 1), 0);
    with_cpus(2);
    v = d->vcpu[1];
    while (!v->sched.queued || clock_now() - v->sched.state_since > MICROSECS(100))
        host_advance(MICROSECS(50));
    spin_lock(&runqueue.lock);
    c->next = v;
    v->sched.wanted_by = c;
    spin_unlock(&runqueue.lock);
    sched_set_domain(d, 256, 50);
    assert_true(v->sched.resting);
    assert_null(c->next);
    host_check_invariants();
}

static void pinned_for_a_while(void **state)
{
    struct vcpu *v = dom[0]->vcpu[0];
    struct sched_pin_override pin = {.pcpu = 1};

    (void)state;
    with_cpus(2);
    vcpu_unblock(v);
    assert_int_equal(call_with(v, sched_op, SCHEDOP_pin_override, &pin), 0);
    assert_int_equal(v->affinity, 2);
    assert_int_equal(call_with(v, sched_op, SCHEDOP_pin_override, &pin), -XEN_EBUSY);
    assert_int_equal(sched_set_affinity(v, 1), -XEN_EBUSY);
    pin.pcpu = -1;
    assert_int_equal(call_with(v, sched_op, SCHEDOP_pin_override, &pin), 0);
    assert_int_equal(v->affinity, ~0ull);
    assert_int_equal(call_with(v, sched_op, SCHEDOP_pin_override, &pin), -XEN_EINVAL);
    pin.pcpu = 2;
    assert_int_equal(call_with(v, sched_op, SCHEDOP_pin_override, &pin), -XEN_EINVAL);
    assert_int_equal(call_with(dom[1]->vcpu[0], sched_op, SCHEDOP_pin_override, &pin), -XEN_EPERM);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(each_takes_another),
        TEST(affinity_is_obeyed),
        TEST(who_can_run_elsewhere_does),
        TEST(a_chain_spares_nobody),
        TEST(who_was_told_takes_another),
        TEST(who_is_sent_elsewhere_is_not_forgotten),
        TEST(anywhere_is_wherever_a_cpu_is),
        TEST(an_exchange_with_one_that_is_late),
        TEST(brothers_take_turns_by_an_exchange),
        TEST(who_was_wanted_is_over_its_cap),
        TEST(pinned_for_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
