/* SPDX-License-Identifier: MIT */
/*
 * The numbers that the machine's assembly shares with C: offsets into structures, constants of
 * headers.
 */
#include "asm-offsets.h"

#include <core/state/cpu.h>
#include <core/state/guest_ops.h>
#include <parvis/speculation.h>
#include <xen/errno.h>

#include "percpu.h"

#define REGS(field) DEFINE(REGS_##field, offsetof(struct cpu_user_regs, field))

static void __attribute__((used)) asm_offsets(void)
{
    VCPU(regs, regs);
    VCPU(cpu_stack, cpu_stack);
    VCPU(domain, domain);
    VCPU(spec_ctrl, arch.spec_ctrl);
    DEFINE(DOMAIN_ops, offsetof(struct domain, ops));
    DEFINE(OPS_enter, offsetof(struct guest_ops, enter));
    DEFINE(OPS_page_fault, offsetof(struct guest_ops, page_fault));
    DEFINE(OPS_exception, offsetof(struct guest_ops, exception));

    REGS(r15);
    REGS(r14);
    REGS(r13);
    REGS(r12);
    REGS(rbp);
    REGS(rbx);
    REGS(r11);
    REGS(r10);
    REGS(r9);
    REGS(r8);
    REGS(rax);
    REGS(rcx);
    REGS(rdx);
    REGS(rsi);
    REGS(rdi);
    REGS(error_code);
    REGS(entry_vector);
    REGS(rip);
    REGS(cs);
    REGS(rflags);
    REGS(rsp);
    REGS(ss);

    DEFINE(CPU_running, offsetof(struct cpu, running));
    DEFINE(CPU_pending, offsetof(struct cpu, pending));
    DEFINE(CPU_WORK_FLUSHES, CPU_WORK_FLUSHES);
    DEFINE(CPU_slice_end, offsetof(struct cpu, slice_end));
    DEFINE(CPU_cr3, offsetof(struct cpu, arch.cr3));
    DEFINE(CPU_isolated_cr3, offsetof(struct cpu, arch.isolated_cr3));
    DEFINE(CPU_isolated_from, offsetof(struct cpu, arch.isolated_from));
    DEFINE(CPU_user_rsp, offsetof(struct cpu_block, user_rsp) - CPU_OFFSET);
    DEFINE(CPU_door_top,
           offsetof(struct cpu_block, door) + sizeof(((struct cpu_block *)0)->door) - CPU_OFFSET);
    DEFINE(REGS_WORDS, offsetof(struct cpu_user_regs, es) / 8);
    DEFINE(CPU_guest_top, offsetof(struct cpu, arch.guest_top));
    DEFINE(CPU_idle, offsetof(struct cpu, idle));
    DEFINE(CPU_OFFSET, CPU_OFFSET);
    DEFINE(CPU_BLOCK_SIZE, CPU_BLOCK_SIZE);

    DEFINE(EFAULT, XEN_EFAULT);

#define MEASURE_NUMBER(name, word) DEFINE(MEASURE_##name, MEASURE_##name);
    SPEC_MEASURES(MEASURE_NUMBER)
#undef MEASURE_NUMBER
}
