/* SPDX-License-Identifier: MIT */
/*
 * Hard affinity: where a vCPU may run, as the control domain says, and a pin that it may put over
 * it for itself (SCHEDOP_pin_override). Runs where it may not any more, it leaves at once.
 *
 * Lock: runqueue.lock.
 */
#include <core/base/log.h>
#include <core/sched/runqueue.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

bool sched_may_run_anywhere(const struct vcpu *v)
{
    return !(~v->affinity & started_cpus());
}

static void set(struct vcpu *v, uint64_t cpus)
{
    struct cpu *c = v->sched.on_cpu;
    s_time_t now = clock_now();

    sched_account(v->domain, now); /* by what it might use until now */
    WRITE_ONCE(v->affinity, cpus);
    if (v->sched.wanted_by)
        sched_drop_next(v->sched.wanted_by); /* model: set.drop */
    if (c && !(cpus & bit_of(c)))
        cpu_raise(c, CPU_WORK_SCHEDULE);
    v->domain->sched.waiting_for |= cpus;
    v->domain->sched.resting_for |= cpus;
    if (v->sched.queued && !v->sched.resting)
        sched_find_cpu(v, false, now);
    sched_cap_look(v->domain, now);
    /* There may be other chains to those that are idle. */
    sched_fill_idle(now); /* model: set.fill */
}

int sched_set_affinity(struct vcpu *v, uint64_t cpus)
{
    int rc = 0;

    if (!(cpus & started_cpus()))
        return refused(-XEN_EINVAL, "no CPU in the map is there");
    spin_lock(&runqueue.lock);
    if (v->sched.pinned_from)
        rc = -XEN_EBUSY;
    else
        set(v, cpus);
    spin_unlock(&runqueue.lock);
    return rc ? refused(rc, "d%uv%u is pinned", v->domain->domain_id, v->vcpu_id) : 0;
}

int sched_pin(struct vcpu *v, int cpu)
{
    int rc = 0;

    if (cpu >= (int)machine_nr_cpus())
        return refused(-XEN_EINVAL, "pinned to CPU %d, which is not there", cpu);
    spin_lock(&runqueue.lock);
    if (cpu >= 0 && !(v->affinity & 1ull << cpu)) {
        rc = -XEN_EINVAL;
    } else if (cpu >= 0 && !v->sched.pinned_from) {
        v->sched.pinned_from = v->affinity;
        set(v, 1ull << cpu);
    } else if (cpu < 0 && v->sched.pinned_from) {
        set(v, v->sched.pinned_from);
        v->sched.pinned_from = 0;
    } else {
        rc = cpu < 0 ? -XEN_EINVAL : -XEN_EBUSY;
    }
    spin_unlock(&runqueue.lock);
    return rc;
}
