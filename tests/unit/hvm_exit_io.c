/* SPDX-License-Identifier: MIT */
/*
 * Exits that reach a device: ports, one by one and by strings, and memory that is none; and what of
 * it is no such access.
 */
#include "hvm_whole.h"

#include <xen/sched.h>

/* --- ports --- */

#define IOIO(port, bytes, flags) ((uint64_t)(port) << 16 | (uint64_t)(bytes) << 4 | (flags))

static void ports(void **state)
{
    (void)state;
    v->regs.rax = 0x1122334455667788;
    whole_exit(EXIT_IOIO, IOIO(0x80, 1, IOIO_IN), CODE + 2);
    assert_int_equal(v->regs.rax, 0x11223344556677ff);
    assert_int_equal(v->regs.rip, CODE + 2);
    whole_exit(EXIT_IOIO, IOIO(0x80, 2, IOIO_IN), CODE + 2);
    assert_int_equal(v->regs.rax, 0x112233445566ffff);
    whole_exit(EXIT_IOIO, IOIO(0x80, 4, IOIO_IN), CODE + 2);
    assert_int_equal(v->regs.rax, 0xffffffff); /* 32 bits clear the upper half */
    v->regs.rax = 0xab12;
    b->control.int_state = INT_STATE_SHADOW;
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, 0), CODE + 4);
    assert_int_equal(b->control.int_state, 0);
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_IN), CODE + 4);
    assert_int_equal(v->regs.rax, 0xab12);
    whole_exit(EXIT_IOIO, IOIO(0xffff, 4, 0), CODE + 4); /* over the end */
}

/* One item an exit; RCX and the index are its progress. */
static void strings(void **state)
{
    (void)state;
    memcpy(whole_memory(0x3000), "xyz", 3);
    v->regs.rsi = 0x3000;
    v->regs.rcx = 2;
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING | IOIO_REP), CODE + 2);
    assert_int_equal(v->regs.rsi, 0x3001);
    assert_int_equal(v->regs.rcx, 1);
    assert_int_equal(v->regs.rip, CODE);
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING | IOIO_REP), CODE + 2);
    assert_int_equal(v->regs.rip, CODE + 2);
    v->regs.rdi = 0x3010;
    v->regs.rflags |= X86_EFLAGS_DF;
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING | IOIO_IN), CODE + 2);
    assert_int_equal(*(uint8_t *)whole_memory(0x3010), 'y');
    assert_int_equal(v->regs.rdi, 0x300f);
    v->regs.rcx = 0;
    v->regs.rip = CODE;
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING | IOIO_REP | IOIO_IN), CODE + 2);
    assert_int_equal(v->regs.rdi, 0x300f); /* not once */
    assert_int_equal(v->regs.rip, CODE + 2);
}

/* Their segments: DS where it reads, ES where it writes. */
static void strings_in_segments(void **state)
{
    (void)state;
    b->save.ds.base = 0x3000;
    b->save.es.base = 0x4000;
    *(uint8_t *)whole_memory(0x3010) = 0x5a;
    v->regs.rsi = v->regs.rdi = 0x10;
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING), CODE + 2);
    whole_exit(EXIT_IOIO, IOIO(0x3ff, 1, IOIO_STRING | IOIO_IN), CODE + 2);
    assert_int_equal(*(uint8_t *)whole_memory(0x4010), 0x5a);
}

static void a_string_that_faults(void **state)
{
    (void)state;
    whole_long_mode();
    v->regs.rdi = 0x40000000;
    whole_exit(EXIT_IOIO, IOIO(0x80, 4, IOIO_STRING | IOIO_IN), CODE + 2);
    assert_int_equal(whole_exception(), TRAP_page_fault);
    assert_int_equal(b->save.cr2, 0x40000000);
    assert_int_equal(b->control.event_inj >> 32, 2); /* a write, not there */
    assert_int_equal(v->regs.rip, CODE);
    v->regs.rsi = 1ull << 50;
    whole_exit(EXIT_IOIO, IOIO(0x80, 4, IOIO_STRING), CODE + 2);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    v->regs.rdi = WHOLE_PAGES * PAGE_SIZE; /* mapped by it, but no memory */
    whole_exit(EXIT_IOIO, IOIO(0x80, 4, IOIO_STRING | IOIO_IN), CODE + 2);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
}

/* --- memory that is none --- */

static void the_apic_page(void **state)
{
    (void)state;
    whole_code("\x89\x0d\x80\x00\xe0\xfe", 6); /* mov [fee00080], ecx */
    v->regs.rcx = 0x35;
    whole_exit(EXIT_NPF, NPF_FINAL | 6, 0xfee00080);
    assert_int_equal(lapic_seen(v)->reg[LAPIC_TPR], 0x35);
    assert_int_equal(v->regs.rip, CODE + 6);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.vintr & VINTR_TPR, 3); /* which CR8 reads as */
    v->regs.rip = CODE;
    v->regs.rcx = ~0ull;
    whole_code("\x8b\x0d\x80\x00\xe0\xfe", 6);
    whole_exit(EXIT_NPF, NPF_FINAL | 4, 0xfee00080);
    assert_int_equal(v->regs.rcx, 0x35);
    v->regs.rip = CODE;
    whole_exit(EXIT_NPF, NPF_FINAL | 4, 0xd0000000); /* a hole */
    assert_int_equal(v->regs.rcx, ~0u);
    v->regs.rip = CODE;
    v->regs.rcx = 0;
    whole_exit(EXIT_NPF, NPF_FINAL | 4, 0xfee00081); /* no register begins there */
    assert_int_equal(v->regs.rcx, ~0u);
}

static void a_constant(void **state)
{
    (void)state;
    v->regs.rax = 0xfee00080;
    whole_code("\xc7\x00\x46\x00\x00\x00", 6); /* mov dword [eax], 46h */
    whole_exit(EXIT_NPF, NPF_FINAL | 6, 0xfee00080);
    assert_int_equal(lapic_seen(v)->reg[LAPIC_TPR], 0x46);
    assert_int_equal(v->regs.rip, CODE + 6);
}

/* Neither a walk of its tables nor an event on its way is done by the instruction at RIP. */
static void not_by_the_instruction(void **state)
{
    (void)state;
    whole_code("\x89\x0d\x80\x00\xe0\xfe", 6);
    v->regs.rcx = 0x35;
    if (*state)
        b->control.exit_int_info = EVENT_VALID | 0x30;
    whole_exit(EXIT_NPF, (*state ? NPF_FINAL : 1ull << 33) | 6, 0xfee00080);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
    assert_int_equal(v->regs.rip, CODE);
    assert_int_equal(lapic_seen(v)->reg[LAPIC_TPR], 0);
}

static int on_its_way(void **state)
{
    static int yes = 1;

    whole_setup(state);
    *state = &yes;
    return 0;
}

static void another_instruction(void **state)
{
    (void)state;
    whole_code("\xa5", 1); /* movsd */
    whole_exit(EXIT_NPF, NPF_FINAL | 4, 0xfee00080);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

static void code_where_no_memory_is(void **state)
{
    (void)state;
    v->regs.rip = 0xfee00000;
    whole_exit(EXIT_NPF, NPF_FINAL | 0x14, 0xfee00000);
    assert_int_equal(whole_end(), SHUTDOWN_crash);
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ports),
        T(strings),
        T(strings_in_segments),
        T(a_string_that_faults),
        T(the_apic_page),
        T(a_constant),
        T(not_by_the_instruction),
        cmocka_unit_test_setup_teardown(not_by_the_instruction, on_its_way, whole_teardown),
        T(another_instruction),
        T(code_where_no_memory_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
