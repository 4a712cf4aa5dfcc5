/* SPDX-License-Identifier: MIT */
/*
 * The iret hypercall: how a guest kernel returns from a bounce, to itself or to user mode.
 *
 * The frame is on the guest's stack: rax, r11, rcx, flags, rip, cs, rflags, rsp, ss. It is copied
 * once. The selectors get RPL 3, RFLAGS what a guest may have; bad selectors are found by hardware
 * when the exit path loads them (failsafe callback). RPL 3 in the frame's CS means user mode.
 * RFLAGS.IF is the virtual interrupt flag; RFLAGS.IOPL is the virtual level where the guest asked
 * for one that is in its frames (VMASST_TYPE_architectural_iopl).
 */
#include <pv/hypercall.h>
#include <core/life/life.h>
#include <port/guest_access.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>

static bool are_sysrets(const struct cpu_user_regs *r)
{
    return r->cs == FLAT_RING3_CS64 && r->ss == FLAT_RING3_SS64;
}

long pv_iret(struct vcpu *v)
{
    struct iret_context frame __uninitialized;

    /* Also where the guest ends: if it is resumed it must not leave by SYSRET, with RIP and RFLAGS
     * from RCX and R11, in which the short way has left what it read of the frame. */
    v->regs.entry_vector = 0;
    if (copy_from_guest(&frame, v->regs.rsp, sizeof(frame))) {
        domain_crash(v->domain, "iret: the frame at %#lx cannot be read", v->regs.rsp);
        return 0;
    }
    if ((frame.cs & 3) == 3) {
        if (!v->arch.pv.guest_table_user.n) {
            domain_crash(v->domain, "iret: to user mode, which has no page table");
            return 0;
        }
        pv_toggle_guest_mode(v);
    }
    v->regs.rip = frame.rip;
    v->regs.cs = (uint16_t)(frame.cs | 3);
    if (READ_ONCE(v->domain->vm_assist) & (1u << VMASST_TYPE_architectural_iopl))
        v->arch.pv.iopl = frame.rflags >> 12 & 3;
    v->regs.rflags = (frame.rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF |
                     X86_EFLAGS_ALWAYS;
    v->regs.rsp = frame.rsp;
    v->regs.ss = (uint16_t)(frame.ss | 3);

    if (frame.flags & VGCF_in_syscall) {
        /* RCX and R11 are free: SYSRET may be used, if selectors fit */
        v->regs.rcx = v->regs.rip;
        v->regs.r11 = v->regs.rflags;
        if (are_sysrets(&v->regs))
            v->regs.entry_vector = ENTRY_HYPERCALL;
    } else {
        v->regs.rcx = frame.rcx;
        v->regs.r11 = frame.r11;
    }
    WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, !(frame.rflags & X86_EFLAGS_IF));
    v->nmi_masked = false;
    v->in_multicall = false; /* XSA-213: a list of hypercalls ends here */
    return (long)frame.rax;
}
