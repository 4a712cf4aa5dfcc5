/* SPDX-License-Identifier: MIT */
/*
 * The comparison of two CPUs' TSCs, on two threads that really pass the turn to and fro. The TSC is
 * a counter that both increment, so whatever is read is in one order; a CPU's own differs from it
 * by what a test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <cmocka.h>

#include "x86_log.h"
#include <core/base/log.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#include "../../hypervisor/x86/x86.h"

/* The two readings around an answer, and those of who waits, lie at most so far apart. */
#define NEAR 16

static struct cpu cpus[2];
static __thread unsigned int me;
static __thread bool looks;
static uint64_t counter;
static struct {
    int64_t ahead;  /* of the counter */
    uint64_t drift; /* one tick in so many is counted twice; 0: none */
    uint64_t adjust;
} tsc[2];
static unsigned int differing;
static bool silent; /* nobody answers */

struct cpu_features cpu_has = {.tsc_adjust = true};

struct cpu *this_cpu(void)
{
    return &cpus[me];
}

uint64_t clock_ticks(void)
{
    /* However often the boot CPU has to look before the answer is there, it is one reading. */
    uint64_t now = __atomic_fetch_add(&counter, !looks, __ATOMIC_SEQ_CST);

    looks = false;
    return now + (uint64_t)tsc[me].ahead + (tsc[me].drift ? now / tsc[me].drift : 0);
}

uint64_t clock_ticks_for(s_time_t ns)
{
    /* The rounds take as long as the host lets its threads: some are enough. */
    return (uint64_t)(ns < SECONDS(1) ? ns / 20000 : ns);
}

void tsc_differs(void)
{
    differing++;
}

bool clock_stable(void)
{
    return !differing;
}

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    assert_int_equal(msr, 0x3b);
    *value = tsc[me].adjust;
    return true;
}

void spin_wait(struct wait *w)
{
    (void)w;
    looks = !me;
    if (silent)
        __atomic_fetch_add(&counter, MILLISECS(1), __ATOMIC_SEQ_CST);
    thrd_yield();
}

static int ap(void *unused)
{
    (void)unused;
    me = 1;
    return tsc_compare_ap();
}

/* What the boot CPU's TSC is more than the other's, as it was found. */
static int64_t compare(void)
{
    thrd_t thread;
    int agreed;

    said[0] = 0;
    cpus[1].id = 1;
    cpus[0].arch.tsc_base = 1000000;
    cpus[1].arch.tsc_base = 0;
    counter = 1ull << 40;
    if (thrd_create(&thread, ap, NULL) != thrd_success)
        abort();
    assert_true(tsc_compare_boot(&cpus[1]));
    thrd_join(thread, &agreed);
    assert_true(agreed);
    return (int64_t)(cpus[0].arch.tsc_base - cpus[1].arch.tsc_base);
}

static void one_clock(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(compare(), 0);
        assert_string_equal(said, "");
        assert_int_equal(differing, 0);
    }
    tsc_report();
    assert_non_null(strstr(said, "is 0 ticks; guests are told that time is stable"));
}

static void another_adjustment_is_named(void **state)
{
    (void)state;
    tsc[1].adjust = 0x1234;
    assert_int_equal(compare(), 0);
    assert_non_null(strstr(said, "TSC_ADJUST at 0x1234 there, at 0 on"));
    tsc[1].adjust = 0;
}

static void differences_are_found(void **state)
{
    static const int64_t ahead[] = {100, -100, 1ll << 50, -(1ll << 39)};

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        tsc[1].ahead = ahead[i];
        assert_in_range(compare() + ahead[i] + NEAR, 0, 2 * NEAR);
        assert_non_null(strstr(said, ahead[i] > 0 ? "ticks ahead of" : "ticks behind"));
        assert_int_equal(differing, i + 1);
    }
    tsc_report();
    assert_non_null(strstr(said, "told that time is not stable"));
}

static void drift_is_found(void **state)
{
    (void)state;
    tsc[1].ahead = 0;
    tsc[1].drift = 10;
    tsc[1].ahead = -(int64_t)((1ull << 40) / 10);
    (void)compare();
    assert_non_null(strstr(said, "CPU 1: its TSC is"));
}

/* Nothing is said of its clock; and when it comes it learns that nobody waits for it. */
static void who_does_not_answer_is_given_up(void **state)
{
    unsigned int had = differing;
    uint64_t began = counter;

    (void)state;
    tsc[1].ahead = 1000;
    said[0] = 0;
    silent = true;
    assert_false(tsc_compare_boot(&cpus[1]));
    silent = false;
    assert_in_range(counter - began, SECONDS(2), SECONDS(3));
    assert_string_equal(said, "");
    assert_int_equal(differing, had);
    assert_false(ap(NULL));
    me = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_clock),
        cmocka_unit_test(another_adjustment_is_named),
        cmocka_unit_test(differences_are_found),
        cmocka_unit_test(drift_is_found),
        cmocka_unit_test(who_does_not_answer_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
