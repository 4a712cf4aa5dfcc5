/* SPDX-License-Identifier: MIT */
/*
 * What is shown of a vCPU whose domain crashed, and of the hypervisor when it cannot go on:
 * exceptions by name, and the registers, four to a line.
 */
#include <core/base/log.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>

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
    typedef unsigned long ul;

    log_end(d, LOG_ERROR, "rip %04x:%016lx  rsp %04x:%016lx  rflags %08lx", r->cs, (ul)r->rip,
            r->ss, (ul)r->rsp, (ul)r->rflags);
    log_end(d, LOG_ERROR, "rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", (ul)r->rax, (ul)r->rbx,
            (ul)r->rcx, (ul)r->rdx);
    log_end(d, LOG_ERROR, "rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", (ul)r->rsi, (ul)r->rdi,
            (ul)r->rbp, (ul)r->r8);
    log_end(d, LOG_ERROR, "r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", (ul)r->r9, (ul)r->r10,
            (ul)r->r11, (ul)r->r12);
    log_end(d, LOG_ERROR, "r13 %016lx  r14 %016lx  r15 %016lx", (ul)r->r13, (ul)r->r14, (ul)r->r15);
    log_end(d, LOG_ERROR, "cr2 %016lx  cr3 %016lx", (ul)cr2, (ul)cr3);
}

void pv_show_vcpu(const struct vcpu *v)
{
    struct domain *d = v->domain;

    log_end(d, LOG_ERROR, "vcpu %u, in its %s:", v->vcpu_id,
            guest_kernel_mode(v) ? "kernel" : "user mode");
    dump_registers(d, &v->regs, v->arch.pv.ctrlreg[2], v->arch.pv.cr3);
}
