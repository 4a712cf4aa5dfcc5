/* SPDX-License-Identifier: MIT */
/*
 * vCPUs, their CPU time and their event counters, as the control domain sets and reads them.
 */
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/domain/guest_memory.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/sched/vcpu_time.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

int domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
    struct vcpu *v = domain_vcpu(d, op->u.vcpucontext.vcpu);
    int rc;

    if (!v)
        return -XEN_ESRCH;
    if (v == current || !op->u.vcpucontext.ctxt)
        return refused(-XEN_EINVAL, "of the calling vCPU, or no context given");
    /* What a context holds (page tables, GDT) would not be given back any more. */
    if (d->dying)
        return refused(-XEN_EINVAL, "d%u is dying", d->domain_id);
    domain_pause(d);
    rc = vcpu_set_context(v, op->u.vcpucontext.ctxt, false);
    /* ABI: who builds a domain may clear its shared_info before this, the wall clock with it. */
    if (!rc && v->vcpu_id == 0)
        wallclock_write(d);
    domain_unpause(d);
    return rc;
}

int domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
    struct vcpu *v = domain_vcpu(d, op->u.vcpucontext.vcpu);
    struct vcpu_guest_context *ctxt;
    int rc;

    if (!v)
        return -XEN_ESRCH;
    if (v == current)
        return refused(-XEN_EINVAL, "of the calling vCPU");
    if (d->dying)
        return refused(-XEN_EINVAL, "of d%u, which is dying", d->domain_id);
    if (!__atomic_load_n(&v->initialised, __ATOMIC_ACQUIRE))
        return -XEN_ENODATA;
    ctxt = hv_alloc(sizeof(*ctxt));
    if (!ctxt)
        return -XEN_ENOMEM;
    vcpu_pause(v);
    d->ops->get_context(v, ctxt);
    vcpu_unpause(v);
    rc = copy_to_guest(op->u.vcpucontext.ctxt, ctxt, sizeof(*ctxt));
    hv_free(ctxt);
    return rc;
}

int domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
    struct vcpu *v = domain_vcpu(d, info->vcpu);
    struct vcpu_runstate_info rs;

    if (!v)
        return -XEN_ESRCH;
    vcpu_runstate_get(v, &rs);
    info->online = !(READ_ONCE(v->pause_flags) & VPF_down);
    info->blocked = !!(READ_ONCE(v->pause_flags) & VPF_blocked);
    info->running = rs.state == RUNSTATE_running;
    info->cpu_time = rs.time[RUNSTATE_running];
    info->cpu = READ_ONCE(v->sched.last_cpu);
    return 0;
}

/* An operation of Parvis' own: parvis/counters.h. */
int domctl_counters(struct domain *d, struct xen_domctl *op)
{
    struct parvis_domctl_counters a;
    uint64_t values[NR_COUNTERS] __uninitialized;
    const struct vcpu *v;

    _Static_assert(sizeof(a) <= sizeof(op->u), "it is in place of the union");
    memcpy(&a, &op->u, sizeof(a));
    v = domain_vcpu(d, a.vcpu);
    if (!v)
        return -XEN_ESRCH;
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        values[i] = READ_ONCE(v->counter[i]);
    if (copy_to_guest(a.values, values, MIN(a.nr, (uint32_t)NR_COUNTERS) * sizeof(values[0])))
        return -XEN_EFAULT;
    a.nr = NR_COUNTERS;
    memcpy(&op->u, &a, sizeof(a));
    return 0;
}

/* CPUs that run domains. */
static uint64_t online_cpus(void)
{
    return low_bits(machine_nr_cpus());
}

int domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    struct vcpu *v = domain_vcpu(d, a->vcpu);
    uint64_t hard, soft;
    int rc = 0;

    if (!v)
        return -XEN_ESRCH;
    if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
        return refused(-XEN_EINVAL, "neither hard nor soft affinity is given");
    hard = READ_ONCE(v->affinity);
    soft = v->soft_affinity;
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = bitmap_from_guest(&hard, &a->cpumap_hard);
    if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
        rc = bitmap_from_guest(&soft, &a->cpumap_soft);
    if (rc)
        return rc;
    hard &= online_cpus();
    if ((a->flags & XEN_VCPUAFFINITY_FORCE) && !sched_pin(v, -1))
        log_info("d%uv%u is not pinned any more", d->domain_id, v->vcpu_id);
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = sched_set_affinity(v, hard);
    if (rc)
        return rc;
    v->soft_affinity = soft;
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = bitmap_to_guest(&a->cpumap_hard, hard);
    if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
        rc = bitmap_to_guest(&a->cpumap_soft, soft & hard);
    return rc;
}

int domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    struct vcpu *v = domain_vcpu(d, a->vcpu);
    int rc = 0;

    if (!v)
        return -XEN_ESRCH;
    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = bitmap_to_guest(&a->cpumap_hard, READ_ONCE(v->affinity));
    if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
        rc = bitmap_to_guest(&a->cpumap_soft, v->soft_affinity);
    return rc;
}

/* There is one node, 0. */
int domctl_setnodeaffinity(struct domain *d __unused, struct xen_domctl *op)
{
    uint64_t nodes;
    int rc = bitmap_from_guest(&nodes, &op->u.nodeaffinity.nodemap);

    if (rc)
        return rc;
    return nodes & 1 ? 0 : refused(-XEN_EINVAL, "node 0 is the only one");
}

int domctl_getnodeaffinity(struct domain *d __unused, struct xen_domctl *op)
{
    return bitmap_to_guest(&op->u.nodeaffinity.nodemap, 1);
}

int domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    struct xen_domctl_sched_credit2 *p = &s->u.credit2;
    unsigned int most = 100 * MIN(d->max_vcpus, machine_nr_cpus());

    if (s->sched_id != XEN_SCHEDULER_CREDIT2)
        return refused(-XEN_EINVAL, "scheduler %u; this one answers as %u", s->sched_id,
                       XEN_SCHEDULER_CREDIT2);
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_putinfo: /* ABI: weight 0 and cap 0xffff mean unchanged */
        if (p->cap != 0xffff && p->cap > most)
            return refused(-XEN_EINVAL, "a cap of %u; here d%u can use %u at most", p->cap,
                           d->domain_id, most);
        sched_set_domain(d, p->weight ? p->weight : d->sched.weight,
                         p->cap != 0xffff ? p->cap : d->sched.cap);
        return 0;
    case XEN_DOMCTL_SCHEDOP_getinfo:
        p->weight = d->sched.weight;
        p->cap = d->sched.cap;
        return 0;
    default:
        return -XEN_EINVAL;
    }
}
