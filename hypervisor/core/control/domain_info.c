/* SPDX-License-Identifier: MIT */
/*
 * What there is to know of a domain at a glance: getdomaininfo of domctl, and of all at once in
 * sysctl.
 */
#include <core/control/domctl.h>
#include <core/domain/domain_pages.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/machine.h>

static void info_of_vcpus(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    struct vcpu_runstate_info rs;
    uint32_t flags;
    struct vcpu *v;

    info->flags |= XEN_DOMINF_blocked;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for_each_vcpu (d, v) {
        vcpu_runstate_get(v, &rs);
        info->cpu_time += rs.time[RUNSTATE_running];
        info->max_vcpu_id = v->vcpu_id;
        flags = READ_ONCE(v->pause_flags);
        if (flags & VPF_down)
            continue;
        if (!(flags & VPF_blocked))
            info->flags &= ~(uint32_t)XEN_DOMINF_blocked;
        if (rs.state == RUNSTATE_running)
            info->flags |= XEN_DOMINF_running;
        info->nr_online_vcpus++;
    }
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    const struct shared_info *s = READ_ONCE(d->shared_info);

    memset(info, 0, sizeof(*info));
    info->domain = d->domain_id;
    info_of_vcpus(d, info);
    spin_lock(&d->lock);
    if (d->dying)
        info->flags |= XEN_DOMINF_dying;
    if (d->shutting_down)
        info->flags |= XEN_DOMINF_shutdown | (d->shutdown_code & XEN_DOMINF_shutdownmask)
                                                 << XEN_DOMINF_shutdownshift;
    memcpy(info->handle, d->handle, sizeof(info->handle));
    spin_unlock(&d->lock);
    if (READ_ONCE(d->controller_paused))
        info->flags |= XEN_DOMINF_paused;
    if (d->ops->create_flags & XEN_DOMCTL_CDF_hvm)
        info->flags |= XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
    info->arch_config.emulation_flags = d->ops->emulation;
    if (d->options & XEN_DOMCTL_CDF_xs_domain)
        info->flags |= XEN_DOMINF_xs_domain;
    info->tot_pages = READ_ONCE(d->tot_pages);
    info->max_pages = READ_ONCE(d->max_pages);
    info->outstanding_pages = READ_ONCE(d->outstanding_claim);
    info->shared_info_frame = s ? number_of_frame(d, frame_of(s)) : 0;
}
