/* SPDX-License-Identifier: MIT */
/*
 * The local APIC's timer: once, periodic, by TSC; its count; changes of everything while it runs;
 * on which CPU it goes off; and that one who does not listen costs nothing.
 */
#include "hvm_lapic_support.h"

#define LVT     0x32
#define INITIAL 0x38
#define CURRENT 0x39
#define DIVIDE  0x3e
#define BY_1    0xb

#define VECTOR   0xe0u
#define PERIODIC (1u << 17)
#define BY_TSC   (2u << 17)
#define MASKED   (1u << 16)
#define FOREVER  SECONDS(2)

static struct domain *d;
static struct vcpu *v;

static int setup(void **state)
{
    (void)state;
    d = lapic_guest(1, true);
    v = d->vcpu[0];
    lapic_enable(v);
    lapic_put(v, DIVIDE, BY_1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lapic_guest_end(d);
    return 0;
}

/* When it next goes off, by the machine's timer; FOREVER: not within that */
static s_time_t passes_until_interrupt(void)
{
    s_time_t passed = 0, step;

    while (lapic_pending(v) < 0) {
        step = MIN(host_armed, clock_now() + FOREVER) - clock_now();
        host_advance(MAX(step, 1));
        passed += MAX(step, 1);
        if (passed >= FOREVER)
            return FOREVER;
    }
    return passed;
}

static uint64_t deadline(void)
{
    uint64_t value;

    assert_true(lapic_rdmsr(v, 0x6e0, &value));
    return value;
}

static void set_deadline(uint64_t ticks)
{
    assert_true(lapic_wrmsr(v, 0x6e0, ticks));
}

static void once(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR);
    assert_int_equal(lapic_get(v, CURRENT), 0);
    lapic_put(v, INITIAL, 1000);
    assert_int_equal(lapic_get(v, CURRENT), 1000);
    host_advance(1);
    assert_int_equal(lapic_get(v, CURRENT), 999);
    host_advance(998);
    assert_int_equal(lapic_pending(v), -1);
    assert_int_equal(lapic_get(v, CURRENT), 1);
    host_advance(1);
    assert_int_equal(lapic_get(v, CURRENT), 0);
    assert_int_equal(lapic_serve(v), VECTOR);
    assert_int_equal(lapic_get(v, INITIAL), 1000);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_put(v, INITIAL, ~0u);
    lapic_put(v, INITIAL, 0); /* stopped */
    assert_int_equal(lapic_get(v, CURRENT), 0);
    assert_int_equal(passes_until_interrupt(), FOREVER);
}

static void divided(void **state)
{
    static const uint32_t code[] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};

    (void)state;
    lapic_put(v, LVT, VECTOR);
    for (unsigned int i = 0; i < ARRAY_SIZE(code); i++) {
        lapic_put(v, DIVIDE, code[i]);
        lapic_put(v, INITIAL, 3000);
        assert_int_equal(lapic_get(v, CURRENT), 3000);
        host_advance(1000ll << i);
        assert_int_equal(lapic_get(v, CURRENT), 2000);
        assert_int_equal(passes_until_interrupt(), 2000ll << i);
        assert_int_equal(lapic_serve(v), VECTOR);
    }
    lapic_put(v, INITIAL, ~0u);
    assert_int_equal(lapic_of(v)->timer.deadline, clock_now() + (0xffffffffll << 7));
    assert_int_equal(lapic_get(v, CURRENT), ~0u);
}

static void periodic(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR | PERIODIC);
    lapic_put(v, INITIAL, 100000);
    for (unsigned int i = 0; i < 5; i++) {
        assert_int_equal(lapic_get(v, CURRENT), 100000);
        assert_int_equal(passes_until_interrupt(), 100000);
        assert_int_equal(lapic_serve(v), VECTOR);
    }
    host_advance(30000);
    assert_int_equal(lapic_get(v, CURRENT), 70000);
    /* One who comes late gets one for all that were missed, and the next in time */
    assert_int_equal(passes_until_interrupt(), 70000);
    host_advance(230000);
    assert_int_equal(lapic_serve(v), VECTOR);
    assert_int_equal(lapic_serve(v), VECTOR); /* since the first, the bit was set again */
    assert_int_equal(lapic_serve(v), -1);
    assert_int_equal(lapic_get(v, CURRENT), 70000);
    assert_int_equal(passes_until_interrupt(), 70000);
    lapic_put(v, INITIAL, 0);
    assert_int_equal(lapic_serve(v), VECTOR);
    assert_int_equal(passes_until_interrupt(), FOREVER);
}

/* Who asks for a tick each nanosecond gets one each 50 us; who does not take it, one. */
static void no_flood(void **state)
{
    unsigned int taken = 0;

    (void)state;
    lapic_put(v, LVT, VECTOR | PERIODIC);
    for (uint32_t count = 1; count < 50000; count = count * 2 + 1) {
        lapic_put(v, INITIAL, count);
        assert_int_equal(lapic_get(v, CURRENT), count);
        assert_int_equal(passes_until_interrupt(), 50000);
        assert_int_equal(lapic_serve(v), VECTOR);
        assert_int_equal(passes_until_interrupt(), 50000);
        assert_int_equal(lapic_serve(v), VECTOR);
    }
    lapic_put(v, INITIAL, 1);
    (void)passes_until_interrupt();
    for (unsigned int i = 0; i < 1000; i++) {
        host_advance(50000);
        taken += lapic_of(v)->timer.rank != 0;
    }
    assert_int_equal(taken, 0);
    assert_int_equal(lapic_serve(v), VECTOR);
    lapic_put(v, LVT, 3 | PERIODIC); /* nor one whose vector nobody can take */
    host_advance(50000);
    host_advance(50000);
    assert_int_equal(lapic_of(v)->timer.rank, 0);
}

static void by_tsc(void **state)
{
    (void)state;
    assert_int_equal(deadline(), 0);
    set_deadline(clock_ticks() + 2000); /* not in another mode */
    assert_int_equal(deadline(), 0);
    lapic_put(v, LVT, VECTOR | BY_TSC);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    set_deadline(clock_ticks() + 2000);
    assert_int_equal(deadline(), clock_ticks() + 2000);
    host_advance(1);
    lapic_put(v, INITIAL, 5); /* nothing, in this mode */
    assert_int_equal(lapic_get(v, CURRENT), 0);
    assert_int_equal(lapic_get(v, INITIAL), 0);
    assert_int_equal(passes_until_interrupt(), 999);
    assert_int_equal(deadline(), 0);
    assert_int_equal(lapic_serve(v), VECTOR);
    set_deadline(clock_ticks()); /* now */
    assert_int_equal(deadline(), 0);
    assert_int_equal(lapic_serve(v), VECTOR);
    set_deadline(1); /* long ago */
    assert_int_equal(lapic_serve(v), VECTOR);
    set_deadline(clock_ticks() + 2000);
    set_deadline(0);
    assert_int_equal(deadline(), 0);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    /* Farther than anyone counts */
    for (unsigned int bit = 50; bit < 64; bit++) {
        set_deadline(clock_ticks() + (1ull << bit));
        assert_int_equal(deadline(), clock_ticks() + (1ull << bit));
        host_advance(SECONDS(1));
        assert_int_equal(lapic_pending(v), -1);
    }
    set_deadline(~0ull);
    host_advance(SECONDS(1));
    assert_int_equal(lapic_pending(v), -1);
    assert_int_equal(deadline(), ~0ull);
}

static void masked(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR | MASKED);
    lapic_put(v, INITIAL, 1000);
    assert_int_equal(passes_until_interrupt(), FOREVER); /* it went by */
    lapic_put(v, LVT, VECTOR);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_put(v, LVT, VECTOR | MASKED);
    lapic_put(v, INITIAL, 1000);
    host_advance(400);
    lapic_put(v, LVT, VECTOR);
    assert_int_equal(passes_until_interrupt(), 600);
    assert_int_equal(lapic_serve(v), VECTOR);
    lapic_put(v, LVT, VECTOR | PERIODIC | MASKED);
    lapic_put(v, INITIAL, 100000);
    host_advance(530000);
    assert_int_equal(lapic_of(v)->timer.rank, 0);
    assert_int_equal(lapic_get(v, CURRENT), 70000);
    lapic_put(v, LVT, VECTOR | PERIODIC);
    assert_int_equal(passes_until_interrupt(), 70000);
    assert_int_equal(lapic_serve(v), VECTOR);
    lapic_put(v, 0x0f, 0xff); /* which masks it */
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_enable(v);
    lapic_put(v, LVT, VECTOR | BY_TSC | MASKED);
    set_deadline(1);
    assert_int_equal(deadline(), 0);
    assert_int_equal(lapic_pending(v), -1);
}

/* What had expired by the clock before a change is raised as it was before it, though the machine's
 * timer has not interrupted yet. */
static void a_change_comes_behind(void **state)
{
    static const struct {
        unsigned int i;
        uint32_t value;
    } change[] = {{LVT, VECTOR + 1}, {LVT, VECTOR | MASKED}, {LVT, VECTOR | BY_TSC},
                  {INITIAL, 0},      {INITIAL, 7000},        {DIVIDE, 3},
                  {0x0f, 0xff}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(change); i++) {
        lapic_enable(v);
        lapic_put(v, DIVIDE, BY_1);
        lapic_put(v, LVT, VECTOR);
        lapic_put(v, INITIAL, 1000);
        host_time_passes(1000);
        assert_int_equal(lapic_pending(v), -1);
        lapic_put(v, change[i].i, change[i].value);
        assert_int_equal(lapic_serve(v), VECTOR);
        host_advance(0);
        assert_int_equal(lapic_serve(v), -1); /* once */
    }
}

static void changes_of_mode(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR);
    lapic_put(v, INITIAL, 200000);
    host_advance(50000);
    lapic_put(v, LVT, VECTOR | PERIODIC); /* the count goes on */
    assert_int_equal(lapic_get(v, CURRENT), 150000);
    assert_int_equal(passes_until_interrupt(), 150000);
    assert_int_equal(lapic_serve(v), VECTOR);
    host_advance(50000);
    lapic_put(v, LVT, VECTOR - 1);
    assert_int_equal(passes_until_interrupt(), 150000);
    assert_int_equal(lapic_serve(v), VECTOR - 1);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_put(v, INITIAL, 200000);
    lapic_put(v, LVT, VECTOR | BY_TSC); /* it stops */
    assert_int_equal(lapic_get(v, INITIAL), 0);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    set_deadline(clock_ticks() + 2000);
    lapic_put(v, LVT, VECTOR | BY_TSC | MASKED);
    lapic_put(v, LVT, VECTOR | BY_TSC); /* not by this */
    assert_int_equal(passes_until_interrupt(), 1000);
    assert_int_equal(lapic_serve(v), VECTOR);
    set_deadline(clock_ticks() + 2000);
    lapic_put(v, LVT, VECTOR | PERIODIC);
    assert_int_equal(deadline(), 0);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_put(v, LVT, VECTOR | PERIODIC | BY_TSC); /* reserved: once */
    lapic_put(v, INITIAL, 1000);
    assert_int_equal(passes_until_interrupt(), 1000);
    assert_int_equal(lapic_serve(v), VECTOR);
    assert_int_equal(passes_until_interrupt(), FOREVER);
}

static void changes_of_divisor(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR);
    lapic_put(v, INITIAL, 100000);
    host_advance(40000);
    lapic_put(v, DIVIDE, 1); /* by 4 */
    assert_int_equal(lapic_get(v, CURRENT), 60000);
    host_advance(40000);
    assert_int_equal(lapic_get(v, CURRENT), 50000);
    lapic_put(v, DIVIDE, BY_1);
    assert_int_equal(passes_until_interrupt(), 50000);
    assert_int_equal(lapic_serve(v), VECTOR);
    lapic_put(v, LVT, VECTOR | PERIODIC);
    lapic_put(v, INITIAL, 100000);
    host_advance(50000);
    lapic_put(v, DIVIDE, 0); /* by 2 */
    assert_int_equal(passes_until_interrupt(), 100000);
    assert_int_equal(lapic_serve(v), VECTOR);
    assert_int_equal(passes_until_interrupt(), 200000);
    lapic_put(v, LVT, VECTOR | BY_TSC);
    assert_int_equal(lapic_serve(v), VECTOR);
    set_deadline(clock_ticks() + 2000);
    lapic_put(v, DIVIDE, 3); /* no matter */
    assert_int_equal(passes_until_interrupt(), 1000);
}

/* Any write of any of its registers at any time: the count that is left and the time to the
 * interrupt agree. */
static void count_and_time_agree(void **state)
{
    unsigned int seed = 1;

    (void)state;
    for (unsigned int i = 0; i < 20000; i++) {
        uint32_t count, code = (uint32_t)rand_r(&seed) & 0xb;
        unsigned int shift = ((code >> 1 & 4) + (code & 3) + 1) % 8;

        lapic_put(v, LVT, VECTOR | (rand_r(&seed) & 1 ? PERIODIC : 0));
        lapic_put(v, INITIAL, 50001 + (uint32_t)rand_r(&seed) % 100000);
        host_advance(rand_r(&seed) % 60000);
        lapic_put(v, DIVIDE, code);
        while (lapic_serve(v) >= 0)
            ;
        count = lapic_get(v, CURRENT);
        if (!count)
            continue;
        assert_true(count <= lapic_get(v, INITIAL));
        host_advance(((s_time_t)(count - 1) << shift) - (count > 1 ? 1 : 0));
        assert_int_equal(lapic_pending(v), -1);
        host_advance((1ll << shift) + 1);
        assert_int_equal(lapic_serve(v), VECTOR);
    }
}

/* It goes off where it was set last, and wakes v wherever it is. */
static void on_another_cpu(void **state)
{
    (void)state;
    host_set_cpus(2);
    assert_int_equal(sched_set_affinity(v, 1), 0);
    lapic_put(v, LVT, VECTOR | PERIODIC);
    host_run_on(1);
    lapic_put(v, INITIAL, 100000);
    assert_int_equal(host_armed_at[1], clock_now() + 100000);
    host_run_on(0);
    host_run_as(v);
    vcpu_block(v);
    host_exit_path();
    assert_ptr_equal(current, this_cpu()->idle);
    host_advance(100000);
    assert_ptr_equal(current, v);
    assert_int_equal(lapic_serve(v), VECTOR); /* and it comes along */
    assert_int_equal(host_armed_at[0], clock_now() + 100000);
}

static void the_end(void **state)
{
    (void)state;
    lapic_put(v, LVT, VECTOR);
    lapic_put(v, INITIAL, 1000);
    lapic_kill(v);
    assert_int_equal(passes_until_interrupt(), FOREVER);
    lapic_kill(v);
    lapic_put(v, INITIAL, 1000);
    host_advance(1000);
    assert_int_equal(lapic_of(v)->timer.rank, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(once, setup, teardown),
        cmocka_unit_test_setup_teardown(divided, setup, teardown),
        cmocka_unit_test_setup_teardown(periodic, setup, teardown),
        cmocka_unit_test_setup_teardown(no_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(by_tsc, setup, teardown),
        cmocka_unit_test_setup_teardown(masked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_comes_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_of_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_of_divisor, setup, teardown),
        cmocka_unit_test_setup_teardown(count_and_time_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(on_another_cpu, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
