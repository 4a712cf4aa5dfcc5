/* SPDX-License-Identifier: MIT */
/*
 * Domains that are being taken away (lib/reap.h), beside everything else that the daemon does.
 *
 * Each is a state machine that is stepped when its time has come, so a back end that lingers
 * for seconds holds nobody up. When it is done, those who asked are told (client.h); a
 * successor, where one is wanted, is started then (policy.h).
 *
 * The collector takes up what others left: the half-made domain of a maker that was killed,
 * the store entries and devices of a domain that somebody destroyed, or whose reaper ended in
 * the middle, the domains that it was to start again (lib/restart.h), and the consoles of
 * domains that live while nobody keeps them. It looks at the names alone (state.h), at the start,
 * when a maker's connection breaks, when a domain ends, and, while something is being made or could
 * not be taken away, again and again.
 */
#ifndef PARVIS_REAPER_H
#define PARVIS_REAPER_H

#include "host.h"

#define COLLECT_AGAIN_MS  10000u /* what could not be taken away */
#define COLLECT_MAKERS_MS 1000u  /* who is still making something may be killed */

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
bool reaper_has_domain(uint32_t domid);
/* Takes up what others left. */
void reaper_collect(struct host *h);
/* Finishes all of them, without waiting for anything. */
void reaper_close(struct host *h);

#endif
