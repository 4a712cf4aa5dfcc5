/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: which interrupt a vCPU takes, and when.
 *
 * Whoever has an interrupt for a vCPU sets its bit in IRR and wakes the vCPU. On its way to the
 * guest the vCPU takes the highest of them when its class (the upper four bits) is above that of
 * PPR, which is the higher of TPR and what is in service: the bit moves from IRR to ISR. EOI ends
 * the highest in service.
 *
 * Race: the bit is set, with a full barrier, before vcpu_unblock() looks whether v waits and
 * vcpu_kick() where it runs. v sets VPF_blocked before vcpu_block() looks at IRR, and its CPU is
 * seen in on_cpu before it looks there on the way to the guest. So one of the two sees the other.
 * Only v's own CPU clears bits of IRR, so what was pending is still there when it is accepted.
 */
#include <core/sched/pause.h>
#include <hvm/lapic_internal.h>
#include <port/atomic.h>

/* Of 256 bits in 8 registers; -1: none is set */
static int highest(const uint32_t *words)
{
    for (int i = 7; i >= 0; i--) {
        uint32_t word = READ_ONCE(words[i]);

        if (word)
            return i * 32 + 31 - __builtin_clz(word);
    }
    return -1;
}

static bool is_on(const struct lapic *l)
{
    return lapic_enabled(l) && READ_ONCE(l->reg[LAPIC_SVR]) & SVR_ENABLED;
}

/* It is told once until the guest has asked which it was. An entry for errors whose vector is
 * illegal is one more error, once. */
void lapic_error(struct vcpu *v, uint32_t esr_bit)
{
    struct lapic *l = lapic_of(v);
    uint32_t lvt = READ_ONCE(l->reg[LAPIC_LVT_ERROR]);

    if (__atomic_fetch_or(&l->errors, esr_bit, __ATOMIC_SEQ_CST) & esr_bit)
        return;
    if (!(lvt & LVT_MASKED))
        lapic_raise(v, (uint8_t)lvt);
}

void lapic_raise(struct vcpu *v, uint8_t vector)
{
    struct lapic *l = lapic_of(v);

    if (!is_on(l))
        return;
    if (vector < LOWEST_VECTOR) {
        lapic_error(v, ESR_RECEIVE_VECTOR);
        return;
    }
    atomic_or(&l->reg[LAPIC_IRR + vector / 32], 1u << vector % 32);
    vcpu_unblock(v);
    vcpu_kick(v);
}

uint32_t lapic_ppr(const struct lapic *l)
{
    uint32_t tpr = l->reg[LAPIC_TPR];
    int in_service = highest(&l->reg[LAPIC_ISR]);
    uint32_t class = in_service < 0 ? 0 : (uint32_t)in_service & 0xf0;

    return (tpr & 0xf0) >= class ? tpr : class;
}

int lapic_pending(const struct vcpu *v)
{
    const struct lapic *l = lapic_seen(v);
    int vector = highest(&l->reg[LAPIC_IRR]);

    if (vector < 0 || !lapic_enabled(l)) /* Race: what was sent before that was seen */
        return -1;
    return ((uint32_t)vector & 0xf0) > lapic_ppr(l) ? vector : -1;
}

void lapic_accept(struct vcpu *v, uint8_t vector)
{
    struct lapic *l = lapic_of(v);
    uint32_t bit = 1u << vector % 32;

    atomic_and(&l->reg[LAPIC_IRR + vector / 32], ~bit);
    l->reg[LAPIC_ISR + vector / 32] |= bit;
    lapic_timer_accepted(v, vector);
}

void lapic_eoi(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);
    int vector = highest(&l->reg[LAPIC_ISR]);

    if (vector >= 0)
        l->reg[LAPIC_ISR + vector / 32] &= ~(1u << vector % 32);
}

/* Whose APIC is disabled by MSR 1Bh has the PIC at its INTR pin. */
bool lapic_takes_extint(const struct vcpu *v)
{
    const struct lapic *l = lapic_seen(v);
    uint32_t lvt = READ_ONCE(l->reg[LAPIC_LVT_LINT0]);

    return !v->vcpu_id && (!lapic_enabled(l) || (lvt & (LVT_MASKED | LVT_MODE)) == LVT_EXTINT);
}
