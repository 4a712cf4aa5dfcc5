/* SPDX-License-Identifier: MIT */
/*
 * Shows: whatever an application leaves in flags, selectors and debug registers, the ways into the
 * hypervisor and back work, the application gets its own exceptions and the kernel goes on with its
 * own state whole.
 *
 * XSA-7 (SYSRET with a bad address), XSA-44 and XSA-339 (flags at SYSENTER), XSA-204 (single-step
 * over SYSCALL), XSA-259 (INT 0x80), XSA-260
 * (#DB held back by MOV SS), XSA-12 (debug registers), XSA-293 (FSGSBASE), XSA-267 (FPU state).
 */
#include <guest/user.h>

#include "test.h"

const char test_name[] = "entry";

#define RFLAGS_DF   0x400ul
#define RFLAGS_NT   0x4000ul
#define RFLAGS_RF   0x10000ul
#define RFLAGS_AC   0x40000ul
#define RFLAGS_ID   0x200000ul
#define RFLAGS_IOPL 0x3000ul

#define CR4_TSD 0x4ul

#define PROGRAM(name, ...) static const uint8_t name[] = {__VA_ARGS__}

PROGRAM(code_syscall, 0x0f, 0x05, 0x0f, 0x0b); /* syscall; ud2 */
PROGRAM(code_sysenter, 0x0f, 0x34, 0x0f, 0x0b);
PROGRAM(code_int80, 0xcd, 0x80, 0x0f, 0x0b);
PROGRAM(code_ud2, 0x0f, 0x0b);
PROGRAM(code_rdtsc, 0x0f, 0x31, 0x0f, 0x0b);
PROGRAM(code_nops, 0x90, 0x90, 0x90, 0x90, 0x0f, 0x0b);
PROGRAM(code_rdfsbase, 0xf3, 0x48, 0x0f, 0xae, 0xc0, 0x0f, 0x0b); /* rdfsbase %rax */
PROGRAM(code_mov_ss_syscall, 0x8e, 0x13, 0x0f, 0x05, 0x0f, 0x0b); /* mov (%rbx), %ss; syscall */
PROGRAM(code_mov_gs, 0x8e, 0xeb, 0x8c, 0xe8, 0x0f, 0x0b);         /* mov %ebx, %gs; mov %gs, %eax */
PROGRAM(code_read_xmm, 0x66, 0x48, 0x0f, 0x7e, 0xc0, 0x0f, 0x0b); /* movq %xmm0, %rax */

static unsigned int run(const uint8_t *code, size_t len, struct trap_regs *regs)
{
    BUG_ON(user_load(code, len));
    if (!regs->rip)
        regs->rip = USER_CODE;
    if (!regs->rsp)
        regs->rsp = USER_STACK_TOP;
    return user_run(regs);
}
#define RUN(code, regs) run(code, sizeof(code), regs)

/* A mode of flags: what is entered with it comes back with it, and the kernel does not run under
 * it. */
static void flags(void)
{
    static const uint64_t modes[] = {RFLAGS_DF, RFLAGS_NT, RFLAGS_AC, RFLAGS_ID,
                                     RFLAGS_DF | RFLAGS_NT | RFLAGS_AC};
    uint64_t mine;

    for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct trap_regs r = {.rflags = modes[i] | RFLAGS_IF};

        CHECK_EQ(RUN(code_ud2, &r), TRAP_INVALID_OP, "an exception under odd flags");
        CHECK_EQ(r.rflags & modes[i], modes[i], "shows them");
        __asm__ volatile("pushf; pop %0" : "=r"(mine));
        CHECK_EQ(mine & (RFLAGS_DF | RFLAGS_NT | RFLAGS_TF), 0, "and the kernel has its own");
        r = (struct trap_regs){.rflags = modes[i] | RFLAGS_IF};
        CHECK_EQ(RUN(code_syscall, &r), VECTOR_SYSCALL, "SYSCALL under odd flags");
        CHECK_EQ(r.rflags & modes[i], modes[i], "shows them too");
    }
    struct trap_regs r = {.rflags = ~0ul};
    unsigned int vector = RUN(code_ud2, &r);

    CHECK(vector == TRAP_INVALID_OP || vector == TRAP_DEBUG || vector == VECTOR_FAILSAFE ||
              vector == TRAP_GP,
          "all flags at once");
    CHECK_EQ(r.rflags & RFLAGS_IOPL, 0, "do not give I/O privilege");
}

static void stepping(void)
{
    struct trap_regs r = {.rflags = RFLAGS_TF | RFLAGS_IF};
    unsigned int vector;

    CHECK_EQ(RUN(code_nops, &r), TRAP_DEBUG, "a single step in user mode");
    CHECK_EQ(r.rip, USER_CODE + 1, "traps behind one instruction");
    r = (struct trap_regs){.rflags = RFLAGS_TF | RFLAGS_IF};
    vector = RUN(code_syscall, &r);
    CHECK(vector == VECTOR_SYSCALL || vector == TRAP_DEBUG, "XSA-204: SYSCALL under the trap flag");
    r = (struct trap_regs){.rflags = RFLAGS_TF | RFLAGS_IF};
    vector = RUN(code_sysenter, &r);
    CHECK(vector == TRAP_GP || vector == TRAP_INVALID_OP || vector == TRAP_DEBUG,
          "XSA-44: SYSENTER under the trap flag");
    if (vector == TRAP_GP) /* SYSENTER exists, and has no entry point */
        CHECK_EQ(r.rflags & RFLAGS_TF, RFLAGS_TF, "which its frame has");
    r = (struct trap_regs){.rflags = RFLAGS_NT | RFLAGS_AC | RFLAGS_IF};
    vector = RUN(code_sysenter, &r);
    CHECK(vector == TRAP_GP || vector == TRAP_INVALID_OP, "SYSENTER that nobody asked for");
    r = (struct trap_regs){0};
    CHECK_EQ(RUN(code_int80, &r), TRAP_GP, "XSA-259: INT 0x80 without a handler");
}

/* SYSENTER, where 64-bit code has it: the kernel's entry sees all registers but those two that it
 * loses, and its own flags. */
static void sysenter(void)
{
    extern char syscall_entry[];
    struct callback_register reg = {.type = CALLBACKTYPE_sysenter,
                                    .flags = CALLBACKF_mask_events,
                                    .address = (unsigned long)syscall_entry};
    unsigned int times;
    uint64_t mine;

    CHECK_EQ(HYPERVISOR_callback_op(CALLBACKOP_register, &reg), 0, "an entry for SYSENTER");
    for (times = 0; times < 50; times++) {
        struct trap_regs r = {.rax = times,
                              .rbx = 1,
                              .rcx = 2,
                              .rdx = 3,
                              .rsi = 4,
                              .rdi = 5,
                              .rbp = 6,
                              .r8 = 8,
                              .r9 = 9,
                              .r10 = 10,
                              .r11 = 11,
                              .r12 = 12,
                              .r13 = 13,
                              .r14 = 14,
                              .r15 = 15,
                              .rflags = RFLAGS_NT | RFLAGS_DF | RFLAGS_IF};

        if (RUN(code_sysenter, &r) != VECTOR_SYSCALL)
            break;
        CHECK(!r.rip && !r.rsp, "where it came from and its stack are lost");
        CHECK(r.rax == times && r.rbx == 1 && r.rcx == 2 && r.rdx == 3 && r.rsi == 4 &&
                  r.rdi == 5 && r.rbp == 6 && r.r8 == 8 && r.r9 == 9 && r.r10 == 10 &&
                  r.r11 == 11 && r.r12 == 12 && r.r13 == 13 && r.r14 == 14 && r.r15 == 15,
              "nothing else is");
        CHECK_EQ(r.rflags & (RFLAGS_NT | RFLAGS_DF), RFLAGS_DF, "but a flag that would harm");
        __asm__ volatile("pushf; pop %0" : "=r"(mine));
        CHECK_EQ(mine & (RFLAGS_DF | RFLAGS_NT | RFLAGS_TF), 0, "the kernel has its own flags");
    }
    printf("SYSENTER is %sthere\n", times ? "" : "not ");
}

/* Returns that hardware refuses: they end in the guest, and user mode works afterwards. */
static void bad_returns(void)
{
    static const uint16_t selectors[] = {0x3,    0x33,   0xe00b, 0xe013, 0xe043, 0xe053,
                                         0xf003, 0xfffb, 0x7,    0xfff7, 0xe02b};

    for (unsigned int i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        struct trap_regs r = {.cs = selectors[i]};
        unsigned int vector = RUN(code_ud2, &r);

        CHECK(vector == VECTOR_FAILSAFE || vector == TRAP_GP || vector == TRAP_NO_SEGMENT ||
                  vector == TRAP_PAGE_FAULT,
              "a return to a code selector that is not one");
        r = (struct trap_regs){.ss = selectors[i]};
        vector = RUN(code_ud2, &r);
        if (selectors[i] != 0xe02b && selectors[i] != 0x3)
            CHECK(vector == VECTOR_FAILSAFE || vector == TRAP_GP || vector == TRAP_STACK ||
                      vector == TRAP_NO_SEGMENT || vector == TRAP_PAGE_FAULT,
                  "a return to a stack selector that is not one");
    }
    for (uint64_t rip = 0x0000800000000000ul; rip; rip <<= 1) {
        struct trap_regs r = {.rip = rip};
        unsigned int vector = RUN(code_ud2, &r);

        CHECK(vector == TRAP_GP || vector == VECTOR_FAILSAFE || vector == TRAP_PAGE_FAULT,
              "XSA-7: a return to an address that is not canonical, or not ours");
    }
    struct trap_regs r = {0};

    CHECK_EQ(RUN(code_syscall, &r), VECTOR_SYSCALL, "user mode still works");
}

static void debug_registers(void)
{
    struct trap_regs r = {0};

    CHECK_EQ(HYPERVISOR_set_debugreg(0, USER_CODE + 2), 0, "a breakpoint on an application");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 0x401), 0, "is switched on");
    CHECK_EQ(RUN(code_nops, &r), TRAP_DEBUG, "and hits");
    CHECK_EQ(r.rip, USER_CODE + 2, "before the instruction");
    CHECK_EQ(HYPERVISOR_get_debugreg(6) & 0xf, 1, "DR6 says which");
    CHECK_EQ(HYPERVISOR_set_debugreg(6, 0), 0, "DR6 can be cleared");
    CHECK_EQ(HYPERVISOR_get_debugreg(6) & 0xf, 0, "and is");

    /* MOV SS holds the #DB of a watched operand back until after SYSCALL: in the hypervisor. */
    CHECK_EQ(HYPERVISOR_set_debugreg(0, USER_STACK_TOP - 16), 0, "a watch on data");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 0x70401), 0, "of two bytes, read or written");
    r = (struct trap_regs){.rbx = USER_STACK_TOP - 16};
    unsigned int vector = RUN(code_mov_ss_syscall, &r);

    CHECK(vector == VECTOR_SYSCALL || vector == TRAP_DEBUG || vector == TRAP_GP,
          "XSA-260: MOV SS from watched memory, then SYSCALL");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 0x400), 0, "switched off");
    r = (struct trap_regs){0};
    CHECK_EQ(RUN(code_nops, &r), TRAP_INVALID_OP, "nothing hits any more");
    CHECK(HYPERVISOR_set_debugreg(0, 0xffff82d040000000ul) < 0, "the hypervisor cannot be watched");
}

static void segments(void)
{
    struct trap_regs r = {.rbx = 0xe02b};

    CHECK_EQ(RUN(code_mov_gs, &r), TRAP_INVALID_OP, "an application loads GS");
    CHECK_EQ(r.rax & 0xffff, 0xe02b, "and has it");
    r = (struct trap_regs){.rbx = 0xe043};
    CHECK_EQ(RUN(code_mov_gs, &r), TRAP_GP, "the hypervisor's TSS is not for it");
    r = (struct trap_regs){0};
    unsigned int vector = RUN(code_rdfsbase, &r);

    CHECK(vector == TRAP_INVALID_OP, "XSA-293: RDFSBASE only where the kernel switched it on");
    CHECK_EQ(r.rip, USER_CODE, "the kernel did not");
}

static uint64_t read_cr4(void)
{
    uint64_t v;

    __asm__ volatile("mov %%cr4, %0" : "=r"(v));
    return v;
}

static void write_cr4(uint64_t v)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(v));
}

static void do_rdtsc(void *arg)
{
    (void)arg;
    __asm__ volatile("rdtsc" : : : "eax", "edx");
}

/* CR4.TSD keeps applications from the time-stamp counter, and not the kernel, though both run in
 * ring 3. */
static void time_stamp(void)
{
    struct trap_regs r = {0};
    uint64_t cr4 = read_cr4();

    CHECK_EQ(RUN(code_rdtsc, &r), TRAP_INVALID_OP, "an application reads the time-stamp counter");
    write_cr4(cr4 | CR4_TSD);
    CHECK_EQ(read_cr4() & CR4_TSD, CR4_TSD, "CR4.TSD can be set");
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_yield, NULL), 0, "and stays");
    r = (struct trap_regs){0};
    CHECK_EQ(RUN(code_rdtsc, &r), TRAP_GP, "then the application may not");
    CHECK_EQ(probe_call(do_rdtsc, NULL, NULL), -1, "but the kernel may");
    write_cr4(cr4);
    r = (struct trap_regs){0};
    CHECK_EQ(RUN(code_rdtsc, &r), TRAP_INVALID_OP, "and both when it is clear again");
}

static void fpu_state(void)
{
    struct trap_regs r = {0};
    uint64_t seen = 0, value = 0x1122334455667788ul;

    __asm__ volatile("movq %0, %%xmm0" : : "r"(value));
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_yield, NULL), 0, "giving the processor away");
    __asm__ volatile("movq %%xmm0, %0" : "=r"(seen));
    CHECK_EQ(seen, value, "keeps XMM registers");
    CHECK_EQ(RUN(code_read_xmm, &r), TRAP_INVALID_OP, "user mode");
    CHECK_EQ(r.rax, value, "has the same: kernel and applications share them");
}

/* The registers that a C function keeps, across what the hypervisor does in between: 0 if each
 * still has its own number. */
#define KEEPS(name, ...)                                                                           \
    unsigned long name(void);                                                                      \
    __asm__("	.pushsection .text\n" #name ":\n"                                                  \
            "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                  \
            "	mov $3, %ebx; mov $5, %ebp\n"                                                        \
            "	mov $12, %r12d; mov $13, %r13d; mov $14, %r14d; mov $15, %r15d\n" __VA_ARGS__ "\n" \
            "	sub $3, %rbx; sub $5, %rbp\n"                                                        \
            "	sub $12, %r12; sub $13, %r13; sub $14, %r14; sub $15, %r15\n"                        \
            "	mov %rbx, %rax; or %rbp, %rax\n"                                                     \
            "	or %r12, %rax; or %r13, %rax; or %r14, %rax; or %r15, %rax\n"                        \
            "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"                        \
            "	ret\n"                                                                               \
            "	.popsection\n")

KEEPS(entry_keeps_emulated, "	mov %cr0, %rax");
KEEPS(entry_keeps_hypercall, "	mov $17, %eax; xor %edi, %edi; xor %esi, %esi; syscall");
KEEPS(entry_keeps_yield, "	mov $29, %eax; xor %edi, %edi; xor %esi, %esi; syscall");

static void registers(void)
{
    CHECK_EQ(entry_keeps_emulated(), 0, "an instruction that is emulated keeps registers");
    CHECK_EQ(entry_keeps_hypercall(), 0, "a hypercall keeps them");
    CHECK_EQ(entry_keeps_yield(), 0, "giving the processor away too");
}

void test_main(void)
{
    NEED(!user_init());
    flags();
    stepping();
    sysenter();
    bad_returns();
    debug_registers();
    segments();
    time_stamp();
    fpu_state();
    registers();
}
