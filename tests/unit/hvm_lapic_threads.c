/* SPDX-License-Identifier: MIT */
/*
 * Local APICs with a thread for each CPU, and more vCPUs than CPUs. Each vCPU looks at its
 * interrupts on its way to the guest alone, and halts when there is nothing to do: so a wake-up or
 * a kick that is lost is an interrupt that is still pending when all have halted.
 */
#include "hvm_lapic_support.h"

#define CPUS  4
#define VCPUS 7

static struct domain *d;

static int setup(void **state)
{
    (void)state;
    d = lapic_guest(VCPUS, true);
    host_set_cpus(CPUS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lapic_guest_end(d);
    return 0;
}

static void all_halted(void)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        assert_true(v->pause_flags & (VPF_blocked | VPF_down));
        assert_int_equal(lapic_pending(v), -1);
        assert_int_equal(lapic_of(v)->timer.rank, 0);
    }
}

/* ---- tokens go round: vector 32 + n is token n, which only its holder touches ---- */

#define TOKENS 24
#define HOPS   3000u

static struct token {
    unsigned int hops, seed;
} tokens[TOKENS];

static void pass_on(struct vcpu *v, unsigned int n)
{
    struct token *t = &tokens[n];

    if (t->hops++ < HOPS)
        lapic_ipi(v, 0x4000 | (32 + n), (uint32_t)rand_r(&t->seed) % VCPUS);
}

static bool pass_tokens(struct vcpu *v, bool entered)
{
    int vector = entered ? lapic_pending(v) : -1;

    if (vector >= 0) {
        lapic_accept(v, (uint8_t)vector);
        pass_on(v, (unsigned int)vector - 32);
        lapic_put(v, 0x0b, 0);
    } else {
        vcpu_block(v);
    }
    return true;
}

static void no_interrupt_is_lost(void **state)
{
    (void)state;
    lapic_all_up(d);
    for (unsigned int i = 0; i < VCPUS; i += 2)
        lapic_to_x2apic(d->vcpu[i]);
    for (unsigned int n = 0; n < TOKENS; n++) {
        tokens[n] = (struct token){.seed = n};
        pass_on(d->vcpu[n % VCPUS], n);
    }
    host_run_threads(pass_tokens);
    all_halted();
    for (unsigned int n = 0; n < TOKENS; n++)
        assert_int_equal(tokens[n].hops, HOPS + 1);
}

/* ---- timers: each that was set interrupts once ---- */

#define ROUNDS 2000u

static struct {
    unsigned int set, came, seed;
} timers[VCPUS];

static void set_timer(struct vcpu *v, unsigned int seed)
{
    uint32_t ns = 1 + seed % 30000;

    if (seed & 64) { /* by TSC */
        lapic_put(v, 0x32, 2u << 17 | 0x50);
        assert_true(lapic_wrmsr(v, 0x6e0, clock_ticks() + 2 * ns));
    } else {
        lapic_put(v, 0x32, 0x50);
        lapic_put(v, 0x38, ns);
    }
}

/* It halts, or it looks at the count, or writes the same entry again, until it comes. */
static bool wait_for_timer(struct vcpu *v, bool entered)
{
    unsigned int i = v->vcpu_id, seed = (unsigned int)rand_r(&timers[i].seed);

    if (entered && lapic_serve(v) >= 0)
        timers[i].came++;
    else if (timers[i].came < timers[i].set && seed % 4 == 0)
        (void)lapic_get(v, 0x39);
    else if (timers[i].came < timers[i].set && seed % 4 == 1)
        lapic_put(v, 0x32, lapic_get(v, 0x32));
    else if (timers[i].came < timers[i].set || timers[i].set == ROUNDS)
        vcpu_block(v);
    else if (timers[i].set++ < ROUNDS)
        set_timer(v, seed);
    return true;
}

static void all_up_with_timers(void)
{
    lapic_all_up(d);
    for (unsigned int i = 0; i < VCPUS; i++) {
        timers[i].set = timers[i].came = 0;
        timers[i].seed = i;
        lapic_put(d->vcpu[i], 0x3e, 0xb);
    }
}

static void each_timer_comes_once(void **state)
{
    (void)state;
    all_up_with_timers();
    host_run_threads(wait_for_timer);
    all_halted();
    for (unsigned int i = 0; i < VCPUS; i++) {
        assert_int_equal(timers[i].set, ROUNDS);
        assert_int_equal(timers[i].came, ROUNDS);
    }
}

/* A periodic one comes as often as its interrupt is taken, with others in between, and not after it
 * was stopped. */
static bool take_ticks(struct vcpu *v, bool entered)
{
    unsigned int i = v->vcpu_id, seed = (unsigned int)rand_r(&timers[i].seed);

    if (entered && lapic_serve(v) == 0x50)
        timers[i].came++;
    else if (timers[i].came >= ROUNDS && timers[i].set++ == 0)
        lapic_put(v, 0x38, 0);
    else if (timers[i].came < ROUNDS && seed % 8 == 0)
        lapic_ipi(v, 0x4051, seed / 8 % VCPUS);
    else
        vcpu_block(v);
    return true;
}

static void periodic_timers_go_on(void **state)
{
    (void)state;
    all_up_with_timers();
    for (unsigned int i = 0; i < VCPUS; i++) {
        lapic_put(d->vcpu[i], 0x32, 1u << 17 | 0x50);
        lapic_put(d->vcpu[i], 0x38, 60000 + i);
    }
    host_run_threads(take_ticks);
    all_halted();
    for (unsigned int i = 0; i < VCPUS; i++)
        assert_in_range(timers[i].came, ROUNDS, ROUNDS + 1);
}

/* ---- INIT and SIPI: vCPU 0 sends, the others obey the last ---- */

#define ORDERS 5000u

static struct {
    int told;   /* by vCPU 0: where it was last started; -1: INIT and no more */
    int starts; /* where it last did; -1: it did not since the last INIT */
    bool waits; /* as far as vCPU 0 knows */
    unsigned int times;
} starts[VCPUS];
static unsigned int orders, orders_seed, last_told;

/* Most often when the one before has been obeyed */
static void give_order(struct vcpu *v)
{
    unsigned int seed = (unsigned int)rand_r(&orders_seed), i = 1 + seed % (VCPUS - 1);
    int page = (int)(seed >> 8 & 0xff);

    if (lapic_startup_pending(d->vcpu[last_told]) && seed & 0x60000) {
        host_give_way();
        return;
    }
    orders++;
    last_told = i;
    if (seed & 0x10000) {
        lapic_ipi(v, 0x4500, i);
        starts[i].told = -1;
        starts[i].waits = true;
    } else {
        lapic_ipi(v, 0x4600 | (uint32_t)page, i);
        if (starts[i].waits)
            starts[i].told = page;
        starts[i].waits = false;
    }
}

static bool obey(struct vcpu *v, bool entered)
{
    unsigned int i = v->vcpu_id;
    uint8_t vector;

    if (!entered)
        return true;
    switch (lapic_take_startup(v, &vector)) {
    case LAPIC_WAITS:
        starts[i].starts = -1;
        return true;
    case LAPIC_STARTS:
        starts[i].starts = vector;
        starts[i].times++;
        break;
    case LAPIC_RUNS:
        break;
    }
    if (i == 0 && orders < ORDERS)
        give_order(v);
    else
        vcpu_block(v);
    return true;
}

static void the_last_order_is_obeyed(void **state)
{
    (void)state;
    orders = orders_seed = last_told = 0;
    for (unsigned int i = 0; i < VCPUS; i++) {
        starts[i].told = starts[i].starts = -1;
        starts[i].waits = true;
    }
    host_run_threads(obey);
    all_halted();
    for (unsigned int i = 1; i < VCPUS; i++) {
        bool down = d->vcpu[i]->pause_flags & VPF_down;

        assert_false(lapic_startup_pending(d->vcpu[i]) && !down);
        assert_int_equal(starts[i].told < 0, down);
        if (!down)
            assert_int_equal(starts[i].starts, starts[i].told);
        assert_in_range(starts[i].times, ORDERS / VCPUS / 20, ORDERS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_interrupt_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(each_timer_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(periodic_timers_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_order_is_obeyed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
