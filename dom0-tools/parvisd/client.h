/* SPDX-License-Identifier: MIT */
/*
 * Those who talk to the daemon over its socket (lib/daemon.h has the messages).
 *
 * A client asks once. Most requests are answered and done; a console reader and one who
 * waits for a domain's end stay. A client is never waited for: what does not fit into its
 * socket is sent when the socket has room, and the history keeps it until then.
 */
#ifndef PARVIS_CLIENT_H
#define PARVIS_CLIENT_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "console.h"
#include "daemon.h"

int __must_check client_listen(const char *path);
void client_accept(int listener);
/* Fills pfds for all clients (room for MAX_CLIENTS); returns how many. */
unsigned int client_poll_set(struct pollfd *pfds);
/* What is done when a client has asked: client_request() of client_ask.h. */
struct client;
typedef void (*client_request_t)(struct host *h, struct client *cl, int type, char *text);
/* Acts upon what poll found; the same array, unchanged in order. */
void client_serve(struct host *h, const struct pollfd *pfds, unsigned int nr,
                  client_request_t request);
/* Tells all who wait for this domain that it has ended. successor: it will be started again, and
 * they are told of that too; else NULL. */
void client_tell_end(uint32_t domid, const char *how, const char *successor);
/* The same, without a successor, as soon as it is taken away: nobody is told of an end and finds
 * the domain still in the list. */
void client_tell_end_when_reaped(uint32_t domid, const char *how);
/* Tells who waits for domains that other programs made that they have ended. */
void client_check_others(struct host *h);
/* Tells who waits for it that the domain of this name lives again, or (how) that it could not. */
void client_tell_next(const char *name, uint32_t domid, const char *how);
/* Tells who asked for it, or waits, that the domain is taken away; e: what went wrong. */
void client_tell_reaped(uint32_t domid, const struct error *e);
/* Tells all who want to know what happens to domains; who does not keep up is let go. */
void client_tell_event(const char *text);
bool client_wants_events(void);
/* Is somebody making a domain of this name? */
bool client_is_making(const char *name);
/* Has one left, since this was asked last, that had not finished making its domain? */
bool client_maker_left(void);
void client_close_all(void);

#endif
