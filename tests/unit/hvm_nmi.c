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

static bool faults_exit(void)
{
    bool first = vmcb_intercepts(b, EXIT_EXCEPTION + TRAP_invalid_tss);

    for (unsigned int i = 0; i < 32; i++)
        if (vmcb_intercepts(b, EXIT_EXCEPTION + i) !=
            (i == TRAP_debug || i == TRAP_alignment_check || i == TRAP_machine_check ||
             (first && i >= TRAP_invalid_tss && i <= TRAP_page_fault)))
            fail_msg("exception %u", i);
    return first;
}

/* The handler's IRET faults: its flags are in the frame as it had them, and NMIs wait for the IRET
 * behind that. */
static void one_whose_iret_faults(void **state)
{
    static const uint8_t faults[] = {TRAP_invalid_tss, TRAP_no_segment, TRAP_stack_error,
                                     TRAP_gp_fault,    TRAP_page_fault, TRAP_alignment_check};

    (void)state;
    nmi_comes();
    for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
        uint64_t cr2 = b->save.cr2 = 0x1230 + i;

        assert_false(faults_exit());
        whole_exit(EXIT_IRET, 0, 0);
        assert_true(faults_exit());
        assert_true(hvm_before_entry(v));
        assert_true(b->save.rflags & X86_EFLAGS_TF);
        whole_exit(EXIT_EXCEPTION + faults[i], i, 0x4560 + i);
        assert_int_equal(INJ, EVENT_VALID | EVENT_EXCEPTION | EVENT_HAS_CODE | faults[i] |
                                  (uint64_t)i << 32);
        assert_int_equal(b->save.cr2, faults[i] == TRAP_page_fault ? 0x4560 + i : cr2);
        assert_int_equal(v->regs.rip, CODE);
        assert_true(IRET);
        v->nmi_pending = true;
        assert_true(hvm_before_entry(v));
        assert_false(b->save.rflags & X86_EFLAGS_TF);
        assert_true(v->nmi_pending);
        whole_exit(EXIT_INTR, 0, 0);
    }
    whole_exit(EXIT_IRET, 0, 0);
    turn();
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF;
    step_is_done();
    assert_false(faults_exit());
    nmi_comes();
}

/* An interrupt comes before the IRET, and what its handler faults with is nothing to it. */
static void one_that_is_interrupted(void **state)
{
    (void)state;
    nmi_comes();
    whole_exit(EXIT_IRET, 0, 0);
    turn();
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF; /* it is in the frame */
    whole_exit(EXIT_EXCEPTION + TRAP_gp_fault, 8, 0);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    assert_false(IRET);
    whole_exit(EXIT_IRET, 0, 0);
    v->nmi_pending = true;
    turn();
    assert_false(b->save.rflags & X86_EFLAGS_TF); /* nor is its own IRET the step */
    assert_true(v->nmi_pending);
    step_is_done();
    assert_int_equal(INJ, 0);
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
        T(one_until_iret),          T(one_that_makes_steps),  T(one_whose_iret_faults),
        T(one_that_is_interrupted), T(one_that_is_forgotten), T(an_iret_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
