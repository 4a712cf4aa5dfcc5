/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a domain (xen/hvm/params.h): where its rings are, their ports, and by what its
 * guest is told of events (hvm/upcall.c).
 */
#include <core/base/log.h>
#include <core/state/domain.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/nospec.h>
#include <xen/errno.h>
#include <xen/hvm/params.h>

/* Who may set it. */
enum setter { NOBODY, BUILDER, GUEST };
static const uint8_t setter[HVM_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = GUEST,   [HVM_PARAM_STORE_PFN] = BUILDER,
    [HVM_PARAM_STORE_EVTCHN] = GUEST,   [HVM_PARAM_CONSOLE_PFN] = BUILDER,
    [HVM_PARAM_CONSOLE_EVTCHN] = GUEST,
};

int hvm_param(struct domain *d, bool set, uint32_t index, uint64_t *value)
{
    uint64_t *param = d->arch.hvm.param;

    if (index >= HVM_PARAMS)
        return refused(-XEN_EINVAL, "there is no parameter %u", index);
    index = (uint32_t)index_nospec(index, HVM_PARAMS);
    if (!setter[index])
        return refused(-XEN_EINVAL, "there is no parameter %u", index);
    if (set && setter[index] != GUEST && !current->domain->is_control)
        return refused(-XEN_EPERM, "parameter %u is for who builds the domain", index);
    if (set && index == HVM_PARAM_CALLBACK_IRQ && !hvm_is_callback(*value))
        return refused(-XEN_EINVAL, "callback %#lx", *value);
    if (set)
        WRITE_ONCE(param[index], *value);
    else
        *value = READ_ONCE(param[index]);
    return 0;
}
