/* SPDX-License-Identifier: MIT */
/*
 * The local APIC (Intel SDM volume 3, chapter "APIC"; AMD APM volume 2, chapter 16): its registers
 * and its modes.
 *
 * There is one file of registers. In xAPIC mode they are in memory, 16 bytes apart; in x2APIC mode
 * they are MSRs, one apart; so the index is the same, and one table says which of them there are in
 * which mode, and which bits may be written. Where they differ is by the manuals: what is reserved
 * is ignored in memory and #GP in an MSR; ICR is two registers in memory and one in an MSR; LDR is
 * the guest's to set in memory and follows from the id in an MSR.
 *
 * A vCPU's APIC id is its number. x2APIC is there for domains that are told of Xen alone: a kernel
 * that sees no hypervisor turns it off again. Registers stay at LAPIC_ADDRESS, where no memory of
 * the domain is. There is no IOAPIC: the PIC's interrupts come through LINT0 of vCPU 0, and all
 * others are messages and edges, so that nobody waits for an EOI. LINT1, thermal and performance
 * entries can be set; nothing here comes through them, and NMIs are messages.
 *
 * Who touches what: v's own CPU, or who has v paused, all of it. Others (who send an interrupt, and
 * the timer's callback) only
 *   - set bits in IRR and `errors`: atomic;
 *   - read the mode and the registers that say whether an interrupt is for v, and is taken: base,
 *     SVR, LDR, DFR, TPR, the entries for timer and errors. These are words that are written once
 *     and whole. Race: what is sent while the guest changes them meets the old or the new one, as
 *     on a bus;
 *   - begin v's start (hvm/lapic_startup.c), and end a period of its timer (hvm/lapic_timer.c).
 *
 * No lock but there.
 */
#include <core/base/log.h>
#include <hv/x86_bits.h>
#include <hvm/lapic_internal.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <port/nospec.h>
#include <xen/errno.h>

#define LVT_LAST        LAPIC_LVT_ERROR
#define VERSION         (0x14u | (LVT_LAST - LAPIC_LVT_TIMER) << 16)
#define BASE_ADDRESS    0xffffffffff000ul
#define BASE_MODE       (BASE_ENABLED | BASE_X2APIC)
#define DFR_ALWAYS      0x0fffffffu
#define SVR_AFTER_RESET 0xffu

#define X_READ   1u
#define X_WRITE  2u
#define X2_READ  4u
#define X2_WRITE 8u
#define READ     (X_READ | X2_READ)
#define WRITE    (X_WRITE | X2_WRITE)

/* access 0: there is none */
static const struct {
    uint32_t bits; /* that may be written */
    uint8_t access;
} registers[LAPIC_REGISTERS] = {
    /* clang-format off */
    [LAPIC_ID]            = {0,           READ},
    [LAPIC_VERSION]       = {0,           READ},
    [LAPIC_TPR]           = {0xff,        READ | WRITE},
    [LAPIC_APR]           = {0,           X_READ},
    [LAPIC_PPR]           = {0,           READ},
    [LAPIC_EOI]           = {0,           WRITE},
    [LAPIC_RRD]           = {0,           X_READ},
    [LAPIC_LDR]           = {0xff000000,  READ | X_WRITE},
    [LAPIC_DFR]           = {~DFR_ALWAYS, X_READ | X_WRITE},
    [LAPIC_SVR]           = {0x3ff,       READ | WRITE},
    [LAPIC_ISR ... LAPIC_IRR + 7] = {0,   READ},
    [LAPIC_ESR]           = {0,           READ | WRITE},
    [LAPIC_ICR]           = {0xccfff,     READ | WRITE},
    [LAPIC_ICR2]          = {0xff000000,  X_READ | X_WRITE},
    [LAPIC_LVT_TIMER]     = {0x710ff,     READ | WRITE},
    [LAPIC_LVT_THERMAL]   = {0x117ff,     READ | WRITE},
    [LAPIC_LVT_PERF]      = {0x117ff,     READ | WRITE},
    [LAPIC_LVT_LINT0]     = {0x1f7ff,     READ | WRITE},
    [LAPIC_LVT_LINT1]     = {0x1f7ff,     READ | WRITE},
    [LAPIC_LVT_ERROR]     = {0x110ff,     READ | WRITE},
    [LAPIC_TIMER_INITIAL] = {~0u,         READ | WRITE},
    [LAPIC_TIMER_CURRENT] = {0,           READ},
    [LAPIC_TIMER_DIVIDE]  = {0xb,         READ | WRITE},
    [LAPIC_SELF_IPI]      = {0xff,        X2_WRITE},
    /* clang-format on */
};

uint32_t lapic_ldr(const struct vcpu *v)
{
    if (lapic_in_x2apic(lapic_seen(v)))
        return v->vcpu_id / 16 << 16 | 1u << v->vcpu_id % 16;
    return READ_ONCE(lapic_seen(v)->reg[LAPIC_LDR]);
}

static uint32_t read_register(struct vcpu *v, unsigned int i)
{
    struct lapic *l = lapic_of(v);

    switch (i) {
    case LAPIC_ID:
        return lapic_in_x2apic(l) ? v->vcpu_id : v->vcpu_id << 24;
    case LAPIC_VERSION:
        return VERSION;
    case LAPIC_LDR:
        return lapic_ldr(v);
    case LAPIC_PPR:
        return lapic_ppr(l);
    case LAPIC_TIMER_CURRENT:
        return lapic_timer_current(v);
    default:
        return READ_ONCE(l->reg[i]);
    }
}

/* While the APIC is disabled by SVR all entries are masked. */
static void write_lvt(struct vcpu *v, unsigned int i, uint32_t value)
{
    struct lapic *l = lapic_of(v);

    value &= ~LVT_STATUS;
    if (!(l->reg[LAPIC_SVR] & SVR_ENABLED))
        value |= LVT_MASKED;
    if (i == LAPIC_LVT_TIMER)
        lapic_timer_write(v, i, value);
    else
        WRITE_ONCE(l->reg[i], value);
}

/* All entries are masked while it is disabled; but the PIC's line stays as it is: a kernel that
 * finds no IOAPIC takes it as the firmware left it, after it has disabled the APIC once. */
static void write_svr(struct vcpu *v, uint32_t value)
{
    struct lapic *l = lapic_of(v);

    for (unsigned int i = LAPIC_LVT_TIMER; i <= LVT_LAST && !(value & SVR_ENABLED); i++)
        if (i != LAPIC_LVT_LINT0 || (l->reg[i] & LVT_MODE) != LVT_EXTINT)
            write_lvt(v, i, l->reg[i] | LVT_MASKED);
    WRITE_ONCE(l->reg[LAPIC_SVR], value);
}

/* A register that can be written, with the bits of it that can be. */
static void write_register(struct vcpu *v, unsigned int i, uint32_t value)
{
    struct lapic *l = lapic_of(v);

    switch (i) {
    case LAPIC_EOI:
        lapic_eoi(v);
        break;
    case LAPIC_SVR:
        write_svr(v, value);
        break;
    case LAPIC_ESR:
        l->reg[i] = xchg(&l->errors, 0);
        break;
    case LAPIC_ICR:
        l->reg[i] = value;
        lapic_send(v, value, lapic_in_x2apic(l) ? l->reg[LAPIC_ICR2] : l->reg[LAPIC_ICR2] >> 24);
        break;
    case LAPIC_SELF_IPI:
        lapic_send(v, value, v->vcpu_id);
        break;
    case LAPIC_LVT_TIMER ... LVT_LAST:
        write_lvt(v, i, value);
        break;
    case LAPIC_TIMER_INITIAL:
    case LAPIC_TIMER_DIVIDE:
        lapic_timer_write(v, i, value);
        break;
    case LAPIC_DFR:
        value |= DFR_ALWAYS;
        __attribute__((fallthrough));
    default:
        WRITE_ONCE(l->reg[i], value);
    }
}

/* --- in memory --- */

static bool in_memory(const struct lapic *l, unsigned int offset)
{
    return lapic_enabled(l) && !lapic_in_x2apic(l) && offset < PAGE_SIZE && offset % 16 == 0;
}

/* 0, and an error: there is no such register */
static unsigned int access_at(struct vcpu *v, unsigned int offset)
{
    unsigned int i = (unsigned int)index_nospec(offset / 16, LAPIC_REGISTERS);
    unsigned int access = offset / 16 < LAPIC_REGISTERS ? registers[i].access : 0;

    access &= X_READ | X_WRITE;
    if (!access)
        lapic_error(v, ESR_REGISTER);
    return access;
}

uint32_t lapic_mmio_read(struct vcpu *v, unsigned int offset)
{
    if (!in_memory(lapic_of(v), offset))
        return ~0u;
    return access_at(v, offset) & X_READ ? read_register(v, offset / 16) : 0;
}

void lapic_mmio_write(struct vcpu *v, unsigned int offset, uint32_t value)
{
    if (in_memory(lapic_of(v), offset) && access_at(v, offset) & X_WRITE)
        write_register(v, offset / 16, value & registers[offset / 16].bits);
}

/* --- in MSRs --- */

/* From disabled to xAPIC, to x2APIC, to disabled; and back from xAPIC. What it had is lost where it
 * becomes disabled. */
static bool write_base(struct vcpu *v, uint64_t value)
{
    struct lapic *l = lapic_of(v);
    uint64_t was = l->base & BASE_MODE, mode = value & BASE_MODE;

    if (value & ~(BASE_ADDRESS | BASE_BSP | BASE_MODE))
        return false;
    if ((value & BASE_ADDRESS) != LAPIC_ADDRESS) {
        (void)refused(-XEN_EINVAL, "its local APIC stays at %#lx: not to %#lx", LAPIC_ADDRESS,
                      value & BASE_ADDRESS);
        return false;
    }
    if (mode == was)
        return true;
    if (mode == BASE_X2APIC || (mode == BASE_MODE && (!v->domain->arch.hvm.xen || !was)) ||
        (mode == BASE_ENABLED && was == BASE_MODE))
        return false;
    WRITE_ONCE(l->base, (l->base & ~BASE_MODE) | mode);
    if (mode == BASE_MODE)
        l->reg[LAPIC_ICR2] = 0; /* all of it is the destination now */
    else
        lapic_reset(v);
    return true;
}

static bool write_msr(struct vcpu *v, unsigned int i, uint64_t value)
{
    uint64_t bits = registers[i].bits;

    if (i == LAPIC_ICR)
        bits |= ~0ull << 32;
    if (!(registers[i].access & X2_WRITE) || value & ~bits)
        return false;
    if (i == LAPIC_LVT_TIMER && (value & TIMER_MODE) == TIMER_MODE)
        return false;
    if (i == LAPIC_ICR)
        lapic_of(v)->reg[LAPIC_ICR2] = (uint32_t)(value >> 32);
    write_register(v, i, (uint32_t)value);
    return true;
}

/* Which register the MSR is. False: none. */
static bool find_register(const struct lapic *l, uint32_t msr, unsigned int *i)
{
    *i = (unsigned int)index_nospec(msr - MSR_X2APIC, LAPIC_REGISTERS);
    return lapic_in_x2apic(l) && msr >= MSR_X2APIC && msr - MSR_X2APIC < LAPIC_REGISTERS;
}

bool lapic_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    struct lapic *l = lapic_of(v);
    unsigned int i;

    if (msr == MSR_APIC_BASE) {
        *value = l->base;
        return true;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *value = lapic_timer_deadline(v);
        return true;
    }
    if (!find_register(l, msr, &i) || !(registers[i].access & X2_READ))
        return false;
    *value = read_register(v, i);
    if (i == LAPIC_ICR)
        *value |= (uint64_t)l->reg[LAPIC_ICR2] << 32;
    return true;
}

bool lapic_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value)
{
    unsigned int i;

    if (msr == MSR_APIC_BASE)
        return write_base(v, value);
    if (msr == MSR_TSC_DEADLINE) {
        lapic_timer_set_deadline(v, value);
        return true;
    }
    return find_register(lapic_of(v), msr, &i) && write_msr(v, i, value);
}

uint64_t lapic_cr8(const struct vcpu *v)
{
    return lapic_seen(v)->reg[LAPIC_TPR] >> 4;
}

void lapic_set_cr8(struct vcpu *v, uint64_t cr8)
{
    WRITE_ONCE(lapic_of(v)->reg[LAPIC_TPR], (uint32_t)(cr8 & 0xf) << 4);
}

/* --- its life --- */

void lapic_reset(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);

    lapic_timer_reset(v);
    for (unsigned int i = 0; i < LAPIC_REGISTERS; i++)
        WRITE_ONCE(l->reg[i], i >= LAPIC_LVT_TIMER && i <= LVT_LAST ? LVT_MASKED : 0);
    WRITE_ONCE(l->reg[LAPIC_DFR], ~0u);
    WRITE_ONCE(l->reg[LAPIC_SVR], SVR_AFTER_RESET);
    WRITE_ONCE(l->errors, 0);
}

void lapic_init(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);

    timer_init(&l->timer, lapic_timer_expired, v);
    l->base = LAPIC_ADDRESS | BASE_ENABLED | (v->vcpu_id ? 0 : BASE_BSP);
    lapic_startup_init(v);
    lapic_reset(v);
}

void lapic_virtual_wire(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);

    l->reg[LAPIC_SVR] |= SVR_ENABLED;
    l->reg[LAPIC_LVT_LINT0] = LVT_EXTINT;
}

void lapic_kill(struct vcpu *v)
{
    timer_kill(&lapic_of(v)->timer);
}
