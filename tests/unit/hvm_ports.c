/* SPDX-License-Identifier: MIT */
/*
 * The ports of a fully virtualized domain beside its larger devices: where there is nothing, how
 * wide accesses are split, how the guest switches itself off and starts anew, the ACPI timer, the
 * battery clock; who is told of an interrupt; and that nothing is left when the domain goes.
 */
#include "hvm_devices_support.h"

#include <core/sched/pause.h>
#include <parvis/loader_pvh.h>
#include <xen/sched.h>

#define PM1_STATUS  0x600
#define PM1_ENABLE  0x602
#define PM1_CONTROL 0x604
#define PM_TIMER    0x608
#define SLP(type)   ((type) << 10)
#define SLP_EN      0x2000

#define POWER_BUTTON 0x100 /* of status and of enable */

#define WALL 1700000000ull /* seconds at clock 0: 2023-11-14 22:13:20, a Tuesday */

static void there_is_nothing(void **state)
{
    static const unsigned int ports[] = {0,     0x22,  0x2e,  0x4e,  0x60,  0x80,  0x87,  0x2f8,
                                         0x2e8, 0x3e8, 0x3f0, 0x606, 0x60c, 0xcf8, 0xcfc, 0xffff};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
        out8(ports[i], 0xfe);
        assert_int_equal(in8(ports[i]), 0xff);
        assert_int_equal(in_bytes(ports[i], 2) & 0xff, 0xff);
        assert_int_equal(in_bytes(ports[i], 4) & 0xff, 0xff);
    }
    assert_int_equal(in_bytes(0xcfc, 4), 0xffffffff);
    assert_int_equal(in_bytes(0xffff, 2), 0xffff);
    assert_int_equal(in_bytes(0xfffe, 4), 0xffffffff);
}

/* Linux' pci_check_type1 finds none, and does not reset the machine by its dwords. */
static void there_is_no_pci(void **state)
{
    uint32_t address = 0x80000000;

    (void)state;
    out8(0xcfb, 0x01);
    out_bytes(0xcf8, 4, address);
    assert_int_not_equal(in_bytes(0xcf8, 4), address);
    for (; address < 0x80010000; address += 0x100) {
        out_bytes(0xcf8, 4, address);
        assert_int_equal(in_bytes(0xcfc, 4), 0xffffffff);
    }
    out_bytes(0xcf8, 2, 0xffff);
    out_bytes(0xcf9, 2, 0xffff);
    assert_false(d->shutting_down);
}

/* Each byte is what it would be alone, be there a device or not. */
static void wide_accesses_are_split(void **state)
{
    (void)state;
    out_bytes(0x20, 2, 0xfa0a);
    assert_int_equal(in_bytes(0x20, 4), 0xfffffa00);
    assert_int_equal(in_bytes(0x42, 4), 0xffffff00);
    assert_int_equal(in_bytes(0x6f, 2), 0xffff);
    assert_int_equal(in_bytes(0x71, 2) >> 8, 0xff);
    out_bytes(0x1f, 4, 0x55aa0b00);
    assert_int_equal(in8(0x21), 0xaa);
}

/* Linux' acpi_enter_sleep_state: first the type, then with SLP_EN. */
static void it_switches_itself_off(void **state)
{
    (void)state;
    assert_int_equal(in_bytes(PM1_CONTROL, 2), 1); /* ACPI mode */
    out_bytes(PM1_STATUS, 2, 0x8000);
    assert_int_equal(in_bytes(PM1_STATUS, 2), 0);
    out_bytes(PM1_CONTROL, 2, SLP(HVM_ACPI_S5) | 1);
    assert_int_equal(in_bytes(PM1_CONTROL, 2), SLP(HVM_ACPI_S5) | 1);
    assert_false(d->shutting_down);
    out_bytes(PM1_CONTROL, 2, SLP(HVM_ACPI_S5) | SLP_EN | 1);
    assert_true(d->shutting_down);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
    assert_int_equal(in_bytes(PM1_CONTROL, 2), SLP(HVM_ACPI_S5) | 1);
}

static void there_is_no_other_sleep(void **state)
{
    (void)state;
    for (unsigned int type = 0; type < 8; type++)
        if (type != HVM_ACPI_S5)
            out_bytes(PM1_CONTROL, 2, SLP(type) | SLP_EN);
    out8(PM1_CONTROL, 0xff);
    assert_false(d->shutting_down);
    assert_int_equal(in8(PM1_CONTROL), 0xff);
    out8(PM1_CONTROL + 1, (SLP(HVM_ACPI_S5) | SLP_EN) >> 8);
    assert_true(d->shutting_down);
}

static void no_mask(void)
{
    for (unsigned int slave = 0; slave < 2; slave++) {
        out8(slave ? 0xa0 : 0x20, 0x13);
        out8(slave ? 0xa1 : 0x21, slave ? 0x38 : 0x30);
        out8(slave ? 0xa1 : 0x21, 0x01);
        out8(slave ? 0xa1 : 0x21, 0x00);
    }
}

static void line(unsigned int irq, bool level)
{
    devices_lock(devices);
    pic_set_irq(devices, irq, level);
    devices_unlock(devices);
    check_devices();
}

static void press(void)
{
    hvm_press_power_button(d);
    check_devices();
}

/* Linux' way, by words: the SCI is level-triggered, input 1 of the second PIC, and what asked for
 * it is cleared by a 1. */
static void the_button_is_seen_until_cleared(void **state)
{
    (void)state;
    no_mask();
    out_bytes(0x4d1, 1, 0x02);
    out_bytes(PM1_ENABLE, 2, POWER_BUTTON);
    assert_false(hvm_extint_pending(d));
    press();
    press(); /* again, before it was seen: once */
    assert_int_equal(in_bytes(PM1_STATUS, 2), POWER_BUTTON);
    assert_true(hvm_extint_pending(d));
    assert_int_equal(hvm_extint_ack(d), 0x39);
    assert_false(hvm_extint_pending(d)); /* in service */
    out_bytes(PM1_STATUS, 2, (uint16_t)~POWER_BUTTON);
    assert_int_equal(in_bytes(PM1_STATUS, 2), POWER_BUTTON);
    out_bytes(PM1_STATUS, 2, POWER_BUTTON);
    assert_int_equal(in_bytes(PM1_STATUS, 2), 0);
    out8(0xa0, 0x20);
    out8(0x20, 0x20);
    assert_false(hvm_extint_pending(d));
    press();
    assert_true(hvm_extint_pending(d));
    assert_false(d->shutting_down);
}

/* Who has not enabled it finds it when he looks, and is interrupted when he enables it. */
static void the_button_need_not_interrupt(void **state)
{
    (void)state;
    no_mask();
    out_bytes(PM1_ENABLE, 2, (uint16_t)~POWER_BUTTON);
    press();
    assert_false(hvm_extint_pending(d));
    assert_int_equal(in_bytes(PM1_STATUS, 4) & 0xffff, POWER_BUTTON);
    out8(PM1_ENABLE + 1, POWER_BUTTON >> 8);
    assert_true(hvm_extint_pending(d));
    out8(PM1_ENABLE + 1, 0);
    assert_false(hvm_extint_pending(d));
}

static void events_can_be_enabled(void **state)
{
    (void)state;
    out_bytes(PM1_ENABLE, 2, 0x1234);
    assert_int_equal(in_bytes(PM1_ENABLE, 2), 0x1234);
    assert_int_equal(in_bytes(PM1_STATUS, 4), 0x12340000);
    out_bytes(PM1_STATUS, 4, 0x4321ffff);
    assert_int_equal(in_bytes(PM1_STATUS, 4), 0x43210000);
}

static void assert_reboots(unsigned int port, uint8_t value, bool does)
{
    out8(port, value);
    assert_int_equal(d->shutting_down, does);
    if (does)
        assert_int_equal(d->shutdown_code, SHUTDOWN_reboot);
}

/* Linux' way by PCI's reset register: 2, then 6. */
static void it_starts_anew_by_cf9(void **state)
{
    uint8_t cf9 = in8(0xcf9) & (uint8_t)~0x06;

    (void)state;
    assert_reboots(0xcf9, cf9 | 2, false);
    assert_reboots(0xcf9, cf9 | 6, true);
}

static void it_starts_anew_by_the_keyboard(void **state)
{
    (void)state;
    assert_int_equal(in8(0x64) & 3, 0); /* who waits for room waits for nothing */
    assert_reboots(0x64, 0xff, false);
    assert_reboots(0x64, 0xd1, false);
    assert_reboots(0x64, 0xfe, true);
    assert_reboots(0x64, 0xfe, true); /* a vCPU that had not left yet */
}

static void the_timer_ticks(void **state)
{
    uint32_t start = in_bytes(PM_TIMER, 4), now;

    (void)state;
    host_advance(SECONDS(1));
    assert_in_range(in_bytes(PM_TIMER, 4) - start, 3579544, 3579546);
    out_bytes(PM_TIMER, 4, 0);
    now = in_bytes(PM_TIMER, 4);
    assert_in_range(now - start, 3579544, 3579546);
    assert_int_equal(in_bytes(PM_TIMER, 2), now & 0xffff);
    assert_int_equal(in_bytes(PM_TIMER + 1, 2), now >> 8 & 0xffff);
    assert_int_equal(in8(PM_TIMER + 3), now >> 24);
    for (unsigned int i = 0; i < 1000; i++) {
        uint32_t before = now;

        host_advance(SECONDS(3) + 7);
        now = in_bytes(PM_TIMER, 4);
        assert_in_range(now - before, 3579545 * 3 - 1, 3579545 * 3 + 1);
    }
}

static uint8_t cmos(uint8_t index)
{
    out8(0x70, index);
    return in8(0x71);
}

static void set_wall(uint64_t seconds)
{
    d->time_offset = (int64_t)(seconds - WALL - (uint64_t)(clock_now() / SECONDS(1)));
}

/* hh:mm:ss, weekday, day, month, century and year */
static void assert_time(unsigned int h, unsigned int m, unsigned int s, unsigned int weekday,
                        unsigned int day, unsigned int month, unsigned int year)
{
    assert_int_equal(cmos(0), s);
    assert_int_equal(cmos(2), m);
    assert_int_equal(cmos(4), h);
    assert_int_equal(cmos(6), weekday);
    assert_int_equal(cmos(7), day);
    assert_int_equal(cmos(8), month);
    assert_int_equal(cmos(9), year & 0xff);
    assert_int_equal(cmos(0x32), year >> 8);
}

static void the_clock_in_bcd(void **state)
{
    (void)state;
    assert_int_equal(cmos(10) & 0x80, 0);
    assert_int_equal(cmos(11), 0x02);
    assert_int_equal(cmos(12), 0);
    assert_int_equal(cmos(13), 0x80);
    assert_int_equal(in8(0x70), 0xff);
    assert_time(0x22, 0x13, 0x21, 3, 0x14, 0x11, 0x2023);
    host_advance(SECONDS(2 * 3600));
    assert_time(0x00, 0x13, 0x21, 4, 0x15, 0x11, 0x2023);
    out8(0x71, 7);
    out8(0x70, 0x87); /* NMIs off */
    assert_int_equal(in8(0x71), 0x15);
    out8(0x71, 0x28); /* cannot be set */
    assert_int_equal(in8(0x71), 0x15);
    assert_int_equal(cmos(0x7f), 0);
}

static void the_clock_in_binary(void **state)
{
    (void)state;
    out8(0x70, 11);
    out8(0x71, 0xff);
    assert_int_equal(cmos(11), 0x06);
    assert_int_equal(cmos(4), 22);
    assert_int_equal(cmos(9), 23);
    assert_int_equal(cmos(0x32), 20);
}

static void the_clock_knows_the_calendar(void **state)
{
    (void)state;
    set_wall(0);
    assert_time(0, 0, 0, 5, 1, 1, 0x1970);
    set_wall(951782399); /* 2000-02-28 23:59:59 */
    assert_time(0x23, 0x59, 0x59, 2, 0x28, 2, 0x2000);
    set_wall(951782400);
    assert_time(0, 0, 0, 3, 0x29, 2, 0x2000);
    set_wall(951868800);
    assert_time(0, 0, 0, 4, 1, 3, 0x2000);
    set_wall(4107542400); /* 2100 has no leap day */
    assert_time(0, 0, 0, 2, 1, 3, 0x2100);
    set_wall(4107542399);
    assert_time(0x23, 0x59, 0x59, 1, 0x28, 2, 0x2100);
    set_wall(1735689599);
    assert_time(0x23, 0x59, 0x59, 3, 0x31, 0x12, 0x2024);
    set_wall((uint64_t)INT64_MAX); /* whatever the tools say */
    (void)cmos(9);
    set_wall(~0ull);
    (void)cmos(9);
}

/* Every day of four centuries, against a calendar that is walked through. */
static void every_day(void **state)
{
    static const uint8_t length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned int year = 1970, month = 1, day = 1;

    (void)state;
    out8(0x70, 11);
    out8(0x71, 0x06);
    for (uint64_t n = 0; n < 146097; n += 1) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        set_wall(n * 86400);
        out8(0x70, 7);
        assert_int_equal(hvm_port_read(v, 0x71, 1), day);
        out8(0x70, 8);
        assert_int_equal(hvm_port_read(v, 0x71, 1), month);
        out8(0x70, 9);
        assert_int_equal(hvm_port_read(v, 0x71, 1), year % 100);
        if (day++ < length[month - 1] + (leap && month == 2 ? 1u : 0u))
            continue;
        day = 1;
        year += month == 12;
        month = month % 12 + 1;
    }
    assert_int_equal(year, 2370);
}

/* vCPU 0 sleeps until the PIC asks for it; and is not told again of what it was told. */
static void an_interrupt_wakes_vcpu_0(void **state)
{
    (void)state;
    no_mask();
    vcpu_block(v);
    host_exit_path();
    assert_true(v->pause_flags & VPF_blocked);
    line(5, true);
    assert_false(v->pause_flags & VPF_blocked);
    vcpu_block(v);
    assert_false(v->pause_flags & VPF_blocked); /* it finds it */
    host_exit_path();
}

static void an_interrupt_kicks_vcpu_0(void **state)
{
    unsigned int before;

    (void)state;
    no_mask();
    host_set_cpus(2);
    cpu_by_id(1)->pending = 0;
    host_run_on(1);
    before = host_kicks;
    line(5, true);
    assert_int_equal(host_kicks, before + 1);
    line(3, true);
    assert_int_equal(host_kicks, before + 1);
    host_run_on(0);
}

/* Both timers are set when the domain goes. */
static void nothing_is_left(void **state)
{
    (void)state;
    out8(0x43, 0x34);
    out8(0x40, 0x00);
    out8(0x40, 0x10);
    out8(0x3f8, 'x');
    hvm_devices_kill(d);
    assert_int_equal(devices->pit.timer.rank + devices->uart.timer.rank, 0);
    assert_null(devices->uart.ring);
    hvm_uart_ring_moved(d);
    host_advance(SECONDS(1));
    assert_int_equal(ring_events(), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, hvm_setup, hvm_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(there_is_nothing),
        T(there_is_no_pci),
        T(wide_accesses_are_split),
        T(it_switches_itself_off),
        T(there_is_no_other_sleep),
        T(the_button_is_seen_until_cleared),
        T(the_button_need_not_interrupt),
        T(events_can_be_enabled),
        T(it_starts_anew_by_cf9),
        T(it_starts_anew_by_the_keyboard),
        T(the_timer_ticks),
        T(the_clock_in_bcd),
        T(the_clock_in_binary),
        T(the_clock_knows_the_calendar),
        T(every_day),
        T(an_interrupt_wakes_vcpu_0),
        T(an_interrupt_kicks_vcpu_0),
        T(nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
