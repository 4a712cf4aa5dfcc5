/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: what a domain does with its own vCPUs: bring them up and down, register areas, set
 * timers.
 *
 * An operation names a vCPU of the domain by number. The timer that goes off once is the current
 * vCPU's alone, as on Xen; all else may be asked for any. Each operation copies its argument once.
 *
 * The context for VCPUOP_initialise is 5 KiB and more than a stack should hold: it is copied to a
 * page from the heap.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/event/vcpu_timer.h>
#include <core/frame/frame.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <core/sched/pause.h>
#include <core/sched/vcpu_time.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static long initialise(struct vcpu *v, gva_t arg)
{
    struct vcpu_guest_context *c;
    long rc;

    if (v->initialised)
        return refused(-XEN_EEXIST, "vcpu %u has a context already", v->vcpu_id);
    c = hv_alloc(sizeof(*c));
    if (!c)
        return -XEN_ENOMEM;
    rc = copy_from_guest(c, arg, sizeof(*c));
    if (!rc) {
        c->flags &= ~(unsigned long)VGCF_online; /* ABI: it stays down until VCPUOP_up */
        rc = v->domain->ops->set_context(v, c);
    }
    hv_free(c);
    return rc;
}

static long up(struct vcpu *v)
{
    struct domain *d = v->domain;

    spin_lock(&d->lock);
    if (!v->initialised) {
        spin_unlock(&d->lock);
        return refused(-XEN_EINVAL, "vcpu %u has no context", v->vcpu_id);
    }
    atomic_and(&v->pause_flags, ~VPF_down);
    spin_unlock(&d->lock);
    vcpu_wake(v);
    return 0;
}

static long down(struct vcpu *v)
{
    struct vcpu *other;
    unsigned int others_up = 0;

    spin_lock(&v->domain->lock);
    for_each_vcpu (v->domain, other)
        others_up += other != v && !(READ_ONCE(other->pause_flags) & VPF_down);
    atomic_or(&v->pause_flags, VPF_down);
    spin_unlock(&v->domain->lock);
    vcpu_sleep(v);
    /* ABI: when the last one goes down the domain has powered off. */
    if (!others_up)
        domain_shutdown(v->domain, SHUTDOWN_poweroff);
    return 0;
}

static long get_runstate(struct vcpu *v, gva_t arg)
{
    struct vcpu_runstate_info info = {.state = 0};

    vcpu_runstate_get(v, &info);
    return copy_to_guest(arg, &info, sizeof(info));
}

static long register_runstate_area(struct vcpu *v, gva_t arg)
{
    struct vcpu_register_runstate_memory_area area;
    struct vcpu_runstate_info info = {.state = 0};

    if (copy_from_guest(&area, arg, sizeof(area)))
        return -XEN_EFAULT;
    if (!guest_range_ok(area.addr.h, sizeof(info)))
        return refused(-XEN_EFAULT, "run state area at %#lx", area.addr.h);
    v->runstate_gva = area.addr.h;
    if (!area.addr.h)
        return 0;
    vcpu_runstate_get(v, &info);
    /* ABI: that it cannot be written now is no error; it will be tried again. */
    if (copy_to_guest(area.addr.h, &info, sizeof(info)))
        v->areas_stale = true;
    return 0;
}

static long register_time_area(struct vcpu *v, gva_t arg)
{
    struct vcpu_register_time_memory_area area;

    if (copy_from_guest(&area, arg, sizeof(area)))
        return -XEN_EFAULT;
    if (!guest_range_ok(area.addr.h, sizeof(struct vcpu_time_info)))
        return refused(-XEN_EFAULT, "time area at %#lx", area.addr.h);
    v->time_info_gva = area.addr.h;
    if (area.addr.h) {
        v->areas_stale = true;
        vcpu_areas_switched_in(v);
    }
    return 0;
}

static long register_info(struct vcpu *v, gva_t arg)
{
    struct vcpu_register_vcpu_info info;

    if (copy_from_guest(&info, arg, sizeof(info)))
        return -XEN_EFAULT;
    return vcpu_info_map(v, MFN(info.mfn), info.offset);
}

static long set_singleshot(struct vcpu *v, gva_t arg)
{
    struct vcpu_set_singleshot_timer set;

    if (v != current)
        return refused(-XEN_EINVAL, "timer of vcpu %u", v->vcpu_id);
    if (copy_from_guest(&set, arg, sizeof(set)))
        return -XEN_EFAULT;
    return vcpu_set_singleshot(v, set.timeout_abs_ns, set.flags);
}

static long set_periodic(struct vcpu *v, gva_t arg)
{
    struct vcpu_set_periodic_timer set;

    if (copy_from_guest(&set, arg, sizeof(set)))
        return -XEN_EFAULT;
    return vcpu_set_periodic(v, set.period_ns);
}

static long stop_singleshot(struct vcpu *v)
{
    if (v != current)
        return refused(-XEN_EINVAL, "timer of vcpu %u", v->vcpu_id);
    timer_stop(&v->singleshot);
    return 0;
}

static long stop_periodic(struct vcpu *v)
{
    v->period = 0;
    timer_stop(&v->periodic);
    return 0;
}

static long send_nmi(struct vcpu *v)
{
    v->arch.nmi_pending = true;
    vcpu_unblock(v);
    if (v != current)
        machine_kick(v->sched.cpu);
    return 0;
}

static long get_physid(struct vcpu *v, gva_t arg)
{
    /* ABI: only where a vCPU is pinned to a CPU for good, which is not offered here. */
    (void)v, (void)arg;
    return -XEN_EINVAL;
}

long do_vcpu_op(unsigned int cmd, unsigned int vcpuid, gva_t arg)
{
    struct vcpu *v = domain_vcpu(current->domain, vcpuid);

    if (unlikely(!v))
        return -XEN_ENOENT; /* not logged: Linux asks for each CPU that there might be */
    switch (cmd) {
    case VCPUOP_set_singleshot_timer:
        return set_singleshot(v, arg);
    case VCPUOP_stop_singleshot_timer:
        return stop_singleshot(v);
    case VCPUOP_is_up:
        return !(READ_ONCE(v->pause_flags) & VPF_down);
    case VCPUOP_initialise:
        return initialise(v, arg);
    case VCPUOP_up:
        return up(v);
    case VCPUOP_down:
        return down(v);
    case VCPUOP_get_runstate_info:
        return get_runstate(v, arg);
    case VCPUOP_register_runstate_memory_area:
        return register_runstate_area(v, arg);
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time_area(v, arg);
    case VCPUOP_register_vcpu_info:
        return register_info(v, arg);
    case VCPUOP_set_periodic_timer:
        return set_periodic(v, arg);
    case VCPUOP_stop_periodic_timer:
        return stop_periodic(v);
    case VCPUOP_send_nmi:
        return send_nmi(v);
    case VCPUOP_get_physid:
        return get_physid(v, arg);
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
