/* SPDX-License-Identifier: MIT */
/*
 * A vCPU made and unmade. It is created down and without a context; VCPUOP_initialise or the
 * control domain gives it one, VCPUOP_up or a context with the online flag lets it run. It lives as
 * long as its domain.
 *
 * vcpu_info: the first 32 have theirs in shared_info until they register another place; the rest
 * have a private one with events masked, which no guest sees.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/event/vcpu_timer.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <xen/errno.h>

int vcpu_create(struct domain *d, unsigned int vcpu_id)
{
    struct vcpu *v = hv_alloc(sizeof(*v));
    int rc;

    if (!v)
        return -XEN_ENOMEM;
    v->domain = d;
    v->vcpu_id = vcpu_id;
    v->pause_flags = VPF_down;
    spin_lock_init(&v->poll_lock, RANK_POLL);
    v->affinity = v->soft_affinity = ~0ull;
    sched_init_vcpu(v);
    rc = d->ops->vcpu_init(v);
    if (rc) {
        hv_free(v);
        return rc;
    }
    vcpu_timer_init(v);
    vcpu_info_init(v);
    __atomic_store_n(&d->vcpu[vcpu_id], v, __ATOMIC_RELEASE);
    return 0;
}

static int set_context(struct vcpu *v, gva_t from, bool first)
{
    struct vcpu_guest_context *c = hv_alloc(sizeof(*c)); /* 5 KiB: too much for the stack */
    int rc;

    if (!c)
        return -XEN_ENOMEM;
    rc = copy_from_guest(c, from, sizeof(*c));
    if (!rc) {
        if (first)
            c->flags &= ~VGCF_online;
        rc = v->domain->ops->set_context(v, c);
    }
    hv_free(c);
    return rc;
}

/* Race: one CPU at a time gives v a context, or both would take it for its first and the references
 * of one would be lost. Who comes second asks again, and then finds that it has one. */
int vcpu_set_context(struct vcpu *v, gva_t from, bool first)
{
    int rc;

    if (xchg(&v->context_busy, true)) /* model: vcpu_set_context.taken */
        return -XEN_ERESTART;
    /* model: vcpu_set_context.look */
    rc = first && v->initialised ? refused(-XEN_EEXIST, "vcpu %u has a context already", v->vcpu_id)
                                 : set_context(v, from, first);
    __atomic_store_n(&v->context_busy, false, __ATOMIC_RELEASE); /* model: vcpu_set_context.left */
    return rc;
}

int vcpus_create(struct domain *d)
{
    int rc = 0;

    for (unsigned int i = 0; i < d->max_vcpus && !rc; i++) {
        if (d->vcpu[i])
            continue;
        rc = vcpu_create(d, i);
        if (i + 1 < d->max_vcpus && !rc && hypercall_preempt_check())
            rc = -XEN_ERESTART;
    }
    return rc;
}

void vcpu_free(struct vcpu *v)
{
    v->domain->vcpu[v->vcpu_id] = NULL;
    vcpu_timer_kill_all(v);
    sched_destroy_vcpu(v);
    v->domain->ops->vcpu_free(v);
    hv_free(v);
}
