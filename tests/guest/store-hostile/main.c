/* SPDX-License-Identifier: MIT */
/*
 * A guest that writes into the store whatever it may write: into its devices' directories, data/,
 * control/ and the rest of its home: texts that are no text, numbers that are none, states in any
 * order, much of it, deep and wide, removes what others look for, until it is ended. No test in
 * itself: tests/system/test_bad_guests.py looks at who reads that.
 */
#include <guest/xenbus.h>

#include "test.h"

const char test_name[] = "store-hostile";

#define LONG 2000u

static char huge[LONG + 1];
static uint32_t seed = 1;

static const char *const nodes[] = {
    "device/vbd/51712/state",
    "device/vbd/51712/backend",
    "device/vbd/51712/ring-ref",
    "device/vbd/51712/backend-id",
    "device/vbd/51712/event-channel",
    "device/vbd/51712/protocol",
    "device/vif/0/state",
    "device/vif/0/backend",
    "device/vif/0/mac",
    "device/vif/0/tx-ring-ref",
    "device/vif/0/rx-ring-ref",
    "device/vif/0/event-channel",
    "device/vbd/51728/state",
    "device/nonsense/0/state",
    "device/suspend/event-channel",
    "control/shutdown",
    "control/sysrq",
    "control/feature-poweroff",
    "control/platform-feature-xs_reset_watches",
    "data/updated",
    "memory/target",
    "name",
    "domid",
    "console/tty",
    "console/port",
    "store/port",
    "vm",
    "cpu/0/availability",
    "error/device/vbd/51712/error",
    "data/\x1b[2J",
    "data/a b",
    "hvmloader/x",
};

static const char *const values[] = {
    "",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "99",
    "-1",
    "4294967296",
    "18446744073709551616",
    "poweroff",
    "reboot\n",
    "%s%s%n",
    "\x1b[2J\x1b]0;owned\x07\r\n",
    "\xff\xfe\x80",
    "/local/domain/0/backend/vbd/0/51712",
    "/local/domain/0",
    "../../0",
    "{\"a\": \"\n\"}",
    "$(poweroff -f)",
    huge,
};

static void garble(unsigned int times)
{
    while (times--) {
        const char *node = nodes[test_random(&seed) % ARRAY_SIZE(nodes)];

        if (test_random(&seed) % 16)
            xenbus_write(XBT_NIL, node, values[test_random(&seed) % ARRAY_SIZE(values)]);
        else
            xenbus_rm(XBT_NIL, node);
    }
}

/* Until xenstored has enough of it. */
static void deep(void)
{
    char path[1024] = "data";

    while (strlen(path) < sizeof(path) - 8 && xenbus_write(XBT_NIL, path, "x") == 0)
        strlcpy(path + strlen(path), "/d", 8);
}

static void wide(void)
{
    char path[64];

    for (unsigned int i = 0; i < 2000; i++) {
        snprintf(path, sizeof(path), "data/wide/%u", i);
        if (xenbus_write(XBT_NIL, path, huge))
            return;
    }
}

static void watch_all(void)
{
    char token[24];

    for (unsigned int i = 0; i < 300; i++) {
        snprintf(token, sizeof(token), "w%u", i);
        if (xenbus_watch("data", token))
            return;
    }
}

void test_main(void)
{
    NEED(!xenbus_init());
    memset(huge, 0xe9, LONG);
    garble(200);
    deep();
    wide();
    watch_all();
    for (unsigned int i = 0; i < LONG; i++)
        xenbus_transaction_start(&(xenbus_transaction_t){0});
    printf("store-hostile: has written\n");
    for (;;) {
        garble(20);
        xenbus_rm(XBT_NIL, "device/vbd/51712");
        time_sleep_ns(10000000);
    }
}
