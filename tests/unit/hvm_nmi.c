/* SPDX-License-Identifier: MIT */
/*
 * NMIs of a fully virtualized guest: one at a time, until the IRET of its handler is done.
 */
#include "hvm_whole.h"

#define NMI  (EVENT_VALID | EVENT_NMI | TRAP_nmi)
#define INJ  b->control.event_inj
#define IRET vmcb_intercepts(b, EXIT_IRET)

/* It is entered, and leaves again for the machine's sake. */
static void turn(void)
{
    assert_true(hvm_before_entry(v));
    whole_exit(EXIT_INTR, 0, 0);
}

/* The next entry brings one. */
static void nmi_comes(void)
{
    v->nmi_pending = true;
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, NMI);
    assert_true(IRET);
    assert_false(v->nmi_pending);
}

static void step_is_done(void)
{
    b->save.dr6 |= X86_DR6_BS;
    whole_exit(EXIT_EXCEPTION + TRAP_debug, 0, 0);
}

static void one_until_iret(void **state)
{
    (void)state;
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF; /* it does not ask */
    nmi_comes();
    v->nmi_pending = true;
    whole_exit(EXIT_INTR, 0, 0);
    turn();
    assert_int_equal(host_kicks, 0);
    assert_int_equal(INJ, 0);
    assert_true(v->nmi_pending);
    whole_exit(EXIT_IRET, 0, 0);
    assert_int_equal(v->regs.rip, CODE); /* it is still to be done: a step */
    assert_false(IRET);
    turn();
    assert_int_equal(INJ, 0);
    assert_true(b->save.rflags & X86_EFLAGS_TF);
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF; /* it returned to who makes none */
    step_is_done();
    assert_int_equal(INJ, 0);
    assert_int_equal(b->save.dr6, X86_DR6_DEFAULT);
    nmi_comes();
}

/* A handler that is stepped through has its own #DB. */
static void one_that_makes_steps(void **state)
{
    (void)state;
    nmi_comes();
    v->regs.rflags |= X86_EFLAGS_TF;
    whole_exit(EXIT_IRET, 0, 0);
    turn();
    assert_int_equal(INJ, 0);
    step_is_done();
    assert_int_equal(whole_exception(), TRAP_debug);
    assert_true(b->save.dr6 & X86_DR6_BS);
    whole_exit(EXIT_INTR, 0, 0); /* in its handler */
    nmi_comes();
}

/* INIT in the midst of the step. */
static void one_that_is_forgotten(void **state)
{
    (void)state;
    nmi_comes();
    whole_exit(EXIT_IRET, 0, 0);
    hvm_reset_vcpu(v);
    whole_exit(EXIT_EXCEPTION + TRAP_debug, 0, 0);
    assert_int_equal(whole_exception(), TRAP_debug);
}

/* What returns by IRET meanwhile is another's: nothing is a step. */
static void an_iret_that_is_none(void **state)
{
    (void)state;
    whole_exit(EXIT_IRET, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_false(b->save.rflags & X86_EFLAGS_TF);
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_until_iret),
        T(one_that_makes_steps),
        T(one_that_is_forgotten),
        T(an_iret_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
