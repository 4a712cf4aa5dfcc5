/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: interrupts that vCPUs of a domain send each other, by ICR or SELF IPI.
 *
 * Fixed, lowest priority, NMI, INIT and STARTUP are delivered before the write ends, so the sender
 * never finds ICR busy. SMI and what is reserved goes nowhere, and so does the de-assertion of
 * INIT, of which processors take no notice any more. Lowest priority goes to the one with the
 * lowest class of TPR among those that it is for and whose APIC is on; of equals, to the one with
 * the lowest id. Manuals leave a few shorthands undefined (NMI or INIT to oneself): here they are
 * as any other.
 *
 * Whom it is for: a physical destination is an id, or everyone (all ones, in as many bits as the
 * sender's mode has). A logical one is compared with the LDR of each: as the DFR of each says in
 * xAPIC mode (flat: any bit in common; cluster: the same upper four bits, and one of the lower four
 * in common), by cluster and bit in x2APIC mode.
 *
 * Bounded: by the domain's vCPUs.
 */
#include <core/base/count.h>
#include <core/sched/pause.h>
#include <hvm/lapic_internal.h>
#include <port/atomic.h>

enum { IPI_FIXED = 0, IPI_LOWEST = 1, IPI_NMI = 4, IPI_INIT = 5, IPI_STARTUP = 6 };
enum { TO_DESTINATION = 0, TO_SELF = 1, TO_ALL = 2, TO_OTHERS = 3 };

#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT  (1u << 14)
#define ICR_LEVEL   (1u << 15)

#define DFR_FLAT    0xf
#define DFR_CLUSTER 0x0

static bool is_logical(const struct vcpu *t, uint32_t destination)
{
    const struct lapic *l = lapic_seen(t);
    uint32_t ldr = lapic_ldr(t), model = READ_ONCE(l->reg[LAPIC_DFR]) >> 28;

    if (lapic_in_x2apic(l))
        return destination >> 16 == ldr >> 16 && destination & ldr & 0xffff;
    ldr >>= 24;
    if (destination > 0xff)
        return false;
    if (model == DFR_CLUSTER)
        return destination >> 4 == ldr >> 4 && destination & ldr & 0xf;
    return model == DFR_FLAT && destination & ldr;
}

static bool is_for(const struct vcpu *t, const struct vcpu *from, uint32_t icr,
                   uint32_t destination)
{
    uint32_t everyone = lapic_in_x2apic(lapic_seen(from)) ? ~0u : 0xff;

    if (!lapic_enabled(lapic_seen(t)))
        return false;
    switch (icr >> 18 & 3) {
    case TO_SELF:
        return t == from;
    case TO_ALL:
        return true;
    case TO_OTHERS:
        return t != from;
    }
    if (destination == everyone)
        return true;
    return icr & ICR_LOGICAL ? is_logical(t, destination) : t->vcpu_id == destination;
}

static void deliver(struct vcpu *t, uint32_t icr)
{
    switch (icr >> 8 & 7) {
    case IPI_FIXED:
    case IPI_LOWEST:
        lapic_raise(t, (uint8_t)icr);
        break;
    case IPI_NMI:
        vcpu_send_nmi(t);
        break;
    case IPI_INIT:
        if ((icr & (ICR_LEVEL | ICR_ASSERT)) != ICR_LEVEL)
            lapic_send_init(t);
        break;
    case IPI_STARTUP:
        lapic_send_startup(t, (uint8_t)icr);
        break;
    }
}

static bool before(const struct vcpu *t, const struct vcpu *best)
{
    const struct lapic *l = lapic_seen(t);

    return READ_ONCE(l->reg[LAPIC_SVR]) & SVR_ENABLED &&
           (!best ||
            READ_ONCE(l->reg[LAPIC_TPR]) >> 4 < READ_ONCE(lapic_seen(best)->reg[LAPIC_TPR]) >> 4);
}

void lapic_send(struct vcpu *v, uint32_t icr, uint32_t destination)
{
    uint32_t mode = icr >> 8 & 7;
    struct vcpu *t, *best = NULL;

    if ((mode == IPI_FIXED || mode == IPI_LOWEST) && (uint8_t)icr < LOWEST_VECTOR) {
        lapic_error(v, ESR_SEND_VECTOR);
        return;
    }
    count_event(v, COUNTER_ipis);
    for_each_vcpu (v->domain, t) {
        if (!is_for(t, v, icr, destination))
            continue;
        if (mode != IPI_LOWEST)
            deliver(t, icr);
        else if (before(t, best))
            best = t;
    }
    if (best)
        deliver(best, icr);
}
