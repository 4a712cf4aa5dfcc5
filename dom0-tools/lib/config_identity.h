/* SPDX-License-Identifier: MIT */
/*
 * What makes a domain the same one again: its uuid, and its MAC addresses.
 */
#ifndef PARVIS_TOOLS_CONFIG_IDENTITY_H
#define PARVIS_TOOLS_CONFIG_IDENTITY_H

#include "config.h"

/* Makes up what the configuration leaves open. */
void config_identity(struct domain_config *c);

#endif
