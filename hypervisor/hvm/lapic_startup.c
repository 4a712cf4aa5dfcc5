/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: how a vCPU is started by others (INIT and SIPI).
 *
 * INIT makes a processor begin anew, and wait. SIPI names the page where one that waits starts; to
 * one that does not wait it is nothing. All but vCPU 0 wait from their creation. vCPU 0 waits after
 * an INIT too: the reset vector, where a real one would go, is not there without firmware.
 *
 * A vCPU's registers are for its own CPU. So a sender leaves word in `startup`, and the vCPU does
 * the rest on its way to the guest, where lapic_take_startup() is called each time:
 *
 *   - The sender of INIT sets INIT, and a SIPI that was not taken yet is forgotten. v is woken from
 *     HLT, and its CPU kicked.
 *   - v finds INIT: its APIC is reset, and it WAITS. It goes down (VPF_down), which takes it off
 *     its CPU.
 *   - The sender of SIPI, to one that WAITS or is about to (INIT), sets SIPI with the vector, and v
 *     comes up. One that has a SIPI already keeps the first. An NMI from before that is not for
 * what begins there.
 *   - v finds SIPI: it starts there, and waits no more. If it WAITS and there is none, somebody
 *     else brought it up (VCPUOP_up), and it goes down again.
 *
 * Lock: d->lock guards `startup` and, as for VCPUOP_up and down, VPF_down with it. So INIT and SIPI
 * have an order for each vCPU, and what one does with v's VPF_down is done when the next looks.
 * Nothing else is held, by senders (who write ICR) and on the way to the guest.
 * Race: v looks whether there is something at all without the lock. INIT is set before
 * vcpu_unblock() and vcpu_kick(), which make v look again, as for any interrupt
 * (hvm/lapic_interrupt.c); and v cannot be on its way while it is down, but by VCPUOP_up.
 */
#include <core/sched/pause.h>
#include <hvm/lapic_internal.h>
#include <port/atomic.h>

#define STARTUP_INIT  1u
#define STARTUP_WAITS 2u
#define STARTUP_SIPI  4u

void lapic_startup_init(struct vcpu *v)
{
    lapic_of(v)->startup = v->vcpu_id ? STARTUP_WAITS : 0;
}

static void set_startup(struct lapic *l, uint32_t startup)
{
    __atomic_store_n(&l->startup, (uint8_t)startup, __ATOMIC_SEQ_CST);
}

void lapic_send_init(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);

    spin_lock(&v->domain->lock);
    set_startup(l, (l->startup & STARTUP_WAITS) | STARTUP_INIT);
    spin_unlock(&v->domain->lock);
    vcpu_unblock(v);
    vcpu_kick(v);
}

void lapic_send_startup(struct vcpu *v, uint8_t vector)
{
    struct lapic *l = lapic_of(v);
    bool taken;

    spin_lock(&v->domain->lock);
    taken = l->startup && !(l->startup & STARTUP_SIPI);
    if (taken) {
        l->startup_vector = vector;
        WRITE_ONCE(v->nmi_pending, false);
        set_startup(l, l->startup | STARTUP_SIPI);
        atomic_and(&v->pause_flags, ~VPF_down);
    }
    spin_unlock(&v->domain->lock);
    if (taken)
        vcpu_wake(v);
}

bool lapic_startup_pending(const struct vcpu *v)
{
    return READ_ONCE(lapic_seen(v)->startup) & (STARTUP_INIT | STARTUP_SIPI);
}

/* With the lock */
static enum lapic_startup take(struct vcpu *v, uint8_t *vector)
{
    struct lapic *l = lapic_of(v);

    if (l->startup & STARTUP_INIT)
        lapic_reset(v);
    if (l->startup & STARTUP_SIPI) {
        *vector = l->startup_vector;
        set_startup(l, 0);
        return LAPIC_STARTS;
    }
    set_startup(l, STARTUP_WAITS);
    atomic_or(&v->pause_flags, VPF_down);
    vcpu_sleep(v);
    return LAPIC_WAITS;
}

enum lapic_startup lapic_take_startup(struct vcpu *v, uint8_t *vector)
{
    enum lapic_startup startup;

    if (likely(!READ_ONCE(lapic_of(v)->startup)))
        return LAPIC_RUNS;
    spin_lock(&v->domain->lock);
    startup = take(v, vector);
    spin_unlock(&v->domain->lock);
    return startup;
}
