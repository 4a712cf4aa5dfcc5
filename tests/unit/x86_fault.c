/* SPDX-License-Identifier: MIT */
/*
 * Page faults of the hypervisor where it touches a guest's memory (x86/fault.c).
 *
 * What a CPU knows of a page may be out of date: another vCPU of the guest has given a right since,
 * which takes no flush. Such a fault is no answer; one that comes again is. No emulated CPU has it:
 * QEMU's look at the tables before they fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/base/log.h>
#include <core/base/registers.h>
#include <core/state/domain.h>
#include <hv/x86_bits.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <x86/stop.h>
#include <x86/x86.h>

#define WRITES (PFEC_PRESENT | PFEC_WRITE)

void handle_hv_exception(struct cpu_user_regs *regs);

/* One instruction may fault, and has somewhere to go on then. */
__asm__(".pushsection .data\n"
        ".balign 4\n"
        ".globl extable_start, extable_end, touches, gives_up\n"
        "extable_start: .long touches - extable_start, gives_up - (extable_start + 4)\n"
        "extable_end:\n"
        "touches: .byte 0\n"
        "gives_up: .byte 0\n"
        ".popsection");
extern char touches[], gives_up[];
char guest_flags_start[1], guest_flags_end[1];

static struct cpu cpu;
static struct vcpu nobody;
static uint64_t cr2;
static jmp_buf stopped;

/* ---- the machine ---- */

struct cpu *this_cpu(void)
{
    return &cpu;
}

struct cpu_block *fake_this_block(void)
{
    return NULL;
}

struct cpu_block *fake_cpu_block(unsigned int number)
{
    (void)number;
    return NULL;
}

uint64_t read_cr2(void)
{
    return cr2;
}

uint64_t read_cr3(void)
{
    return 0;
}

uint64_t read_dr6(void)
{
    return 0;
}

void write_dr6(uint64_t value)
{
    (void)value;
}

uint8_t inb(uint16_t port)
{
    (void)port;
    return 0;
}

/* ---- what is said, and the end ---- */

const char *exception_name(unsigned int vector)
{
    (void)vector;
    return "";
}

void dump_registers(struct domain *d, const struct cpu_user_regs *r, uint64_t at, uint64_t cr3)
{
    (void)d, (void)r, (void)at, (void)cr3;
}

void dump_stack(uint64_t rip, uint64_t rbp)
{
    (void)rip, (void)rbp;
}

bool machine_ends(void)
{
    return false;
}

void tell_where(const struct cpu_user_regs *regs)
{
    (void)regs;
}

void begin_end(bool is_panic)
{
    assert_true(is_panic);
}

void machine_stop(enum stop_kind kind)
{
    assert_int_equal(kind, STOP_PANIC);
    longjmp(stopped, 1);
}

/* ---- the tests ---- */

static int setup(void **state)
{
    (void)state;
    memset(&cpu, 0, sizeof(cpu));
    cpu.running = &nobody; /* nobody's tables are loaded: nothing to bring in */
    return 0;
}

/* Where the CPU goes on after such a fault. */
static uint64_t after(const char *rip, uint64_t at, uint32_t error)
{
    struct cpu_user_regs r = {
        .entry_vector = TRAP_page_fault, .error_code = error, .rip = (uint64_t)rip};

    cr2 = at;
    handle_hv_exception(&r);
    return r.rip;
}

static void once_more(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(after(touches, 0x5000, WRITES), (uint64_t)touches);
        assert_int_equal(after(touches, 0x5000, WRITES), (uint64_t)gives_up);
    }
    /* a copy goes on, and comes to the next page, and the last */
    assert_int_equal(after(touches, 0x5000, WRITES), (uint64_t)touches);
    assert_int_equal(after(touches, 0x6000, WRITES), (uint64_t)touches);
    assert_int_equal(after(touches, 0x7000, PFEC_PRESENT), (uint64_t)touches);
    assert_int_equal(after(touches, 0x7000, PFEC_PRESENT), (uint64_t)gives_up);
}

/* A CPU knows nothing of pages that are not there. */
static void not_there(void **state)
{
    (void)state;
    assert_int_equal(after(touches, 0x5000, PFEC_WRITE), (uint64_t)gives_up);
    assert_int_equal(after(touches, 0x5000, 0), (uint64_t)gives_up);
}

static void a_fault_of_our_own(void **state)
{
    (void)state;
    if (!setjmp(stopped)) {
        assert_int_equal(after(gives_up, 0x5000, WRITES), (uint64_t)gives_up);
        (void)after(gives_up, 0x5000, WRITES);
        fail_msg("goes on");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(once_more, setup),
        cmocka_unit_test_setup(not_there, setup),
        cmocka_unit_test_setup(a_fault_of_our_own, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
