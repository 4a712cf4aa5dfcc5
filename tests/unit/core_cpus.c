/* SPDX-License-Identifier: MIT */
/*
 * The machine of tests/host has several CPUs: one thread plays them in turn, or each has a thread.
 * Locks keep others out, a timer runs on its CPU, who is kicked wakes, and when nothing is left to
 * come the run is over.
 */
#include "core_test.h"

#include <port/current.h>

#define CPUS  4
#define TICKS 500u

static int setup(void **state)
{
    (void)state;
    host_init(1024);
    host_set_cpus(CPUS);
    return 0;
}

static void one_thread_plays_all(void **state)
{
    (void)state;
    assert_int_equal(machine_nr_cpus(), CPUS);
    assert_null(cpu_by_id(CPUS));
    for (unsigned int i = 0; i < CPUS; i++) {
        host_run_on(i);
        assert_ptr_equal(this_cpu(), cpu_by_id(i));
        assert_int_equal(this_cpu()->id, i);
        assert_ptr_equal(current, this_cpu()->idle);
        assert_int_equal(current->vcpu_id, i);
    }
}

static struct ticker {
    struct timer t;
    unsigned int ticks, elsewhere;
} tickers[CPUS];

static spinlock_t lock = SPINLOCK_INIT(RANK_DOMAIN);
static unsigned int all_ticks; /* under the lock */

static void tick(void *data)
{
    struct ticker *me = data;

    me->elsewhere += this_cpu()->id != me - tickers;
    spin_lock(&lock);
    all_ticks++;
    spin_unlock(&lock);
    if (++me->ticks < TICKS)
        timer_set(&me->t, clock_now() + MILLISECS(1));
}

static void start_tickers(void)
{
    all_ticks = 0;
    for (unsigned int i = 0; i < CPUS; i++) {
        host_run_on(i);
        tickers[i] = (struct ticker){0};
        timer_init(&tickers[i].t, tick, &tickers[i]);
        timer_set(&tickers[i].t, clock_now() + MILLISECS(1));
    }
    host_run_on(0);
}

static void check_tickers(unsigned int ticks)
{
    assert_int_equal(all_ticks, CPUS * ticks);
    for (unsigned int i = 0; i < CPUS; i++) {
        assert_int_equal(tickers[i].ticks, ticks);
        assert_int_equal(tickers[i].elsewhere, 0);
    }
}

static void timers_run_on_their_cpus(void **state)
{
    (void)state;
    start_tickers();
    for (unsigned int i = 1; i <= 20; i++) {
        host_advance(MILLISECS(1));
        check_tickers(i);
    }
    assert_int_equal(this_cpu()->id, 0);
}

static bool no_guest(struct vcpu *v, bool entered)
{
    (void)v, (void)entered;
    fail();
    return false;
}

static void each_has_a_thread(void **state)
{
    (void)state;
    start_tickers();
    assert_int_equal(host_run_threads(no_guest), 0);
    check_tickers(TICKS);
}

/* A timer that is set far away and is due all at once: nothing but the kick tells its CPU. */
static void kick_next(void *data)
{
    struct ticker *me = data;
    unsigned int next = (unsigned int)(me - tickers) + 1;

    me->ticks++;
    if (next == CPUS)
        return;
    tickers[next].t.deadline = 0;
    cpu_raise(cpu_by_id(next), CPU_WORK_TIMER);
}

static void who_is_kicked_wakes(void **state)
{
    unsigned int kicks = host_kicks;

    (void)state;
    start_tickers();
    for (unsigned int i = 0; i < CPUS; i++) {
        host_run_on(i);
        tickers[i].t.fn = kick_next;
        timer_set(&tickers[i].t, i ? INT64_MAX : 0);
    }
    host_run_on(0);
    host_run_threads(no_guest);
    for (unsigned int i = 0; i < CPUS; i++)
        assert_int_equal(tickers[i].ticks, 1);
    assert_int_equal(host_kicks, kicks + CPUS - 1);
}

/* Who sets the bit kicks, and nobody who finds it set. */
static void the_first_who_asks_kicks(void **state)
{
    unsigned int kicks;

    (void)state;
    host_run_on(1);
    host_exit_path();
    host_run_on(0);
    kicks = host_kicks;
    cpu_raise(cpu_by_id(1), CPU_WORK_SCHEDULE);
    assert_int_equal(host_kicks, ++kicks);
    host_run_on(2);
    cpu_raise(cpu_by_id(1), CPU_WORK_SCHEDULE);
    assert_int_equal(host_kicks, kicks);
    cpu_raise(cpu_by_id(1), CPU_WORK_TIMER);
    assert_int_equal(host_kicks, ++kicks);
    assert_int_equal(cpu_by_id(1)->pending, CPU_WORK_SCHEDULE | CPU_WORK_TIMER);
    host_run_on(1);
    host_exit_path();
    cpu_raise(this_cpu(), CPU_WORK_SCHEDULE); /* its own: it looks before it goes */
    host_run_on(0);
    cpu_raise(cpu_by_id(1), CPU_WORK_SCHEDULE);
    assert_int_equal(host_kicks, kicks);
    host_run_on(1);
    host_exit_path();
    host_run_on(0);
    cpu_raise(cpu_by_id(1), CPU_WORK_SCHEDULE);
    assert_int_equal(host_kicks, kicks + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_thread_plays_all, setup),
        cmocka_unit_test_setup(timers_run_on_their_cpus, setup),
        cmocka_unit_test_setup(each_has_a_thread, setup),
        cmocka_unit_test_setup(who_is_kicked_wakes, setup),
        cmocka_unit_test_setup(the_first_who_asks_kicks, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
