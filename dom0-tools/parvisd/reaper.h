/* SPDX-License-Identifier: MIT */
/*
 * Domains that are being taken away (lib/reap.h), beside everything else that the daemon does.
 *
 * Each is a state machine that is stepped when its time has come, so a back end that lingers
 * for seconds holds nobody up. When it is done, those who asked are told (client.h); a successor,
 * where one is wanted, is started then (policy.h), and what could not be taken away is found again
 * (collector.h).
 */
#ifndef PARVIS_REAPER_H
#define PARVIS_REAPER_H

#include "host.h"

/* Takes the domain away, from now on. Nothing happens if that is being done already. */
void reaper_start(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name,
                  const char *how);
/* Takes the devices of a domain that stays; until they are gone, something of this name is being
 * taken away. */
void reaper_start_devices(struct host *h, const struct host_domain *d, const char *name);
/* Steps all that are due; returns ms until the next, or -1. */
int reaper_run(struct host *h);
/* Is something of this name being taken away? */
bool reaper_has_name(const char *name);
/* Since this was asked last: has something not been taken away? */
bool reaper_left_something(void);
/* Finishes all of them, without waiting for anything. */
void reaper_close(struct host *h);

#endif
