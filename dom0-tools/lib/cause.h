/* SPDX-License-Identifier: MIT */
/*
 * Why a domain ended, in words.
 *
 * The hypervisor hands on a number (SHUTDOWN_*). For a crash that it decided itself, the
 * sentence is in its log. Guests write there too: only lines that the hypervisor says itself
 * count, so no guest can put words into its record. For a crash that the guest asked for it
 * has no reason; that is said.
 */
#ifndef PARVIS_CAUSE_H
#define PARVIS_CAUSE_H

#include <stddef.h>

#include "host.h"

/* "powered off", "crashed", "crashed: triple fault" */
void end_cause(struct host *h, const struct host_domain *d, char *how, size_t size);
/* The same, or "destroyed", of a domain that has ended; false: it lives, as far as is known. */
bool has_ended(struct host *h, uint32_t domid, char *how, size_t size);

#endif
