/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: the addresses at which a guest kernel wants events, failed returns, system calls and
 * NMIs. Set by set_callbacks (the old form) or callback_op. An address must be canonical; 0 takes a
 * callback back.
 */
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <port/guest_access.h>
#include <pv/pv_bits.h>
#include <xen/callback.h>

long do_set_callbacks(uint64_t event, uint64_t failsafe, uint64_t sysc)
{
    struct arch_vcpu *a = &current->arch;

    if (!is_canonical(event) || !is_canonical(failsafe) || !is_canonical(sysc))
        return refused(-XEN_EINVAL, "set_callbacks: an address is not canonical");
    a->event_callback = event;
    a->failsafe_callback = failsafe;
    a->syscall_callback = sysc;
    return 0;
}

static long callback_register(struct vcpu *v, const struct callback_register *reg)
{
    struct arch_vcpu *a = &v->arch;
    bool mask = reg->flags & CALLBACKF_mask_events;
    uint64_t address = reg->address;

    if (!is_canonical(address))
        return refused(-XEN_EINVAL, "callback_op: address %#lx is not canonical",
                       (unsigned long)address);
    switch (reg->type) {
    case CALLBACKTYPE_event:
        a->event_callback = address;
        return 0;
    case CALLBACKTYPE_failsafe:
        a->failsafe_callback = address;
        a->failsafe_disables_events = mask;
        return 0;
    case CALLBACKTYPE_syscall:
        a->syscall_callback = address;
        a->syscall_disables_events = mask;
        return 0;
    case CALLBACKTYPE_syscall32:
        a->syscall32_callback = address;
        a->syscall32_disables_events = mask;
        return 0;
    case CALLBACKTYPE_sysenter:
        a->sysenter_callback = address;
        a->sysenter_disables_events = mask;
        return 0;
    case CALLBACKTYPE_nmi:
        a->nmi_callback = address;
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

static long callback_unregister(struct vcpu *v, uint16_t type)
{
    switch (type) {
    case CALLBACKTYPE_event:
    case CALLBACKTYPE_failsafe:
    case CALLBACKTYPE_syscall:
    case CALLBACKTYPE_syscall32:
    case CALLBACKTYPE_sysenter:
        return refused(-XEN_EINVAL, "callback_op: type %u can only be replaced", type);
    case CALLBACKTYPE_nmi:
        v->arch.nmi_callback = 0;
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

long do_callback_op(unsigned int cmd, gva_t arg)
{
    struct callback_register reg;
    struct callback_unregister unreg;

    switch (cmd) {
    case CALLBACKOP_register:
        if (copy_from_guest(&reg, arg, sizeof(reg)))
            return -XEN_EFAULT;
        return callback_register(current, &reg);
    case CALLBACKOP_unregister:
        if (copy_from_guest(&unreg, arg, sizeof(unreg)))
            return -XEN_EFAULT;
        return callback_unregister(current, unreg.type);
    default:
        return -XEN_ENOSYS;
    }
}
