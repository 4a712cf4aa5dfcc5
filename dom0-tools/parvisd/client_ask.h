/* SPDX-License-Identifier: MIT */
/*
 * What clients ask the daemon for.
 *
 * Here everything comes together: a request makes the consoles, the policy, the reaper and the
 * collector do something, and none of these knows of requests.
 */
#ifndef PARVIS_CLIENT_ASK_H
#define PARVIS_CLIENT_ASK_H

#include "client.h"

/* A client's one request. */
void client_request(struct host *h, struct client *cl, int type, char *text);
/* Answers those that may begin by now, and takes away what one that has left did not finish. */
void client_go_on(struct host *h);

#endif
