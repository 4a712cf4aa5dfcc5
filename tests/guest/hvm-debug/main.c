/* SPDX-License-Identifier: MIT */
/*
 * Shows: single steps work in a fully virtualized guest, over exits too: an instruction that the
 * hypervisor carries out is one step like any other. The debug registers hold over exits what was
 * written, and what must not be written is refused. (Breakpoints are met on a CPU; with QEMU they
 * never are: hypervisor/hvm/debugreg.c.) An unaligned access in user mode does no harm.
 */
#include <guest/hvm.h>
#include <guest/machine.h>
#include <guest/user.h>

#include "test.h"

const char test_name[] = "hvm-debug";

#define DR6_STEP  0x4000u
#define DR7_EXEC0 0x402ul /* global, at execution */
#define DR7_NONE  0x400ul

static volatile unsigned int steps;
static volatile uint64_t at[64], dr6;

static uint64_t read_dr6(void)
{
    uint64_t value;

    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static void write_dr6(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

static void write_dr7(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr7" : : "r"(value));
}

static bool debug(struct trap_regs *regs)
{
    dr6 |= read_dr6();
    write_dr6(0xffff0ff0);
    at[steps++ % ARRAY_SIZE(at)] = regs->rip;
    return true;
}

/* The eight instructions from behind POPF on, of which the last but one ends it. */
static void single_steps(void)
{
    uint64_t rip[8];
    uint32_t eax = 0, ecx = 0;

    steps = 0;
    dr6 = 0;
    __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, 0(%2)\n\t"
                     "leaq 2f(%%rip), %%rax; movq %%rax, 8(%2)\n\t"
                     "leaq 3f(%%rip), %%rax; movq %%rax, 16(%2)\n\t"
                     "leaq 4f(%%rip), %%rax; movq %%rax, 24(%2)\n\t"
                     "leaq 5f(%%rip), %%rax; movq %%rax, 32(%2)\n\t"
                     "pushfq; orq $0x100, (%%rsp); xorl %%eax, %%eax; popfq\n\t"
                     "nop\n"
                     "1: cpuid\n"
                     "2: inb $0x80, %%al\n"
                     "3: xorl %%eax, %%eax\n"
                     "4: pushfq\n"
                     "5: andq $~0x100, (%%rsp); popfq"
                     : "+a"(eax), "+c"(ecx)
                     : "S"(rip)
                     : "rbx", "rdx", "memory", "cc");
    CHECK(steps >= 5 && steps <= 7, "a step behind each instruction");
    CHECK(dr6 & DR6_STEP, "DR6 says that it was a step");
    CHECK_EQ(at[0], rip[0], "behind NOP");
    CHECK_EQ(at[1], rip[1], "behind CPUID, which the hypervisor carries out");
    CHECK_EQ(at[2], rip[2], "behind IN, likewise");
    CHECK_EQ(at[3], rip[3], "behind XOR");
    CHECK_EQ(at[4], rip[4], "behind PUSHF");
}

static void __attribute__((noinline)) marked(void)
{
    __asm__ volatile("nop");
}

static bool resume(struct trap_regs *regs)
{
    debug(regs);
    regs->rflags |= 1ul << 16; /* RF: not again at once */
    return true;
}

static void do_dr7(void *value)
{
    write_dr7((uint64_t)value);
}

static void breakpoints(void)
{
    uint64_t dr0, dr3, dr7;
    uint32_t out[4];

    trap_set_handler(TRAP_DEBUG, resume);
    steps = 0;
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr3" : : "r"(marked), "r"(0x123456789abcul));
    write_dr7(DR7_EXEC0);
    cpuid(0, 0, out);
    marked();
    CHECK_EITHER(steps, 1, 0, "a breakpoint at an instruction, over exits");
    __asm__ volatile("mov %%dr0, %0; mov %%dr3, %1; mov %%dr7, %2"
                     : "=r"(dr0), "=r"(dr3), "=r"(dr7));
    CHECK_EQ(dr0, (uint64_t)marked, "DR0 is what was written");
    CHECK_EQ(dr3, 0x123456789abc, "and so is DR3");
    CHECK_EQ(dr7, DR7_EXEC0, "and DR7");
    CHECK_EQ(probe_call(do_dr7, (void *)(1ul << 32), NULL), TRAP_GP, "DR7 has 32 bits");
    write_dr7(DR7_NONE);
    steps = 0;
    marked();
    CHECK_EQ(steps, 0, "switched off none comes");
}

/* 1: mov %eax, 1(%rsp); syscall */
static const uint8_t code_unaligned[] = {0x89, 0x44, 0x24, 0x81, 0x0f, 0x05};

static void alignment(void)
{
    struct trap_regs r = {.rip = USER_CODE, .rsp = USER_STACK_TOP, .rflags = RFLAGS_IF | 1 << 18};

    NEED(!user_init() && !user_load(code_unaligned, sizeof(code_unaligned)));
    write_cr0(read_cr0() | 1 << 18); /* AM */
    CHECK_EITHER(user_run(&r), TRAP_ALIGNMENT, VECTOR_SYSCALL, "#AC (QEMU has none)");
}

void test_main(void)
{
    trap_set_handler(TRAP_DEBUG, debug);
    single_steps();
    breakpoints();
    alignment();
}
