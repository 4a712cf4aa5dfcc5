/* SPDX-License-Identifier: MIT */
/*
 * Validation against the RELAX NG schema, with an answer that a person can use.
 *
 * libxml2 decides whether a document is valid. When it is not, the schema is walked beside
 * the document to find all that does not fit and to list what would have:
 * "web.xml:4: <memroy> is not known in <domain>; known: name, uuid, ...".
 */
#ifndef PARVIS_TOOLS_CONFIG_SCHEMA_H
#define PARVIS_TOOLS_CONFIG_SCHEMA_H

#include <libxml/tree.h>

#include "findings.h"

#define SCHEMA_PATH "/usr/share/parvis/domain.rng"

/* schema = NULL: $PARVIS_SCHEMA, or the installed one. What does not fit is found, and taken out of
 * the document. -ENOENT: there is no schema; -EINVAL: something did not fit. */
int __must_check schema_check(xmlDocPtr doc, const char *schema, struct findings *f);

#endif
