/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, and everything else by which the hypervisor enters the kernel.
 *
 * traps_init() registers the trap table and the event, failsafe and syscall callbacks of the
 * calling vCPU; a fully virtualized one is entered by the CPU itself (hvm.h). An exception goes to
 * the handler that was set for its vector; when there is none, or it returns false, the kernel
 * prints registers and a backtrace and ends the domain with reason "crash".
 *
 * trap_catch() runs a function and reports the exception that ended it: how a test, or a
 * careful kernel, tries something that may fault.
 */
#ifndef GUEST_TRAPS_H
#define GUEST_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUNDS = 5,
    TRAP_INVALID_OP = 6,
    TRAP_NO_DEVICE = 7,
    TRAP_INVALID_TSS = 10,
    TRAP_NO_SEGMENT = 11,
    TRAP_STACK = 12,
    TRAP_GP = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_SIMD = 19,
    /* Pseudo vectors; entry.asm uses the same numbers. */
    VECTOR_EVENT = 32,
    VECTOR_FAILSAFE = 33,
    VECTOR_SYSCALL = 34,
    VECTOR_COUNT = 256, /* the others are a fully virtualized kernel's own interrupts */
};

/* As entry.asm pushes them. A handler may change them; the return uses what is here then. */
struct trap_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

#define RFLAGS_TF 0x100ul
#define RFLAGS_IF 0x200ul

/* The kernel was interrupted, not an application: the frame's CS has RPL 0. */
static inline bool trap_from_kernel(const struct trap_regs *regs)
{
    return (regs->cs & 3) == 0;
}

typedef bool (*trap_handler_t)(struct trap_regs *regs);

void traps_init(void);
void trap_set_handler(unsigned int vector, trap_handler_t handler);

struct trap_catch {
    uint64_t rsp; /* first: entry.asm */
    unsigned int vector;
    uint64_t error;
    uint64_t rip;
    uint64_t cr2; /* page faults only */
};

/* Runs fn(arg). False: it returned. True: an exception ended it, described in *c. */
bool trap_catch(struct trap_catch *c, void (*fn)(void *arg), void *arg);

/* Loads all of regs and goes on there; see entry.asm. Does not come back by itself. */
void trap_resume(struct trap_regs *regs) __attribute__((noreturn));

/* Address that the latest page fault of this vCPU touched. */
uint64_t trap_fault_address(void);

const char *trap_name(unsigned int vector);

/* Symbolised: "name+0x12", from the image's own symbol table. */
void backtrace_print(uint64_t rip, uint64_t rbp);
void trap_print_regs(const struct trap_regs *regs);

/* One line, backtrace, and SCHEDOP_shutdown with reason crash. */
void panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (cond)                                                                                  \
            panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                         \
    } while (0)

#endif
