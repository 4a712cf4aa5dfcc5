/* SPDX-License-Identifier: MIT */
/*
 * What happens to domains, for those who want to be told (`pvctl events`).
 *
 * While somebody does, the list of all domains is held against what it was: at each turn that tells
 * of an end, when this daemon gets a new domain, before and after it takes one away, and every
 * EVENTS_LOOK_MS. So of domains that pvctl makes nothing is missed, however short they live; of
 * others, made and destroyed by other tools, what is over within that time.
 *
 *   created     there is one of this number
 *   started     it has been let go for the first time
 *   paused, unpaused
 *   renamed     from another name
 *   shutdown    it has ended, by itself: the reason is poweroff, reboot, suspend, watchdog, ...
 *   crashed     the same, by a fault of its own
 *   destroyed   nothing of it is left in the list
 */
#ifndef PARVIS_EVENTS_H
#define PARVIS_EVENTS_H

#include "host.h"

#define EVENTS_LOOK_MS 200u

/* Somebody wants to be told from now on. */
void events_begin(struct host *h);
/* Looks, if anybody wants to be told; tells them. */
void events_look(struct host *h);
/* This domain goes on with another uuid. */
void events_new_uuid(const struct host_domain *d, const uint8_t uuid[16]);
/* Looks if it is time; returns in how many ms it is again, -1: nobody wants to be told. */
int events_go_on(struct host *h);
void events_close(void);

#endif
