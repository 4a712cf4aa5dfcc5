/* SPDX-License-Identifier: MIT */
/*
 * Talking with parvisd, the daemon that keeps consoles and acts when a domain ends.
 *
 * A unix socket of type SOCK_SEQPACKET, so one send is one message: a byte that says what
 * it is, then its text or data. The client asks once, the daemon answers D_OK or D_REFUSED
 * (with the reason); after D_OK to a console or wait request, more messages follow.
 *
 *   client  D_SERVE    "DOMID NAME"  map the console ring of a domain made just now
 *           D_RELEASE  "DOMID HOW"   drain its console, let go of it, tell clients how it ended
 *           D_CONSOLE  "NAME"        history, then all that comes; D_DATA goes to the guest
 *           D_WAIT     "DOMID"       answer D_END when it has ended
 *   daemon  D_DATA     bytes that the guest printed
 *           D_END      one line: how the domain ended, then the socket closes
 */
#ifndef PARVIS_TOOLS_DAEMON_H
#define PARVIS_TOOLS_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum daemon_message {
    D_SERVE = 'S',
    D_RELEASE = 'R',
    D_CONSOLE = 'C',
    D_WAIT = 'W',
    D_DATA = 'd',
    D_OK = 'k',
    D_REFUSED = 'n',
    D_END = 'e',
};

#define DAEMON_MAX_MESSAGE 4096u

/* Connected socket, or a negative errno with the cause in e. */
int daemon_connect(struct error *e);
/* One message; 0 or a negative errno. */
int daemon_send(int fd, enum daemon_message type, const void *data, size_t len);
/* Waits for one message: its type, its data in buf (a NUL is put behind). 0 = the daemon has
 * closed, negative = errno. */
int daemon_receive(int fd, char buf[DAEMON_MAX_MESSAGE + 1], size_t *len);
/* Connects, asks, waits for D_OK. Returns the socket (more may follow) or a negative errno. */
int daemon_ask(enum daemon_message type, const char *text, struct error *e);

#endif
