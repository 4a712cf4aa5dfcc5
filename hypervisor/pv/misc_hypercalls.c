/* SPDX-License-Identifier: MIT */
/*
 * Three small pieces of the guest's CPU state: the kernel stack for traps from user mode, the
 * task-switched flag, and what a guest asked the hypervisor to assist it with.
 */
#include <pv/hypercall.h>
#include <port/atomic.h>
#include <pv/cpu.h>
#include <pv/pv_bits.h>

/* Any address is taken: it is used with the guest's own rights when a trap comes (pv/bounce.c). */
long do_stack_switch(uint64_t ss, uint64_t sp)
{
    struct vcpu *v = current;

    v->arch.pv.kernel_ss = ss | 3;
    v->arch.pv.kernel_sp = sp;
    return 0;
}

long do_fpu_taskswitch(int set)
{
    struct vcpu *v = current;

    if (set) {
        v->arch.pv.ctrlreg[0] |= X86_CR0_TS;
        pv_cpu_set_ts();
    } else {
        v->arch.pv.ctrlreg[0] &= ~X86_CR0_TS;
        pv_cpu_clear_ts();
    }
    return 0;
}
