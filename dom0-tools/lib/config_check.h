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

/* What a field's element, or key, is called in messages: "<memory>", "maxmem". */
const char *config_word(const struct domain_config *c, const char *xml, const char *xl);
/* Finds all that is wrong. */
void config_check(struct domain_config *c, struct findings *f);
/* The same, of its disks and interfaces alone. */
void config_check_devices(struct domain_config *c, struct findings *f);

#endif
