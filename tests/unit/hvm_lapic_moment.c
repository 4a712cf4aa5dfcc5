/* SPDX-License-Identifier: MIT */
/*
 * The timer's callback on one CPU, and between any two of its instructions all that the vCPU does
 * on another; and the other way about. The one is run by single steps, once for each place where
 * the other may come in, as far as it takes a lock that the other would wait for.
 *
 * What had expired interrupts once, as it was set; what was set behind it is not lost; and nothing
 * comes that was taken back.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>

#include "hvm_lapic_support.h"

#define OLD  0x50u
#define NEW  0x60u
#define TRAP 0x100 /* in EFLAGS */

static struct domain *d;
static struct vcpu *v;
static unsigned int steps_left;
static void (*meanwhile)(void);
static unsigned int old_taken, others_taken;

static void take_all(void)
{
    for (int vector; (vector = lapic_serve(v)) >= 0;) {
        old_taken += vector == (int)OLD;
        others_taken += vector != (int)OLD;
    }
}

static void at_step(int signal, siginfo_t *info, void *context)
{
    ucontext_t *c = context;

    (void)signal, (void)info;
    if (--steps_left && !host_locks_held())
        return;
    c->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
    if (host_locks_held())
        return;
    host_run_on(1);
    meanwhile();
    host_run_on(0);
    meanwhile = NULL;
}

/* Below what the compiler may keep under the stack pointer */
static void trap_each_step(bool on)
{
    if (on)
        asm volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; "
                     "lea 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
    else
        asm volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; "
                     "lea 128(%%rsp), %%rsp" ::
                         : "memory", "cc");
}

static void call_back(void)
{
    lapic_timer_expired(v);
}

/* A guest whose timer has expired, or is about to; after that many steps of the one the other acts.
 * False: it had ended before. */
static bool run_with(void (*one)(void), s_time_t passed, void (*act)(void), uint32_t mode,
                     unsigned int steps)
{
    bool acted;

    d = lapic_guest(1, true);
    v = d->vcpu[0];
    host_set_cpus(2);
    lapic_enable(v);
    lapic_put(v, 0x3e, 0xb);
    lapic_put(v, 0x32, mode | OLD);
    lapic_put(v, 0x38, 100000);
    timer_stop(&lapic_of(v)->timer); /* it is taken out to be run */
    host_time_passes(passed);
    old_taken = others_taken = 0;
    steps_left = steps;
    meanwhile = act;
    trap_each_step(true);
    one();
    trap_each_step(false);
    acted = !meanwhile;
    host_run_on(1);
    if (!acted)
        act();
    take_all();
    return acted;
}

static void step_through(void (*one)(void), s_time_t passed, void (*act)(void), uint32_t mode,
                         void (*judge)(void))
{
    struct sigaction on_trap = {.sa_sigaction = at_step, .sa_flags = SA_SIGINFO}, before;
    unsigned int steps = 1;
    bool acted;

    sigaction(SIGTRAP, &on_trap, &before);
    do {
        acted = run_with(one, passed, act, mode, steps++);
        judge();
        host_run_on(0);
        lapic_guest_end(d);
    } while (acted);
    sigaction(SIGTRAP, &before, NULL);
    assert_true(steps > 20);
}

static void at_each_step(void (*act)(void), uint32_t mode, void (*judge)(void))
{
    step_through(call_back, 100000, act, mode, judge);
}

static void look_and_set_anew(void)
{
    (void)lapic_get(v, 0x39);
    take_all();
    lapic_put(v, 0x32, NEW);
    lapic_put(v, 0x38, 100000);
}

static void old_once_and_new_once(void)
{
    assert_int_equal(old_taken, 1);
    assert_int_equal(others_taken, 0);
    host_advance(100000);
    take_all();
    assert_int_equal(old_taken, 1);
    assert_int_equal(others_taken, 1);
}

static void set_anew(void **state)
{
    (void)state;
    at_each_step(look_and_set_anew, 0, old_once_and_new_once);
    at_each_step(look_and_set_anew, 1u << 17, old_once_and_new_once);
}

static void mask(void)
{
    lapic_put(v, 0x32, 0x10000 | NEW);
}

static void stop(void)
{
    lapic_put(v, 0x38, 0);
}

static void old_once(void)
{
    assert_int_equal(old_taken, 1);
    assert_int_equal(others_taken, 0);
    host_advance(1000000);
    assert_int_equal(lapic_pending(v), -1);
}

static void taken_back(void **state)
{
    (void)state;
    at_each_step(mask, 0, old_once);
    at_each_step(stop, 1u << 17, old_once);
}

/* It takes the interrupt, or not yet; the next tick comes. */
static void ticks_go_on(void)
{
    assert_int_equal(old_taken, 1);
    host_advance(100000);
    take_all();
    assert_int_equal(old_taken, 2);
    assert_int_equal(others_taken, 0);
}

static void periodic(void **state)
{
    (void)state;
    at_each_step(take_all, 1u << 17, ticks_go_on);
}

/* The vCPU changes the entry, and just then it expires: it comes once, by the old or the new one.
 */
static void change(void)
{
    lapic_timer_write(v, LAPIC_LVT_TIMER, (lapic_of(v)->reg[LAPIC_LVT_TIMER] & 3u << 17) | NEW);
}

static void expires(void)
{
    host_time_passes(1);
    call_back();
}

static void either_once(void)
{
    assert_int_equal(old_taken + others_taken, 1);
    host_advance(99999);
    assert_int_equal(lapic_pending(v), -1);
}

static void changed(void **state)
{
    (void)state;
    for (uint32_t mode = 0; mode <= 1u << 17; mode += 1u << 17)
        step_through(change, 99999, expires, mode, either_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_anew),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(periodic),
        cmocka_unit_test(changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
