/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a domain (xen/hvm/params.h): where its rings are, and their ports.
 */
#include <core/base/log.h>
#include <core/state/domain.h>
#include <hvm/hvm_ops.h>
#include <port/atomic.h>
#include <port/current.h>
#include <xen/errno.h>
#include <xen/hvm/params.h>

static const bool is_there[HVM_PARAMS] = {
    [HVM_PARAM_STORE_PFN] = true,
    [HVM_PARAM_STORE_EVTCHN] = true,
    [HVM_PARAM_CONSOLE_PFN] = true,
    [HVM_PARAM_CONSOLE_EVTCHN] = true,
};

int hvm_param(struct domain *d, bool set, uint32_t index, uint64_t *value)
{
    uint64_t *param = d->arch.hvm.param;

    if (index >= HVM_PARAMS || !is_there[index])
        return refused(-XEN_EINVAL, "there is no parameter %u", index);
    if (set && !current->domain->is_control)
        return refused(-XEN_EPERM, "parameter %u is for who builds the domain", index);
    if (set)
        WRITE_ONCE(param[index], *value);
    else
        *value = READ_ONCE(param[index]);
    return 0;
}
