/* SPDX-License-Identifier: MIT */
/*
 * The battery clock of a PC (MC146818, ports 70h and 71h): reads the wall clock, as the domain's
 * time offset shifts it, in 24 hours, in BCD or binary. It cannot be set, does not interrupt, and
 * the rest of its memory is 0: the FADT says that there is none, and this is for who looks
 * nevertheless.
 *
 * Lock: that of the devices.
 */
#include <core/state/domain.h>
#include <hvm/devices.h>
#include <port/machine.h>

enum {
    SECOND = 0,
    MINUTE = 2,
    HOUR = 4,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    STATUS_A = 10,
    STATUS_B = 11,
    STATUS_D = 13,
    CENTURY = 0x32
};

#define A_DIVIDER 0x26 /* the crystal's rate; no update is in progress */
#define B_BINARY  0x04
#define D_VALID   0x80

#define DAY_SECONDS 86400u
#define DAYS_400    146097u /* after so many years the calendar begins again */

struct date {
    unsigned int year, month, day;
};

/* Of the Gregorian calendar, so many days after 1970-01-01. A year begins in March here, so that
 * the leap day is its last. */
static struct date date_of(uint64_t days)
{
    unsigned int n = (unsigned int)((days + 719468) % DAYS_400), year, month;

    year = (n - n / 1460 + n / 36524 - n / 146096) / 365;
    n -= 365 * year + year / 4 - year / 100;
    month = (5 * n + 2) / 153;
    n -= (153 * month + 2) / 5;
    year += (unsigned int)((days + 719468) / DAYS_400 % 25 * 400) + month / 10;
    return (struct date){year, month < 10 ? month + 3 : month - 9, n + 1};
}

static uint64_t wall_seconds(const struct hvm_devices *h)
{
    return (clock_wall_at_zero() + (uint64_t)h->now) / 1000000000u +
           (uint64_t)READ_ONCE(h->domain->time_offset);
}

static uint8_t time_register(const struct hvm_devices *h, unsigned int index)
{
    uint64_t s = wall_seconds(h), days = s / DAY_SECONDS;
    struct date date = date_of(days);
    const unsigned int value[] = {
        [SECOND] = s % 60,
        [MINUTE] = s / 60 % 60,
        [HOUR] = s / 3600 % 24,
        [WEEKDAY] = (days + 4) % 7 + 1, /* 1: Sunday; the first of all days was a Thursday */
        [DAY] = date.day,
        [MONTH] = date.month,
        [YEAR] = date.year % 100,
        [CENTURY] = date.year / 100,
    };
    unsigned int n = index < ARRAY_SIZE(value) ? value[index] : 0;

    return (uint8_t)(h->cmos_b & B_BINARY ? n : n / 10 << 4 | n % 10);
}

uint8_t cmos_read(struct hvm_devices *h, unsigned int port)
{
    if (!(port & 1)) /* the index cannot be read */
        return 0xff;
    switch (h->cmos_index) {
    case STATUS_A:
        return A_DIVIDER;
    case STATUS_B:
        return h->cmos_b;
    case STATUS_D:
        return D_VALID;
    default:
        return time_register(h, h->cmos_index);
    }
}

void cmos_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    if (!(port & 1))
        h->cmos_index = value & 0x7f; /* the bit above masks NMIs, of which there are none */
    else if (h->cmos_index == STATUS_B)
        h->cmos_b = (value & B_BINARY) | CMOS_24H;
}
