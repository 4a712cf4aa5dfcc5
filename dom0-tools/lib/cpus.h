/* SPDX-License-Identifier: MIT */
/*
 * Which CPUs a domain may use, and how much of them: what its configuration says of it, held
 * against the machine, and set.
 */
#ifndef PARVIS_TOOLS_CPUS_H
#define PARVIS_TOOLS_CPUS_H

#include "config.h"
#include "host.h"

/* Is one of the CPUs there? `where` begins the message that names those that are not; where some
 * are, that is said on standard error, and no more; so is that one is not safe for this kind. */
int __must_check cpus_there(struct host *h, const char *where, enum guest_kind kind, uint64_t set,
                            struct error *e);
/* Before the domain is made: can this machine do what is wanted? */
int __must_check cpus_check(struct host *h, const struct domain_config *c, struct error *e);
/* Before it runs: weight, cap, and where its vCPUs may run. */
int __must_check cpus_set(struct host *h, const struct domain_config *c, uint32_t domid,
                          struct error *e);

#endif
