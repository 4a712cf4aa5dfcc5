/* SPDX-License-Identifier: MIT */
/*
 * What a grammar cannot say about a domain's configuration: limits, uniqueness, relations
 * between two values. Fills in what follows from them (the block device number of a disk's
 * name). Touches no file and asks no hypervisor: what depends on the machine is found when
 * the domain is created.
 */
#ifndef PARVIS_TOOLS_CONFIG_CHECK_H
#define PARVIS_TOOLS_CONFIG_CHECK_H

#include "config.h"

/* `file` begins the messages. */
int __must_check config_check(struct domain_config *c, const char *file, struct error *e);

#endif
