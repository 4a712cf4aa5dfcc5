/* SPDX-License-Identifier: MIT */
/*
 * Validation against the RELAX NG schema: see config_schema.h.
 *
 * The walk beside the schema understands its simple forms (the schema's head says which).
 * A "slot" is one element or attribute pattern that may stand in the element at hand, with
 * two facts gathered from the wrappers around it: may it be missing, may it come more than
 * once. The walk only explains; a document is accepted by libxml2's validator alone. What does not
 * fit is taken out on the way, so that whoever looks at the rest says nothing of it again. That the
 * walk finds a reason for whatever the validator refuses is shown by a test on random documents.
 */
#include "config_schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>
#include <libxml/xmlregexp.h>

#include "config.h"
#include "config_nodes.h"

#define MAX_SLOTS 48

struct slot {
    xmlNodePtr pattern;
    bool optional, many;
};

struct slots {
    struct slot v[MAX_SLOTS];
    size_t n;
};

struct walk {
    xmlNodePtr grammar;
    struct findings *f;
};

static xmlNodePtr find_define(const struct walk *w, xmlNodePtr ref)
{
    xmlChar *name = xmlGetProp(ref, BAD_CAST "name");
    xmlNodePtr d = node_child(w->grammar, "define");

    while (d && !(name && node_attr_is(d, "name", (const char *)name)))
        d = node_next(d);
    xmlFree(name);
    return d;
}

/* Gathers the patterns called `kind` of one element or attribute, through the wrappers. */
static void collect(const struct walk *w, xmlNodePtr in, const char *kind, bool optional, bool many,
                    struct slots *out)
{
    for (xmlNodePtr p = in->children; p; p = p->next) {
        if (node_is(p, kind)) {
            if (out->n < MAX_SLOTS)
                out->v[out->n++] = (struct slot){p, optional, many};
        } else if (node_is(p, "optional") || node_is(p, "choice")) {
            collect(w, p, kind, true, many, out);
        } else if (node_is(p, "zeroOrMore")) {
            collect(w, p, kind, true, true, out);
        } else if (node_is(p, "interleave") || node_is(p, "group")) {
            collect(w, p, kind, optional, many, out);
        } else if (node_is(p, "ref")) {
            xmlNodePtr d = find_define(w, p);

            if (d)
                collect(w, d, kind, optional, many, out);
        }
    }
}

/* "a, b, c" of the names (by_attr) or of the text content of the patterns. */
static void list_slots(const struct slots *s, bool by_name, char *out, size_t size)
{
    size_t at = 0;

    snprintf(out, size, "none");
    for (size_t i = 0; i < s->n && at < size; i++) {
        xmlChar *t = by_name ? xmlGetProp(s->v[i].pattern, BAD_CAST "name")
                             : xmlNodeGetContent(s->v[i].pattern);

        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", t ? (char *)t : "?");
        xmlFree(t);
    }
}

static bool slot_named(const struct slot *s, const xmlChar *name)
{
    xmlChar *n = xmlGetProp(s->pattern, BAD_CAST "name");
    bool same = n && xmlStrEqual(n, name);

    xmlFree(n);
    return same;
}

static const struct slot *find_slot(const struct slots *s, const xmlChar *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (slot_named(&s->v[i], name))
            return &s->v[i];
    }
    return NULL;
}

static bool value_among(const struct slots *values, const xmlChar *text)
{
    for (size_t i = 0; i < values->n; i++) {
        xmlChar *v = xmlNodeGetContent(values->v[i].pattern);
        bool same = v && xmlStrEqual(v, text);

        xmlFree(v);
        if (same)
            return true;
    }
    return false;
}

/* Does the text fit the regular expression of a <data> pattern? */
static bool data_fits(xmlNodePtr data, const xmlChar *text)
{
    bool fits = true;

    for (xmlNodePtr p = data->children; p; p = p->next) {
        if (node_is(p, "param")) {
            xmlChar *pattern = xmlNodeGetContent(p);
            xmlRegexpPtr re = xmlRegexpCompile(pattern);

            fits = re && xmlRegexpExec(re, text) == 1;
            xmlRegFreeRegexp(re);
            xmlFree(pattern);
        }
    }
    return fits;
}

static void data_sentence(xmlNodePtr data, char *out, size_t size)
{
    for (xmlNodePtr p = data->next; p; p = p->next) {
        if (node_is(p, "documentation")) {
            xmlChar *t = xmlNodeGetContent(p);

            snprintf(out, size, "%s", (char *)t);
            xmlFree(t);
            return;
        }
    }
    snprintf(out, size, "another form");
}

/* Checks the text of an element or the value of an attribute. `what` begins the message. */
static bool value_fits(const struct walk *w, long line, const char *what, xmlNodePtr pattern,
                       const xmlChar *text)
{
    struct slots values = {.n = 0}, data = {.n = 0}, any = {.n = 0};
    char accepted[512];

    collect(w, pattern, "value", false, false, &values);
    collect(w, pattern, "data", false, false, &data);
    collect(w, pattern, "text", false, false, &any);
    if (any.n || (values.n && value_among(&values, text)) ||
        (data.n && data_fits(data.v[0].pattern, text)))
        return true;
    if (!values.n && !data.n && !*text)
        return true;
    if (!values.n && !data.n) {
        findings_error(w->f, -EINVAL, line, "%s takes no text, but has '%.64s'", what,
                       (const char *)text);
        return false;
    }
    if (values.n)
        list_slots(&values, false, accepted, sizeof(accepted));
    else
        data_sentence(data.v[0].pattern, accepted, sizeof(accepted));
    findings_error(w->f, -EINVAL, line, "%s: '%.64s' is not accepted; accepted: %s", what,
                   (const char *)text, accepted);
    return false;
}

static void drop_unknown_attributes(const struct walk *w, xmlNodePtr node,
                                    const struct slots *known)
{
    char names[512];
    xmlAttrPtr next;

    for (xmlAttrPtr a = node->properties; a; a = next) {
        next = a->next;
        if (!a->ns && find_slot(known, a->name))
            continue;
        list_slots(known, true, names, sizeof(names));
        findings_error(w->f, -EINVAL, xmlGetLineNo(node),
                       "<%s> has no attribute '%s'; its attributes: %s", node->name, a->name,
                       names);
        xmlRemoveProp(a);
    }
}

static void find_lacking_attributes(const struct walk *w, xmlNodePtr node,
                                    const struct slots *known)
{
    for (size_t i = 0; i < known->n; i++) {
        xmlChar *name = xmlGetProp(known->v[i].pattern, BAD_CAST "name");

        if (!known->v[i].optional && name && !xmlHasProp(node, name))
            findings_error(w->f, -EINVAL, xmlGetLineNo(node), "<%s> lacks the attribute '%s'",
                           node->name, name);
        xmlFree(name);
    }
}

static void check_attributes(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern)
{
    struct slots known = {.n = 0};
    char what[128];
    xmlAttrPtr next;

    collect(w, pattern, "attribute", false, false, &known);
    drop_unknown_attributes(w, node, &known);
    find_lacking_attributes(w, node, &known);
    for (xmlAttrPtr a = node->properties; a; a = next) {
        xmlChar *value = xmlNodeListGetString(node->doc, a->children, 1);

        next = a->next;
        snprintf(what, sizeof(what), "attribute '%s' of <%s>", a->name, node->name);
        if (!value_fits(w, xmlGetLineNo(node), what, find_slot(&known, a->name)->pattern,
                        value ? value : BAD_CAST ""))
            xmlRemoveProp(a);
        xmlFree(value);
    }
}

/* What is there too often is taken out, but for the first. */
static size_t keep_first(const struct slot *s, xmlNodePtr node, long *last_line)
{
    size_t n = 0;
    xmlNodePtr next;

    for (xmlNodePtr c = node->children; c; c = next) {
        next = c->next;
        if (c->type != XML_ELEMENT_NODE || !slot_named(s, c->name))
            continue;
        *last_line = xmlGetLineNo(c);
        if (n++ && !s->many)
            node_drop(c);
    }
    return n;
}

static void check_counts(const struct walk *w, xmlNodePtr node, const struct slots *known)
{
    for (size_t i = 0; i < known->n; i++) {
        const struct slot *s = &known->v[i];
        xmlChar *name = xmlGetProp(s->pattern, BAD_CAST "name");
        long line = xmlGetLineNo(node);
        size_t n = keep_first(s, node, &line);

        if (n > 1 && !s->many)
            findings_error(w->f, -EINVAL, line, "<%s> is given twice in <%s>; accepted once",
                           (char *)name, node->name);
        else if (n == 0 && !s->optional)
            findings_error(w->f, -EINVAL, line, "<%s> lacks <%s>", node->name, (char *)name);
        xmlFree(name);
    }
}

/* The text directly inside an element, without blanks around it. */
static xmlChar *own_text(xmlNodePtr node)
{
    xmlChar *all = xmlStrdup(BAD_CAST ""), *from;
    int len;

    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE)
            all = xmlStrcat(all, c->content);
    }
    from = all + strspn((char *)all, CONFIG_BLANKS);
    len = xmlStrlen(from);
    while (len > 0 && strchr(CONFIG_BLANKS, from[len - 1]))
        len--;
    from = xmlStrndup(from, len);
    xmlFree(all);
    return from;
}

static bool check_element(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern);

static void check_children(const struct walk *w, xmlNodePtr node, const struct slots *known)
{
    char names[512];
    xmlNodePtr next;

    for (xmlNodePtr c = node->children; c; c = next) {
        const struct slot *s = c->ns ? NULL : find_slot(known, c->name);

        next = c->next;
        if (c->type != XML_ELEMENT_NODE)
            continue;
        if (!s) {
            list_slots(known, true, names, sizeof(names));
            findings_error(w->f, -EINVAL, xmlGetLineNo(c), "<%s> is not known in <%s>; known: %s",
                           c->name, node->name, names);
        }
        if (!s || !check_element(w, c, s->pattern))
            node_drop(c);
    }
}

/* What does not fit in it is taken out; false: its own text does not. */
static bool check_element(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern)
{
    struct slots known = {.n = 0};
    char what[96];
    xmlChar *text;
    bool fits;

    check_attributes(w, node, pattern);
    collect(w, pattern, "element", false, false, &known);
    check_counts(w, node, &known);
    check_children(w, node, &known);
    text = own_text(node);
    snprintf(what, sizeof(what), "<%s>", node->name);
    fits = value_fits(w, xmlGetLineNo(node), what, pattern, text);
    xmlFree(text);
    return fits;
}

/* Words the reasons why the document does not fit, and takes out what does not. */
static void explain(xmlDocPtr doc, xmlDocPtr schema, struct findings *f)
{
    struct walk w = {xmlDocGetRootElement(schema), f};
    xmlNodePtr root = xmlDocGetRootElement(doc), start = node_child(w.grammar, "start");
    struct slots first = {.n = 0};

    if (!start)
        return;
    collect(&w, start, "element", false, false, &first);
    if (find_slot(&first, root->name))
        check_element(&w, root, first.v[0].pattern);
    else
        findings_error(f, -EINVAL, xmlGetLineNo(root),
                       "the file begins with <%s>; accepted: domain", root->name);
}

/* libxml2's own words, which config_malformed.c keeps from being printed, help nobody: they name
 * neither the element nor what would be accepted. */
int schema_check(xmlDocPtr doc, const char *schema, struct findings *f)
{
    const char *from_env = getenv("PARVIS_SCHEMA");
    const char *path = schema ? schema : from_env ? from_env : SCHEMA_PATH;
    const int quiet = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlDocPtr sdoc = xmlReadFile(path, NULL, quiet);
    xmlRelaxNGParserCtxtPtr parser = sdoc ? xmlRelaxNGNewDocParserCtxt(sdoc) : NULL;
    xmlRelaxNGPtr rng = parser ? xmlRelaxNGParse(parser) : NULL;
    xmlRelaxNGValidCtxtPtr valid = rng ? xmlRelaxNGNewValidCtxt(rng) : NULL;
    long line = xmlGetLineNo(xmlDocGetRootElement(doc));
    size_t before = f->nr;
    int rc = valid ? 0 : -ENOENT;

    if (!valid) {
        findings_error(f, rc, 0, "%s: the schema of domain XML is missing or unreadable", path);
    } else if (xmlRelaxNGValidateDoc(valid, doc) != 0) {
        explain(doc, sdoc, f);
        rc = -EINVAL;
        if (f->nr == before && !f->too_many)
            findings_error(f, rc, line, "<domain>: does not fit the schema %s", path);
    }
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(rng);
    xmlRelaxNGFreeParserCtxt(parser);
    xmlFreeDoc(sdoc);
    return rc;
}
