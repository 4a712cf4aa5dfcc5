/* SPDX-License-Identifier: MIT */
/* The registers of the local APIC, and what its parts ask of each other: hvm/lapic*.c. */
#ifndef HVM_LAPIC_INTERNAL_H
#define HVM_LAPIC_INTERNAL_H

#include <core/state/domain.h>
#include <hvm/lapic.h>

enum {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_APR = 0x09,
    LAPIC_PPR = 0x0a,
    LAPIC_EOI = 0x0b,
    LAPIC_RRD = 0x0c,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SVR = 0x0f,
    LAPIC_ISR = 0x10, /* 8 words each */
    LAPIC_TMR = 0x18, /* always 0: nothing here is level-triggered */
    LAPIC_IRR = 0x20,
    LAPIC_ESR = 0x28,
    LAPIC_ICR = 0x30,
    LAPIC_ICR2 = 0x31, /* the destination */
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_PERF = 0x34,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_INITIAL = 0x38,
    LAPIC_TIMER_CURRENT = 0x39,
    LAPIC_TIMER_DIVIDE = 0x3e,
    LAPIC_SELF_IPI = 0x3f,
    LAPIC_REGISTERS = 0x40,
};
_Static_assert(ARRAY_SIZE(((struct lapic *)NULL)->reg) == LAPIC_REGISTERS, "one register file");

#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800

#define BASE_BSP     (1ull << 8)
#define BASE_X2APIC  (1ull << 10)
#define BASE_ENABLED (1ull << 11)

#define SVR_ENABLED (1u << 8)

#define LVT_MODE      (7u << 8)
#define LVT_EXTINT    (7u << 8)
#define LVT_STATUS    (1u << 12 | 1u << 14) /* of a line, for reading: always 0 */
#define LVT_MASKED    (1u << 16)
#define TIMER_MODE    (3u << 17)
#define TIMER_PERIOD  (1u << 17)
#define TIMER_TSC     (2u << 17)
#define LOWEST_VECTOR 16 /* that an interrupt may have */

#define ESR_SEND_VECTOR    (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER       (1u << 7)

static inline struct lapic *lapic_of(struct vcpu *v)
{
    return &v->arch.hvm.lapic;
}

static inline const struct lapic *lapic_seen(const struct vcpu *v)
{
    return &v->arch.hvm.lapic;
}

static inline bool lapic_enabled(const struct lapic *l)
{
    return READ_ONCE(l->base) & BASE_ENABLED;
}

static inline bool lapic_in_x2apic(const struct lapic *l)
{
    return (READ_ONCE(l->base) & (BASE_ENABLED | BASE_X2APIC)) == (BASE_ENABLED | BASE_X2APIC);
}

/* --- lapic.c --- */
/* All registers; the mode is for the caller. */
void lapic_reset(struct vcpu *v);
uint32_t lapic_ldr(const struct vcpu *v); /* as its mode has it. Any CPU */

/* --- lapic_interrupt.c --- */
uint32_t lapic_ppr(const struct lapic *l);
void lapic_eoi(struct vcpu *v);
void lapic_error(struct vcpu *v, uint32_t esr_bit); /* any CPU */

/* --- lapic_timer.c --- */
void lapic_timer_reset(struct vcpu *v);
void lapic_timer_expired(void *v);
/* LVT_TIMER, TIMER_INITIAL, TIMER_DIVIDE */
void lapic_timer_write(struct vcpu *v, unsigned int i, uint32_t value);
uint32_t lapic_timer_current(struct vcpu *v);
uint64_t lapic_timer_deadline(struct vcpu *v);
void lapic_timer_set_deadline(struct vcpu *v, uint64_t ticks);
void lapic_timer_accepted(struct vcpu *v, uint8_t vector);

/* --- lapic_ipi.c --- */
void lapic_send(struct vcpu *v, uint32_t icr, uint32_t destination);

/* --- lapic_startup.c --- */
void lapic_startup_init(struct vcpu *v);
void lapic_send_init(struct vcpu *v); /* to v. Any CPU, with no lock */
void lapic_send_startup(struct vcpu *v, uint8_t vector);

#endif
