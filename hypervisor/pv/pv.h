/* SPDX-License-Identifier: MIT */
/*
 * The ways into a guest, between the files of pv/: exceptions, frames on its stack, its two modes.
 * What the machine calls is in port/upcalls.h.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <port/machine.h>
#include <port/upcalls.h>

/* --- pv/bounce.c --- */
/* Injects an exception into the current guest as if hardware had raised it; without a handler the
 * domain crashes. */
void pv_inject_exception(struct vcpu *v, unsigned int vector, uint32_t error_code, bool has_error);
void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code);
/* Makes the frame that tb describes. Crashes the domain when its stack cannot be written. */
void pv_create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb);

void pv_show_vcpu(const struct vcpu *v); /* guest_ops: mode and registers, to the log */

/* --- kernel / user switch --- */
/* Does v's guest run as its kernel (else as user)? */
static inline bool guest_kernel_mode(const struct vcpu *v)
{
    return v->arch.pv.flags & VF_KERNEL_MODE;
}
void pv_toggle_guest_mode(struct vcpu *v); /* other L4, SWAPGS */
void pv_update_cr3(struct vcpu *v);        /* v->arch.pv.cr3 from guest_table and mode */

#endif
