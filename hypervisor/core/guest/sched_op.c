/* SPDX-License-Identifier: MIT */
/*
 * sched_op: yield, block, poll, shutdown, watchdog.
 *
 * Poll waits for one of some ports without taking the event: it ends when one is pending (masked or
 * not), when the vCPU is unblocked for another reason, or after a time. XSA-221: each port is
 * checked before anything is done.
 *
 * What is there already, or was to be by now, is not waited for: one look, and nobody is told.
 *
 * Race (poll): who waits declares itself polling first and looks at the ports then, again; a sender
 * sets the port's bit first and looks for pollers then. So either this look finds the event, or the
 * sender finds the poller.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/subop.h>
#include <core/life/life.h>
#include <core/life/watchdog.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <port/guest_access.h>
#include <xen/errno.h>
#include <xen/sched.h>

#define POLL_PORTS_MAX 128

static long yield(struct vcpu *v __unused, const struct nothing *none __unused)
{
    vcpu_yield();
    return 0;
}

static long block(struct vcpu *v, const struct nothing *none __unused)
{
    WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 0);
    vcpu_block(v);
    return 0;
}

/* 1: it is pending; 0: not yet; or what is wrong with the port, or has kept it from being read. */
static inline long look_at(struct domain *d, int64_t port)
{
    if (unlikely(port < 0))
        return port;
    if (unlikely(!evtchn_named(&d->evtchn, (evtchn_port_t)port)))
        return refused(-XEN_EINVAL, "poll of port %u, which is not open", (evtchn_port_t)port);
    return evtchn_port_pending(d, (evtchn_port_t)port);
}

/* Each, whatever is found before. */
static __noinline long look_at_each(struct domain *d, const struct sched_poll *poll)
{
    long found = 0;

    for (unsigned int i = 0; i < poll->nr_ports && found >= 0; i++) {
        gva_t at;
        long one = guest_index(poll->ports, i, sizeof(evtchn_port_t), &at)
                       ? look_at(d, read_guest_u32(at))
                       : -XEN_EFAULT;

        found = one < 0 ? one : found | one;
    }
    return found;
}

/* The same of all of them, or 1: something is to be delivered. Where there is one port, it has been
 * read. */
static inline long look_at_ports(const struct vcpu *v, const struct sched_poll *poll, int64_t only)
{
    long found = poll->nr_ports == 1 ? look_at(v->domain, only) : look_at_each(v->domain, poll);

    return found ? found : vcpu_event_pending(v);
}

static __noinline long wait_for_ports(struct vcpu *v, const struct sched_poll *poll, int64_t only)
{
    s_time_t until = (s_time_t)MIN(poll->timeout, (uint64_t)INT64_MAX);
    long found;

    if (until && until <= clock_now())
        return 0;
    vcpu_poll_begin(v, (evtchn_port_t)only, until); /* model: wait_for_ports.begin */
    found = look_at_ports(v, poll, only);           /* model: wait_for_ports.look */
    if (found)
        vcpu_unblock(v);
    else
        vcpu_sleep(v); /* model: wait_for_ports.sleep */
    return MIN(found, 0);
}

static inline long poll_ports(struct vcpu *v, const struct sched_poll *poll)
{
    int64_t only = ~0u;
    long found;

    if (poll->nr_ports > POLL_PORTS_MAX)
        return refused(-XEN_EINVAL, "poll of %u ports", poll->nr_ports);
    if (poll->nr_ports == 1)
        only = read_guest_u32(poll->ports);
    found = look_at_ports(v, poll, only);
    return found ? MIN(found, 0) : wait_for_ports(v, poll, only);
}

static long shutdown(struct vcpu *v, const struct sched_shutdown *s)
{
    domain_shutdown(v->domain, s->reason & 0xff);
    return 0;
}

/* ABI: said before the domain goes down by other ways; the first word counts. */
static long shutdown_code(struct vcpu *v, const struct sched_shutdown *s)
{
    struct domain *d = v->domain;

    spin_lock(&d->lock);
    if (d->shutdown_code == ~0u)
        d->shutdown_code = s->reason;
    spin_unlock(&d->lock);
    return 0;
}

static long remote_shutdown(struct vcpu *v __unused, const struct sched_remote_shutdown *s)
{
    struct domain *d = get_domain_by_id(s->domain_id);

    if (!d)
        return -XEN_ESRCH;
    domain_shutdown(d, s->reason & 0xff);
    put_domain(d);
    return 0;
}

static long pin_override(struct vcpu *v, const struct sched_pin_override *p)
{
    return sched_pin(v, p->pcpu);
}

static long watchdog(struct vcpu *v, const struct sched_watchdog *w)
{
    return domain_watchdog_set(v->domain, w->id, w->timeout);
}

/* clang-format off */
#define OPS(OP)                                                                                                \
    OP(SCHEDOP_yield,           yield,           struct nothing,                     SUBOP_NONE)               \
    OP(SCHEDOP_block,           block,           struct nothing,                     SUBOP_NONE)               \
    OP(SCHEDOP_shutdown,        shutdown,        const struct sched_shutdown,        SUBOP_IN)                 \
    OP(SCHEDOP_shutdown_code,   shutdown_code,   const struct sched_shutdown,        SUBOP_IN)                 \
    OP(SCHEDOP_poll,            poll_ports,      const struct sched_poll,            SUBOP_IN)                 \
    OP(SCHEDOP_remote_shutdown, remote_shutdown, const struct sched_remote_shutdown, SUBOP_IN | SUBOP_CONTROL) \
    OP(SCHEDOP_watchdog,        watchdog,        const struct sched_watchdog,        SUBOP_IN)                 \
    OP(SCHEDOP_pin_override,    pin_override,    const struct sched_pin_override,    SUBOP_IN | SUBOP_CONTROL)
SUBOPS_OF(operations, OPS, -XEN_ENOSYS)
/* clang-format on */

static __noinline long poll_straight(struct vcpu *v, gva_t arg)
{
    struct sched_poll poll __uninitialized; /* read */

    return copy_from_guest(&poll, arg, sizeof(poll)) ? -XEN_EFAULT : poll_ports(v, &poll);
}

long do_sched_op(unsigned int cmd, gva_t arg)
{
    /* What a guest calls all the time: the same, straight. */
    switch (subop_show ? ~0u : cmd) {
    case SCHEDOP_yield:
        return yield(current, NULL);
    case SCHEDOP_block:
        return block(current, NULL);
    case SCHEDOP_poll:
        return poll_straight(current, arg);
    default:
        return subop_run(&operations, cmd, arg, current);
    }
}

/* ABI: the oldest form, three operations whose argument is a number. */
long do_sched_op_compat(unsigned int cmd, uint64_t arg)
{
    switch (cmd) {
    case SCHEDOP_yield:
    case SCHEDOP_block:
        return do_sched_op(cmd, 0);
    case SCHEDOP_shutdown:
        domain_shutdown(current->domain, arg & 0xff);
        return 0;
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
