/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: the addresses at which a guest kernel wants events, failed returns, system calls and
 * NMIs. Set by set_callbacks (the old form) or callback_op. An address must be canonical; 0 takes a
 * callback back.
 */
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <core/domain/subop.h>
#include <pv/pv_bits.h>
#include <xen/callback.h>

long do_set_callbacks(uint64_t event, uint64_t failsafe, uint64_t sysc)
{
    struct pv_vcpu *a = &current->arch.pv;

    if (!is_canonical(event) || !is_canonical(failsafe) || !is_canonical(sysc))
        return refused(-XEN_EINVAL, "set_callbacks: an address is not canonical");
    a->event_callback = event;
    a->failsafe_callback = failsafe;
    a->syscall_callback = sysc;
    return 0;
}

static long callback_register(struct vcpu *v, const struct callback_register *reg)
{
    struct pv_vcpu *a = &v->arch.pv;
    bool mask = reg->flags & CALLBACKF_mask_events;
    uint64_t address = reg->address;

    if (!is_canonical(address))
        return refused(-XEN_EINVAL, "address %#lx is not canonical", (unsigned long)address);
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

static long callback_unregister(struct vcpu *v, const struct callback_unregister *reg)
{
    switch (reg->type) {
    case CALLBACKTYPE_event:
    case CALLBACKTYPE_failsafe:
    case CALLBACKTYPE_syscall:
    case CALLBACKTYPE_syscall32:
    case CALLBACKTYPE_sysenter:
        return refused(-XEN_EINVAL, "type %u can only be replaced", reg->type);
    case CALLBACKTYPE_nmi:
        v->arch.pv.nmi_callback = 0;
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

/* clang-format off */
#define OPS(OP)                                                                                \
    OP(CALLBACKOP_register,   callback_register,   const struct callback_register,   SUBOP_IN) \
    OP(CALLBACKOP_unregister, callback_unregister, const struct callback_unregister, SUBOP_IN)
SUBOPS_OF(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

long do_callback_op(unsigned int cmd, gva_t arg)
{
    return subop_run(&operations, cmd, arg, current);
}
