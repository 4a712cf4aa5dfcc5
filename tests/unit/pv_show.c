/* SPDX-License-Identifier: MIT */
/*
 * What the log tells the author of a guest: where a request was refused, and what a crash was.
 */
#include "pv_test.h"

#include <core/base/log.h>
#include <core/life/life.h>

static bool log_has(const char *words)
{
    static char text[70000];
    uint32_t pos = 0;

    text[log_read(text, sizeof(text) - 1, &pos)] = 0;
    return strstr(text, words) != NULL;
}

/* A refusal names the hypercall when there is one, and not the last one when there is none. */
static void refusals_say_where(void **state)
{
    uint64_t value;

    (void)state;
    log_clear();
    assert_int_equal(mm_call(&g, __HYPERVISOR_set_segment_base, SEGBASE_FS, NO_CANON, 0, 0),
                     -XEN_EINVAL);
    assert_true(log_has("d1v0: set_segment_base: "));
    g.v->regs.entry_vector = TRAP_gp_fault;
    log_clear();
    assert_false(pv_read_msr(g.v, 0xc0011029, &value));
    assert_true(log_has("d1v0: RDMSR 0xc0011029 is not offered (emulate_msr.c:"));
}

/* The author of a guest sees what it was, where, and the registers. */
static void crashes_are_explained(void **state)
{
    struct cpu_user_regs *r = &g.v->regs;

    (void)state;
    memset(g.v->arch.pv.traps, 0, PAGE_SIZE);
    r->rip = 0x4242;
    r->r15 = 0x1515;
    log_clear();
    pv_inject_page_fault(g.v, 0x1234, PFEC_WRITE);
    assert_true(
        log_has("crashed: page fault at address 0x1234 (exception 14, error code 0x2) at rip "
                "0x4242, and the guest has no handler"));
    assert_true(log_has("r15 0000000000001515"));
    assert_true(log_has("cr2 0000000000001234"));
    domain_resume(g.d);
    pv_inject_exception(g.v, TRAP_invalid_op, 0, 0);
    assert_true(log_has("crashed: invalid opcode (exception 6, error code 0) at rip 0x4242"));
    domain_resume(g.d);
    r->entry_vector = TRAP_gp_fault;
    r->rsp = 0x1000;
    g.v->arch.pv.traps[TRAP_gp_fault].address = HANDLER;
    pv_inject_exception(g.v, TRAP_gp_fault, BOUNCE_ERROR_CODE, 0x18);
    assert_true(
        log_has("crashed: general protection (exception 13, error code 0x18) at rip 0x4242: the "
                "stack for it, at 0xfc0, cannot be written (handler 0x1000)"));
    domain_resume(g.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refusals_say_where, pv_setup, pv_teardown),
        cmocka_unit_test_setup_teardown(crashes_are_explained, pv_setup, pv_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
