/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op: what a domain does with its own vCPUs: bring them up and down, register areas, set
 * timers.
 *
 * An operation names a vCPU of the domain by number. The timer that goes off once is the current
 * vCPU's alone, as on Xen; all else may be asked for any.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/domain/subop.h>
#include <core/event/vcpu_timer.h>
#include <core/life/life.h>
#include <core/life/vcpu_info.h>
#include <core/sched/pause.h>
#include <core/sched/vcpu_time.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static long initialise(struct vcpu *v, const gva_t *arg)
{
    return vcpu_set_context(v, *arg, true); /* ABI: it stays down until VCPUOP_up */
}

static long up(struct vcpu *v, const struct nothing *none __unused)
{
    struct domain *d = v->domain;

    spin_lock(&d->lock);
    if (!__atomic_load_n(&v->initialised, __ATOMIC_ACQUIRE)) { /* model: up.look */
        spin_unlock(&d->lock);
        return refused(-XEN_EINVAL, "vcpu %u has no context", v->vcpu_id);
    }
    atomic_and(&v->pause_flags, ~VPF_down); /* model: up.down */
    spin_unlock(&d->lock);
    vcpu_wake(v);
    return 0;
}

static long down(struct vcpu *v, const struct nothing *none __unused)
{
    struct vcpu *other;
    unsigned int others_up = 0;

    spin_lock(&v->domain->lock);
    for_each_vcpu (v->domain, other)
        others_up += other != v && !(READ_ONCE(other->pause_flags) & VPF_down);
    atomic_or(&v->pause_flags, VPF_down);
    /* Race: with the lock, or another CPU could still choose it out of the queue while the next who
     * has the lock finds it down and on no CPU, and moves its vcpu_info. */
    vcpu_sleep(v); /* model: down.sleep */
    spin_unlock(&v->domain->lock);
    /* ABI: when the last one goes down the domain has powered off. */
    if (!others_up)
        domain_shutdown(v->domain, SHUTDOWN_poweroff);
    return 0;
}

static long is_up(const struct vcpu *v, const struct nothing *none __unused)
{
    return !(READ_ONCE(v->pause_flags) & VPF_down);
}

static long get_runstate(struct vcpu *v, struct vcpu_runstate_info *info)
{
    vcpu_runstate_get(v, info);
    return 0;
}

static long register_runstate_area(struct vcpu *v,
                                   const struct vcpu_register_runstate_memory_area *area)
{
    struct vcpu_runstate_info info = {.state = 0};

    if (!guest_range_ok(area->addr.h, sizeof(info)))
        return refused(-XEN_EFAULT, "run state area at %#lx", area->addr.h);
    WRITE_ONCE(v->runstate_gva, area->addr.h);
    if (!area->addr.h)
        return 0;
    vcpu_runstate_get(v, &info);
    if (v == current) /* ABI: an area tells the times until its state began, as at each switch */
        info.time[RUNSTATE_running] = v->sched.time[RUNSTATE_running];
    /* ABI: that it cannot be written now is no error; it will be tried again. Race: v's own CPU may
     * write it too; what is there is true as of a moment ago, until its next switch. */
    if (copy_to_guest(area->addr.h, &info, sizeof(info)))
        WRITE_ONCE(v->areas_stale, true);
    return 0;
}

static long register_time_area(struct vcpu *v, const struct vcpu_register_time_memory_area *area)
{
    if (!guest_range_ok(area->addr.h, sizeof(struct vcpu_time_info)))
        return refused(-XEN_EFAULT, "time area at %#lx", area->addr.h);
    WRITE_ONCE(v->time_info_gva, area->addr.h);
    if (area->addr.h)
        WRITE_ONCE(v->areas_stale, true);
    if (area->addr.h && v == current) /* Race: another's is written by its own CPU, when it runs */
        vcpu_areas_switched_in(v);
    return 0;
}

static long stop_singleshot(struct vcpu *v, const struct nothing *none __unused)
{
    if (v != current)
        return refused(-XEN_EINVAL, "timer of vcpu %u", v->vcpu_id);
    timer_stop(&v->singleshot);
    return 0;
}

static long stop_periodic(struct vcpu *v, const struct nothing *none __unused)
{
    WRITE_ONCE(v->period, 0); /* before the timer is stopped: see its callback */
    timer_stop(&v->periodic);
    return 0;
}

static long send_nmi(struct vcpu *v, const struct nothing *none __unused)
{
    vcpu_send_nmi(v);
    return 0;
}

/* ABI: of the CPU that a vCPU of the control domain is pinned to. */
static long get_physid(const struct vcpu *v, struct vcpu_get_physid *id)
{
    uint64_t cpus = READ_ONCE(v->affinity);
    unsigned int cpu = (unsigned int)__builtin_ctzll(cpus);

    if (!v->domain->is_control || cpus & (cpus - 1))
        return -XEN_EINVAL;
    id->phys_id = machine_apic_id(cpu) | (uint64_t)machine_acpi_id(cpu) << 32;
    return 0;
}

/* clang-format off */
#define OPS(OP)                                                                                                                       \
    OP(VCPUOP_initialise,                     initialise,             const gva_t,                                     SUBOP_ADDRESS) \
    OP(VCPUOP_up,                             up,                     struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_down,                           down,                   struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_is_up,                          is_up,                  struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_get_runstate_info,              get_runstate,           struct vcpu_runstate_info,                       SUBOP_OUT)     \
    OP(VCPUOP_register_runstate_memory_area,  register_runstate_area, const struct vcpu_register_runstate_memory_area, SUBOP_IN)      \
    OP(VCPUOP_register_vcpu_time_memory_area, register_time_area,     const struct vcpu_register_time_memory_area,     SUBOP_IN)      \
    OP(VCPUOP_register_vcpu_info,             vcpu_info_register,     const struct vcpu_register_vcpu_info,            SUBOP_IN)      \
    OP(VCPUOP_set_singleshot_timer,           vcpu_set_singleshot,    const struct vcpu_set_singleshot_timer,          SUBOP_IN)      \
    OP(VCPUOP_stop_singleshot_timer,          stop_singleshot,        struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_set_periodic_timer,             vcpu_set_periodic,      const struct vcpu_set_periodic_timer,            SUBOP_IN)      \
    OP(VCPUOP_stop_periodic_timer,            stop_periodic,          struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_send_nmi,                       send_nmi,               struct nothing,                                  SUBOP_NONE)    \
    OP(VCPUOP_get_physid,                     get_physid,             struct vcpu_get_physid,                          SUBOP_OUT)
SUBOPS_OF(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

long do_vcpu_op(unsigned int cmd, unsigned int vcpuid, gva_t arg)
{
    struct vcpu *v = domain_vcpu(current->domain, vcpuid);

    if (unlikely(!v))
        return -XEN_ENOENT; /* not logged: Linux asks for each CPU that there might be */
    return subop_run(&operations, cmd, arg, v);
}
