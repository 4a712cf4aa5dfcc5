/* SPDX-License-Identifier: MIT */
/*
 * Four vCPUs do anything to their local APICs: any register and MSR with any value, in both modes;
 * take interrupts, end them, halt, let time pass. After each step:
 *
 *   - no lock is held; no bit is set in a register that has no such bit; no vector below 16 waits
 * or is in service; an APIC that is disabled by software has all entries masked;
 *   - what may be taken now is above what is in service and TPR, and who could take something, or
 *     has to start, does not sleep;
 *   - a timer that counts is not lost: it is set in the machine, or its interrupt waits; it is not
 *     set for a period shorter than 50 us;
 *   - who waits for its start is down once it came to look, and who has a SIPI is up.
 */
#include "hvm_lapic_support.h"
#include "random_lives.h"

#define VCPUS 4

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: vcpu %u: %s\n", __FILE__, __LINE__, v->vcpu_id, #cond);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const uint8_t *next, *end;
static struct domain *d;

static uint8_t byte(void)
{
    return next < end ? *next++ : 0;
}

static uint32_t word(void)
{
    uint8_t kind = byte();

    if (kind < 64)
        return kind;
    if (kind < 128) /* a vector with bits of an entry, or of ICR */
        return (uint32_t)(byte() & 7) << 16 | (uint32_t)(byte() & 0xef) << 8 | byte();
    if (kind < 160)
        return 1u << kind % 32;
    if (kind < 176)
        return kind & 1 ? ~0u : 0;
    if (kind < 208)
        return (uint32_t)byte() << 24;
    if (kind < 224)
        return 0x100 | byte();
    return (uint32_t)byte() << 24 | (uint32_t)byte() << 16 | (uint32_t)byte() << 8 | byte();
}

/* One that means something there, most often */
static uint32_t value_for(unsigned int i)
{
    uint8_t b = byte();

    if (b < 32)
        return word();
    switch (i) {
    case LAPIC_TPR:
        return b & 0x7f;
    case LAPIC_SVR:
        return b < 40 ? b : 0x100 | b;
    case LAPIC_ICR:
        return (uint32_t)(byte() & 0xf) << 16 | (uint32_t)(byte() & 0xcf) << 8 | byte();
    case LAPIC_ICR2:
        return (uint32_t)(b % 8) << 24;
    case LAPIC_LVT_TIMER:
        return (uint32_t)(b % 8 < 1) << 16 | (uint32_t)(b % 3) << 17 | byte();
    case LAPIC_LVT_LINT0 ... LAPIC_LVT_ERROR:
        return (b % 4 ? 0x700u : 0x10000u) | byte();
    case LAPIC_TIMER_INITIAL:
        return b * 100u;
    default:
        return b & 1 ? 0 : word();
    }
}

/* One that is there, most often */
static unsigned int index_of_register(void)
{
    static const uint8_t likely[] = {0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31,
                                     0x32, 0x35, 0x37, 0x38, 0x39, 0x3e, 0x3f, 0x0a};
    uint8_t b = byte();

    return b < 224 ? likely[b % ARRAY_SIZE(likely)] : byte();
}

static void check_registers(const struct vcpu *v)
{
    static const uint32_t none[LAPIC_REGISTERS] = {
        [LAPIC_ID] = ~0u,
        [LAPIC_VERSION] = ~0u,
        [LAPIC_TPR] = ~0xffu,
        [LAPIC_PPR] = ~0u,
        [LAPIC_EOI] = ~0u,
        [LAPIC_SVR] = ~0x3ffu,
        [LAPIC_ISR] = 0xffff,
        [LAPIC_TMR... LAPIC_TMR + 7] = ~0u,
        [LAPIC_IRR] = 0xffff,
        [LAPIC_ESR] = ~0xe0u,
        [LAPIC_ICR] = ~0xccfffu,
        [LAPIC_LVT_TIMER] = ~0x700ffu,
        [LAPIC_LVT_LINT0] = ~0x1a7ffu,
        [LAPIC_LVT_ERROR] = ~0x100ffu,
        [LAPIC_TIMER_CURRENT] = ~0u,
        [LAPIC_TIMER_DIVIDE] = ~0xbu,
        [LAPIC_SELF_IPI] = ~0u,
    };
    const struct lapic *l = lapic_seen(v);
    uint64_t mode = l->base & 0xc00;

    CHECK((l->base & ~0xc00ull) == (v->vcpu_id ? 0xfee00000 : 0xfee00100));
    CHECK(mode == 0 || mode == 0x800 || (mode == 0xc00 && d->arch.hvm.xen));
    for (unsigned int i = 0; i < LAPIC_REGISTERS; i++)
        CHECK(!(l->reg[i] & none[i]));
    for (unsigned int i = LAPIC_LVT_TIMER; i <= LAPIC_LVT_ERROR; i++)
        CHECK(l->reg[LAPIC_SVR] & SVR_ENABLED || l->reg[i] & LVT_MASKED ||
              (i == LAPIC_LVT_LINT0 && (l->reg[i] & LVT_MODE) == LVT_EXTINT));
    CHECK((l->reg[LAPIC_LVT_TIMER] & TIMER_MODE) != TIMER_MODE);
}

static bool bit(const struct vcpu *v, unsigned int first, unsigned int vector)
{
    return lapic_seen(v)->reg[first + vector / 32] >> vector % 32 & 1;
}

static void check_interrupts(const struct vcpu *v)
{
    int vector = lapic_pending(v);
    bool down = v->pause_flags & VPF_down;

    if (vector >= 0) {
        CHECK(vector >= 16 && bit(v, LAPIC_IRR, (unsigned int)vector));
        CHECK(vector >> 4 > (int)(lapic_seen(v)->reg[LAPIC_TPR] >> 4));
        for (unsigned int i = (unsigned int)vector & 0xf0; i < 256; i++)
            CHECK(!bit(v, LAPIC_ISR, i));
        for (unsigned int i = (unsigned int)vector + 1; i < 256; i++)
            CHECK(!bit(v, LAPIC_IRR, i));
    }
    CHECK(!(v->pause_flags & VPF_blocked) ||
          (vector < 0 && (down || !lapic_startup_pending(v)) && !v->nmi_pending));
}

static void check_timer(const struct vcpu *v)
{
    const struct lapic *l = lapic_seen(v);
    uint32_t lvt = l->reg[LAPIC_LVT_TIMER];
    bool counts = l->due != INT64_MAX, periodic = l->period;

    CHECK(l->period == 0 || l->period >= MICROSECS(50));
    CHECK(!periodic || (lvt & TIMER_MODE) == TIMER_PERIOD);
    if (l->timer.rank)
        CHECK(counts && !(lvt & LVT_MASKED) && l->timer.deadline <= l->due);
    if (counts && !(lvt & LVT_MASKED))
        CHECK(l->timer.rank || (periodic && ((lvt & 0xff) < 16 || bit(v, LAPIC_IRR, lvt & 0xff))));
}

static void check(void)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        uint8_t startup = lapic_seen(v)->startup;

        CHECK(host_locks_held() == 0);
        check_registers(v);
        check_interrupts(v);
        check_timer(v);
        CHECK(startup < 8 && startup != 4);
        CHECK(!(startup & 4) || !(v->pause_flags & VPF_down));
    }
}

static void memory_access(struct vcpu *v)
{
    unsigned int i = index_of_register(), offset = i * 16 + (byte() > 250 ? byte() : 0);
    bool in_memory = (lapic_seen(v)->base & 0xc00) == 0x800 && offset % 16 == 0 && offset < 4096;
    struct lapic before = *lapic_seen(v);

    if (byte() & 1) {
        lapic_mmio_write(v, offset, value_for(i));
        CHECK(in_memory || !memcmp(before.reg, lapic_seen(v)->reg, sizeof(before.reg)));
    } else {
        CHECK(lapic_mmio_read(v, offset) == ~0u || in_memory);
    }
}

static void msr_access(struct vcpu *v)
{
    uint32_t msr = 0x800 + index_of_register();
    uint64_t value;

    if (byte() & 1)
        (void)!lapic_wrmsr(
            v, msr, value_for(msr - 0x800) | (uint64_t)(byte() & 1 ? byte() % 8 : word()) << 32);
    else if (lapic_rdmsr(v, msr, &value))
        CHECK((lapic_seen(v)->base & 0xc00) == 0xc00);
}

static void access(struct vcpu *v)
{
    if (lapic_in_x2apic(lapic_of(v)) ^ (byte() > 240))
        msr_access(v);
    else
        memory_access(v);
}

static void mode_access(struct vcpu *v)
{
    static const uint64_t mode[] = {XAPIC, X2APIC, DISABLED, 0xfee00400};
    uint8_t b = byte();

    (void)!lapic_wrmsr(v, BASE_MSR, mode[b % 4] ^ (b > 192 ? (uint64_t)word() << (b & 32) : 0));
}

static void deadline_access(struct vcpu *v)
{
    uint8_t b = byte();
    uint64_t value;

    CHECK(lapic_wrmsr(v, 0x6e0,
                      b < 64    ? clock_ticks() + word()
                      : b < 128 ? (uint64_t)word() << 32 | word()
                                : word()));
    CHECK(lapic_rdmsr(v, 0x6e0, &value));
}

static void serve(struct vcpu *v)
{
    int vector = lapic_pending(v);

    if (vector >= 0)
        lapic_accept(v, (uint8_t)vector);
    v->nmi_pending = false;
}

/* As its own CPU does, when it runs. */
static void act(struct vcpu *v)
{
    uint8_t vector;

    if (v->pause_flags & (VPF_blocked | VPF_down) || lapic_take_startup(v, &vector) == LAPIC_WAITS)
        return;
    switch (byte() % 32) {
    case 0:
        mode_access(v);
        break;
    case 1:
    case 2:
        deadline_access(v);
        break;
    case 3 ... 7:
        serve(v);
        break;
    default:
        access(v);
        break;
    case 8:
    case 9:
        lapic_set_cr8(v, byte());
        CHECK(lapic_cr8(v) < 16);
        vcpu_block(v);
    }
}

static void step(void)
{
    uint8_t b = byte();
    struct vcpu *v = d->vcpu[b % VCPUS];

    if (b < 200)
        act(v);
    else if (b < 215)
        lapic_raise(v, byte());
    else if (b < 235)
        host_advance(byte() * 1000);
    else if (b < 240)
        host_advance(byte() * 100000000ll);
    else if (b < 250) /* it is waited for no more, for what nobody will send */
        vcpu_unblock(v);
    else
        atomic_and(&v->pause_flags, ~VPF_down); /* VCPUOP_up */
    (void)lapic_takes_extint(v);
}

static void play(const uint8_t *data, size_t n)
{
    uint8_t start;

    next = data;
    end = data + n;
    start = byte();
    d = lapic_guest(VCPUS, start & 1);
    if (start & 2)
        lapic_all_up(d);
    for (unsigned int i = 0; i < VCPUS && (start & 5) == 5; i++)
        lapic_to_x2apic(d->vcpu[i]);
    while (next < end) {
        step();
        check();
    }
    lapic_guest_end(d);
}

const struct random_lives random_lives = {.play = play, .lives = 4000, .bytes = 1000};
