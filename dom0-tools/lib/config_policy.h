/* SPDX-License-Identifier: MIT */
/*
 * What other programs write into domain XML, and what becomes of it here.
 *
 * libvirt and those who use it write much that has no effect on a guest of Parvis: it is passed
 * over, silently or with a note, and taken out before the schema is asked. Some asks for what there
 * is not, and a guest without it would not be the guest that was meant: it is refused by its name,
 * whatever else is in the file. All that is left is the schema's to judge.
 */
#ifndef PARVIS_TOOLS_CONFIG_POLICY_H
#define PARVIS_TOOLS_CONFIG_POLICY_H

#include <libxml/tree.h>

#include "findings.h"

enum treatment { SILENT, NOTE, REFUSE };

struct rule {
    const char *element; /* path below <domain>; several names of a place have | between them */
    /* "type=a|b", "type!=a": only with such an attribute; "elements": only with elements in it;
     * NULL: always */
    const char *when;
    const char *attribute; /* several with | between; NULL = the element, with all in it */
    enum treatment treatment;
    const char *words; /* why; NULL of what is passed over silently */
};

/* config_policy_rows.c: of what lies in <devices>, and of the rest; each ends with element NULL.
 * The first rule that fits an element decides. */
extern const struct rule config_domain_rules[], config_device_rules[];

/* Takes out of the document what a rule is about. strict: only what is refused. */
void config_policy(xmlNodePtr root, bool strict, struct findings *f);

#endif
