/* SPDX-License-Identifier: MIT */
/*
 * How vCPUs are started: INIT, SIPI, SIPI as Linux sends them; and as nobody should: SIPI alone,
 * twice, to who runs; INIT to everyone, to oneself, to who waits in HLT, between the two.
 */
#include "hvm_lapic_support.h"

#define INIT     0x4500u /* asserted, edge */
#define DEASSERT 0x8500u
#define STARTUP  0x4600u
#define ALL      (2u << 18)

static struct domain *d;
static struct vcpu **vcpu;

static int setup(void **state)
{
    (void)state;
    d = lapic_guest(4, true);
    vcpu = d->vcpu;
    lapic_enable(vcpu[0]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lapic_guest_end(d);
    return 0;
}

static bool is_down(unsigned int i)
{
    return vcpu[i]->pause_flags & VPF_down;
}

/* On its way to the guest; where it starts, or -1 */
static int enters(unsigned int i, enum lapic_startup how)
{
    uint8_t vector = 0x55;

    assert_int_equal(lapic_take_startup(vcpu[i], &vector), how);
    assert_int_equal(is_down(i), how == LAPIC_WAITS);
    assert_false(lapic_startup_pending(vcpu[i]));
    if (how != LAPIC_STARTS)
        assert_int_equal(vector, 0x55);
    return how == LAPIC_STARTS ? vector : -1;
}

static void from_the_beginning(void **state)
{
    (void)state;
    assert_int_equal(enters(0, LAPIC_RUNS), -1);
    for (unsigned int i = 1; i < 4; i++)
        assert_true(is_down(i) && !lapic_startup_pending(vcpu[i]));
    assert_int_equal(lapic_base(vcpu[0]), XAPIC | 0x100);
    assert_int_equal(lapic_base(vcpu[1]), XAPIC);
}

static void as_linux_does(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 4; i++) {
        lapic_ipi(vcpu[0], INIT | 0x8000, i);
        assert_true(is_down(i));
        lapic_ipi(vcpu[0], DEASSERT, i);
        lapic_ipi(vcpu[0], STARTUP | 0x90 | i, i);
        assert_false(is_down(i));
        assert_true(vcpu[i]->sched.queued); /* it is to run */
        assert_true(lapic_startup_pending(vcpu[i]));
        lapic_ipi(vcpu[0], STARTUP | 0x90 | i, i);
        assert_int_equal(enters(i, LAPIC_STARTS), 0x90 + (int)i);
        (void)enters(i, LAPIC_RUNS);
        for (unsigned int other = i + 1; other < 4; other++)
            assert_true(is_down(other));
    }
    lapic_ipi(vcpu[0], STARTUP | 0x99, 1); /* the second, after it started */
    (void)enters(1, LAPIC_RUNS);
    lapic_ipi(vcpu[0], DEASSERT, 1);
    (void)enters(1, LAPIC_RUNS);
}

static void startup_without_init(void **state)
{
    (void)state;
    lapic_ipi(vcpu[0], STARTUP | 0x12, 1); /* it waits since it was made */
    lapic_ipi(vcpu[0], STARTUP | 0x13, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x12);
    lapic_ipi(vcpu[0], STARTUP | 0x14, 1); /* it runs */
    assert_false(lapic_startup_pending(vcpu[1]));
    (void)enters(1, LAPIC_RUNS);
    lapic_ipi(vcpu[1], STARTUP | 0x14, 0);
    (void)enters(0, LAPIC_RUNS);
}

static void init_resets(void **state)
{
    struct vcpu *v = vcpu[1];

    (void)state;
    lapic_all_up(d);
    lapic_to_x2apic(v);
    lapic_put(v, 8, 0x20);
    lapic_put(v, 0x37, 0x40);
    lapic_raise(v, 0x50);
    lapic_raise(v, 0x10);
    lapic_raise(v, 0);
    lapic_accept(v, 0x50);
    lapic_put(v, 0x32, 0x60 | 1u << 17);
    lapic_put(v, 0x38, 50000000);
    lapic_ipi(vcpu[0], INIT, 1);
    assert_true(lapic_startup_pending(v));
    assert_int_equal(lapic_get(v, 8), 0x20); /* its own CPU does it */
    (void)enters(1, LAPIC_WAITS);
    assert_int_equal(lapic_base(v), X2APIC);
    assert_int_equal(lapic_get(v, 8), 0);
    assert_int_equal(lapic_get(v, 0x0f), 0xff);
    assert_int_equal(lapic_get(v, 0x0d), 2); /* its id stays */
    for (unsigned int i = 0x10; i < 0x28; i++)
        assert_int_equal(lapic_get(v, i), 0);
    for (unsigned int i = 0x32; i < 0x38; i++)
        assert_int_equal(lapic_get(v, i), 0x10000);
    assert_int_equal(lapic_get(v, 0x38), 0);
    host_advance(MILLISECS(1));
    assert_int_equal(lapic_pending(v), -1);
    lapic_put(v, 0x28, 0);
    assert_int_equal(lapic_get(v, 0x28), 0);
    lapic_raise(v, 0x50); /* who waits takes none */
    assert_true(is_down(1));
    lapic_ipi(vcpu[0], STARTUP | 0x34, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x34);
    assert_int_equal(lapic_pending(v), -1);
    lapic_enable(v);
    lapic_put(v, 0x32, 0x60); /* nor does its timer count */
    host_advance(SECONDS(1));
    assert_int_equal(lapic_pending(v), -1);
}

static void init_between(void **state)
{
    (void)state;
    lapic_ipi(vcpu[0], STARTUP | 0x12, 1);
    lapic_ipi(vcpu[0], INIT, 1); /* it did not start yet: the SIPI is forgotten */
    (void)enters(1, LAPIC_WAITS);
    lapic_ipi(vcpu[0], INIT, 1);
    lapic_ipi(vcpu[0], INIT, 1);
    lapic_ipi(vcpu[0], STARTUP | 0x13, 1);
    lapic_ipi(vcpu[0], STARTUP | 0x14, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x13);
    /* All before it comes to look: as if one after the other */
    lapic_put(vcpu[1], 8, 0x20);
    lapic_ipi(vcpu[0], INIT, 1);
    lapic_ipi(vcpu[0], STARTUP | 0x15, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x15);
    assert_int_equal(lapic_get(vcpu[1], 8), 0);
}

/* It does not start who waits, and is not for what SIPI starts; one behind SIPI is. */
static void an_nmi_between(void **state)
{
    (void)state;
    lapic_all_up(d);
    lapic_ipi(vcpu[0], 0x4400, 1);
    lapic_ipi(vcpu[0], INIT, 1);
    (void)enters(1, LAPIC_WAITS);
    lapic_ipi(vcpu[0], 0x4400, 1);
    assert_true(is_down(1));
    (void)enters(1, LAPIC_WAITS);
    lapic_ipi(vcpu[0], STARTUP | 0x12, 1);
    assert_false(vcpu[1]->nmi_pending);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x12);
    assert_false(vcpu[1]->nmi_pending);
    lapic_ipi(vcpu[0], INIT, 1);
    lapic_ipi(vcpu[0], STARTUP | 0x13, 1);
    lapic_ipi(vcpu[0], 0x4400, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x13);
    assert_true(vcpu[1]->nmi_pending);
    lapic_ipi(vcpu[0], STARTUP | 0x14, 1); /* to one that runs: nothing */
    assert_true(vcpu[1]->nmi_pending);
}

static void init_to_everyone(void **state)
{
    (void)state;
    lapic_all_up(d);
    lapic_ipi(vcpu[2], INIT | ALL, 0);
    for (unsigned int i = 0; i < 4; i++)
        (void)enters(i, LAPIC_WAITS);
    host_exit_path();
    assert_ptr_equal(current, this_cpu()->idle);
    for (unsigned int i = 0; i < 4; i++)
        assert_true(is_down(i) && !vcpu[i]->sched.queued && !vcpu[i]->sched.on_cpu);
}

static void init_to_oneself(void **state)
{
    (void)state;
    lapic_ipi(vcpu[0], INIT, 0);
    (void)enters(0, LAPIC_WAITS);
    lapic_ipi(vcpu[0], STARTUP | 0x77, 0); /* as if another had */
    assert_int_equal(enters(0, LAPIC_STARTS), 0x77);
}

static void wakes_from_halt(void **state)
{
    (void)state;
    lapic_all_up(d);
    host_run_as(vcpu[1]);
    vcpu_block(vcpu[1]);
    assert_true(vcpu[1]->pause_flags & VPF_blocked);
    lapic_ipi(vcpu[0], INIT, 1);
    assert_false(vcpu[1]->pause_flags & VPF_blocked);
    vcpu_block(vcpu[1]); /* or: just before it blocks */
    assert_false(vcpu[1]->pause_flags & VPF_blocked);
    (void)enters(1, LAPIC_WAITS);
}

static void kicks(void **state)
{
    unsigned int before;

    (void)state;
    lapic_all_up(d);
    host_set_cpus(2);
    host_run_as(vcpu[1]);
    host_run_on(1);
    before = host_kicks;
    lapic_ipi(vcpu[0], INIT, 1);
    assert_true(host_kicks > before);
    host_run_on(0);
}

/* Somebody else brings one up that waits, and brings one down that runs. */
static void up_and_down_by_others(void **state)
{
    (void)state;
    atomic_and(&vcpu[1]->pause_flags, ~VPF_down);
    vcpu_wake(vcpu[1]);
    (void)enters(1, LAPIC_WAITS);
    lapic_ipi(vcpu[0], STARTUP | 0x12, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x12);
    atomic_or(&vcpu[1]->pause_flags, VPF_down);
    vcpu_sleep(vcpu[1]);
    lapic_ipi(vcpu[0], STARTUP | 0x13, 1); /* it does not wait */
    assert_true(is_down(1) && !lapic_startup_pending(vcpu[1]));
    lapic_ipi(vcpu[0], INIT, 1);
    lapic_ipi(vcpu[0], STARTUP | 0x14, 1);
    assert_int_equal(enters(1, LAPIC_STARTS), 0x14);
}

static void without_an_apic(void **state)
{
    (void)state;
    lapic_all_up(d);
    assert_true(lapic_wrmsr(vcpu[1], BASE_MSR, DISABLED));
    lapic_ipi(vcpu[0], INIT | ALL, 0);
    (void)enters(1, LAPIC_RUNS);
    (void)enters(2, LAPIC_WAITS);
    lapic_ipi(vcpu[0], STARTUP | ALL, 0);
    (void)enters(1, LAPIC_RUNS);
    assert_int_equal(enters(2, LAPIC_STARTS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_the_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(as_linux_does, setup, teardown),
        cmocka_unit_test_setup_teardown(startup_without_init, setup, teardown),
        cmocka_unit_test_setup_teardown(init_resets, setup, teardown),
        cmocka_unit_test_setup_teardown(init_between, setup, teardown),
        cmocka_unit_test_setup_teardown(an_nmi_between, setup, teardown),
        cmocka_unit_test_setup_teardown(init_to_everyone, setup, teardown),
        cmocka_unit_test_setup_teardown(init_to_oneself, setup, teardown),
        cmocka_unit_test_setup_teardown(wakes_from_halt, setup, teardown),
        cmocka_unit_test_setup_teardown(kicks, setup, teardown),
        cmocka_unit_test_setup_teardown(up_and_down_by_others, setup, teardown),
        cmocka_unit_test_setup_teardown(without_an_apic, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
