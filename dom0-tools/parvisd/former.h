/* SPDX-License-Identifier: MIT */
/*
 * What daemons before this one left of domains that have ended: what they printed
 * (console/NAME.log), how they ended (ended/NAME), what they were to take along (carried/NAME).
 * No daemon after them would ever take these files away, and they are the control domain's memory.
 */
#ifndef PARVIS_FORMER_H
#define PARVIS_FORMER_H

/* Of names that nobody has, and that are not to live again, those of the newest are kept: as many
 * as a daemon keeps itself (CONSOLES_ENDED). */
void former_sweep(void);

#endif
