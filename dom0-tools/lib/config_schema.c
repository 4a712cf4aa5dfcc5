/* SPDX-License-Identifier: MIT */
/*
 * Validation against the schema: see config_schema.h.
 *
 * What does not fit is taken out on the way, and what it stood in is marked (config_nodes.h), so
 * that whoever looks at the rest says nothing of it again. That this accepts what libxml2's RELAX
 * NG validator accepts, and nothing else, is shown by a test on random documents.
 */
#include "config_schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlregexp.h>

#include "config.h"
#include "config_nodes.h"
#include "near.h"

#define NAMES_TEXT 512u

/* "a, b, c"; more than there is room for is cut off. */
static void add_name(char out[NAMES_TEXT], const char *name)
{
    size_t at = strlen(out);

    snprintf(out + at, NAMES_TEXT - at, "%s%s", at ? ", " : "", name);
}

static void attribute_names(const struct schema_attribute *a, char out[NAMES_TEXT])
{
    out[0] = '\0';
    for (; a && a->name; a++)
        add_name(out, a->name);
    if (!out[0])
        add_name(out, "none");
}

static void element_names(const struct schema_element *s, char out[NAMES_TEXT])
{
    out[0] = '\0';
    for (; s && s->name; s++)
        add_name(out, s->name);
    if (!out[0])
        add_name(out, "none");
}

static const struct schema_attribute *find_attribute(const struct schema_attribute *a,
                                                     xmlAttrPtr attr)
{
    for (; a && a->name && !attr->ns; a++) {
        if (strcmp(a->name, (const char *)attr->name) == 0)
            return a;
    }
    return NULL;
}

static const struct schema_element *find_element(const struct schema_element *s, xmlNodePtr node)
{
    for (; s && s->name && !node->ns; s++) {
        if (strcmp(s->name, (const char *)node->name) == 0)
            return s;
    }
    return NULL;
}

static bool among(const char *const *words, const char *text)
{
    for (; words && *words; words++) {
        if (strcmp(*words, text) == 0)
            return true;
    }
    return false;
}

/* Where there is no memory to try it, it is not said that it does not. */
static bool form_fits(const char *form, const char *text, struct findings *f)
{
    xmlRegexpPtr re = xmlRegexpCompile(BAD_CAST form);
    int fits = re ? xmlRegexpExec(re, BAD_CAST text) : -1;

    xmlRegFreeRegexp(re);
    f->unread |= fits < 0;
    return fits != 0;
}

/* Of an element, or an attribute, which begins the message. */
static bool text_fits(const struct schema_text *s, const char *what, long line, const char *text,
                      struct findings *f)
{
    char words[NAMES_TEXT] = "";

    if (s->free || among(s->words, text) || (s->form && form_fits(s->form, text, f)))
        return true;
    if (!s->words && !s->form && !*text)
        return true;
    if (!s->words && !s->form) {
        findings_error(f, -EINVAL, line, "%s takes no text, but has '%.64s'", what, text);
        return false;
    }
    for (const char *const *w = s->words; w && *w; w++)
        add_name(words, *w);
    findings_error(f, -EINVAL, line, "%s: '%.64s' is not accepted; accepted: %s", what, text,
                   s->words ? words : s->sentence);
    return false;
}

/* Is an attribute that is not known this one, misspelt? */
static bool meant_attribute(xmlNodePtr node, const struct schema_attribute *known, const char *name)
{
    for (xmlAttrPtr a = node->properties; a; a = a->next) {
        struct near n = {NULL, 0};

        near_try(&n, (const char *)a->name, name);
        if (n.word && !find_attribute(known, a))
            return true;
    }
    return false;
}

static void drop_unknown_attributes(xmlNodePtr node, const struct schema_attribute *known,
                                    struct findings *f)
{
    char names[NAMES_TEXT];
    xmlAttrPtr next;

    for (xmlAttrPtr a = node->properties; a; a = next) {
        next = a->next;
        if (find_attribute(known, a))
            continue;
        attribute_names(known, names);
        findings_error(f, -EINVAL, xmlGetLineNo(node),
                       "<%s> has no attribute '%s'; its attributes: %s", node->name, a->name,
                       names);
        xmlRemoveProp(a);
        node_mark(node);
    }
}

static void find_lacking_attributes(xmlNodePtr node, const struct schema_attribute *known,
                                    struct findings *f)
{
    for (const struct schema_attribute *a = known; a && a->name; a++) {
        if (!a->optional && !xmlHasProp(node, BAD_CAST a->name) &&
            !meant_attribute(node, known, a->name))
            findings_error(f, -EINVAL, xmlGetLineNo(node), "<%s> lacks the attribute '%s'",
                           node->name, a->name);
    }
}

static void check_attributes(xmlNodePtr node, const struct schema_attribute *known,
                             struct findings *f)
{
    char what[128];
    xmlAttrPtr next;

    find_lacking_attributes(node, known, f);
    drop_unknown_attributes(node, known, f);
    for (xmlAttrPtr a = node->properties; a; a = next) {
        xmlChar *value = xmlNodeListGetString(node->doc, a->children, 1);

        next = a->next;
        snprintf(what, sizeof(what), "attribute '%s' of <%s>", a->name, node->name);
        if (!text_fits(&find_attribute(known, a)->text, what, xmlGetLineNo(node),
                       value ? (const char *)value : "", f)) {
            xmlRemoveProp(a);
            node_mark(node);
        }
        xmlFree(value);
    }
}

/* What is there too often is taken out, but for the first. */
static size_t keep_first(const struct schema_element *s, xmlNodePtr node, long *last_line)
{
    size_t n = 0;
    xmlNodePtr next;

    for (xmlNodePtr c = node->children; c; c = next) {
        next = c->next;
        if (c->type != XML_ELEMENT_NODE || c->ns || strcmp((const char *)c->name, s->name) != 0)
            continue;
        *last_line = xmlGetLineNo(c);
        if (n++ && !s->many)
            node_drop(c);
    }
    return n;
}

/* The one that is near to an element that is not known here; NULL: none. */
static const char *meant(const struct schema_element *known, const char *name)
{
    struct near n = {NULL, 0};

    for (const struct schema_element *s = known; s && s->name; s++)
        near_try(&n, name, s->name);
    return n.word;
}

/* Is it there, misspelt? */
static bool is_misspelt(xmlNodePtr node, const struct schema_element *known, const char *name)
{
    for (xmlNodePtr c = xmlFirstElementChild(node); c; c = xmlNextElementSibling(c)) {
        const char *word = find_element(known, c) ? NULL : meant(known, (const char *)c->name);

        if (word && strcmp(word, name) == 0)
            return true;
    }
    return false;
}

static void check_counts(xmlNodePtr node, const struct schema_element *known, struct findings *f)
{
    for (const struct schema_element *s = known; s && s->name; s++) {
        long line = xmlGetLineNo(node);
        size_t n = keep_first(s, node, &line);

        if (n > 1 && !s->many)
            findings_error(f, -EINVAL, line, "<%s> is given twice in <%s>; accepted once", s->name,
                           node->name);
        else if (n == 0 && !s->optional && !is_misspelt(node, known, s->name))
            findings_error(f, -EINVAL, line, "<%s> lacks <%s>", node->name, s->name);
    }
}

/* The text directly inside an element, without blanks around it; NULL: no memory. */
static xmlChar *own_text(xmlNodePtr node)
{
    xmlChar *all = xmlStrdup(BAD_CAST ""), *from;
    int len;

    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE)
            all = xmlStrcat(all, c->content);
    }
    if (!all)
        return NULL;
    from = all + strspn((char *)all, CONFIG_BLANKS);
    len = xmlStrlen(from);
    while (len > 0 && strchr(CONFIG_BLANKS, from[len - 1]))
        len--;
    from = xmlStrndup(from, len);
    xmlFree(all);
    return from;
}

/* Where an element of this name stands instead; NULL: nowhere, or here. */
static const char *place_of(const struct schema_element *s, const char *name)
{
    const char *found = NULL;

    for (; s && s->name && !found; s++) {
        for (const struct schema_element *c = s->elements; c && c->name && !found; c++)
            found = strcmp(c->name, name) == 0 ? s->name : NULL;
        found = found ? found : place_of(s->elements, name);
    }
    return found;
}

/* With what was meant: a name that is near, a place where it is known, or all that is known. */
static void tell_unknown(xmlNodePtr c, const struct schema_element *known, struct findings *f)
{
    const char *name = (const char *)c->name, *word = meant(known, name);
    const char *place = c->ns ? NULL : place_of(schema_root, name);
    char what[128], names[NAMES_TEXT];

    snprintf(what, sizeof(what), "<%.40s> is not known in <%.40s>", name, c->parent->name);
    if (word) {
        findings_error(f, -EINVAL, xmlGetLineNo(c), "%s; did you mean <%s>?", what, word);
    } else if (place) {
        findings_error(f, -EINVAL, xmlGetLineNo(c), "%s; it is in <%s>", what, place);
    } else {
        element_names(known, names);
        findings_error(f, -EINVAL, xmlGetLineNo(c), "%s; known: %s", what, names);
    }
}

static bool check_element(xmlNodePtr node, const struct schema_element *s, struct findings *f);

static void check_children(xmlNodePtr node, const struct schema_element *known, struct findings *f)
{
    xmlNodePtr next;

    for (xmlNodePtr c = node->children; c; c = next) {
        const struct schema_element *s;

        next = c->next;
        if (c->type != XML_ELEMENT_NODE)
            continue;
        s = find_element(known, c);
        if (!s)
            tell_unknown(c, known, f);
        if (!s || !check_element(c, s, f)) {
            node_drop(c);
            node_mark(node);
        }
    }
}

/* What does not fit in it is taken out; false: its own text does not. */
static bool check_element(xmlNodePtr node, const struct schema_element *s, struct findings *f)
{
    struct findings unheard = {0};
    char what[96];
    xmlChar *text;
    bool fits;

    check_attributes(node, s->attributes, f);
    check_counts(node, s->elements, f);
    check_children(node, s->elements, f);
    text = own_text(node);
    snprintf(what, sizeof(what), "<%s>", node->name);
    /* Empty, what it is to say may stand in what was refused. */
    fits = !text || text_fits(&s->text, what, xmlGetLineNo(node), (const char *)text,
                              !*text && node_marked(node) ? &unheard : f);
    f->unread |= unheard.unread;
    findings_free(&unheard);
    xmlFree(text);
    return fits;
}

void schema_check(xmlDocPtr doc, struct findings *f)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);
    const struct schema_element *s = find_element(schema_root, root);

    if (s)
        check_element(root, s, f);
    else
        findings_error(f, -EINVAL, xmlGetLineNo(root), "the file begins with <%s>; accepted: %s",
                       root->name, schema_root->name);
}
