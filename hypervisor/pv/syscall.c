/* SPDX-License-Identifier: MIT */
/*
 * System calls of guest user mode. In guest kernel mode SYSCALL is a hypercall (x86/entry.asm); in
 * user mode it goes to the kernel's registered entry point by an ordinary bounce frame. Without an
 * entry point the guest gets #UD, as on hardware without it.
 */
#include <pv/pv.h>
#include <pv/pv_bits.h>

static void bounce_or_fault(struct vcpu *v, uint64_t handler, bool disables_events,
                            unsigned int vector)
{
    struct trap_bounce tb = {.eip = handler, .flags = disables_events ? TBF_INTERRUPT : 0};

    if (handler) {
        pv_create_bounce_frame(v, &tb);
        return;
    }
    /* XSA-8: nothing of the frame for a system call may be left in the one for the fault. */
    v->regs.rip -= vector == TRAP_invalid_op ? 2 : 0;
    pv_inject_exception(v, vector, 0, vector == TRAP_gp_fault);
}

void pv_handle_syscall(struct vcpu *v)
{
    bounce_or_fault(v, v->arch.pv.syscall_callback, v->arch.pv.syscall_disables_events,
                    TRAP_invalid_op);
}

void pv_handle_syscall32(struct vcpu *v)
{
    bounce_or_fault(v, v->arch.pv.syscall32_callback, v->arch.pv.syscall32_disables_events,
                    TRAP_invalid_op);
}

void pv_handle_sysenter(struct vcpu *v)
{
    /* XSA-44, XSA-339: SYSENTER keeps NT, and a later IRET would fault in the hypervisor's name. */
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_NT;
    bounce_or_fault(v, v->arch.pv.sysenter_callback, v->arch.pv.sysenter_disables_events,
                    TRAP_gp_fault);
}
