/* SPDX-License-Identifier: MIT */
/*
 * The local APIC's timer: once, periodic, or at a value of the TSC.
 *
 * It counts nanoseconds (LAPIC_TIMER_KHZ), divided as the guest says. Nothing counts: `due` says
 * when it expires next, and what the current count is follows from the clock. The machine's timer
 * is set for `due` while the entry is not masked.
 *
 * What has expired is settled by whoever sees it first: the callback, on any CPU, or v's own CPU
 * before it looks at the timer or changes it. Who moves `due` on by a compare-and-swap raises the
 * interrupt, so each is raised once, and as the guest had set it until then.
 *
 * Race: a change settles, takes `due` away, changes the rest, and sets `due` last. A callback reads
 * `due` first and the rest after it, and when `due` is still the same at its swap, so is the rest.
 *
 * A periodic timer is not set again when it has expired, but when the guest takes its interrupt (or
 * changes the timer): until then another expiry would make no difference, for the bit in IRR is
 * set. So who does not run, or does not listen, costs nothing, however short its period; the
 * periods that went by are not made up for. An interrupt of that vector always comes to be accepted
 * after `due` was moved on, or is lost with all of IRR when the APIC is reset, and the timer with
 * it. Besides, no period is shorter than PERIOD_LEAST: what is asked shorter is made longer.
 */
#include <core/base/count.h>
#include <hvm/lapic_internal.h>
#include <port/atomic.h>
#include <port/machine.h>

#define NEVER        INT64_MAX
#define PERIOD_LEAST MICROSECS(50)
#define MOST_TICKS   (1ull << 60) /* so far ahead a deadline is told in nanoseconds */

/* How far the count of nanoseconds is shifted: by 1 to 7 for 0 to 6, by 0 for 7 */
static unsigned int divide_shift(const struct lapic *l)
{
    uint32_t code = l->reg[LAPIC_TIMER_DIVIDE];

    return ((code >> 1 & 4) + (code & 3) + 1) % 8;
}

static uint32_t timer_mode(uint32_t lvt)
{
    return lvt & TIMER_MODE;
}

/* What has expired by now raises its interrupt. When it expires next. */
static s_time_t settle(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);
    s_time_t now = clock_now(), due = __atomic_load_n(&l->due, __ATOMIC_ACQUIRE);
    s_time_t period = READ_ONCE(l->period), next = NEVER;
    uint32_t lvt = READ_ONCE(l->reg[LAPIC_LVT_TIMER]);

    if (due > now)
        return due;
    if (period)
        next = due + ((now - due) / period + 1) * period;
    if (cmpxchg(&l->due, due, next) != due)
        return READ_ONCE(l->due);
    if (!(lvt & LVT_MASKED)) {
        count_event_anywhere(v, COUNTER_timers);
        lapic_raise(v, (uint8_t)lvt);
    }
    return next;
}

void lapic_timer_expired(void *v)
{
    (void)settle(v);
}

/* Before a change. When it would expire next */
static s_time_t begin_change(struct vcpu *v)
{
    (void)settle(v);
    return xchg(&lapic_of(v)->due, NEVER); /* Race: it may have been settled once more */
}

static void set_machine_timer(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);
    s_time_t due = settle(v);

    if (due != NEVER && !(l->reg[LAPIC_LVT_TIMER] & LVT_MASKED))
        timer_set(&l->timer, due);
    else
        timer_stop(&l->timer);
}

/* After it */
static void end_change(struct vcpu *v, s_time_t due)
{
    __atomic_store_n(&lapic_of(v)->due, due, __ATOMIC_SEQ_CST);
    set_machine_timer(v);
}

static s_time_t count_time(const struct lapic *l)
{
    s_time_t time = (s_time_t)l->reg[LAPIC_TIMER_INITIAL] << divide_shift(l);
    bool periodic = timer_mode(l->reg[LAPIC_LVT_TIMER]) == TIMER_PERIOD;

    return periodic && time ? MAX(time, PERIOD_LEAST) : time;
}

/* A change from or to TSC deadlines stops it. What is reserved counts once. */
static s_time_t change_lvt(struct lapic *l, uint32_t lvt, s_time_t due)
{
    uint32_t before = timer_mode(l->reg[LAPIC_LVT_TIMER]);

    if (timer_mode(lvt) == TIMER_MODE)
        lvt &= ~TIMER_MODE;
    WRITE_ONCE(l->reg[LAPIC_LVT_TIMER], lvt);
    if ((before == TIMER_TSC) == (timer_mode(lvt) == TIMER_TSC))
        return due;
    l->reg[LAPIC_TIMER_INITIAL] = 0;
    return NEVER;
}

/* While it counts; by TSC it does not. */
static s_time_t change_initial(struct lapic *l, uint32_t count, s_time_t due)
{
    if (timer_mode(l->reg[LAPIC_LVT_TIMER]) == TIMER_TSC)
        return due;
    l->reg[LAPIC_TIMER_INITIAL] = count;
    return count ? clock_now() + count_time(l) : NEVER;
}

/* The rest of the count goes on in the new steps. */
static s_time_t change_divide(struct lapic *l, uint32_t code, s_time_t due)
{
    s_time_t now = clock_now(), rest = due > now ? due - now : 0;
    unsigned int before = divide_shift(l);

    l->reg[LAPIC_TIMER_DIVIDE] = code;
    if (due == NEVER || timer_mode(l->reg[LAPIC_LVT_TIMER]) == TIMER_TSC)
        return due;
    return now + ((rest >> before) << divide_shift(l));
}

void lapic_timer_write(struct vcpu *v, unsigned int i, uint32_t value)
{
    struct lapic *l = lapic_of(v);
    s_time_t due = begin_change(v);

    if (i == LAPIC_LVT_TIMER)
        due = change_lvt(l, value, due);
    else if (i == LAPIC_TIMER_INITIAL)
        due = change_initial(l, value, due);
    else
        due = change_divide(l, value, due);
    WRITE_ONCE(l->period, timer_mode(l->reg[LAPIC_LVT_TIMER]) == TIMER_PERIOD ? count_time(l) : 0);
    end_change(v, due);
}

/* It is 0 only when it has expired; a period that was made longer stays long at its first count. */
uint32_t lapic_timer_current(struct vcpu *v)
{
    const struct lapic *l = lapic_of(v);
    s_time_t due = settle(v), rest = due - clock_now();
    unsigned int shift = divide_shift(l);

    if (due == NEVER || timer_mode(l->reg[LAPIC_LVT_TIMER]) == TIMER_TSC)
        return 0;
    if (rest < 1)
        rest = 1;
    return (uint32_t)MIN((rest + (1 << shift) - 1) >> shift, (s_time_t)l->reg[LAPIC_TIMER_INITIAL]);
}

uint64_t lapic_timer_deadline(struct vcpu *v)
{
    return settle(v) == NEVER ? 0 : lapic_of(v)->deadline;
}

/* 0 stops it; what has passed expires at once. */
void lapic_timer_set_deadline(struct vcpu *v, uint64_t ticks)
{
    struct lapic *l = lapic_of(v);
    uint64_t now = clock_ticks();
    s_time_t due = NEVER;

    if (timer_mode(l->reg[LAPIC_LVT_TIMER]) != TIMER_TSC)
        return;
    (void)begin_change(v);
    l->deadline = ticks;
    if (ticks && ticks <= now)
        due = clock_now();
    else if (ticks)
        due = ticks - now < MOST_TICKS ? clock_at(ticks) : NEVER - 1;
    end_change(v, due);
}

void lapic_timer_accepted(struct vcpu *v, uint8_t vector)
{
    const struct lapic *l = lapic_of(v);

    if (l->period && vector == (uint8_t)l->reg[LAPIC_LVT_TIMER])
        set_machine_timer(v);
}

void lapic_timer_reset(struct vcpu *v)
{
    struct lapic *l = lapic_of(v);

    (void)xchg(&l->due, NEVER);
    WRITE_ONCE(l->period, 0);
    l->deadline = 0;
    timer_stop(&l->timer);
}
