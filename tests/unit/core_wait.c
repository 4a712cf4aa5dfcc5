/* SPDX-License-Identifier: MIT */
/*
 * Waiting for another CPU: who waits flushes when it is asked, and a wait that does not end tells
 * who waits for whom, but not before its time.
 */
#include "core_test.h"

#include <core/base/tlb.h>
#include <port/atomic.h>
#include <port/wait.h>
#include <string.h>

#define TURNS 5000u

static jmp_buf panicked;
static char words[256];

static void catch_panic(const char *text)
{
    strncpy(words, text, sizeof(words) - 1);
    longjmp(panicked, 1);
}

static int setup(void **state)
{
    (void)state;
    host_init(1024);
    host_on_panic = catch_panic;
    words[0] = 0;
    return 0;
}

static void wait_some(struct wait *w)
{
    for (unsigned int i = 0; i < TURNS; i++)
        spin_wait(w);
}

static void serves(void **state)
{
    struct wait w = WAIT("nothing", NO_CPU);
    unsigned int before = host_flushes;

    (void)state;
    this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
    spin_wait(&w);
    assert_int_equal(host_flushes, before);
    atomic_or(&this_cpu()->pending, CPU_WORK_FLUSH | CPU_WORK_SCHEDULE);
    spin_wait(&w);
    assert_int_equal(host_flushes, before + 1);
    /* What else there is to do waits for the exit path. */
    assert_int_equal(this_cpu()->pending, CPU_WORK_SCHEDULE);
    spin_wait(&w);
    assert_int_equal(host_flushes, before + 1);
}

/* Time passes little by little: between two looks at the clock it counts as a second at most. */
static void wait_for_seconds(struct wait *w, unsigned int seconds)
{
    for (unsigned int i = 0; i < seconds; i++) {
        host_advance(SECONDS(1));
        wait_some(w);
    }
}

static void gives_up(void **state)
{
    struct wait known = WAIT("its lock", 3), unknown = WAIT("a frame", NO_CPU);

    (void)state;
    host_advance(SECONDS(100));
    wait_some(&known);
    wait_for_seconds(&known, 30);
    wait_some(&unknown);
    wait_for_seconds(&unknown, 30);
    host_advance(1);
    if (!setjmp(panicked)) {
        wait_some(&known);
        fail_msg("waits for ever");
    }
    assert_string_equal(words, "CPU 0 has waited 30000 ms for CPU 3: its lock");
    if (!setjmp(panicked)) {
        wait_some(&unknown);
        fail_msg("waits for ever");
    }
    assert_string_equal(words, "CPU 0 has waited 30000 ms for a frame");
}

/* The host stops the whole machine for an hour. */
static void the_host_takes_its_time(void **state)
{
    struct wait w = WAIT("its lock", 3);

    (void)state;
    wait_some(&w);
    for (unsigned int i = 0; i < 30; i++) {
        host_advance(SECONDS(3600));
        wait_some(&w);
    }
    host_advance(1);
    if (!setjmp(panicked)) {
        wait_some(&w);
        fail_msg("waits for ever");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(serves, setup),
        cmocka_unit_test_setup(gives_up, setup),
        cmocka_unit_test_setup(the_host_takes_its_time, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
