/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that a fully virtualized guest is given: with an error code where there is one; one
 * behind another as double fault, or as the end.
 */
#include "hvm_whole.h"

#include <xen/sched.h>

#define INJ b->control.event_inj

static unsigned int after(uint64_t first, unsigned int second)
{
    INJ = first;
    hvm_inject_exception(v, second, 7);
    return INJ & 0xff;
}

/* The manual's table: a contributory one behind a contributory, any of the two behind a page fault.
 */
static void double_faults(void **state)
{
    static const uint8_t contribute[] = {0, 10, 11, 12, 13};
    const uint64_t exception = EVENT_VALID | EVENT_EXCEPTION;

    (void)state;
    for (unsigned int i = 0; i < sizeof(contribute); i++) {
        for (unsigned int k = 0; k < sizeof(contribute); k++)
            assert_int_equal(after(exception | contribute[i], contribute[k]), TRAP_double_fault);
        assert_int_equal(after(exception | contribute[i], TRAP_page_fault), TRAP_page_fault);
        assert_int_equal(after(exception | TRAP_page_fault, contribute[i]), TRAP_double_fault);
        assert_int_equal(after(exception | TRAP_debug, contribute[i]), contribute[i]);
        assert_int_equal(after(exception | contribute[i], TRAP_debug), TRAP_debug);
        assert_int_equal(after(EVENT_VALID | EVENT_EXT | contribute[i], TRAP_gp_fault), 13);
        assert_int_equal(after(EVENT_EXCEPTION | contribute[i], TRAP_gp_fault), 13); /* none */
    }
    assert_int_equal(after(exception | TRAP_page_fault, TRAP_page_fault), TRAP_double_fault);
    assert_true(INJ & EVENT_HAS_CODE);
    assert_int_equal(INJ >> 32, 0);
    assert_int_equal(after(exception | TRAP_double_fault, TRAP_alignment_check), 17);
    assert_int_equal(whole_end(), -1);
}

static void triple_fault(void **state)
{
    (void)state;
    (void)after(EVENT_VALID | EVENT_EXCEPTION | EVENT_HAS_CODE | 8, *state ? 14 : 13);
    assert_int_equal(whole_end(), SHUTDOWN_reboot);
}

/* A state that cannot be run, with MOV to CR4 at RIP: the fault cannot be delivered either. It
 * ends, and is not tried for ever. */
static void a_state_that_is_never_run(void **state)
{
    unsigned int tries;

    (void)state;
    whole_code("\x0f\x22\xe0", 3);
    for (tries = 0; whole_end() < 0 && tries < 10; tries++) {
        b->control.exit_int_info = INJ;
        whole_exit(EXIT_INVALID, 0, 0);
        assert_int_equal(hvm_before_entry(v), true);
    }
    assert_int_equal(whole_end(), SHUTDOWN_reboot);
}

static int of_a_page_fault(void **state)
{
    static int yes = 1;

    whole_setup(state);
    *state = &yes;
    return 0;
}

static void error_codes(void **state)
{
    (void)state;
    for (unsigned int vector = 0; vector < 32; vector++) {
        bool has = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;

        INJ = 0;
        hvm_inject_exception(v, vector, 7);
        assert_int_equal(!!(INJ & EVENT_HAS_CODE), has);
        assert_int_equal(INJ >> 32, has ? 7 : 0);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(double_faults),
        T(triple_fault),
        cmocka_unit_test_setup_teardown(triple_fault, of_a_page_fault, whole_teardown),
        T(a_state_that_is_never_run),
        T(error_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
