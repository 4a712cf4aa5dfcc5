/* SPDX-License-Identifier: MIT */
/*
 * Validation against the schema of domain XML, with an answer that a person can use.
 *
 * The schema is dom0-tools/schema/domain.rng, in RELAX NG. Reading it for each document would take
 * longer than all else that is done for a small domain; so it is made a table when the tools are
 * built, and document and table are walked side by side, to find all that does not fit and to list
 * what would have: "web.xml:4: <memroy> is not known in <domain>; known: name, uuid, ...".
 */
#ifndef PARVIS_TOOLS_CONFIG_SCHEMA_H
#define PARVIS_TOOLS_CONFIG_SCHEMA_H

#include <libxml/tree.h>

#include "findings.h"

/* What stands in an element, or is the value of an attribute. Without words and form: nothing. */
struct schema_text {
    const char *const *words; /* one of these, up to NULL */
    const char *form;         /* or what this regular expression fits, */
    const char *sentence;     /* in words for a person */
    bool free;                /* or anything */
};

/* Lists of both end where there is no name. */
struct schema_attribute {
    const char *name;
    bool optional;
    struct schema_text text;
};

struct schema_element {
    const char *name;
    bool optional, many; /* it may be missing; it may be there more than once */
    const struct schema_attribute *attributes;
    const struct schema_element *elements; /* in any order */
    struct schema_text text;
};

/* The list of the one element that a document may be: made by dom0-tools/schema/table.py. */
extern const struct schema_element *const schema_root;

/* What does not fit is found, and taken out of the document. */
void schema_check(xmlDocPtr doc, struct findings *f);

#endif
