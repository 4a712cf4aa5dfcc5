/* SPDX-License-Identifier: MIT */
/*
 * Files of type hvm that other programs wrote describe a PC: it begins with firmware, and has disks
 * and cards that are emulated. None of that is here, and such a file has much that the schema does
 * not know. So what it is that cannot be had is said first, in one sentence.
 */
#ifndef PARVIS_TOOLS_CONFIG_FIRMWARE_H
#define PARVIS_TOOLS_CONFIG_FIRMWARE_H

#include <libxml/tree.h>

#include "findings.h"

/* Before all else, as the document may have any form. false: that is in the way, and nothing else
 * is worth a word. */
bool firmware_check(xmlNodePtr root, struct findings *f);

#endif
