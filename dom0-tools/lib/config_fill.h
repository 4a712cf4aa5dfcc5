/* SPDX-License-Identifier: MIT */
/*
 * From a document to a struct domain_config. The schema has been over the document, and what does
 * not fit was taken out: what is missing here that must be there has been told of. What two values
 * say together, and what is no plain value, is found here.
 */
#ifndef PARVIS_TOOLS_CONFIG_FILL_H
#define PARVIS_TOOLS_CONFIG_FILL_H

#include <libxml/tree.h>

#include "config.h"

/* -ENOMEM, or 0. */
int __must_check config_fill(xmlNodePtr root, struct domain_config *c, struct findings *f);
/* config_devices.c: disks, interfaces, console, limits. */
int __must_check config_fill_devices(xmlNodePtr devices, struct domain_config *c,
                                     struct findings *f);

#endif
