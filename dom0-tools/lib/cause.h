/* SPDX-License-Identifier: MIT */
/*
 * Why a domain ended, in words.
 *
 * The hypervisor hands on a number (SHUTDOWN_*). For a crash that it decided itself, the
 * sentence is in its log: what the last line there that speaks of this domain and a crash
 * says behind "crashed: " is appended, or the whole line, if it has another form. Domain
 * numbers come again after 32,751 domains: the last line wins.
 */
#ifndef PARVIS_CAUSE_H
#define PARVIS_CAUSE_H

#include <stddef.h>

#include "host.h"

/* "powered off", "crashed", "crashed: triple fault" */
void end_cause(struct host *h, const struct host_domain *d, char *how, size_t size);

#endif
