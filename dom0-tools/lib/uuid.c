/* SPDX-License-Identifier: MIT */
/*
 * UUIDs: text to bytes and back, and making one.
 *
 * A control domain under emulation may have no entropy for minutes, and getrandom() would
 * wait for it. A uuid has to be unique, not secret, so GRND_INSECURE (Linux 5.6) is enough.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

void uuid_format(const uint8_t u[16], char out[37])
{
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
             u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
             u[14], u[15]);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool uuid_parse(const char *s, uint8_t uuid[16])
{
    uint8_t got[16] = {0};
    unsigned int digits = 0;

    for (; *s; s++) {
        int v;

        if (*s == '-')
            continue;
        v = hex_digit(*s);
        if (v < 0 || digits == 32)
            return false;
        got[digits / 2] = (uint8_t)(got[digits / 2] << 4 | v);
        digits++;
    }
    if (digits != 32)
        return false;
    memcpy(uuid, got, 16);
    return true;
}

void uuid_make(uint8_t uuid[16])
{
    if (getrandom(uuid, 16, 0x0004 /* GRND_INSECURE */) != 16) {
        struct timespec now;
        uint64_t a, b;

        /* A kernel before 5.6: time and process make it unique on this machine. */
        clock_gettime(CLOCK_REALTIME, &now);
        a = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
        b = (uint64_t)getpid() << 32 ^ (uint64_t)clock();
        memcpy(uuid, &a, 8);
        memcpy(uuid + 8, &b, 8);
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
