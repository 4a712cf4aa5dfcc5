/* SPDX-License-Identifier: MIT */
/*
 * How a domain of this kind begins that the control domain has built: vCPU 0, by a context. The
 * others are started by the guest.
 *
 * A domain begins by PVH and in no other way, so of a context count the entry, RIP, and where the
 * start page is, RBX; CR0 and CR4 say that it is meant so.
 */
#include <core/base/log.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/hvm/params.h>

/* The line of the UART; none is asked for by no frame. */
static int attach_console(struct domain *d)
{
    uint64_t gfn = READ_ONCE(d->arch.hvm.param[HVM_PARAM_CONSOLE_PFN]);
    uint64_t port = READ_ONCE(d->arch.hvm.param[HVM_PARAM_CONSOLE_EVTCHN]);

    if (!gfn || d->arch.hvm.xen)
        return 0;
    if (hvm_console_attach(d, GFN(gfn), (evtchn_port_t)port))
        return refused(-XEN_EINVAL, "the console's ring %#lx is no frame of d%u",
                       (unsigned long)gfn, d->domain_id);
    return 0;
}

int hvm_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    const uint64_t entry = c->user_regs.rip, start_info = c->user_regs.rbx;
    const struct loader_pvh_layout layout = {.entry = (uint32_t)entry,
                                             .start_info_gfn = start_info >> PAGE_SHIFT};
    struct loader_pvh_state state;
    int rc;

    if (v->vcpu_id || v->initialised)
        return refused(-XEN_EOPNOTSUPP, "d%uv%u: only vCPU 0 is given a context, and once",
                       v->domain->domain_id, v->vcpu_id);
    loader_pvh_state(&state, &layout);
    if (c->ctrlreg[0] != state.cr0 || c->ctrlreg[4] != state.cr4 || state.eip != entry ||
        state.ebx != start_info)
        return refused(-XEN_EINVAL, "rip %#lx, rbx %#lx, cr0 %#lx, cr4 %#lx: not as PVH begins",
                       (unsigned long)entry, (unsigned long)start_info, c->ctrlreg[0],
                       c->ctrlreg[4]);
    rc = attach_console(v->domain);
    if (!rc)
        hvm_begin(v, &layout);
    return rc;
}
