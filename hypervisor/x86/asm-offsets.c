/* SPDX-License-Identifier: MIT */
/*
 * The numbers that assembly shares with C: offsets into structures, constants of headers.
 *
 * This file is compiled to assembly only; each line `->NAME value` in the result becomes a %define
 * for nasm. Nothing here runs.
 */
#include <core/base/hypercall.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <xen/errno.h>

#include "percpu.h"
#include "x86.h"

#define DEFINE(name, value) __asm__ volatile("\n->" #name " %0" : : "i"(value))
#define VCPU(name, field)   DEFINE(VCPU_##name, offsetof(struct vcpu, field))
#define REGS(field)         DEFINE(REGS_##field, offsetof(struct cpu_user_regs, field))

void asm_offsets(void);
void asm_offsets(void)
{
    VCPU(regs, regs);
    VCPU(cpu_stack, cpu_stack);
    VCPU(info, vcpu_info);
    VCPU(flags, arch.pv.flags);
    VCPU(nmi_pending, arch.pv.nmi_pending);
    VCPU(hc_nr, hc_nr);
    _Static_assert(offsetof(struct vcpu, arch.pv.nmi_masked) ==
                       offsetof(struct vcpu, arch.pv.nmi_pending) + 1,
                   "entry.asm tests both as one word");
    DEFINE(VF_KERNEL_MODE, VF_KERNEL_MODE);
    DEFINE(VF_IN_SYSCALL, VF_IN_SYSCALL);

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
    DEFINE(CPU_slice_end, offsetof(struct cpu, slice_end));
    DEFINE(CPU_idle, offsetof(struct cpu, idle));
    DEFINE(CPU_OFFSET, CPU_OFFSET);
    DEFINE(CPU_BLOCK_SIZE, CPU_BLOCK_SIZE);

    DEFINE(GUEST_CS32, FLAT_RING3_CS32);
    DEFINE(GUEST_CS64, FLAT_RING3_CS64);
    DEFINE(GUEST_SS, FLAT_RING3_SS64);

    DEFINE(NR_HYPERCALLS, NR_HYPERCALLS);
    DEFINE(ENOSYS, XEN_ENOSYS);
    DEFINE(EFAULT, XEN_EFAULT);
    DEFINE(ERESTART, XEN_ERESTART);
}
