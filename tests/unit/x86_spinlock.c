/* SPDX-License-Identifier: MIT */
/*
 * The machine's locks in a debug build (x86/spinlock.c): a CPU that takes one against the order of
 * docs/locking.md ends the machine, which says what it took and what it held; one that keeps the
 * order does not, in whatever order it gives back. System tests of debug builds rely on it.
 *
 * One thread plays all CPUs here, so nobody waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/wait.h>
#include <x86/x86.h>

#define RANKS (RANK_CONSOLE + 1)

static struct cpu cpus[2];
static struct cpu *me;
static spinlock_t lock[RANKS];
static char said[256];
static jmp_buf stopped;

/* ---- the machine ---- */

struct cpu *this_cpu(void)
{
    return me;
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    longjmp(stopped, 1);
}

void spin_wait(struct wait *w)
{
    fail_msg("waits for %s", w->what);
}

/* ---- the tests ---- */

static int setup(void **state)
{
    (void)state;
    memset(cpus, 0, sizeof(cpus));
    me = &cpus[0];
    for (unsigned int r = RANK_DOMLIST; r < RANKS; r++)
        spin_lock_init(&lock[r], r);
    return 0;
}

/* Whether it ends the machine that this CPU takes the lock, or both, now. */
static bool ends(spinlock_t *a, spinlock_t *b)
{
    said[0] = 0;
    if (setjmp(stopped))
        return true;
    if (b)
        spin_lock_pair(a, b);
    else
        spin_lock(a);
    return false;
}

static bool is_taken(const spinlock_t *l)
{
    return l->next != l->owner;
}

/* Any two ranks, one taken while the other is held: only upwards. */
static void only_upwards(void **state)
{
    for (unsigned int held = RANK_DOMLIST; held < RANKS; held++) {
        for (unsigned int r = RANK_DOMLIST; r < RANKS; r++) {
            spinlock_t another;

            setup(state);
            spin_lock_init(&another, r); /* of the same rank it is not the one that is held */
            spin_lock(&lock[held]);
            assert_int_equal(ends(&another, NULL), r <= held);
            assert_int_equal(!strncmp(said, "the lock of ", 12), r <= held); /* each has a name */
            assert_int_equal(is_taken(&another), r > held); /* ends before it is taken */
        }
    }
}

static void says_which(void **state)
{
    (void)state;
    spin_lock(&lock[RANK_EVTCHN]);
    spin_lock(&lock[RANK_SCHED]);
    assert_true(ends(&lock[RANK_DOMAIN], NULL));
    assert_string_equal(said, "the lock of a domain's life is taken while 0x1020 are held");
    /* above one of those that are held, but not above all */
    assert_true(ends(&lock[RANK_HEAP], NULL));
    assert_string_equal(said, "the lock of the heap is taken while 0x1020 are held");
}

static void not_twice(void **state)
{
    (void)state;
    spin_lock(&lock[RANK_CONSOLE]);
    assert_true(ends(&lock[RANK_CONSOLE], NULL));
    assert_string_equal(said, "the lock of the log or console is taken while 0x4000 are held");
}

static void all_of_them(void)
{
    for (unsigned int r = RANK_DOMLIST; r < RANKS; r++)
        assert_false(ends(&lock[r], NULL));
}

/* All at once, given back from either end, or from the middle: nothing is left of them. */
static void given_back_in_any_order(void **state)
{
    (void)state;
    all_of_them();
    for (unsigned int r = RANK_CONSOLE; r >= RANK_DOMLIST; r--)
        spin_unlock(&lock[r]);
    all_of_them();
    for (unsigned int r = RANK_DOMLIST; r < RANKS; r++)
        spin_unlock(&lock[r]);
    all_of_them();
    for (unsigned int i = 0; i < RANK_CONSOLE; i++)
        spin_unlock(&lock[RANK_DOMLIST + 5 * i % RANK_CONSOLE]);
    all_of_them();
}

/* What was given back is not held: one below it may be taken, if none of the others forbids it. */
static void what_is_left_counts(void **state)
{
    (void)state;
    spin_lock(&lock[RANK_GRANT]);
    spin_lock(&lock[RANK_HEAP]);
    spin_lock(&lock[RANK_TIMER]);
    spin_unlock(&lock[RANK_HEAP]);
    assert_true(ends(&lock[RANK_HEAP], NULL));
    spin_unlock(&lock[RANK_TIMER]);
    assert_false(ends(&lock[RANK_HEAP], NULL));
    spin_unlock(&lock[RANK_GRANT]);
    assert_true(ends(&lock[RANK_GRANT], NULL));
    spin_unlock(&lock[RANK_HEAP]);
    assert_false(ends(&lock[RANK_GRANT], NULL));
}

/* Two of one rank are for spin_lock_pair(), whichever is named first; and they count as that. */
static void pairs(void **state)
{
    spinlock_t two[2];

    (void)state;
    spin_lock_init(&two[0], RANK_EVTCHN);
    spin_lock_init(&two[1], RANK_EVTCHN);
    for (unsigned int i = 0; i < 2; i++) {
        spin_lock(&lock[RANK_GRANT]);
        assert_false(ends(&two[i], &two[!i]));
        assert_true(is_taken(&two[0]) && is_taken(&two[1]));
        assert_false(ends(&lock[RANK_SCHED], NULL));
        spin_unlock(&lock[RANK_SCHED]);
        assert_true(ends(&lock[RANK_EVTCHN], NULL));
        spin_unlock_pair(&two[i], &two[!i]);
        assert_false(is_taken(&two[0]) || is_taken(&two[1]));
        spin_unlock(&lock[RANK_GRANT]);
    }
    assert_false(ends(&two[0], &two[0]));
    spin_unlock_pair(&two[0], &two[0]);
    assert_false(is_taken(&two[0]));
    spin_lock(&lock[RANK_SCHED]);
    assert_true(ends(&two[0], &two[1]));
    assert_string_equal(said,
                        "the lock of a domain's event channels is taken while 0x1000 are held");
}

/* Each CPU by itself. */
static void what_others_hold_does_not_count(void **state)
{
    (void)state;
    spin_lock(&lock[RANK_CONSOLE]);
    me = &cpus[1];
    assert_false(ends(&lock[RANK_DOMLIST], NULL));
    assert_false(ends(&lock[RANK_TIMER], NULL));
    me = &cpus[0];
    assert_true(ends(&lock[RANK_SCHED], NULL));
}

/* The last, as it is for good: what a panic has to say must not end in another. */
static void not_at_the_end(void **state)
{
    (void)state;
    spin_lock(&lock[RANK_CONSOLE]);
    ignore_locks();
    assert_false(ends(&lock[RANK_DOMLIST], NULL));
    assert_false(ends(&lock[RANK_CONSOLE], NULL)); /* held, by a CPU that stands still */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_upwards),
        cmocka_unit_test_setup(says_which, setup),
        cmocka_unit_test_setup(not_twice, setup),
        cmocka_unit_test_setup(given_back_in_any_order, setup),
        cmocka_unit_test_setup(what_is_left_counts, setup),
        cmocka_unit_test_setup(pairs, setup),
        cmocka_unit_test_setup(what_others_hold_does_not_count, setup),
        cmocka_unit_test_setup(not_at_the_end, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
