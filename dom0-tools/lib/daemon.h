/* SPDX-License-Identifier: MIT */
/*
 * Talking with parvisd, the daemon that keeps consoles and acts when a domain ends.
 *
 * A unix socket of type SOCK_SEQPACKET, so one send is one message: a byte that says what
 * it is, then its text or data. The client asks once (but see D_SERVE), the daemon answers D_OK or
 * D_REFUSED (an errno and the reason); after D_OK to some requests, more messages follow.
 *
 *   client  D_MAKE     "NAME"           a domain of this name is to be made. Answered when nothing
 *                                       of a former one is left; while the connection stands, it
 *                                       is being made: when it breaks, what is left is taken away
 *           D_SERVE    "DOMID PORT NAME"  map the console ring of a domain made just now, whose end
 *                                       of the channel is PORT; on the connection that says that
 *                                       it is being made, too
 *           D_REAP     "DOMID UUID NAME HOW"  drain its console, take the domain away, tell clients
 *                                       how it ended; answered when it is gone. -ESRCH: the domain
 *                                       of this number is not that one any more
 *           D_STOP     "NAME"           it is not to live again: a life that is being made is
 *                                       undone; answered when nothing of it is left
 *           D_CONSOLE  "NAME"           history, then all that comes; D_DATA goes to the guest
 *           D_TAKE     "NAME"           the same, also where somebody has it: he is sent D_END
 *           D_LOG      "NAME"           history up to now, D_NEXT, D_END; a reader is not disturbed
 *           D_FOLLOW   "NAME"           the same; behind D_NEXT all that comes, until it ends
 *           D_RENAME   "DOMID OLD NEW"  the name stands for the domain from now on; who asks
 *                                       has claimed NEW (state.h)
 *           D_EVENTS   ""               what happens to domains, from now on
 *           D_WAIT     "DOMID"          answer D_END when it has ended and is taken away
 *   daemon  D_DATA     bytes that the guest printed
 *           D_HISTORY  the same, of a domain that has ended: nobody talks with its terminal
 *           D_EVENT    time, event, DOMID, uuid, name, reason, former name; tabs between them
 *           D_END      one line: how the domain ended; then the socket closes, unless somebody
 *                      waits and the domain is started again:
 *           D_NEXT     "DOMID" of the new life, or D_END again: it could not be
 *
 * No call waits for ever: a daemon that is stopped, or just being started again, is given
 * some time, and then it is said that it does not answer.
 */
#ifndef PARVIS_TOOLS_DAEMON_H
#define PARVIS_TOOLS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum daemon_message {
    D_MAKE = 'M',
    D_SERVE = 'S',
    D_REAP = 'R',
    D_STOP = 'T',
    D_CONSOLE = 'C',
    D_TAKE = 'F',
    D_LOG = 'L',
    D_FOLLOW = 'l',
    D_RENAME = 'N',
    D_WAIT = 'W',
    D_EVENTS = 'E',
    D_DATA = 'd',
    D_EVENT = 'v',
    D_HISTORY = 'h',
    D_OK = 'k',
    D_REFUSED = 'n',
    D_END = 'e',
    D_NEXT = 'x',
};

#define DAEMON_MAX_MESSAGE 4096u
#define MAX_CLIENTS        512u  /* at once: `pvctl shutdown --all --wait` is one for each domain */
#define DAEMON_START_MS    5000u /* so long may it take to be started again */
#define DAEMON_ANSWER_MS   60000u /* and so long to answer: it may have a domain to take away */

/* Connected socket, or a negative errno with the cause in e. */
int __must_check daemon_connect(struct error *e);
/* One message; 0 or a negative errno. */
int __must_check daemon_send(int fd, enum daemon_message type, const void *data, size_t len);
/* Waits for one message: its type, its data in buf (a NUL is put behind). 0 = the daemon has
 * closed, negative = errno. */
int __must_check daemon_receive(int fd, char buf[DAEMON_MAX_MESSAGE + 1], size_t *len);
/* Refuses: the errno and the reason of e. Who has gone does not hear it. */
void daemon_refuse(int fd, const struct error *e);
/* Connects, asks, waits for D_OK. Returns the socket (more may follow) or a negative errno. */
int __must_check daemon_ask(enum daemon_message type, const char *text, struct error *e);
/* Asks once more, on a connection that D_MAKE has opened: 0 or a negative errno. */
int __must_check daemon_ask_on(int fd, enum daemon_message type, const char *text, struct error *e);
/* Is that daemon no more? One whose answer comes too late is there still. */
bool daemon_has_gone(int fd);

#endif
