/* SPDX-License-Identifier: MIT */
/*
 * The battery clock (CMOS), read once: where the wall clock starts. Its time is taken for UTC.
 *
 * It counts whole seconds, so the wall clock would be up to a second late. With a control domain,
 * whose start takes many seconds anyway, the tick is waited for; a guest alone gets the middle of
 * the second at once. A reading is good when no update was under way and a second reading says the
 * same. A clock that never settles gives what it says last.
 */
#include <port/machine.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
enum {
    RTC_SECOND = 0,
    RTC_MINUTE = 2,
    RTC_HOUR = 4,
    RTC_DAY = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_A = 10,
    RTC_B = 11
};
#define UPDATE_IN_PROGRESS 0x80
#define BINARY             0x04
#define HOURS_24           0x02

struct rtc_time {
    unsigned int second, minute, hour, day, month, year;
};

static uint8_t cmos(uint8_t index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

static unsigned int field(uint8_t raw, bool binary)
{
    return binary ? raw : (unsigned int)(raw & 0xf) + (raw >> 4) * 10u;
}

static struct rtc_time read_once(void)
{
    uint8_t b = cmos(RTC_B), hour = cmos(RTC_HOUR);
    bool binary = b & BINARY, pm = !(b & HOURS_24) && (hour & 0x80);
    struct rtc_time t = {
        .second = field(cmos(RTC_SECOND), binary),
        .minute = field(cmos(RTC_MINUTE), binary),
        .hour = field(b & HOURS_24 ? hour : hour & 0x7f, binary),
        .day = field(cmos(RTC_DAY), binary),
        .month = field(cmos(RTC_MONTH), binary),
        .year = field(cmos(RTC_YEAR), binary),
    };

    if (!(b & HOURS_24))
        t.hour = t.hour % 12 + (pm ? 12 : 0);
    t.year += acpi.century ? field(cmos(acpi.century), binary) * 100 : 2000;
    return t;
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
           a->day == b->day && a->month == b->month && a->year == b->year;
}

/* Days since 1970-01-01 of the Gregorian calendar. */
static uint64_t days_from_date(unsigned int year, unsigned int month, unsigned int day)
{
    /* March is month 0, so that the leap day is the last of a year. */
    uint64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static uint64_t read_seconds(void)
{
    struct rtc_time a, b = {0};

    for (unsigned int i = 0; i < 100; i++) {
        for (unsigned int wait = 0; wait < 100000 && (cmos(RTC_A) & UPDATE_IN_PROGRESS);)
            wait++;
        a = read_once();
        b = read_once();
        if (same(&a, &b))
            break;
    }
    if (b.year < 1970 || b.month < 1 || b.month > 12 || b.day < 1)
        return 0;
    return ((days_from_date(b.year, b.month, b.day) * 24 + b.hour) * 60 + b.minute) * 60 + b.second;
}

uint64_t rtc_read_ns(bool at_tick)
{
    uint64_t seconds = read_seconds(), now = seconds;
    s_time_t end = clock_now() + MILLISECS(1100);

    while (at_tick && now == seconds && clock_now() < end)
        now = read_seconds();
    return now * 1000000000ull + (at_tick ? 0 : 500000000ull);
}
