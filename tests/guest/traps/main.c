/* SPDX-License-Identifier: MIT */
/*
 * Shows: every exception reaches the handler that the guest registered, with the error code and
 * the registers that the processor would give, from kernel mode and from user mode; and the
 * way back restores all of them.
 *
 * The user-mode half loads small machine-code programs, runs each, and looks at the registers
 * in which it came back.
 *
 * XSA-7 and XSA-213 (returning to user mode by odd ways).
 */
#include <guest/user.h>

#include "test.h"

const char test_name[] = "traps";

/* QEMU before 8.0 reports int n with twice the vector; a hypervisor that believes the reported
 * number delivers that one. Both lead to the same place here. */
#define FREE_VECTOR         0x48
#define FREE_VECTOR_DOUBLED 0x90

/* ---- from the kernel ---- */

static void do_divide(void *arg)
{
    uint32_t eax = 1, edx = 0, zero = 0;

    (void)arg;
    __asm__ volatile("divl %2" : "+a"(eax), "+d"(edx) : "r"(zero));
}

static void do_int3(void *arg)
{
    (void)arg;
    __asm__ volatile("int3");
}

static void do_ud2(void *arg)
{
    (void)arg;
    __asm__ volatile("ud2");
}

static void do_bad_selector(void *arg)
{
    (void)arg;
    __asm__ volatile("mov %0, %%ds" : : "r"(0x1234)); /* no such descriptor: #GP */
}

static void do_int_free(void *arg)
{
    (void)arg;
    __asm__ volatile("int %0" : : "i"(FREE_VECTOR));
}

static void do_fpu(void *arg)
{
    (void)arg;
    __asm__ volatile("fnop");
}

static void do_noncanonical(void *arg)
{
    (void)arg;
    (void)*(volatile char *)0x0000800000000000ul;
}

static void jump_to(void *arg)
{
    ((void (*)(void))(uintptr_t)arg)();
}

static void kernel_exceptions(void)
{
    uint64_t error = 0;
    void *page = test_page();

    CHECK_EQ(probe_call(do_divide, NULL, NULL), TRAP_DIVIDE, "division by zero");
    CHECK_EQ(probe_call(do_int3, NULL, NULL), TRAP_BREAKPOINT, "int3");
    CHECK_EQ(probe_call(do_ud2, NULL, NULL), TRAP_INVALID_OP, "ud2");
    CHECK_EQ(probe_call(do_bad_selector, NULL, &error), TRAP_GP, "a bad selector");
    CHECK_EQ(error, 0x1234 & ~3, "whose error code names the selector");
    CHECK_EQ(probe_call(do_noncanonical, NULL, &error), TRAP_GP, "a non-canonical address");
    CHECK_EQ(error, 0, "without a selector");
    CHECK_EQ(probe_read((void *)0x10000, &error), TRAP_PAGE_FAULT, "reading unmapped memory");
    CHECK_EQ(error & ~4ul, 0, "not present, read");
    CHECK_EQ(probe_write((void *)0x10000, 0, &error), TRAP_PAGE_FAULT, "writing unmapped memory");
    CHECK_EQ(error & ~4ul, 2, "not present, write");
    CHECK_EQ(trap_fault_address(), 0x10000, "the address is in vcpu_info.arch.cr2");
    CHECK_EQ(probe_call(jump_to, page, &error), TRAP_PAGE_FAULT, "executing a no-execute page");
    CHECK_EQ(error & 0x11, 0x11, "present, instruction fetch");
    CHECK_EQ(probe_call(do_int_free, NULL, &error), TRAP_GP, "int n for a vector that is not ours");
    page_free(page);
}

static unsigned int device_faults;

static bool device_not_available(struct trap_regs *regs)
{
    (void)regs;
    device_faults++;
    return true; /* the hypervisor has cleared TS on the way */
}

static void task_switched(void)
{
    CHECK_EQ(HYPERVISOR_fpu_taskswitch(1), 0, "TS can be set");
    trap_set_handler(TRAP_NO_DEVICE, device_not_available);
    CHECK_EQ(probe_call(do_fpu, NULL, NULL), -1, "the next FPU instruction goes on");
    CHECK_EQ(device_faults, 1, "after one device-not-available");
    CHECK_EQ(probe_call(do_fpu, NULL, NULL), -1, "the one after that");
    CHECK_EQ(device_faults, 1, "has none");
    trap_set_handler(TRAP_NO_DEVICE, NULL);
}

static unsigned int steps;

static bool single_step(struct trap_regs *regs)
{
    if (++steps == 4)
        regs->rflags &= ~RFLAGS_TF;
    return true;
}

static void stepping(void)
{
    trap_set_handler(TRAP_DEBUG, single_step);
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop; nop; nop; nop; nop; nop"
                     :
                     :
                     : "memory", "cc");
    CHECK_EQ(steps, 4, "the trap flag traps after each instruction until it is cleared");
    trap_set_handler(TRAP_DEBUG, NULL);
}

static unsigned int free_vector_calls;

static bool free_vector(struct trap_regs *regs)
{
    (void)regs;
    free_vector_calls++;
    return true;
}

/* Vectors above 31 share the breakpoint's stub here: only that it arrives matters. */
static void software_interrupts(void)
{
    extern char trap_entries[];
    trap_info_t table[3] = {{.vector = FREE_VECTOR,
                             .flags = 4 | 3,
                             .cs = FLAT_KERNEL_CS,
                             .address = (unsigned long)trap_entries + TRAP_BREAKPOINT * 16ul}};

    table[1] = table[0];
    table[1].vector = FREE_VECTOR_DOUBLED;

    CHECK_EQ(HYPERVISOR_set_trap_table(table), 0, "a vector above 31 can be registered");
    trap_set_handler(TRAP_BREAKPOINT, free_vector);
    CHECK_EQ(probe_call(do_int_free, NULL, NULL), -1, "int n goes there and comes back");
    CHECK_EQ(free_vector_calls, 1, "once");
    trap_set_handler(TRAP_BREAKPOINT, NULL);
}

/* ---- from user mode ---- */

#define USER_PROGRAM(name, ...) static const uint8_t name[] = {__VA_ARGS__}

USER_PROGRAM(code_syscall, 0x0f, 0x05, 0x0f, 0x0b); /* syscall; ud2 */
USER_PROGRAM(code_ud2, 0x0f, 0x0b);
USER_PROGRAM(code_int3, 0xcc);
USER_PROGRAM(code_load, 0x8b, 0x03);  /* mov (%rbx), %eax */
USER_PROGRAM(code_store, 0x89, 0x03); /* mov %eax, (%rbx) */
USER_PROGRAM(code_hlt, 0xf4);
USER_PROGRAM(code_int_free, 0xcd, FREE_VECTOR);
USER_PROGRAM(code_cli, 0xfa);

static unsigned int run(const uint8_t *code, size_t len, struct trap_regs *regs)
{
    BUG_ON(user_load(code, len));
    regs->rip = USER_CODE;
    regs->rsp = USER_STACK_TOP;
    return user_run(regs);
}
#define RUN(code, regs) run(code, sizeof(code), regs)

static bool once_more(struct trap_regs *regs)
{
    if (regs->vector != VECTOR_SYSCALL || regs->rax != 1)
        return false;
    regs->rax = 2;
    return true;
}

static void system_calls(void)
{
    struct trap_regs r = {.rax = 1,
                          .rbx = 0xb,
                          .rcx = 0xc,
                          .rdx = 0xd,
                          .rsi = 0x51,
                          .rdi = 0xd1,
                          .rbp = 0xb9,
                          .r8 = 8,
                          .r9 = 9,
                          .r10 = 10,
                          .r11 = 11,
                          .r12 = 12,
                          .r13 = 13,
                          .r14 = 14,
                          .r15 = 15};

    CHECK_EQ(RUN(code_syscall, &r), VECTOR_SYSCALL, "SYSCALL in user mode reaches the callback");
    CHECK_EQ(r.rip, USER_CODE + 2, "after the instruction");
    CHECK_EQ(r.rsp, USER_STACK_TOP, "with the user's stack pointer");
    CHECK_EQ(r.cs & 3, 3, "and a user code selector");
    CHECK_EQ(r.rax, 1, "rax is the user's");
    CHECK(r.rbx == 0xb && r.rdx == 0xd && r.rsi == 0x51 && r.rdi == 0xd1 && r.rbp == 0xb9 &&
              r.r8 == 8 && r.r9 == 9 && r.r10 == 10 && r.r12 == 12 && r.r13 == 13 && r.r14 == 14 &&
              r.r15 == 15,
          "and so is every other register");
    trap_set_handler(VECTOR_SYSCALL, once_more);
    r = (struct trap_regs){.rax = 1, .rbx = 77};
    CHECK_EQ(RUN(code_syscall, &r), TRAP_INVALID_OP, "a handled call goes on in user mode");
    CHECK_EQ(r.rip, USER_CODE + 2, "at the next instruction");
    CHECK(r.rax == 2 && r.rbx == 77, "with what the kernel put into the registers");
    trap_set_handler(VECTOR_SYSCALL, NULL);
}

static void user_exceptions(void)
{
    struct trap_regs r = {0};

    CHECK_EQ(RUN(code_ud2, &r), TRAP_INVALID_OP, "ud2 in user mode");
    CHECK_EQ(r.cs & 3, 3, "comes from a user selector");
    CHECK_EQ(RUN(code_int3, &r), TRAP_BREAKPOINT, "int3 in user mode");
    CHECK_EQ(r.rip, USER_CODE + 1, "reports the address after it");
    CHECK_EQ(RUN(code_hlt, &r), TRAP_GP, "hlt in user mode is refused");
    CHECK_EQ(RUN(code_cli, &r), TRAP_GP, "and so is cli");
    r.rbx = 0x10000;
    CHECK_EQ(RUN(code_load, &r), TRAP_PAGE_FAULT, "a load from nowhere");
    CHECK_EQ(r.error, 4, "not present, read, user");
    r.rbx = USER_CODE;
    CHECK_EQ(RUN(code_store, &r), TRAP_PAGE_FAULT, "a store to read-only memory");
    CHECK_EQ(r.error, 7, "present, write, user");
    r.rbx = (uint64_t)&test_name;
    CHECK_EQ(RUN(code_load, &r), TRAP_PAGE_FAULT, "the kernel's memory is not there for users");
    r.rbx = MACH2PHYS_VIRT_START;
    CHECK_EQ(probe_read((void *)r.rbx, NULL), -1, "the m2p is there for the kernel");
    CHECK_EQ(RUN(code_load, &r), TRAP_PAGE_FAULT, "the hypervisor's neither");
    CHECK_EQ(RUN(code_int_free, &r), TRAP_BREAKPOINT, "int n that applications may raise");
}

/* A return to an address that is not canonical must be refused in the guest, not in ring 0. */
static void bad_returns(void)
{
    struct trap_regs r = {.rip = 0x0000800000000000ul, .rsp = USER_STACK_TOP};
    unsigned int vector = user_run(&r);

    CHECK(vector == TRAP_GP || vector == VECTOR_FAILSAFE || vector == TRAP_PAGE_FAULT,
          "XSA-7: return to a non-canonical address arrives as the guest's own exception");
    r = (struct trap_regs){.rip = 0x10000, .rsp = 0x0000800000000000ul};
    vector = user_run(&r);
    CHECK_EQ(vector, TRAP_PAGE_FAULT, "a bad stack pointer does not matter until it is used");
}

void test_main(void)
{
    kernel_exceptions();
    task_switched();
    stepping();
    software_interrupts();
    NEED(!user_init());
    system_calls();
    user_exceptions();
    bad_returns();
}
