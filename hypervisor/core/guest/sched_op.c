/* SPDX-License-Identifier: MIT */
/*
 * sched_op: yield, block, poll, shutdown, watchdog.
 *
 * Poll waits for one of some ports without taking the event: it ends when one is pending (masked or
 * not), when the vCPU is unblocked for another reason, or after a time. XSA-221: each port is
 * checked before anything is done.
 *
 * Race (poll): the vCPU declares itself polling first and looks at the ports then; a sender sets
 * the port's bit first and looks for pollers then. So either this look finds the event, or the
 * sender finds the poller.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/life/life.h>
#include <core/life/watchdog.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/guest_access.h>
#include <xen/errno.h>
#include <xen/sched.h>

#define POLL_PORTS_MAX 128

static long block(void)
{
    struct vcpu *v = current;

    v->vcpu_info->evtchn_upcall_mask = 0;
    vcpu_block(v);
    return 0;
}

/* All ports valid: 0. *pending: one of them is. */
static long look_at_ports(const struct sched_poll *poll, bool *pending)
{
    struct domain *d = current->domain;

    *pending = false;
    for (unsigned int i = 0; i < poll->nr_ports; i++) {
        evtchn_port_t port;
        gva_t at;

        if (!guest_index(poll->ports, i, sizeof(port), &at) ||
            copy_from_guest(&port, at, sizeof(port)))
            return -XEN_EFAULT;
        if (!evtchn_port_usable(d, port))
            return refused(-XEN_EINVAL, "poll of port %u, which is not open", port);
        *pending |= evtchn_port_pending(d, port);
    }
    return 0;
}

static void stop_polling(struct vcpu *v)
{
    v->poll_port = 0;
    atomic_and(&v->domain->poll_mask, ~(1ull << v->vcpu_id));
    atomic_and(&v->pause_flags, ~VPF_polling);
}

static long poll_ports(gva_t arg)
{
    struct vcpu *v = current;
    struct sched_poll poll;
    evtchn_port_t only = ~0u;
    bool pending;
    long rc;

    if (copy_from_guest(&poll, arg, sizeof(poll)))
        return -XEN_EFAULT;
    if (poll.nr_ports > POLL_PORTS_MAX)
        return refused(-XEN_EINVAL, "poll of %u ports", poll.nr_ports);
    if (poll.nr_ports == 1 && copy_from_guest(&only, poll.ports, sizeof(only)))
        return -XEN_EFAULT;
    v->poll_port = only ? only : ~0u;
    atomic_or(&v->domain->poll_mask, 1ull << v->vcpu_id);
    atomic_or(&v->pause_flags, VPF_polling);
    smp_mb();
    rc = look_at_ports(&poll, &pending);
    /* An event that may be delivered ends the wait at once. */
    if (rc || pending || vcpu_event_pending(v)) {
        stop_polling(v);
        return rc;
    }
    if (poll.timeout)
        timer_set(&v->poll_timer, (s_time_t)MIN(poll.timeout, (uint64_t)INT64_MAX));
    vcpu_sleep(v);
    return 0;
}

static long shutdown(gva_t arg, bool code_only)
{
    struct sched_shutdown s;
    struct domain *d = current->domain;

    if (copy_from_guest(&s, arg, sizeof(s)))
        return -XEN_EFAULT;
    if (!code_only) {
        domain_shutdown(d, s.reason & 0xff);
        return 0;
    }
    /* ABI: said before the domain goes down by other ways; the first word counts. */
    spin_lock(&d->lock);
    if (d->shutdown_code == ~0u)
        d->shutdown_code = s.reason;
    spin_unlock(&d->lock);
    return 0;
}

static long remote_shutdown(gva_t arg)
{
    struct sched_remote_shutdown s;
    struct domain *d;

    if (!current->domain->is_control)
        return refused(-XEN_EPERM, "only the control domain ends others");
    if (copy_from_guest(&s, arg, sizeof(s)))
        return -XEN_EFAULT;
    d = get_domain_by_id(s.domain_id);
    if (!d)
        return -XEN_ESRCH;
    domain_shutdown(d, s.reason & 0xff);
    put_domain(d);
    return 0;
}

static long watchdog(gva_t arg)
{
    struct sched_watchdog w;

    if (copy_from_guest(&w, arg, sizeof(w)))
        return -XEN_EFAULT;
    return domain_watchdog_set(current->domain, w.id, w.timeout);
}

long do_sched_op(unsigned int cmd, gva_t arg)
{
    switch (cmd) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        return block();
    case SCHEDOP_shutdown:
        return shutdown(arg, false);
    case SCHEDOP_shutdown_code:
        return shutdown(arg, true);
    case SCHEDOP_poll:
        return poll_ports(arg);
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(arg);
    case SCHEDOP_watchdog:
        return watchdog(arg);
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}

/* ABI: the oldest form, three operations whose argument is a number. */
long do_sched_op_compat(unsigned int cmd, uint64_t arg)
{
    switch (cmd) {
    case SCHEDOP_yield:
        sched_yield();
        return 0;
    case SCHEDOP_block:
        return block();
    case SCHEDOP_shutdown:
        domain_shutdown(current->domain, arg & 0xff);
        return 0;
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
