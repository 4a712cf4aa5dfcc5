/* SPDX-License-Identifier: MIT */
/*
 * Shows: a fully virtualized guest has a user mode of its own: system calls, exceptions with the
 * bit for users, interrupts that come there and go back, instructions that are the kernel's alone
 * (HLT, CLI, ports, MSRs, WBINVD) as #GP, those that are everyone's as they are. None of them
 * reaches further because the hypervisor carries it out for the kernel; nor do hypercalls.
 */
#include <guest/hvm.h>
#include <guest/machine.h>
#include <guest/user.h>

#include "test.h"

const char test_name[] = "hvm-user";

#define VECTOR 0x50

#define USER_PROGRAM(name, ...) static const uint8_t name[] = {__VA_ARGS__}

USER_PROGRAM(code_syscall, 0x0f, 0x05, 0x0f, 0x0b); /* syscall; ud2 */
USER_PROGRAM(code_ud2, 0x0f, 0x0b);
USER_PROGRAM(code_int3, 0xcc);
USER_PROGRAM(code_load, 0x8b, 0x03); /* mov (%rbx), %eax */
USER_PROGRAM(code_hlt, 0xf4);
USER_PROGRAM(code_cli, 0xfa);
USER_PROGRAM(code_in, 0xe4, 0x80);
USER_PROGRAM(code_out, 0xe6, 0x80);
USER_PROGRAM(code_insb, 0x6c);
USER_PROGRAM(code_rdmsr, 0x0f, 0x32);
USER_PROGRAM(code_wrmsr, 0x0f, 0x30);
USER_PROGRAM(code_wbinvd, 0x0f, 0x09);
USER_PROGRAM(code_cr4, 0x0f, 0x22, 0xe0);
USER_PROGRAM(code_cr8, 0x44, 0x0f, 0x22, 0xc0);
USER_PROGRAM(code_vmmcall, 0x0f, 0x01, 0xd9);
USER_PROGRAM(code_hypercall, 0x0f, 0x01, 0xd9, 0x0f, 0x05);       /* vmmcall; syscall */
USER_PROGRAM(code_cpuid, 0x0f, 0xa2, 0x0f, 0x05);                 /* cpuid; syscall */
USER_PROGRAM(code_rdtsc, 0x0f, 0x31, 0x0f, 0x05);                 /* rdtsc; syscall */
USER_PROGRAM(code_wait, 0xf3, 0x90, 0x83, 0x3b, 0x00, 0x74, 0xf9, /* 1: pause; cmpl $0, (%rbx) */
             0x0f, 0x05);                                         /* je 1b; syscall */

static unsigned int run(const uint8_t *code, size_t len, struct trap_regs *regs)
{
    BUG_ON(user_load(code, len));
    regs->rip = USER_CODE;
    regs->rsp = USER_STACK_TOP;
    return user_run(regs);
}
#define RUN(code, regs) run(code, sizeof(code), regs)

static void system_calls(void)
{
    struct trap_regs r = {.rax = 1, .rbx = 0xb, .rdx = 0xd, .rsi = 0x51, .rdi = 0xd1, .r15 = 15};

    CHECK_EQ(RUN(code_syscall, &r), VECTOR_SYSCALL, "SYSCALL reaches the kernel");
    CHECK_EQ(r.rip, USER_CODE + 2, "after the instruction");
    CHECK_EQ(r.rsp, USER_STACK_TOP, "with the user's stack pointer");
    CHECK(r.rax == 1 && r.rbx == 0xb && r.rdx == 0xd && r.rsi == 0x51 && r.rdi == 0xd1 &&
              r.r15 == 15,
          "and registers");
}

static void exceptions(void)
{
    struct trap_regs r = {0};

    CHECK_EQ(RUN(code_ud2, &r), TRAP_INVALID_OP, "UD2");
    CHECK_EQ(r.cs, HVM_USER_CS, "in the user's segment");
    CHECK_EQ(RUN(code_int3, &r), TRAP_BREAKPOINT, "INT3");
    r.rbx = 0x10000;
    CHECK_EQ(RUN(code_load, &r), TRAP_PAGE_FAULT, "a load from nowhere");
    CHECK_EQ(r.error, 4, "by a user");
    r.rbx = (uint64_t)test_name;
    CHECK_EQ(RUN(code_load, &r), TRAP_PAGE_FAULT, "a load from the kernel's memory");
    CHECK_EQ(r.error, 5, "which is there, but not for users");
}

static void the_kernels_alone(void)
{
    struct trap_regs r = {.rcx = MSR_EFER};

    CHECK_EQ(RUN(code_hlt, &r), TRAP_GP, "HLT");
    CHECK_EQ(RUN(code_cli, &r), TRAP_GP, "CLI");
    CHECK_EQ(RUN(code_in, &r), TRAP_GP, "IN");
    CHECK_EQ(RUN(code_out, &r), TRAP_GP, "OUT");
    r.rdi = USER_STACK_TOP - 8;
    CHECK_EQ(RUN(code_insb, &r), TRAP_GP, "INS");
    CHECK_EQ(RUN(code_rdmsr, &r), TRAP_GP, "RDMSR");
    CHECK_EQ(RUN(code_wrmsr, &r), TRAP_GP, "WRMSR");
    CHECK_EQ(RUN(code_wbinvd, &r), TRAP_GP, "WBINVD");
    CHECK_EQ(RUN(code_cr4, &r), TRAP_GP, "CR4");
    CHECK_EQ(RUN(code_cr8, &r), TRAP_GP, "CR8");
}

/* Only a kernel that is told of Xen has hypercalls; who may not ask is answered, in RAX. */
static void hypercalls(void)
{
    struct trap_regs r = {.rax = __HYPERVISOR_xen_version};

    if (!has_hypercalls()) {
        CHECK_EQ(RUN(code_vmmcall, &r), TRAP_INVALID_OP, "VMMCALL");
        return;
    }
    CHECK_EQ(RUN(code_hypercall, &r), VECTOR_SYSCALL, "VMMCALL goes on");
    CHECK_EQ(r.rax, -XEN_EPERM, "refused");
}

static void everyones(void)
{
    struct trap_regs r = {0};

    CHECK_EQ(RUN(code_cpuid, &r), VECTOR_SYSCALL, "CPUID goes on");
    CHECK(r.rax && r.rbx && r.rdx, "with an answer");
    CHECK_EQ(RUN(code_rdtsc, &r), VECTOR_SYSCALL, "and so does RDTSC");
}

static uint32_t *flag;
static uint64_t from;

static bool set_flag(struct trap_regs *regs)
{
    from = regs->cs;
    *flag = 1;
    lapic_eoi();
    return true;
}

/* User code waits for what the timer's interrupt writes. */
static void interrupts(void)
{
    struct trap_regs r = {.rbx = USER_STACK_TOP - 64};
    const pte_t *pte = pt_walk(user_root, USER_STACK_TOP - 64, 1);

    NEED(pte);
    flag = (uint32_t *)((char *)pfn_to_virt(pte_mfn(*pte)) + PAGE_SIZE - 64);
    trap_set_handler(VECTOR, set_flag);
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_LVT_TIMER, VECTOR);
    for (unsigned int i = 0; i < 10; i++) {
        *flag = 0;
        cli();
        lapic_write(LAPIC_TIMER_INITIAL, 2000000);
        CHECK_EQ(RUN(code_wait, &r), VECTOR_SYSCALL, "an interrupt comes, and goes back");
    }
    CHECK_EQ(from, HVM_USER_CS, "it came to user code");
}

void test_main(void)
{
    NEED(!user_init());
    system_calls();
    exceptions();
    the_kernels_alone();
    hypercalls();
    everyones();
    interrupts();
}
