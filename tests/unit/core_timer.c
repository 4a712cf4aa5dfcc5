/* SPDX-License-Identifier: MIT */
/*
 * Timers: each goes off once, not before its time, in the order of deadlines, whatever was set,
 * moved and stopped in between; the machine's timer is armed for the earliest.
 */
#include "core_test.h"

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
        timer_init(&probe[i].t, fired, &probe[i], 0);
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
    timer_init(&probe[0].t, set_again, &probe[0], 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order, setup),
        cmocka_unit_test_setup(any_order_of_setting, setup),
        cmocka_unit_test_setup(a_callback_may_set_it_again, setup),
        cmocka_unit_test_setup(the_past_is_now, setup),
        cmocka_unit_test_setup(not_all_at_once, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
