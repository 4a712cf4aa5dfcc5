/* SPDX-License-Identifier: MIT */
/*
 * A client as client.c, which reads and writes, and client_ask.c, which knows the requests, share
 * it.
 */
#ifndef PARVIS_CLIENT_INTERNAL_H
#define PARVIS_CLIENT_INTERNAL_H

#include "client.h"
#include "daemon.h"

enum client_kind {
    ASKING,
    READING,
    LISTENING,
    WATCHING, /* what happens to domains */
    WAITING,
    PARTING,
    EXPECTING,
    TO_MAKE,
    MAKING,
    REAPING,
    STOPPING
};

struct client {
    int fd; /* -1: free */
    enum client_kind kind;
    pid_t pid;
    struct console *console; /* READING, LISTENING */
    uint64_t pos, to;        /* LISTENING: where it is, and where what was before ends */
    unsigned int cleared;    /* LISTENING: history.cleared, as it was */
    bool told;               /* LISTENING: that this has been sent */
    bool follows;            /* LISTENING: goes on behind that */
    uint32_t domid;          /* WAITING, PARTING, REAPING */
    char name[65];           /* TO_MAKE, MAKING, EXPECTING, STOPPING */
    char how[256];           /* PARTING: what it is told when the domain is gone */
};

extern struct client clients[MAX_CLIENTS];
extern unsigned int nr_clients; /* slots in use, dense */

/* A client that has gone is noticed where its socket is looked at, not here. */
void client_tell(const struct client *cl, enum daemon_message type, const char *text);
/* D_OK, or refuses. */
void client_answer(struct client *cl, int rc, const struct error *e);
/* The slot stays until client_serve() is through its array. */
void client_drop(struct client *cl);
/* Tells how it ended, and lets the client go. */
void client_send_end(struct client *cl, const char *how);

#endif
