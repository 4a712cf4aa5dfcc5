/* SPDX-License-Identifier: MIT */
/*
 * Where a guest kernel is entered other than by traps: callback_op and set_callbacks.
 *
 * callback_op(cmd, arg): any domain; register sets an address for the calling vCPU (nmi too),
 * unregister takes it away, which only nmi allows (-XEN_EINVAL: the others can be replaced, not
 * removed). -XEN_EINVAL for a non-canonical address; -XEN_ENOSYS for an unknown type, and for
 * sysenter_deprecated.
 *
 * Each is entered in kernel mode: from user mode on the stack of stack_switch and with the kernel's
 * page table, from kernel mode below the present stack pointer. The frame is that of a trap
 * (arch-x86/xen.h) without error code; no vector number is passed: one address, one meaning.
 * Address 0 stands for "none".
 *
 *   event       an event is pending and not masked
 *   failsafe    the guest's return frame held bad segment selectors; frame: rcx, r11, then ds,
 *               es, fs, gs, then rip, cs, rflags, rsp, ss of the place where it was going
 *   syscall     `syscall` in 64-bit user mode
 *   syscall32   `syscall` in 32-bit user mode
 *   sysenter    `sysenter` in 32-bit user mode
 *   nmi         an NMI (nmi.h): vector 2 of the trap table, events masked; the last one set counts
 *
 * set_callbacks(event, failsafe, syscall): the three main ones in one call, as older kernels
 * do.
 *
 * What an event handler in assembly does, entered from kernel or from user mode alike:
 *
 *     stack, from rsp upwards:  rcx, r11, rip, cs (with the saved mask in byte 4), rflags, rsp, ss
 *     pop rcx and r11; save all registers; call the C function that looks at pending events
 *     restore; go back by the hypercall iret, or, to the kernel itself and if no event came,
 *     by the instruction IRETQ after events were unmasked by hand (evtchn_upcall_mask = 0)
 *
 * The second way is quick, and has one trap: between unmasking and IRETQ an event can
 * come and enter the handler again, one frame deeper. Kernels either look once more
 * and jump back, or let the frame be fixed up by the handler, which sees from rip
 * where it was entered.
 *
 * The failsafe callback is for what hardware would report at IRET: the selectors that
 * the hypervisor was about to load for the guest (ds, es, fs, gs, or cs and ss of the
 * frame) name no usable segment any more. A kernel sets the bad ones to 0 and goes on,
 * or ends the program. A kernel that has none, and meets the case, is crashed.
 *
 * All addresses are of the vCPU that makes the call, but for a builder, which sets
 * them for any by setvcpucontext. They are kept over a suspend and over VCPUOP_down
 * and up.
 */
#ifndef XEN_CALLBACK_H
#define XEN_CALLBACK_H

#include <xen/xen.h>

#define CALLBACKTYPE_event               0
#define CALLBACKTYPE_failsafe            1
#define CALLBACKTYPE_syscall             2
#define CALLBACKTYPE_sysenter_deprecated 3 /* 32-bit kernels only */
#define CALLBACKTYPE_nmi                 4
#define CALLBACKTYPE_sysenter            5
#define CALLBACKTYPE_syscall32           7

/* Mask events on entry. Entry at event always does; the others do when this is set. */
#define _CALLBACKF_mask_events 0
#define CALLBACKF_mask_events  (1U << _CALLBACKF_mask_events)

#define CALLBACKOP_register 0
struct callback_register {
    uint16_t type;          /* CALLBACKTYPE_* */
    uint16_t flags;         /* CALLBACKF_* */
    xen_callback_t address; /* in the guest */
};
typedef struct callback_register callback_register_t;

#define CALLBACKOP_unregister 1
struct callback_unregister {
    uint16_t type;
    uint16_t _unused;
};
typedef struct callback_unregister callback_unregister_t;

#endif /* XEN_CALLBACK_H */
