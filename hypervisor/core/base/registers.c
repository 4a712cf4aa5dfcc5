/* SPDX-License-Identifier: MIT */
/*
 * What is shown of a guest that crashed, and of the hypervisor when it cannot go on: exceptions by
 * name, and the registers, four to a line.
 */
#include <core/base/log.h>
#include <core/base/registers.h>
#include <xen/xen.h>

const char *exception_name(unsigned int vector)
{
    static const char *const names[] = {
        "divide error",   "debug exception",    "NMI",
        "breakpoint",     "overflow",           "bounds exception",
        "invalid opcode", "no coprocessor",     "double fault",
        "exception 9",    "invalid TSS",        "segment not present",
        "stack fault",    "general protection", "page fault",
        "exception 15",   "x87 error",          "alignment check",
        "machine check",  "SIMD error",
    };

    return vector < ARRAY_SIZE(names) ? names[vector] : "unknown exception";
}

void dump_registers(struct domain *d, const struct cpu_user_regs *r, uint64_t cr2, uint64_t cr3)
{
    log_end(d, LOG_ERROR, "rip %04x:%016lx  rsp %04x:%016lx  rflags %08lx", r->cs, r->rip, r->ss,
            r->rsp, r->rflags);
    log_end(d, LOG_ERROR, "rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", r->rax, r->rbx, r->rcx,
            r->rdx);
    log_end(d, LOG_ERROR, "rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", r->rsi, r->rdi, r->rbp,
            r->r8);
    log_end(d, LOG_ERROR, "r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", r->r9, r->r10, r->r11,
            r->r12);
    log_end(d, LOG_ERROR, "r13 %016lx  r14 %016lx  r15 %016lx", r->r13, r->r14, r->r15);
    log_end(d, LOG_ERROR, "cr2 %016lx  cr3 %016lx", cr2, cr3);
}
