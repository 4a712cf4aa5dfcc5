/* SPDX-License-Identifier: MIT */
/*
 * The collector takes up what others left: the half-made domain of a maker that was killed, the
 * store entries and devices of a domain that somebody destroyed, or whose reaper ended in the
 * middle, the domains that it was to start again (lib/restart.h), and the consoles of domains that
 * live while nobody keeps them. It looks at the names alone (state.h), at the start, when a maker's
 * connection breaks, when a domain ends, and, while something is being made or could not be taken
 * away, again and again.
 */
#ifndef PARVIS_COLLECTOR_H
#define PARVIS_COLLECTOR_H

#include "host.h"

#define COLLECT_AGAIN_MS  10000u /* what could not be taken away */
#define COLLECT_MAKERS_MS 1000u  /* who is still making something may be killed */

/* Looks now. */
void collector_look(struct host *h);
/* Looks once more, later: something could not be done. */
void collector_again(void);
/* Looks if it is time, and steps what is being taken away; returns ms until the next, or -1. */
int collector_run(struct host *h);

#endif
