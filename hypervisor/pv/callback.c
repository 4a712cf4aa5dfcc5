/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: the addresses at which a guest kernel wants events, failed returns, system calls and
 * NMIs. Set by set_callbacks (the old form) or callback_op. An address must be canonical; 0 takes a
 * callback back.
 */
#include <port/nospec.h>
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <core/domain/subop.h>
#include <pv/pv_bits.h>
#include <xen/callback.h>

/* The types that there are; what is registered for one replaces what was. */
#define TYPES                                                                                      \
    (1u << CALLBACKTYPE_event | 1u << CALLBACKTYPE_failsafe | 1u << CALLBACKTYPE_syscall |         \
     1u << CALLBACKTYPE_nmi | 1u << CALLBACKTYPE_sysenter | 1u << CALLBACKTYPE_syscall32)

static bool is_type(unsigned int type)
{
    return type < PV_CALLBACKS && TYPES >> type & 1;
}

long do_set_callbacks(uint64_t event, uint64_t failsafe, uint64_t sysc)
{
    struct pv_callback *c = current->arch.pv.callback;

    if (!is_canonical(event) || !is_canonical(failsafe) || !is_canonical(sysc))
        return refused(-XEN_EINVAL, "set_callbacks: an address is not canonical");
    c[CALLBACKTYPE_event].address = event;
    c[CALLBACKTYPE_failsafe].address = failsafe;
    c[CALLBACKTYPE_syscall].address = sysc;
    return 0;
}

/* ABI: that for NMIs is vector 2 of the trap table, whoever set it. */
static long callback_register(struct vcpu *v, const struct callback_register *reg)
{
    struct trap_info *t = &v->arch.pv.traps[TRAP_nmi];

    if (!is_canonical(reg->address))
        return refused(-XEN_EINVAL, "address %#lx is not canonical", reg->address);
    if (!is_type(reg->type))
        return -XEN_ENOSYS;
    if (reg->type == CALLBACKTYPE_nmi) {
        *t = (struct trap_info){.vector = TRAP_nmi, .cs = FLAT_KERNEL_CS, .address = reg->address};
        TI_SET_IF(t, true);
        return 0;
    }
    v->arch.pv.callback[index_nospec(reg->type, PV_CALLBACKS)] = (struct pv_callback){
        .address = reg->address,
        .disables_events = reg->flags & CALLBACKF_mask_events,
    };
    return 0;
}

static long callback_unregister(struct vcpu *v, const struct callback_unregister *reg)
{
    if (!is_type(reg->type))
        return -XEN_ENOSYS;
    if (reg->type != CALLBACKTYPE_nmi)
        return refused(-XEN_EINVAL, "type %u can only be replaced", reg->type);
    v->arch.pv.traps[TRAP_nmi] = (struct trap_info){0};
    return 0;
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
