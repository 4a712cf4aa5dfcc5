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
#include <core/state/guest_ops.h>
#include <hv/x86_bits.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <x86/stop.h>
#include <x86/x86.h>

#define WRITES (PFEC_PRESENT | PFEC_WRITE)

void handle_hv_exception(struct cpu_user_regs *regs);

/* Two instructions may fault, and have somewhere to go on then: one of a copy, and another. */
__asm__(".pushsection .data\n"
        ".balign 4\n"
        ".globl extable_start, extable_end, guest_copies, guest_fault, other, other_failed\n"
        "extable_start: .long guest_copies - ., guest_fault - .\n"
        ".long other - ., other_failed - .\n"
        "extable_end:\n"
        "guest_copies: .byte 0\n"
        "guest_fault: .byte 0\n"
        "other: .byte 0\n"
        "other_failed: .byte 0\n"
        ".popsection");
extern char guest_copies[], guest_fault[], other[], other_failed[];
char guest_flags_start[1], guest_flags_end[1];

static struct cpu cpu;
static struct vcpu nobody;
static uint64_t cr2;
static jmp_buf stopped;

/* What there is to bring in, and how often the copy of its L4 was made behind that. */
bool isolating;
static uint64_t brings_in;
static unsigned int isolated;

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

void isolate_guest(struct cpu *c)
{
    assert_ptr_equal(c, &cpu);
    isolated++;
}

static bool bring_in(struct vcpu *v, uint64_t at)
{
    bool is = brings_in && at == brings_in;

    assert_ptr_equal(v, &nobody);
    assert_int_equal(isolated, 0);
    if (is)
        brings_in = 0;
    return is;
}

static const struct guest_ops brings = {.bring_in = bring_in};

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

/* A copy, or some other code, that has just begun. */
static struct cpu_user_regs begun(const char *rip)
{
    return (struct cpu_user_regs){
        .entry_vector = TRAP_page_fault, .rip = (uint64_t)rip, .r8 = (uint64_t)&cpu};
}

/* Whether it goes on where it is after such a fault. */
static bool again(struct cpu_user_regs *r, uint64_t at, uint32_t error)
{
    uint64_t rip = r->rip;

    cr2 = at;
    r->error_code = error;
    handle_hv_exception(r);
    if (r->rip != rip)
        assert_int_equal(r->rip,
                         (uint64_t)(rip == (uint64_t)guest_copies ? guest_fault : other_failed));
    return r->rip == rip;
}

static void once_more(void **state)
{
    struct cpu_user_regs copy = begun(guest_copies);

    (void)state;
    assert_true(again(&copy, 0x5000, WRITES));
    assert_false(again(&copy, 0x5000, WRITES));
    /* one goes on, and comes to the next page, and the last */
    copy = begun(guest_copies);
    assert_true(again(&copy, 0, WRITES));
    assert_true(again(&copy, 0x6000, WRITES));
    assert_true(again(&copy, 0x7000, PFEC_PRESENT));
    assert_false(again(&copy, 0x7000, PFEC_PRESENT));
}

/* Each copy has a try of its own, though another found too little to be known at the same address.
 */
static void each_once_more(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct cpu_user_regs copy = begun(guest_copies);

        assert_true(again(&copy, 0x5000, WRITES));
    }
}

/* A CPU knows nothing of pages that are not there. */
static void not_there(void **state)
{
    struct cpu_user_regs copy = begun(guest_copies);

    (void)state;
    assert_false(again(&copy, 0x5000, PFEC_WRITE));
    copy = begun(guest_copies);
    assert_false(again(&copy, 0x5000, 0));
}

/* Other code touches no guest's pages, and its R8 is its own. */
static void not_a_copy(void **state)
{
    struct cpu_user_regs r = begun(other);

    (void)state;
    assert_false(again(&r, 0x5000, WRITES));
    assert_int_equal(r.r8, (uint64_t)&cpu);
}

/* What is brought in for an instruction is there when it is tried again, once; and where page
 * tables are isolated the copy is made again: whoever brought it in may have served flushes. */
static void brought_in(void **state)
{
    struct domain d = {.ops = &brings};

    (void)state;
    nobody.domain = &d;
    cpu.arch.loaded = &nobody;
    for (unsigned int i = 0; i < 2; i++) {
        struct cpu_user_regs r = begun(other);

        isolating = i;
        isolated = 0;
        brings_in = 0x8000;
        assert_true(again(&r, 0x8000, 0));
        assert_int_equal(isolated, i);
        isolated = 0;
        assert_false(again(&r, 0x8000, 0));
        assert_int_equal(isolated, 0);
    }
    isolating = false;
}

static void a_fault_of_our_own(void **state)
{
    struct cpu_user_regs r = begun(other_failed);

    (void)state;
    if (!setjmp(stopped)) {
        (void)again(&r, 0x5000, WRITES);
        fail_msg("goes on");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(once_more, setup),
        cmocka_unit_test_setup(each_once_more, setup),
        cmocka_unit_test_setup(not_there, setup),
        cmocka_unit_test_setup(not_a_copy, setup),
        cmocka_unit_test_setup(brought_in, setup),
        cmocka_unit_test_setup(a_fault_of_our_own, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
