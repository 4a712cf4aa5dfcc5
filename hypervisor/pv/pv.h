/* SPDX-License-Identifier: MIT */
/*
 * The ways into a guest, between the files of pv/: exceptions, frames on its stack, its two modes.
 * What the machine calls is in pv/pv_ops.h.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <port/machine.h>

/* --- pv/bounce.c --- */
/* What a frame on its way into the guest is for. */
#define BOUNCE_MASK_EVENTS 1u /* on entry */
#define BOUNCE_EXCEPTION   2u
#define BOUNCE_FAILSAFE    4u
#define BOUNCE_ERROR_CODE  8u /* as many bytes as its word has (asm-offsets) */
/* The guest goes on at handler. Crashes the domain when its stack cannot be written. */
void pv_bounce(struct vcpu *v, gva_t handler, unsigned int flags, uint32_t error_code);
/* Injects an exception into the current guest as if hardware had raised it; without a handler the
 * domain crashes. */
/* has: BOUNCE_ERROR_CODE, or 0 */
void pv_inject_exception(struct vcpu *v, unsigned int vector, unsigned int has,
                         uint32_t error_code);
void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code);
/* Exit path, when events or an NMI wait for v: makes the frame on the guest's kernel stack. */
void pv_deliver_event(struct vcpu *v);
/* IRET or segment load to the guest faulted on the way out: failsafe callback. */
void pv_failsafe(struct vcpu *v);

/* SYSCALL in user mode, the callback's type by the mode's width: to the kernel, or #UD */
void pv_handle_syscall(struct vcpu *v, unsigned int type);
void pv_handle_sysenter(struct vcpu *v);

void pv_show_vcpu(const struct vcpu *v); /* guest_ops: mode and registers, to the log */

/* --- kernel / user switch --- */
/* Does v's guest run as its kernel (else as user)? */
static inline bool guest_kernel_mode(const struct vcpu *v)
{
    return v->arch.pv.kernel_mode;
}
void pv_toggle_guest_mode(struct vcpu *v); /* other L4, SWAPGS */
long pv_iret(struct vcpu *v);              /* the iret hypercall: the guest's RAX */
void pv_update_cr3(struct vcpu *v);        /* v->arch.pv.cr3 from guest_table and mode */

#endif
