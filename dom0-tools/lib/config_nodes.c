/* SPDX-License-Identifier: MIT */
/*
 * Looking at a document: see config_nodes.h.
 */
#include "config_nodes.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/xmlerror.h>

static void note_lack(xmlDocPtr doc)
{
    doc->_private = doc;
}

static void hear(void *ctx, xmlErrorPtr x)
{
    if (ctx && x->code == XML_ERR_NO_MEMORY)
        note_lack(ctx);
}

void nodes_watch(xmlDocPtr doc)
{
    xmlSetStructuredErrorFunc(doc, hear);
}

bool nodes_lack_memory(xmlDocPtr doc)
{
    return doc && doc->_private;
}

bool node_is(xmlNodePtr n, const char *name)
{
    return n && n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static xmlNodePtr first_of(xmlNodePtr n, const char *name)
{
    while (n && !node_is(n, name))
        n = n->next;
    return n;
}

xmlNodePtr node_child(xmlNodePtr n, const char *name)
{
    return n ? first_of(n->children, name) : NULL;
}

xmlNodePtr node_next(xmlNodePtr n)
{
    return n ? first_of(n->next, (const char *)n->name) : NULL;
}

xmlNodePtr node_at(xmlNodePtr n, const char *path)
{
    char name[64];
    size_t len;

    for (; n && *path; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        memcpy(name, path, len);
        name[len] = '\0';
        n = node_child(n, name);
    }
    return n;
}

/* Copies into malloc'ed memory: xmlFree is not promised to be free. */
static char *take(xmlNodePtr n, xmlChar *s)
{
    char *copy = s ? strdup((const char *)s) : NULL;

    if (s && !copy)
        note_lack(n->doc);
    xmlFree(s);
    return copy;
}

char *node_attr(xmlNodePtr n, const char *name)
{
    return n ? take(n, xmlGetNoNsProp(n, BAD_CAST name)) : NULL;
}

char *node_text(xmlNodePtr n)
{
    return n ? take(n, xmlNodeGetContent(n)) : NULL;
}

bool node_attr_is(xmlNodePtr n, const char *name, const char *value)
{
    char *have = node_attr(n, name);
    bool same = have && strcmp(have, value) == 0;

    free(have);
    return same;
}

unsigned long node_number(char *malloced, unsigned long missing)
{
    unsigned long n = malloced && *malloced ? strtoul(malloced, NULL, 10) : missing;

    free(malloced);
    return n;
}

long node_line(xmlNodePtr n, xmlNodePtr missing)
{
    return xmlGetLineNo(n ? n : missing);
}

void node_drop(xmlNodePtr n)
{
    xmlUnlinkNode(n);
    xmlFreeNode(n);
}

void node_mark(xmlNodePtr n)
{
    n->_private = n;
}

bool node_marked(xmlNodePtr n)
{
    return n && n->_private;
}
