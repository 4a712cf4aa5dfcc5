/* SPDX-License-Identifier: MIT */
/*
 * A file that is no XML at all: what is wrong with it, and where, in a sentence of ours.
 */
#ifndef PARVIS_TOOLS_CONFIG_MALFORMED_H
#define PARVIS_TOOLS_CONFIG_MALFORMED_H

#include <libxml/parser.h>

#include "findings.h"

struct malformed {
    int line;
    char why[160]; /* the first fault; what the parser meets behind it is its own confusion */
};

/* Reads a document; NULL: *m has the fault. Nothing is printed by the library, now or later. */
xmlDocPtr malformed_read(xmlParserCtxtPtr ctxt, const char *xml, int len, struct malformed *m);
/* After it failed. */
void malformed_report(const struct malformed *m, struct findings *f);

#endif
