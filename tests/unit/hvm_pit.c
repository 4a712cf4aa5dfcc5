/* SPDX-License-Identifier: MIT */
/*
 * The interval timer as it is used: to measure the TSC by channel 2 as Linux does in two ways, for
 * ticks of channel 0 and for one at a time; what the counters, the outputs and the status show; and
 * that neither a short period nor a late look makes a flood.
 */
#include "hvm_devices_support.h"

#define PIT_HZ  1193182
#define CONTROL 0x43
#define EOI     0x20

/* All interrupts of the master, as Linux sets it up. */
static void set_up_pic(void)
{
    out8(0x20, 0x11);
    out8(0x21, 0x30);
    out8(0x21, 0x04);
    out8(0x21, 0x01);
    out8(0x21, 0x00);
}

static int setup(void **state)
{
    hvm_setup(state);
    set_up_pic();
    return 0;
}

static void write_count(unsigned int channel, unsigned int count)
{
    out8(0x40 + channel, (uint8_t)count);
    out8(0x40 + channel, (uint8_t)(count >> 8));
}

static unsigned int read_count(unsigned int channel)
{
    unsigned int low = in8(0x40 + channel);

    return low | (unsigned int)in8(0x40 + channel) << 8;
}

/* Without a half tick that rounding may give or take */
static void ticks_pass(uint64_t n)
{
    host_advance((s_time_t)(n * 1000000000 / PIT_HZ + 400));
    check_devices();
}

/* IRQ 0 came, and was served. */
static bool ticked(void)
{
    if (!hvm_extint_pending(d))
        return false;
    assert_int_equal(hvm_extint_ack(d), 0x30);
    out8(0x20, EOI);
    return true;
}

static unsigned int ticks_in(s_time_t ns, s_time_t step)
{
    unsigned int n = 0;

    for (; ns > 0; ns -= step) {
        host_advance(step);
        n += ticked();
    }
    return n;
}

/* Linux' pit_calibrate_tsc: a count of mode 0, until the output rises. */
static void the_tsc_is_measured_by_the_output(void **state)
{
    const unsigned int latch = PIT_HZ / (1000 / 10); /* 10 ms */
    uint64_t start, looks = 0;

    (void)state;
    out8(0x61, (uint8_t)((in8(0x61) & ~0x02) | 0x01));
    out8(CONTROL, 0xb0);
    write_count(2, latch);
    start = clock_ticks();
    while (!(in8(0x61) & 0x20)) {
        host_advance(MICROSECS(2));
        assert_true(++looks < 6000);
    }
    /* 2 ticks a ns: 10 ms, to a look */
    assert_in_range(clock_ticks() - start, 19990000, 20010000);
}

/* Linux' quick_pit_calibrate: the second byte of the counter falls every 256 ticks. */
static void the_tsc_is_measured_by_the_counter(void **state)
{
    uint64_t tsc[2] = {0, 0};
    unsigned int expect;

    (void)state;
    out8(0x61, (uint8_t)((in8(0x61) & ~0x02) | 0x01));
    out8(CONTROL, 0xb0);
    out8(0x42, 0xff);
    out8(0x42, 0xff);
    (void)in8(0x42);
    assert_int_equal(in8(0x42), 0xff);
    for (expect = 0xff; expect > 0xff - 20; expect--) {
        unsigned int count = 0;

        for (;; count++) {
            (void)in8(0x42);
            if (in8(0x42) != expect)
                break;
            host_advance(MICROSECS(1));
        }
        assert_in_range(count, 210, 220);
        tsc[expect != 0xff] = clock_ticks();
    }
    assert_in_range((tsc[1] - tsc[0]) / 19, 429000, 430000); /* 256 ticks: 214.55 us */
}

/* Linux' older way: a tick each 1/HZ, mode 2. */
static void channel_0_ticks(void **state)
{
    (void)state;
    assert_int_equal(ticks_in(SECONDS(1), MILLISECS(1)), 0);
    out8(CONTROL, 0x34);
    write_count(0, PIT_HZ / 250);
    assert_in_range(ticks_in(SECONDS(1), MICROSECS(100)), 249, 251);
    write_count(0, 0); /* 65536 */
    assert_in_range(ticks_in(SECONDS(10), MILLISECS(1)), 181, 183);
    out8(CONTROL, 0x3c); /* mode 6 is mode 2 */
    write_count(0, PIT_HZ / 250);
    assert_in_range(ticks_in(SECONDS(1), MICROSECS(100)), 249, 251);
    out8(CONTROL, 0x36); /* mode 3 ticks as often */
    write_count(0, PIT_HZ / 1000);
    assert_in_range(ticks_in(SECONDS(1), MICROSECS(100)), 999, 1001);
}

/* The guest reads and latches all the time: that delays nothing. */
static void looking_does_not_disturb(void **state)
{
    unsigned int n = 0;

    (void)state;
    out8(CONTROL, 0x34);
    write_count(0, PIT_HZ / 1000);
    for (unsigned int i = 0; i < 10000; i++) {
        host_advance(MICROSECS(10));
        out8(CONTROL, 0x00);
        (void)read_count(0);
        out8(CONTROL, 0xb0);
        write_count(2, 100);
        n += ticked();
    }
    assert_in_range(n, 99, 100);
}

/* Linux' clock event device, one at a time: mode 4, and mode 0 to shut it up. */
static void one_shot(void **state)
{
    (void)state;
    out8(CONTROL, 0x38);
    write_count(0, 1000);
    ticks_pass(1000); /* its output is low now */
    assert_false(ticked());
    ticks_pass(1);
    assert_true(ticked());
    assert_int_equal(ticks_in(SECONDS(1), MILLISECS(10)), 0);
    write_count(0, 500);
    ticks_pass(501);
    assert_true(ticked());
    write_count(0, 500);
    ticks_pass(400);
    write_count(0, 500); /* begins anew */
    ticks_pass(400);
    assert_false(ticked());
    ticks_pass(101);
    assert_true(ticked());
    out8(CONTROL, 0x30);
    assert_int_equal(ticks_in(SECONDS(1), MILLISECS(10)), 0);
}

static void mode_0_interrupts_at_its_end(void **state)
{
    (void)state;
    out8(CONTROL, 0x30);
    write_count(0, 1000);
    ticks_pass(999);
    assert_false(ticked());
    ticks_pass(1);
    assert_true(hvm_extint_pending(d));
    write_count(0, 1000); /* the output falls, and the request with it */
    assert_false(hvm_extint_pending(d));
    out8(0x40, 0xff); /* the first byte stops it */
    ticks_pass(70000);
    assert_false(ticked());
    out8(0x40, 0x00);
    ticks_pass(256);
    assert_true(ticked());
}

static void modes_without_a_gate_stand_still(void **state)
{
    (void)state;
    out8(CONTROL, 0x32);
    write_count(0, 10);
    assert_int_equal(ticks_in(MILLISECS(10), MICROSECS(100)), 0);
    out8(CONTROL, 0x3a);
    write_count(0, 10);
    assert_int_equal(ticks_in(MILLISECS(10), MICROSECS(100)), 0);
    assert_int_equal(read_count(0), 10);
}

/* The shortest period there is; and a machine that was away for an hour. */
static void there_is_no_flood(void **state)
{
    (void)state;
    out8(CONTROL, 0x14);
    out8(0x40, 1);
    assert_in_range(ticks_in(MILLISECS(100), MICROSECS(10)), 300, 400);
    out8(CONTROL, 0x34);
    write_count(0, PIT_HZ / 1000);
    host_advance(SECONDS(3600));
    assert_true(ticked());
    assert_false(ticked());
    /* in step with where it began */
    host_advance(MILLISECS(1));
    assert_true(ticked());
}

/* Who does not listen is not waited for by a timer; and it goes on in step, however the request
 * went. */
static void nobody_listens(void **state)
{
    (void)state;
    for (unsigned int how = 0; how < 3; how++) {
        out8(CONTROL, 0x34);
        write_count(0, PIT_HZ / 1000);
        out8(0x21, how ? 0x01 : 0x00); /* masked */
        host_advance(MICROSECS(1100));
        host_advance(MILLISECS(2));
        assert_int_equal(devices->pit.timer.rank, 0);
        if (how == 2) /* begun anew: the request is lost */
            set_up_pic();
        out8(0x21, 0x00);
        assert_int_equal(ticked(), how < 2);
        host_advance(MICROSECS(800));
        assert_false(ticked());
        host_advance(MICROSECS(200));
        assert_true(ticked());
        assert_in_range(ticks_in(MILLISECS(100), MICROSECS(100)), 99, 101);
    }
}

/* The timer went off, and the channel is written before it has the lock. */
static void a_timer_comes_late(void **state)
{
    (void)state;
    out8(CONTROL, 0x34);
    write_count(0, 10000);
    devices->pit.timer.fn(devices);
    assert_false(ticked());
    ticks_pass(10000);
    assert_true(ticked());
    out8(CONTROL, 0x30);
    devices->pit.timer.fn(devices);
    assert_false(ticked());
}

/* Of two CPUs one reads a little less than the other did before. */
static void a_clock_is_behind(void **state)
{
    (void)state;
    out8(CONTROL, 0x30);
    write_count(0, 10000);
    host_advance(-100);
    assert_int_equal(read_count(0), 10000);
    ticks_pass(10000);
    assert_true(ticked());
}

static void counters_count(void **state)
{
    (void)state;
    out8(0x61, 1);
    out8(CONTROL, 0xb4); /* mode 2: 100, 99, ... 1, 100 */
    write_count(2, 100);
    assert_int_equal(read_count(2), 100);
    ticks_pass(99);
    assert_int_equal(read_count(2), 1);
    assert_false(in8(0x61) & 0x20);
    ticks_pass(1);
    assert_int_equal(read_count(2), 100);
    assert_true(in8(0x61) & 0x20);
    out8(CONTROL, 0xb6); /* mode 3: 10, 8, ... 2, 10, ... and the output high, then low */
    write_count(2, 10);
    assert_int_equal(read_count(2), 10);
    assert_true(in8(0x61) & 0x20);
    ticks_pass(4);
    assert_int_equal(read_count(2), 2);
    assert_true(in8(0x61) & 0x20);
    ticks_pass(1);
    assert_int_equal(read_count(2), 10);
    assert_false(in8(0x61) & 0x20);
    write_count(2, 5); /* odd: three high, two low */
    ticks_pass(2);
    assert_int_equal(read_count(2), 0);
    assert_true(in8(0x61) & 0x20);
    ticks_pass(1);
    assert_int_equal(read_count(2), 4);
    assert_false(in8(0x61) & 0x20);
    out8(CONTROL, 0xb0); /* mode 0 goes on below 0 */
    write_count(2, 3);
    ticks_pass(5);
    assert_int_equal(read_count(2), 0xfffe);
    out8(CONTROL, 0xb8); /* mode 4: the output is low for one tick */
    write_count(2, 3);
    assert_true(in8(0x61) & 0x20);
    ticks_pass(3);
    assert_false(in8(0x61) & 0x20);
    ticks_pass(1);
    assert_true(in8(0x61) & 0x20);
}

static void the_gate_of_channel_2(void **state)
{
    (void)state;
    out8(0x61, 0);
    out8(CONTROL, 0xb0);
    write_count(2, 1000);
    ticks_pass(5000);
    assert_int_equal(read_count(2), 1000);
    out8(0x61, 1);
    ticks_pass(300);
    out8(0x61, 0x0c);
    assert_int_equal(in8(0x61) & 0x0f, 0x0c);
    ticks_pass(5000);
    assert_in_range(read_count(2), 699, 701);
    assert_false(in8(0x61) & 0x20);
    out8(0x61, 1);
    ticks_pass(698);
    assert_false(in8(0x61) & 0x20);
    ticks_pass(2);
    assert_true(in8(0x61) & 0x20);
    out8(CONTROL, 0xb4); /* mode 2: its output is high while it is closed, then it begins anew */
    write_count(2, 100);
    ticks_pass(99);
    assert_false(in8(0x61) & 0x20);
    out8(0x61, 0);
    assert_true(in8(0x61) & 0x20);
    out8(0x61, 1);
    assert_int_equal(read_count(2), 100);
}

static void a_latch_stands_until_it_is_read(void **state)
{
    (void)state;
    out8(CONTROL, 0x34);
    write_count(0, 0x8000);
    ticks_pass(0x100);
    out8(CONTROL, 0x00);
    ticks_pass(0x100);
    out8(CONTROL, 0x00); /* the first holds */
    ticks_pass(0x100);
    assert_int_equal(read_count(0), 0x7f00);
    assert_in_range(read_count(0), 0x7cff, 0x7d00);
    out8(CONTROL, 0x14); /* one byte at a time */
    out8(0x40, 0x80);
    ticks_pass(0x10);
    out8(CONTROL, 0x00);
    ticks_pass(0x10);
    assert_int_equal(in8(0x40), 0x70);
    assert_int_equal(in8(0x40), 0x60);
    out8(CONTROL, 0x24);
    out8(0x40, 0x80);
    ticks_pass(0x100);
    assert_int_equal(in8(0x40), 0x7f);
    assert_int_equal(in8(0x40), 0x7f);
}

static void read_back(void **state)
{
    (void)state;
    out8(CONTROL, 0x34);
    out8(CONTROL, 0xe2); /* status of channel 0: no count yet, output high */
    assert_int_equal(in8(0x40), 0xf4);
    write_count(0, 0x1234);
    out8(CONTROL, 0xb0);
    write_count(2, 0x5678);
    out8(CONTROL, 0xca); /* status and counters of 0 and 2 */
    ticks_pass(100);
    assert_int_equal(in8(0x40), 0xb4);
    assert_int_equal(read_count(0), 0x1234);
    assert_int_equal(in8(0x42), 0x30);
    assert_int_equal(read_count(2), 0x5678);
    assert_int_equal(read_count(0), 0x1234 - 100);
    assert_int_equal(in8(CONTROL), 0xff);
}

static void memory_is_refreshed(void **state)
{
    unsigned int changes = 0;
    uint8_t was = 0, is;

    (void)state;
    for (unsigned int i = 0; i < 1000; i++, was = is) {
        host_advance(MICROSECS(1));
        is = in8(0x61) & 0x10;
        changes += is != was;
    }
    assert_in_range(changes, 65, 67);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, hvm_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_tsc_is_measured_by_the_output),
        T(the_tsc_is_measured_by_the_counter),
        T(channel_0_ticks),
        T(looking_does_not_disturb),
        T(one_shot),
        T(mode_0_interrupts_at_its_end),
        T(modes_without_a_gate_stand_still),
        T(there_is_no_flood),
        T(nobody_listens),
        T(a_timer_comes_late),
        T(a_clock_is_behind),
        T(counters_count),
        T(the_gate_of_channel_2),
        T(a_latch_stands_until_it_is_read),
        T(read_back),
        T(memory_is_refreshed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
