/* SPDX-License-Identifier: MIT */
/*
 * Orderly shutdown: the toolstack writes a word to control/shutdown in the domain's home, the
 * guest empties the node (which tells the toolstack that the guest listens), finishes its work,
 * and calls SCHEDOP_shutdown with the reason.
 *
 * A guest announces that it listens by feature-poweroff and feature-reboot nodes; they may be
 * unwritable, and nothing depends on them.
 */
#include <guest/kernel.h>
#include <guest/xenbus.h>

#define NODE "control/shutdown"

int lifecycle_init(void)
{
    int rc = xenbus_init();

    if (rc)
        return rc;
    rc = xenbus_watch(NODE, NODE);
    if (rc)
        return rc;
    xenbus_write(XBT_NIL, "control/feature-poweroff", "1");
    xenbus_write(XBT_NIL, "control/feature-reboot", "1");
    return 0;
}

static int reason_of(const char *word)
{
    if (!strcmp(word, "poweroff") || !strcmp(word, "halt"))
        return SHUTDOWN_poweroff;
    if (!strcmp(word, "reboot"))
        return SHUTDOWN_reboot;
    if (!strcmp(word, "crash"))
        return SHUTDOWN_crash;
    return -1;
}

int lifecycle_request(void)
{
    char path[128], token[64], word[32];

    while (xenbus_watch_next(path, sizeof(path), token, sizeof(token))) {
        if (strcmp(token, NODE) || xenbus_read(XBT_NIL, NODE, word, sizeof(word)) <= 0)
            continue;
        xenbus_write(XBT_NIL, NODE, "");
        if (reason_of(word) >= 0)
            return reason_of(word);
        printf("shutdown request \"%s\" is unknown\n", word);
    }
    return -1;
}
