/* SPDX-License-Identifier: MIT */
/*
 * Files of type hvm that other programs wrote describe a PC: it begins with firmware, and has disks
 * and cards that are emulated. None of that is here, and such a file has much that the schema does
 * not know. So what it is that cannot be had is said first, in one sentence.
 */
#ifndef PARVIS_TOOLS_CONFIG_FIRMWARE_H
#define PARVIS_TOOLS_CONFIG_FIRMWARE_H

#include <libxml/tree.h>

#include "error.h"

/* Before the schema is asked: the document may have any form. */
int __must_check firmware_check(xmlNodePtr root, const char *file, struct error *e);

#endif
