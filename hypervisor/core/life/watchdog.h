/* SPDX-License-Identifier: MIT */
/* SCHEDOP_watchdog: core/life/watchdog.c. */
#ifndef HV_WATCHDOG_H
#define HV_WATCHDOG_H

#include <hv/types.h>

struct domain;

void domain_watchdog_init(struct domain *d);
void domain_watchdog_kill(struct domain *d);
/* id 0 and a timeout: starts one, its id (from 1) is the result. An id: sets it again, or with
 * timeout 0 ends it. -XEN_E*. */
long domain_watchdog_set(struct domain *d, uint32_t id, uint32_t timeout_s);

#endif
