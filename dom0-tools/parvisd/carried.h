/* SPDX-License-Identifier: MIT */
/*
 * What a domain takes with it into its next life.
 *
 * `pvctl sched` and `pvctl pin` hold for a domain, not for one life of it: else a guest could drop
 * its cap by rebooting. They change the domain and not its configuration, from which the next life
 * is made. So weight, cap and where each vCPU may run are asked of the former life before it is
 * destroyed, and set of the next one before it runs: when `pvctl create` hands it over.
 *
 * The daemon has them in memory, so a full disk is no matter, and in the file carried/NAME for the
 * daemon after it. What can't be asked, kept or set is told in the log: the domain lives on with
 * what its configuration says of that.
 */
#ifndef PARVIS_CARRIED_H
#define PARVIS_CARRIED_H

#include "config.h"
#include "host.h"

struct carried {
    struct host_sched sched;         /* weight 0: not known */
    uint64_t cpus[CONFIG_MAX_VCPUS]; /* where each vCPU may run; 0: not known, or no such vCPU */
};

/* Asks the former life, and keeps what it says for a daemon after this one. */
void carried_take(struct host *h, const struct host_domain *d, const char *name,
                  struct carried *out);
/* What a daemon before this one has kept; nothing, if it has not. */
void carried_load(const char *name, struct carried *out);
/* Sets it of the next life. */
void carried_give(struct host *h, uint32_t domid, const char *name, const struct carried *c);

#endif
