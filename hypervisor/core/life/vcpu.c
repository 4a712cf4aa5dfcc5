/* SPDX-License-Identifier: MIT */
/*
 * A vCPU made and unmade. It is created down and without a context; VCPUOP_initialise or the
 * control domain gives it one, VCPUOP_up or a context with the online flag lets it run. It lives as
 * long as its domain.
 *
 * vcpu_info: the first 32 have theirs in shared_info until they register another place; the rest
 * have a private one with events masked, which no guest sees.
 */
#include <core/event/vcpu_timer.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/errno.h>

int vcpu_create(struct domain *d, unsigned int vcpu_id)
{
    struct vcpu *v;
    int rc;

    if (vcpu_id >= d->max_vcpus || d->vcpu[vcpu_id])
        return -XEN_EINVAL;
    v = hv_alloc(sizeof(*v));
    if (!v)
        return -XEN_ENOMEM;
    v->domain = d;
    v->vcpu_id = vcpu_id;
    v->pause_flags = VPF_down;
    v->affinity = ~0ull;
    rc = sched_init_vcpu(v);
    if (rc)
        goto free_struct;
    rc = d->ops->vcpu_init(v);
    if (rc)
        goto free_sched;
    vcpu_timer_init(v);
    vcpu_info_init(v);
    d->vcpu[vcpu_id] = v;
    return 0;

free_sched:
    sched_destroy_vcpu(v);
free_struct:
    hv_free(v);
    return rc;
}

void vcpu_free(struct vcpu *v)
{
    v->domain->vcpu[v->vcpu_id] = NULL;
    vcpu_timer_stop_all(v);
    sched_destroy_vcpu(v);
    v->domain->ops->vcpu_free(v);
    hv_free(v);
}
