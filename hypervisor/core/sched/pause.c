/* SPDX-License-Identifier: MIT */
/*
 * Why a vCPU does not run: pauses by others (counted), by the controller (one, remembered), and its
 * own wish to wait.
 *
 * Pauses nest: each pause has its unpause, whoever made it. The toolstack's pause is one of them at
 * most, so that a guest which was paused twice by its operator runs again after one unpause.
 * Blocking is the guest's own: it ends with any event.
 *
 * Race: a vCPU that blocks looks for events after it has set VPF_blocked; a sender sets the event
 * before it looks at VPF_blocked. One of the two sees the other, so no wake-up is lost.
 *
 * A pause by another waits until the vCPU has left its CPU: vcpu_pause() and domain_pause() are for
 * control operations and the end of a domain (domctl, domain_kill()). They hold no lock, above all
 * none that a hypercall takes, for the other CPU may spin for it before it comes to its exit path.
 * They do not wait for each other: what they wait for has d->domctl_busy set by them, and a second
 * operation on the same domain gives way at once. What ends a domain from anywhere (shutdown, a
 * crash, a watchdog) pauses it and does not wait: two vCPUs that did would wait for each other.
 *
 * Lock: v->poll_lock (RANK_POLL) for what is polled for. The counts and flags are atomic.
 */
#include <core/base/log.h>
#include <core/sched/pause.h>
#include <core/sched/sched.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>
#include <xen/errno.h>

/* Waits until no CPU has anything of v. Not for the current one: that leaves on the exit path.
 * Race: no continuation, for it is short. vcpu_sleep() has told v's CPU to choose again, those of
 * all v of a domain before the first is waited for. A guest is interrupted; a long hypercall gives
 * way at its next hypercall_preempt_check(), which sees CPU_WORK_SCHEDULE; the exit path chooses
 * before it looks at a guest's events. Two waits cannot be for each other (above), and flushes are
 * served meanwhile. */
static void wait_until_off(const struct vcpu *v)
{
    struct wait w = WAIT("a vCPU to leave its CPU", NO_CPU);
    const struct cpu *c;

    /* model: wait_until_off.wait */
    while (v != current && (c = __atomic_load_n(&v->sched.on_cpu, __ATOMIC_ACQUIRE)) != NULL) {
        w.cpu = c->id;
        spin_wait(&w);
    }
}

void vcpu_pause(struct vcpu *v)
{
    (void)atomic_add_return(&v->pause_count, 1); /* model: vcpu_pause.count */
    vcpu_sleep(v);                               /* model: vcpu_pause.sleep */
    wait_until_off(v);
}

void vcpu_unpause(struct vcpu *v)
{
    if (atomic_sub_return(&v->pause_count, 1) == 0)
        vcpu_wake(v); /* model: vcpu_unpause.wake */
}

void domain_pause_nosync(struct domain *d)
{
    struct vcpu *v;

    (void)atomic_add_return(&d->pause_count, 1);
    for_each_vcpu (d, v)
        vcpu_sleep(v);
}

void domain_pause(struct domain *d)
{
    struct vcpu *v;

    domain_pause_nosync(d);
    for_each_vcpu (d, v)
        wait_until_off(v);
}

void domain_unpause(struct domain *d)
{
    struct vcpu *v;

    if (atomic_sub_return(&d->pause_count, 1))
        return;
    for_each_vcpu (d, v)
        vcpu_wake(v);
}

void domain_pause_by_controller(struct domain *d)
{
    if (!xchg(&d->controller_paused, true))
        domain_pause(d);
}

int domain_unpause_by_controller(struct domain *d)
{
    if (!xchg(&d->controller_paused, false))
        return refused(-XEN_EINVAL, "d%u is not paused", d->domain_id);
    d->started = true;
    domain_unpause(d);
    return 0;
}

bool vcpu_event_pending(const struct vcpu *v)
{
    return v->domain->ops->event_pending(v);
}

/* Race: on_cpu is set before the CPU comes to its exit path, with a full barrier between (the lock
 * and the load of CR3), and there it looks at what was changed for v. */
void vcpu_kick(const struct vcpu *v)
{
    /* model: vcpu_kick.where */
    const struct cpu *c = __atomic_load_n(&v->sched.on_cpu, __ATOMIC_RELAXED);

    if (c && c != this_cpu())
        machine_kick(c->id);
}

void vcpu_send_nmi(struct vcpu *v)
{
    (void)xchg(&v->nmi_pending, true); /* Race: before a look at whether it waits, as events are */
    vcpu_unblock(v);
    vcpu_kick(v);
}

void vcpu_block(struct vcpu *v)
{
    atomic_or(&v->pause_flags, VPF_blocked); /* model: vcpu_block.flag */
    if (vcpu_event_pending(v))               /* model: vcpu_block.look */
        atomic_and(&v->pause_flags, ~VPF_blocked);
    else
        vcpu_sleep(v); /* model: vcpu_block.sleep */
}

void vcpu_poll_begin(struct vcpu *v, uint32_t port, s_time_t until)
{
    spin_lock(&v->poll_lock); /* model: vcpu_poll_begin.lock */
    WRITE_ONCE(v->poll_port, port);
    atomic_or(&v->domain->poll_mask, 1ull << v->vcpu_id);
    atomic_or(&v->pause_flags, VPF_polling); /* model: vcpu_poll_begin.flag */
    if (until)
        timer_set(&v->poll_timer, until); /* model: vcpu_poll_begin.timer */
    spin_unlock(&v->poll_lock);
}

/* Race: a poll begins and ends as a whole, or who ends it late would take half of the next with it,
 * which then nobody would find. One that ends too early is no harm: the guest looks again. */
static void end_poll(struct vcpu *v)
{
    spin_lock(&v->poll_lock); /* model: end_poll.lock */
    if (v->poll_port) {
        timer_stop(&v->poll_timer); /* model: end_poll.timer */
        WRITE_ONCE(v->poll_port, 0);
        atomic_and(&v->domain->poll_mask, ~(1ull << v->vcpu_id));
        atomic_and(&v->pause_flags, ~VPF_polling); /* model: end_poll.flag */
    }
    spin_unlock(&v->poll_lock);
}

void vcpu_unblock(struct vcpu *v)
{
    uint32_t flags = READ_ONCE(v->pause_flags);

    if (!(flags & (VPF_blocked | VPF_polling)))
        return;
    if (flags & VPF_polling)
        end_poll(v); /* model: vcpu_unblock.poll */
    atomic_and(&v->pause_flags, ~VPF_blocked);
    vcpu_wake(v);
}
