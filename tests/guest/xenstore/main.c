/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest reaches the store: reads what the toolstack wrote, writes below its own home,
 * sees its watches fire, and gets transactions right. Skipped in a domain without a store.
 */
#include <guest/xenbus.h>

#include "test.h"

const char test_name[] = "xenstore";

static char home[64];

static void reading(void)
{
    char text[128];
    int len = xenbus_read(XBT_NIL, "domid", text, sizeof(text));
    uint64_t id = DOMID_INVALID;

    CHECK(len > 0, "the domain's number is there");
    CHECK(parse_number(text, strlen(text), &id), "it is a number");
    CHECK_EQ(id, own_domid(), "and is the right one");
    snprintf(home, sizeof(home), "/local/domain/%s", text);
    CHECK(xenbus_read(XBT_NIL, "name", text, sizeof(text)) > 0, "and so is its name");
    CHECK(xenbus_directory(XBT_NIL, home, text, sizeof(text)) > 0, "the home is a directory");
    CHECK_EQ(xenbus_read(XBT_NIL, "no/such/node", text, sizeof(text)), -XEN_ENOENT, "no such node");
    CHECK_EQ(xenbus_read(XBT_NIL, "//", text, sizeof(text)), -XEN_EINVAL, "no such path");
}

static void writing(void)
{
    char text[64];

    CHECK_EQ(xenbus_write(XBT_NIL, "data/test", "one"), 0, "data/ is ours to write");
    CHECK_EQ(xenbus_read(XBT_NIL, "data/test", text, sizeof(text)), 3, "it reads back");
    CHECK(!strcmp(text, "one"), "as it was written");
    CHECK(xenbus_write(XBT_NIL, "/local/domain/0/name", "mine") < 0, "others' nodes are not");
    CHECK_EQ(xenbus_mkdir(XBT_NIL, "data/folder"), 0, "a directory");
    CHECK_EQ(xenbus_directory(XBT_NIL, "data/folder", text, sizeof(text)), 0, "is empty");
    CHECK_EQ(xenbus_rm(XBT_NIL, "data/folder"), 0, "and can be removed");
    CHECK_EQ(xenbus_read(XBT_NIL, "data/folder", text, sizeof(text)), -XEN_ENOENT, "for good");
}

static void transactions(void)
{
    xenbus_transaction_t t = XBT_NIL;
    char text[64];

    NEED(!xenbus_transaction_start(&t));
    CHECK_EQ(xenbus_write(t, "data/test", "two"), 0, "written in a transaction");
    xenbus_read(XBT_NIL, "data/test", text, sizeof(text));
    CHECK(!strcmp(text, "one"), "nobody else sees it");
    CHECK_EQ(xenbus_transaction_end(t, false), 0, "until it is committed");
    xenbus_read(XBT_NIL, "data/test", text, sizeof(text));
    CHECK(!strcmp(text, "two"), "then all do");
    NEED(!xenbus_transaction_start(&t));
    CHECK_EQ(xenbus_write(t, "data/test", "three"), 0, "written in another");
    CHECK_EQ(xenbus_transaction_end(t, true), 0, "that is given up");
    xenbus_read(XBT_NIL, "data/test", text, sizeof(text));
    CHECK(!strcmp(text, "two"), "leaves nothing");
    NEED(!xenbus_transaction_start(&t));
    xenbus_write(t, "data/test", "four");
    xenbus_write(XBT_NIL, "data/test", "five");
    CHECK_EQ(xenbus_transaction_end(t, false), -XEN_EAGAIN, "two writers: one must start again");
}

static bool next_watch(char *path, size_t size, char *token, size_t token_size)
{
    while (!xenbus_watch_next(path, size, token, token_size))
        event_wait(xenbus_has_work());
    return true;
}

static void watches(void)
{
    char path[128], token[32];

    CHECK_EQ(xenbus_watch("data", "mine"), 0, "a watch");
    CHECK(next_watch(path, sizeof(path), token, sizeof(token)), "fires once at once");
    CHECK(!strcmp(path, "data") && !strcmp(token, "mine"), "with its own path and token");
    xenbus_write(XBT_NIL, "data/test", "six");
    next_watch(path, sizeof(path), token, sizeof(token));
    CHECK(!strcmp(path, "data/test"), "and for what changes below");
    CHECK_EQ(xenbus_unwatch("data", "mine"), 0, "it can be taken away");
    CHECK_EQ(xenbus_unwatch("data", "mine"), -XEN_ENOENT, "once");
}

void test_main(void)
{
    if (xenbus_init()) {
        test_skip("this domain has no store");
        return;
    }
    reading();
    writing();
    transactions();
    watches();
}
