/* SPDX-License-Identifier: MIT */
/*
 * Definitions: domains that are known whether they run or not.
 *
 *   /etc/parvis/domains/NAME.xml            what `start` makes the domain from
 *   /etc/parvis/domains/autostart/NN-NAME   an empty file: it is started with the machine; those of
 *                                           lower NN first, then by name
 *
 * Plain files, so that an image can bring them, an editor change them, and a FAT partition keep
 * them: `define` writes domain XML, but whatever `create` takes may lie there. They are written
 * beside their place and renamed, one writer at a time (.lock), so that a reader sees the old or
 * the new one, and what a killed writer left (.new) is the next one's. What else lies in the folder
 * is named, and does not hide the others; hidden files are nobody's business. Names that a FAT
 * partition takes for one are not both defined (fat_name.h).
 *
 * A definition keeps what makes the domain the same one each time: its uuid, its MAC addresses.
 *
 * $PARVIS_DOMAINS replaces the folder.
 */
#ifndef PARVIS_TOOLS_DEFINITION_H
#define PARVIS_TOOLS_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define AUTOSTART_NONE  (-1)
#define AUTOSTART_ORDER 50 /* where nothing is said */
#define AUTOSTART_MAX   99

struct definition {
    struct domain_config cfg;
    int order; /* of its start with the machine; AUTOSTART_NONE */
};

/* The file of this name, in a static buffer. */
const char *definition_path(const char *name);
/* -ESRCH: no domain of this name is defined; another error: that cannot be told. */
int __must_check definition_find(const char *name, struct error *e);
/* The same, and what it says. */
int __must_check definition_read(const char *name, struct definition *out, struct error *e);
/* All that can be read, by name; of each other thing in the folder there is one line in *bad. */
int __must_check definition_list(struct definition **out, size_t *nr, struct findings *bad);
void definition_list_free(struct definition *list, size_t nr);

/* Keeps it under its name. cfg gets the uuid and the MAC addresses that the definition before it
 * has, or new ones, where it has none; -EEXIST: another uuid than that one's, or one of another
 * definition's, or a name that differs from another's in the case of letters only. */
int __must_check definition_write(struct domain_config *cfg, struct error *e);
/* It is forgotten, and not started with the machine any more. */
int __must_check definition_remove(const char *name, struct error *e);
/* order: AUTOSTART_NONE, or 0 to AUTOSTART_MAX. */
int __must_check definition_autostart(const char *name, int order, struct error *e);
/* Whether the folder lies in memory, and is lost when the machine is switched off. */
bool definition_is_lost_at_the_end(void);

#endif
