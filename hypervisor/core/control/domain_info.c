/* SPDX-License-Identifier: MIT */
/*
 * What there is to know of a domain at a glance: getdomaininfo of domctl, and of all at once in
 * sysctl.
 */
#include <core/control/domctl.h>
#include <parvis/string.h>
#include <port/machine.h>

static void info_of_vcpus(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    struct vcpu_runstate_info rs;
    struct vcpu *v;

    info->flags |= XEN_DOMINF_blocked;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    for_each_vcpu (d, v) {
        vcpu_runstate_get(v, &rs);
        info->cpu_time += rs.time[RUNSTATE_running];
        info->max_vcpu_id = v->vcpu_id;
        if (v->pause_flags & VPF_down)
            continue;
        if (!(v->pause_flags & VPF_blocked))
            info->flags &= ~(uint32_t)XEN_DOMINF_blocked;
        if (rs.state == RUNSTATE_running)
            info->flags |= XEN_DOMINF_running;
        info->nr_online_vcpus++;
    }
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->domain_id;
    info_of_vcpus(d, info);
    if (d->dying)
        info->flags |= XEN_DOMINF_dying;
    if (d->shutting_down)
        info->flags |= XEN_DOMINF_shutdown | (d->shutdown_code & XEN_DOMINF_shutdownmask)
                                                 << XEN_DOMINF_shutdownshift;
    if (d->controller_paused)
        info->flags |= XEN_DOMINF_paused;
    if (d->options & XEN_DOMCTL_CDF_xs_domain)
        info->flags |= XEN_DOMINF_xs_domain;
    info->tot_pages = d->tot_pages;
    info->max_pages = d->max_pages;
    info->outstanding_pages = d->outstanding_claim;
    info->shared_info_frame = d->shared_info ? frame_of(d->shared_info).n : 0;
    memcpy(info->handle, d->handle, sizeof(info->handle));
}
