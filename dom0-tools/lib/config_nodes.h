/* SPDX-License-Identifier: MIT */
/*
 * Looking at a document: what all that read domain XML share. Each takes a node that is not there,
 * NULL, for one that holds nothing.
 */
#ifndef PARVIS_TOOLS_CONFIG_NODES_H
#define PARVIS_TOOLS_CONFIG_NODES_H

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

/* From here on it is noted in the document where there was no memory for something of it, be it
 * libxml2's or ours. NULL: in none any more. The library prints nothing either way. */
void nodes_watch(xmlDocPtr doc);
/* Has that been so? Then what was seen of it may have lacked something. */
bool nodes_lack_memory(xmlDocPtr doc);
/* An element of this name? */
bool node_is(xmlNodePtr n, const char *name);
/* The first child of this name; the next sibling of the same name. NULL: none. */
xmlNodePtr node_child(xmlNodePtr n, const char *name);
xmlNodePtr node_next(xmlNodePtr n);
/* By a path below n: "os/type". */
xmlNodePtr node_at(xmlNodePtr n, const char *path);
/* malloc'ed; NULL: there is no such attribute, or element. */
char *node_attr(xmlNodePtr n, const char *name);
char *node_text(xmlNodePtr n);
/* Has the attribute this value? */
bool node_attr_is(xmlNodePtr n, const char *name, const char *value);
/* A whole number, or what is meant where there is none. */
unsigned long node_number(char *malloced, unsigned long missing);
/* The line of n, or of what stands for it. */
long node_line(xmlNodePtr n, xmlNodePtr missing);
/* Takes it out of the document. */
void node_drop(xmlNodePtr n);
/* Something of it was refused, and told of: what it lacks now is no second mistake. */
void node_mark(xmlNodePtr n);
bool node_marked(xmlNodePtr n);

#endif
