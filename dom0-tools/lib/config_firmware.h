/* SPDX-License-Identifier: MIT */
/*
 * Files of type hvm that other programs wrote describe a PC: it begins with firmware, and has disks
 * and cards that are emulated. None of that is here, and such a file has much that the schema does
 * not know. So what it is that cannot be had is said in one sentence, with what to ask for instead,
 * and the rest is judged as if that were asked for.
 */
#ifndef PARVIS_TOOLS_CONFIG_FIRMWARE_H
#define PARVIS_TOOLS_CONFIG_FIRMWARE_H

#include <libxml/tree.h>

#include "findings.h"

/* Before all else, as the document may have any form. */
void firmware_check(xmlNodePtr root, struct findings *f);

#endif
