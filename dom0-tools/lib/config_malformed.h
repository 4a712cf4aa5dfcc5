/* SPDX-License-Identifier: MIT */
/*
 * A file that is no XML at all: what is wrong with it, and where, in a sentence of ours.
 */
#ifndef PARVIS_TOOLS_CONFIG_MALFORMED_H
#define PARVIS_TOOLS_CONFIG_MALFORMED_H

#include <libxml/parser.h>

#include "findings.h"

struct malformed {
    struct findings faults;
    size_t sure;    /* so many of them are the file's, if it is lost: one of a line */
    bool shaken;    /* behind these the parser may be confused */
    bool lost;      /* and is */
    bool bytes;     /* the first is that they are not of the encoding */
    bool no_memory; /* it is not known what is in the file */
};

/* Reads a document, or what it is if one passes over its faults; NULL: that cannot be said. Nothing
 * is printed by the library, now or later. */
xmlDocPtr malformed_read(xmlParserCtxtPtr ctxt, const char *xml, int len, struct malformed *m);
/* Adds the faults to what was found in the document, and frees them: a file that has any is not
 * accepted. What was found in a line with a fault comes from that, and goes. */
void malformed_report(struct malformed *m, struct findings *f);

#endif
