/* SPDX-License-Identifier: MIT */
/*
 * The local APIC's registers in both modes, against a table written from the manuals; its modes;
 * which interrupt is taken, and when; errors.
 */
#include "hvm_lapic_support.h"

static struct domain *d;
static struct vcpu *v;

static int setup(void **state)
{
    (void)state;
    d = lapic_guest(2, true);
    v = d->vcpu[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lapic_guest_end(d);
    return 0;
}

/* Which there are, and what they are after all ones were written, in an APIC that is enabled. */
static const struct known {
    unsigned int i;
    bool x, x2_read, x2_write;
    uint32_t reset, ones; /* in xAPIC mode; read as */
    uint32_t x2_bits;     /* that are not #GP */
} known[] = {
    /* clang-format off */
    {0x02, true,  true,  false, 0,          0,          0},          /* id: of vCPU 0 */
    {0x03, true,  true,  false, 0x00050014, 0x00050014, 0},
    {0x08, true,  true,  true,  0,          0xff,       0xff},       /* TPR */
    {0x09, true,  false, false, 0,          0,          0},
    {0x0a, true,  true,  false, 0,          0xff,       0},          /* PPR: as TPR was written */
    {0x0b, true,  false, true,  0,          0,          0},          /* EOI */
    {0x0c, true,  false, false, 0,          0,          0},
    {0x0d, true,  true,  false, 0,          0xff000000, 0},          /* LDR */
    {0x0e, true,  false, false, 0xffffffff, 0xffffffff, 0},          /* DFR */
    {0x0f, true,  true,  true,  0xff,       0x3ff,      0x3ff},      /* SVR */
    {0x28, true,  true,  true,  0,          0,          0},          /* ESR */
    {0x30, true,  true,  true,  0,          0xccfff,    0xccfff},
    {0x31, true,  false, false, 0,          0xff000000, 0},
    {0x32, true,  true,  true,  0x10000,    0x100ff,    0x710ff},    /* timer: mode 3 is none */
    {0x33, true,  true,  true,  0x10000,    0x107ff,    0x117ff},
    {0x34, true,  true,  true,  0x10000,    0x107ff,    0x117ff},
    {0x35, true,  true,  true,  0x10000,    0x1a7ff,    0x1f7ff},
    {0x36, true,  true,  true,  0x10000,    0x1a7ff,    0x1f7ff},
    {0x37, true,  true,  true,  0x10000,    0x100ff,    0x110ff},
    {0x38, true,  true,  true,  0,          0xffffffff, 0xffffffff},
    {0x39, true,  true,  false, 0,          0xffffffff, 0},          /* it counts */
    {0x3e, true,  true,  true,  0,          0xb,        0xb},
    {0x3f, false, false, true,  0,          0,          0xff},
    /* clang-format on */
};

static struct known what_is(unsigned int i)
{
    for (unsigned int k = 0; k < ARRAY_SIZE(known); k++)
        if (known[k].i == i)
            return known[k];
    return (struct known){.i = i, .x = i >= 0x10 && i < 0x28, .x2_read = i >= 0x10 && i < 0x28};
}

static uint32_t errors(void)
{
    lapic_put(v, 0x28, 0);
    return lapic_get(v, 0x28);
}

static void in_memory(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 0x100; i++) {
        assert_int_equal(lapic_mmio_read(v, i * 16), what_is(i).reset);
        assert_int_equal(errors(), what_is(i).x ? 0 : 0x80);
    }
    lapic_enable(v);
    for (unsigned int i = 0; i < 0x100; i++) {
        if (i == 0x30)
            lapic_put(v, i, 0xccfff); /* of a mode that is none */
        else if (i != 0x0f)
            lapic_put(v, i, ~0u);
        assert_int_equal(errors(), what_is(i).x ? 0 : 0x80);
    }
    lapic_put(v, 0x3e, 0xb); /* before the count, which begins again */
    lapic_put(v, 0x38, ~0u);
    lapic_put(v, 0x0f, ~0u);
    for (unsigned int i = 0; i < 0x100; i++) {
        assert_int_equal(lapic_get(v, i), what_is(i).ones);
        (void)errors();
    }
}

static void not_in_memory(void **state)
{
    (void)state;
    for (unsigned int offset = 1; offset < 16; offset++) {
        assert_int_equal(lapic_mmio_read(v, 0x80 + offset), ~0u);
        lapic_mmio_write(v, 0x80 + offset, 0xff);
    }
    assert_int_equal(lapic_mmio_read(v, PAGE_SIZE), ~0u);
    lapic_mmio_write(v, 0xfffffff0, 0);
    assert_int_equal(lapic_get(v, 8), 0);
    lapic_to_x2apic(v);
    assert_int_equal(lapic_mmio_read(v, 0x80), ~0u);
    lapic_mmio_write(v, 0x80, 0xff);
    assert_int_equal(lapic_get(v, 8), 0);
}

static void in_msrs(void **state)
{
    uint64_t value;

    (void)state;
    for (uint32_t msr = 0x7ff; msr <= 0x840; msr++) {
        assert_false(lapic_rdmsr(v, msr, &value)); /* not in xAPIC mode */
        assert_false(lapic_wrmsr(v, msr, 0));
    }
    lapic_to_x2apic(v);
    lapic_enable(v);
    for (uint32_t msr = 0x7ff; msr <= 0x8ff; msr++) {
        struct known k = what_is(msr - 0x800);

        assert_int_equal(lapic_rdmsr(v, msr, &value), k.x2_read);
        assert_int_equal(lapic_wrmsr(v, msr, 0), k.x2_write);
        for (unsigned int bit = 0; bit < 64; bit++) {
            bool fine = (k.x2_bits | (msr == 0x830 ? ~0ull << 32 : 0)) >> bit & 1;

            assert_int_equal(lapic_wrmsr(v, msr, 1ull << bit), k.x2_write && fine);
        }
        if (msr == 0x80f)
            lapic_enable(v);
    }
    assert_false(lapic_wrmsr(v, 0x832, 3u << 17));
    (void)errors();
    assert_false(lapic_wrmsr(v, 0x828, 0x80));
    assert_int_equal(errors(), 0); /* #GP, and no error */
}

static void x2apic_ids(void **state)
{
    uint64_t value;

    (void)state;
    lapic_guest_end(d);
    d = lapic_guest(35, true);
    v = d->vcpu[0];
    assert_int_equal(lapic_get(d->vcpu[34], 2), 34u << 24);
    lapic_put(d->vcpu[34], 0x0d, 0x12345678);
    assert_int_equal(lapic_get(d->vcpu[34], 0x0d), 0x12000000);
    lapic_to_x2apic(d->vcpu[34]);
    assert_int_equal(lapic_get(d->vcpu[34], 2), 34);
    assert_int_equal(lapic_get(d->vcpu[34], 0x0d), 2u << 16 | 1u << 2);
    assert_true(lapic_wrmsr(d->vcpu[34], 0x830, 0x1234567800008700ull));
    assert_true(lapic_rdmsr(d->vcpu[34], 0x830, &value));
    assert_int_equal(value, 0x1234567800008700ull);
}

/* Each way from each mode. Bit 8 is vCPU 0's, whoever writes it. */
static void modes(void **state)
{
    static const uint64_t mode[] = {DISABLED, XAPIC, X2APIC, 0xfee00400};
    static const bool may[3][4] = {
        {true, true, false, false}, {true, true, true, false}, {true, false, true, false}};

    (void)state;
    for (unsigned int who = 0; who < 2; who++)
        for (unsigned int from = 0; from < 3; from++)
            for (unsigned int to = 0; to < 4; to++) {
                uint64_t bsp = who ? 0 : 0x100;

                v = d->vcpu[who];
                assert_true(lapic_wrmsr(v, BASE_MSR, DISABLED));
                assert_true(lapic_wrmsr(v, BASE_MSR, from ? XAPIC : DISABLED));
                assert_true(lapic_wrmsr(v, BASE_MSR, mode[from]));
                assert_int_equal(lapic_base(v), mode[from] | bsp);
                assert_int_equal(lapic_wrmsr(v, BASE_MSR, mode[to] | (from & 1) << 8),
                                 may[from][to]);
                assert_int_equal(lapic_base(v), mode[may[from][to] ? to : from] | bsp);
            }
}

static void base_stays(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 64; bit++)
        if (bit != 8 && bit != 10 && bit != 11) {
            unsigned int before = host_console_len;

            log_set_level(LOG_DEBUG);
            assert_false(lapic_wrmsr(v, BASE_MSR, XAPIC ^ 1ull << bit));
            assert_int_equal(lapic_base(v), XAPIC | 0x100);
            if (bit == 12)
                assert_non_null(strstr(host_console + before, "0xfee01000"));
        }
}

static void without_xen_no_x2apic(void **state)
{
    (void)state;
    lapic_guest_end(d);
    d = lapic_guest(1, false);
    v = d->vcpu[0];
    assert_false(lapic_wrmsr(v, BASE_MSR, X2APIC));
    assert_int_equal(lapic_base(v), XAPIC | 0x100);
}

/* What it had is there in x2APIC mode, and gone when it was disabled. */
static void what_a_mode_keeps(void **state)
{
    uint64_t icr;

    (void)state;
    lapic_enable(v);
    lapic_put(v, 8, 0x20);
    lapic_put(v, 0x31, 0xff000000);
    lapic_raise(v, 0x35);
    lapic_to_x2apic(v);
    assert_int_equal(lapic_get(v, 8), 0x20);
    assert_int_equal(lapic_pending(v), 0x35);
    assert_true(lapic_rdmsr(v, 0x830, &icr));
    assert_int_equal(icr, 0); /* but for the destination, which is another thing there */
    assert_true(lapic_wrmsr(v, BASE_MSR, DISABLED));
    assert_int_equal(lapic_pending(v), -1);
    lapic_raise(v, 0x36);
    lapic_of(v)->reg[0x21] = 2; /* another CPU saw it enabled a moment ago */
    assert_int_equal(lapic_pending(v), -1);
    assert_true(lapic_wrmsr(v, BASE_MSR, XAPIC));
    assert_int_equal(lapic_get(v, 8), 0);
    assert_int_equal(lapic_get(v, 0x0f), 0xff);
    assert_int_equal(lapic_get(v, 0x31), 0);
    for (unsigned int i = 0x10; i < 0x28; i++)
        assert_int_equal(lapic_get(v, i), 0);
    assert_int_equal(lapic_pending(v), -1);
}

/* ---- interrupts ---- */

static void by_priority(void **state)
{
    (void)state;
    lapic_enable(v);
    for (unsigned int vector = 16; vector < 256; vector += 13)
        lapic_raise(v, (uint8_t)vector);
    for (int vector = 250; vector >= 16; vector -= 13) {
        assert_int_equal(lapic_pending(v), vector);
        assert_true(lapic_is_set(v, 0x20, (uint8_t)vector));
        lapic_accept(v, (uint8_t)vector);
        assert_false(lapic_is_set(v, 0x20, (uint8_t)vector));
        assert_true(lapic_is_set(v, 0x10, (uint8_t)vector));
        assert_int_equal(lapic_pending(v), -1); /* until EOI */
        assert_int_equal(lapic_get(v, 0x0a), (uint32_t)vector & 0xf0);
        lapic_put(v, 0x0b, 0);
        assert_false(lapic_is_set(v, 0x10, (uint8_t)vector));
    }
    assert_int_equal(lapic_pending(v), -1);
}

static void one_within_another(void **state)
{
    (void)state;
    lapic_enable(v);
    lapic_raise(v, 0x31);
    lapic_accept(v, 0x31);
    lapic_raise(v, 0x3f); /* of the same class */
    assert_int_equal(lapic_pending(v), -1);
    lapic_raise(v, 0x41);
    assert_int_equal(lapic_pending(v), 0x41);
    lapic_accept(v, 0x41);
    lapic_raise(v, 0x41); /* again, while it is in service */
    assert_true(lapic_is_set(v, 0x20, 0x41) && lapic_is_set(v, 0x10, 0x41));
    lapic_put(v, 0x0b, 0); /* the higher first */
    assert_true(lapic_is_set(v, 0x10, 0x31));
    assert_int_equal(lapic_serve(v), 0x41);
    assert_int_equal(lapic_pending(v), -1);
    lapic_put(v, 0x0b, 0);
    assert_int_equal(lapic_serve(v), 0x3f);
    lapic_put(v, 0x0b, 0); /* of nothing */
    assert_int_equal(lapic_pending(v), -1);
}

static void by_task_priority(void **state)
{
    (void)state;
    lapic_enable(v);
    lapic_raise(v, 0x5a);
    for (uint32_t tpr = 0; tpr < 256; tpr++) {
        lapic_put(v, 8, tpr);
        assert_int_equal(lapic_get(v, 0x0a), tpr);
        assert_int_equal(lapic_cr8(v), tpr >> 4);
        assert_int_equal(lapic_pending(v), tpr < 0x50 ? 0x5a : -1);
    }
    for (uint64_t cr8 = 0; cr8 < 16; cr8++) {
        lapic_set_cr8(v, cr8);
        assert_int_equal(lapic_get(v, 8), cr8 << 4);
        assert_int_equal(lapic_pending(v), cr8 < 5 ? 0x5a : -1);
    }
    lapic_put(v, 8, 0x33);
    lapic_accept(v, 0x5a);
    assert_int_equal(lapic_get(v, 0x0a), 0x50); /* what is in service is above it */
    lapic_raise(v, 0x5b);
    assert_int_equal(lapic_pending(v), -1);
    lapic_put(v, 8, 0x53);
    assert_int_equal(lapic_get(v, 0x0a), 0x53);
}

/* Disabled by SVR: nothing new comes, what is pending stays; and all entries are masked. */
static void disabled_by_software(void **state)
{
    (void)state;
    lapic_raise(v, 0x40);
    assert_int_equal(lapic_pending(v), -1);
    lapic_put(v, 0x37, 0x40);
    assert_int_equal(lapic_get(v, 0x37), 0x10040);
    lapic_enable(v);
    lapic_raise(v, 0x40);
    for (unsigned int i = 0x32; i <= 0x37; i++) {
        lapic_put(v, i, 0x50);
        assert_int_equal(lapic_get(v, i), 0x50);
    }
    lapic_put(v, 0x0f, 0xff);
    lapic_raise(v, 0x41);
    assert_int_equal(lapic_pending(v), 0x40);
    for (unsigned int i = 0x32; i <= 0x37; i++)
        assert_int_equal(lapic_get(v, i), 0x10050);
    lapic_enable(v);
    assert_int_equal(lapic_serve(v), 0x40);
    assert_int_equal(lapic_get(v, 0x37), 0x10050);
    assert_int_equal(lapic_pending(v), -1);
}

static void wakes(void **state)
{
    (void)state;
    lapic_enable(v);
    host_run_as(v);
    vcpu_block(v);
    assert_true(v->pause_flags & VPF_blocked);
    lapic_raise(v, 0x40);
    assert_false(v->pause_flags & VPF_blocked);
    vcpu_block(v);
    assert_false(v->pause_flags & VPF_blocked); /* it is pending */
}

static void kicks(void **state)
{
    unsigned int before;

    (void)state;
    lapic_enable(v);
    host_set_cpus(2);
    host_run_as(v);
    before = host_kicks;
    lapic_raise(v, 0x40); /* its own CPU looks by itself */
    assert_int_equal(host_kicks, before);
    host_run_on(1);
    lapic_raise(v, 0x41);
    assert_true(host_kicks > before);
    host_run_on(0);
}

static void errors_are_told_once(void **state)
{
    (void)state;
    lapic_enable(v);
    lapic_raise(v, 15); /* masked: only noted */
    assert_int_equal(lapic_pending(v), -1);
    assert_int_equal(lapic_get(v, 0x28), 0);
    assert_int_equal(errors(), 0x40);
    assert_int_equal(errors(), 0);
    lapic_put(v, 0x37, 0x61);
    lapic_raise(v, 0);
    assert_int_equal(lapic_serve(v), 0x61);
    lapic_raise(v, 0);
    assert_int_equal(lapic_serve(v), -1); /* the same */
    lapic_put(v, 0x30, 0x4003);
    assert_int_equal(lapic_serve(v), 0x61);
    (void)lapic_get(v, 0x2f);
    assert_int_equal(lapic_serve(v), 0x61);
    assert_int_equal(errors(), 0xe0);
    lapic_raise(v, 0);
    assert_int_equal(lapic_serve(v), 0x61);
    (void)errors();
    lapic_put(v, 0x37, 5); /* an illegal vector of its own */
    lapic_raise(v, 0);
    assert_int_equal(lapic_pending(v), -1);
    assert_int_equal(errors(), 0x40);
    (void)lapic_get(v, 0x2f);
    assert_int_equal(lapic_pending(v), -1);
    assert_int_equal(errors(), 0xc0);
}

static void extint(void **state)
{
    (void)state;
    for (unsigned int who = 0; who < 2; who++) {
        v = d->vcpu[who];
        assert_false(lapic_takes_extint(v));
        lapic_put(v, 0x35, 0x700);
        assert_false(lapic_takes_extint(v));
        lapic_enable(v);
        lapic_put(v, 0x35, 0x700);
        assert_int_equal(lapic_takes_extint(v), !who);
        for (uint32_t mode = 0; mode < 7; mode++) {
            lapic_put(v, 0x35, mode << 8 | 0x40);
            assert_false(lapic_takes_extint(v));
        }
        lapic_put(v, 0x35, 0x10700);
        assert_false(lapic_takes_extint(v));
        assert_true(lapic_wrmsr(v, BASE_MSR, DISABLED));
        assert_int_equal(lapic_takes_extint(v), !who);
    }
}

/* As firmware leaves it, and through an APIC that is disabled and enabled again. */
static void virtual_wire(void **state)
{
    (void)state;
    assert_false(lapic_takes_extint(v));
    lapic_virtual_wire(v);
    assert_int_equal(lapic_get(v, 0x0f), 0x1ff);
    assert_int_equal(lapic_get(v, 0x35), 0x700);
    assert_true(lapic_takes_extint(v));
    lapic_put(v, 0x36, 0x700); /* the other line is not the PIC's */
    lapic_put(v, 0x0f, 0xff);
    assert_int_equal(lapic_get(v, 0x35), 0x700);
    assert_int_equal(lapic_get(v, 0x36), 0x10700);
    assert_true(lapic_takes_extint(v));
    lapic_put(v, 0x35, 0x700); /* who writes it then has it masked */
    assert_int_equal(lapic_get(v, 0x35), 0x10700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(not_in_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(in_msrs, setup, teardown),
        cmocka_unit_test_setup_teardown(x2apic_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(modes, setup, teardown),
        cmocka_unit_test_setup_teardown(base_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(without_xen_no_x2apic, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_mode_keeps, setup, teardown),
        cmocka_unit_test_setup_teardown(by_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(one_within_another, setup, teardown),
        cmocka_unit_test_setup_teardown(by_task_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(disabled_by_software, setup, teardown),
        cmocka_unit_test_setup_teardown(wakes, setup, teardown),
        cmocka_unit_test_setup_teardown(kicks, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_are_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(extint, setup, teardown),
        cmocka_unit_test_setup_teardown(virtual_wire, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
