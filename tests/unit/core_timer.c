/* SPDX-License-Identifier: MIT */
/*
 * Timers: each goes off once, not before its time, in the order of deadlines, whatever was set,
 * moved and stopped in between; the machine's timer is armed for the earliest. With several CPUs:
 * on the one that set it last, never on two at once, and never again once it was killed.
 */
#include "core_test.h"

#include <core/domain/domain_table.h>
#include <pthread.h>

#define N 300

struct probe {
    struct timer t;
    s_time_t want; /* 0: not set */
    unsigned int fired;
};

static struct probe probe[N];
static s_time_t last_fired;

static void fired(void *data)
{
    struct probe *p = data;

    assert_true(p->want && p->want <= clock_now());
    assert_true(p->want >= last_fired);
    last_fired = p->want;
    p->want = 0;
    p->fired++;
}

static int setup(void **state)
{
    (void)state;
    host_init(1024);
    for (unsigned int i = 0; i < N; i++) {
        probe[i] = (struct probe){.want = 0};
        timer_init(&probe[i].t, fired, &probe[i]);
    }
    return 0;
}

static s_time_t earliest(void)
{
    s_time_t min = INT64_MAX;

    for (unsigned int i = 0; i < N; i++)
        if (probe[i].want && probe[i].want < min)
            min = probe[i].want;
    return min;
}

static void in_order(void **state)
{
    unsigned int seed = 7;

    (void)state;
    for (unsigned int i = 0; i < 30000; i++) {
        struct probe *p = &probe[rand_r(&seed) % N];

        switch (rand_r(&seed) % 4) {
        case 0:
        case 1:
            p->want = clock_now() + rand_r(&seed) % 10000;
            timer_set(&p->t, p->want);
            break;
        case 2:
            p->want = 0;
            timer_stop(&p->t);
            break;
        default:
            last_fired = 0;
            host_advance(rand_r(&seed) % 500);
            for (unsigned int k = 0; k < N; k++)
                assert_true(!probe[k].want || probe[k].want > clock_now());
        }
        assert_true(host_armed <= earliest());
        if (i % 16 == 0)
            host_check_invariants();
    }
}

/* Set in order, against it, and all moved: no shape of the heap makes the way to the right long. */
static void any_order_of_setting(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4 * N; i++) {
        struct probe *p = &probe[i / N % 2 ? N - 1 - i % N : i % N];

        p->want = clock_now() + 1 + (i < 2 * N ? i : 4 * N - i);
        timer_set(&p->t, p->want);
        host_check_invariants();
    }
    for (unsigned int i = 0; i < N; i += 3) {
        probe[i].want = 0;
        timer_stop(&probe[i].t);
        timer_stop(&probe[i].t); /* not set: nothing happens */
        host_check_invariants();
    }
    last_fired = 0;
    host_advance(4 * N);
    for (unsigned int i = 0; i < N; i++)
        assert_int_equal(probe[i].fired, i % 3 != 0);
    assert_true(host_armed == INT64_MAX);
}

static void set_again(void *data)
{
    struct probe *p = data;

    if (++p->fired < 5)
        timer_set(&p->t, clock_now() + 10);
}

static void a_callback_may_set_it_again(void **state)
{
    (void)state;
    timer_init(&probe[0].t, set_again, &probe[0]);
    timer_set(&probe[0].t, clock_now() + 10);
    for (int i = 0; i < 10; i++)
        host_advance(10);
    assert_int_equal(probe[0].fired, 5);
}

static void the_past_is_now(void **state)
{
    (void)state;
    probe[0].want = 1;
    last_fired = 0;
    timer_set(&probe[0].t, 1);
    host_advance(0);
    assert_int_equal(probe[0].fired, 1);
    assert_true(host_armed == INT64_MAX);
}

/* All due at one time are run in parts; the machine interrupts at once for the rest. */
static void not_all_at_once(void **state)
{
    unsigned int turns = 0, before = 0, now;

    (void)state;
    host_advance(100);
    last_fired = 0;
    for (unsigned int i = 0; i < N; i++) {
        probe[i].want = 50;
        timer_set(&probe[i].t, 50);
    }
    do {
        timers_run();
        now = 0;
        for (unsigned int i = 0; i < N; i++)
            now += probe[i].fired;
        assert_in_range(now - before, 1, 100);
        assert_true(now == N ? host_armed == INT64_MAX : host_armed <= clock_now());
        before = now;
        turns++;
    } while (now < N);
    assert_true(turns >= 3);
}

/* ---- several CPUs, played in turn ---- */

#define LATER MILLISECS(1)

static int setup_cpus(void **state)
{
    setup(state);
    host_set_cpus(3);
    return 0;
}

static unsigned int ran_on[3];

static void note_cpu(void *data)
{
    (void)data;
    ran_on[this_cpu()->id]++;
}

static void begin(void (*fn)(void *))
{
    memset(ran_on, 0, sizeof(ran_on));
    timer_init(&probe[0].t, fn, &probe[0]);
}

static void assert_ran_on(unsigned int n0, unsigned int n1, unsigned int n2)
{
    assert_int_equal(ran_on[0], n0);
    assert_int_equal(ran_on[1], n1);
    assert_int_equal(ran_on[2], n2);
}

/* Each CPU arms its own machine, whoever had the timer before. */
static void the_last_to_set_it_has_it(void **state)
{
    s_time_t at = clock_now() + LATER;

    (void)state;
    begin(note_cpu);
    timer_set(&probe[0].t, at);
    assert_int_equal(host_armed_at[0], at);
    for (unsigned int cpu = 1; cpu < 3; cpu++) {
        host_run_on(cpu);
        timer_set(&probe[0].t, at + cpu);
        assert_int_equal(host_armed_at[cpu], at + cpu);
        assert_null(cpu_by_id(cpu - 1)->timers.first);
        host_check_invariants();
    }
    assert_int_equal(host_armed_at[0], at);
    host_run_on(0);
    host_advance(2 * LATER);
    assert_ran_on(0, 0, 1);
    host_check_invariants();
}

/* Who wants it to go off by some time, and needs not set it then. */
static void goes_off_here_by(void **state)
{
    s_time_t at = clock_now() + LATER;

    (void)state;
    begin(note_cpu);
    assert_false(timer_goes_off_here(&probe[0].t, INT64_MAX));
    timer_set(&probe[0].t, at);
    assert_true(timer_goes_off_here(&probe[0].t, at));
    assert_false(timer_goes_off_here(&probe[0].t, at - 1));
    host_run_on(1);
    assert_false(timer_goes_off_here(&probe[0].t, at));
    timer_set(&probe[0].t, at);
    assert_true(timer_goes_off_here(&probe[0].t, at));
    timer_stop(&probe[0].t);
    assert_false(timer_goes_off_here(&probe[0].t, at));
    host_check_invariants();
}

static void stopped_from_elsewhere(void **state)
{
    (void)state;
    begin(note_cpu);
    timer_set(&probe[0].t, clock_now() + LATER);
    host_run_on(2);
    timer_stop(&probe[0].t);
    host_advance(2 * LATER);
    assert_ran_on(0, 0, 0);
    timer_set(&probe[0].t, clock_now() + LATER);
    host_run_on(1);
    timer_kill(&probe[0].t);
    timer_kill(&probe[0].t);
    timer_set(&probe[0].t, clock_now());
    host_advance(2 * LATER);
    assert_ran_on(0, 0, 0);
    assert_null(cpu_by_id(1)->timers.first);
}

/* While its callback runs on CPU 0, CPU 1 sets it: it stays, for no callback runs on two CPUs, and
 * CPU 0 arms its machine when it is done. */
static void set_by_another(void *data)
{
    struct probe *p = data;

    note_cpu(NULL);
    if (p->fired++)
        return;
    host_run_on(1);
    timer_set(&p->t, clock_now() + LATER);
    assert_int_equal(host_armed_at[1], INT64_MAX);
    host_run_on(0);
    assert_int_equal(host_armed_at[0], INT64_MAX);
    timer_set_again(&p->t, clock_now() + 100 * LATER); /* it is set already: nothing */
}

static void stays_while_it_runs(void **state)
{
    s_time_t at = clock_now();

    (void)state;
    begin(set_by_another);
    timer_set(&probe[0].t, at);
    machine_arm_timer(INT64_MAX); /* it has shot */
    timers_run();
    assert_int_equal(host_armed_at[0], at + LATER);
    host_advance(LATER);
    assert_ran_on(2, 0, 0);
    assert_int_equal(host_armed_at[0], INT64_MAX);
}

static void stopped_by_another(void *data)
{
    struct probe *p = data;

    p->fired++;
    host_run_on(1);
    timer_stop(&p->t);
    host_run_on(0);
    timer_set_again(&p->t, clock_now() + LATER); /* nobody has set it: it is set */
}

/* What a callback makes of a stop in the middle is its own affair. */
static void sets_itself_again(void **state)
{
    (void)state;
    begin(stopped_by_another);
    timer_set(&probe[0].t, clock_now());
    for (unsigned int i = 1; i <= 3; i++) {
        host_advance(i > 1 ? LATER : 0);
        assert_int_equal(probe[0].fired, i);
    }
}

/* ---- the end, on two threads ---- */

static unsigned int stage; /* 1: the callback runs; 2: it has ended */

static bool is_dead(const struct timer *t)
{
    bool dead;

    spin_lock(&this_cpu()->timers.lock);
    dead = t->dead;
    spin_unlock(&this_cpu()->timers.lock);
    return dead;
}

/* It lets the other come to where it waits, and tries to live on. */
static void slow(void *data)
{
    struct probe *p = data;

    __atomic_store_n(&stage, 1, __ATOMIC_SEQ_CST);
    while (!is_dead(&p->t))
        host_give_way();
    for (unsigned int i = 0; i < 1000; i++)
        host_give_way();
    timer_set(&p->t, clock_now());
    timer_set_again(&p->t, clock_now());
    __atomic_store_n(&stage, 2, __ATOMIC_SEQ_CST);
}

static void *run_on_cpu_1(void *unused)
{
    (void)unused;
    host_run_on(1);
    timer_set(&probe[0].t, clock_now());
    timers_run();
    return NULL;
}

static void the_end_waits_for_the_callback(void **state)
{
    pthread_t other;

    (void)state;
    begin(slow);
    stage = 0;
    host_threads = true;
    if (pthread_create(&other, NULL, run_on_cpu_1, NULL))
        abort();
    while (__atomic_load_n(&stage, __ATOMIC_SEQ_CST) != 1)
        host_give_way();
    timer_kill(&probe[0].t);
    assert_int_equal(__atomic_load_n(&stage, __ATOMIC_SEQ_CST), 2);
    memset(&probe[0].t, 0x55, sizeof(probe[0].t)); /* the memory may go */
    pthread_join(other, NULL);
    host_threads = false;
    assert_null(cpu_by_id(1)->timers.first);
    assert_null(cpu_by_id(1)->timers.running);
    assert_int_equal(host_armed_at[1], INT64_MAX);
}

static void a_domain_takes_its_timers_along(void **state)
{
    struct domain *d = host_domain(3, false, 1, 1);
    struct vcpu *v = d->vcpu[0];
    struct timer *all[] = {&v->singleshot,  &v->periodic,    &v->poll_timer,
                           &d->watchdog[0], &d->watchdog[1], &d->sched.cap_timer};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
        host_run_on(i % 3);
        timer_set(all[i], clock_now() + LATER);
    }
    host_run_on(0);
    assert_true(get_domain(d));
    host_destroy(d);
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
        assert_true(all[i]->dead && !all[i]->rank);
    host_check_invariants();
    put_domain(d);
    host_reap();
    host_advance(2 * LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order, setup),
        cmocka_unit_test_setup(any_order_of_setting, setup),
        cmocka_unit_test_setup(a_callback_may_set_it_again, setup),
        cmocka_unit_test_setup(the_past_is_now, setup),
        cmocka_unit_test_setup(not_all_at_once, setup),
        cmocka_unit_test_setup(the_last_to_set_it_has_it, setup_cpus),
        cmocka_unit_test_setup(goes_off_here_by, setup_cpus),
        cmocka_unit_test_setup(stopped_from_elsewhere, setup_cpus),
        cmocka_unit_test_setup(stays_while_it_runs, setup_cpus),
        cmocka_unit_test_setup(sets_itself_again, setup_cpus),
        cmocka_unit_test_setup(the_end_waits_for_the_callback, setup_cpus),
        cmocka_unit_test_setup(a_domain_takes_its_timers_along, setup_cpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
