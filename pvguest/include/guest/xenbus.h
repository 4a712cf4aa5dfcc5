/* SPDX-License-Identifier: MIT */
/*
 * Xenstore: a small tree of names and values shared by all domains, kept by a daemon in the
 * control domain. Guests find their configuration and devices in it, and are told there to
 * shut down.
 *
 * The transport is like the console's: a shared page with two queues of 1024 bytes and an event
 * channel. A message is a header (type, request id, transaction id, length) and a payload; the
 * reply carries the request's id. Watch events come unasked at any time; they are queued
 * until xenbus_watch_next() takes them.
 *
 * One request at a time. Relative paths start at the domain's home, /local/domain/<id>.
 */
#ifndef GUEST_XENBUS_H
#define GUEST_XENBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t xenbus_transaction_t;
#define XBT_NIL 0u

/* -XEN_ENODEV when the domain was given no store. */
int xenbus_init(void);

/*
 * All return a negative -XEN_E* on failure (the daemon's own error name, translated).
 * read and directory return the length and fill buf, which is always terminated; directory
 * entries are separated by NUL characters.
 */
int xenbus_read(xenbus_transaction_t t, const char *path, char *buf, size_t size);
int xenbus_directory(xenbus_transaction_t t, const char *path, char *buf, size_t size);
int xenbus_write(xenbus_transaction_t t, const char *path, const char *value);
int xenbus_mkdir(xenbus_transaction_t t, const char *path);
int xenbus_rm(xenbus_transaction_t t, const char *path);

/* A transaction that lost a race ends with -XEN_EAGAIN: start it again. */
int xenbus_transaction_start(xenbus_transaction_t *t);
int xenbus_transaction_end(xenbus_transaction_t t, bool abort);

/* A watch fires once at once, and then for each change at or below path. */
int xenbus_watch(const char *path, const char *token);
int xenbus_unwatch(const char *path, const char *token);
/* True when a watch event (or anything else) is there to be read. */
bool xenbus_has_work(void);
/* Takes one queued watch event; false when there is none. */
bool xenbus_watch_next(char *path, size_t path_size, char *token, size_t token_size);

/*
 * Orderly shutdown. lifecycle_init() watches control/shutdown; lifecycle_request() returns the
 * SHUTDOWN_* reason that was asked for since, or -1. It acknowledges by emptying the node.
 */
int lifecycle_init(void);
int lifecycle_request(void);

#endif
