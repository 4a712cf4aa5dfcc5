/* SPDX-License-Identifier: MIT */
/*
 * Validation against the RELAX NG schema: see config_schema.h.
 *
 * The walk beside the schema understands its simple forms (the schema's head says which).
 * A "slot" is one element or attribute pattern that may stand in the element at hand, with
 * two facts gathered from the wrappers around it: may it be missing, may it come more than
 * once. The walk only explains; a document is accepted by libxml2's validator alone. That the
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
    const char *file;
    struct error *e;
};

static bool is(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static xmlNodePtr find_define(const struct walk *w, xmlNodePtr ref)
{
    xmlChar *name = xmlGetProp(ref, BAD_CAST "name");
    xmlNodePtr found = NULL;

    for (xmlNodePtr d = w->grammar->children; d && !found; d = d->next) {
        if (is(d, "define")) {
            xmlChar *dn = xmlGetProp(d, BAD_CAST "name");

            if (dn && name && xmlStrEqual(dn, name))
                found = d;
            xmlFree(dn);
        }
    }
    xmlFree(name);
    return found;
}

/* Gathers the patterns called `kind` of one element or attribute, through the wrappers. */
static void collect(const struct walk *w, xmlNodePtr in, const char *kind, bool optional, bool many,
                    struct slots *out)
{
    for (xmlNodePtr p = in->children; p; p = p->next) {
        if (is(p, kind)) {
            if (out->n < MAX_SLOTS)
                out->v[out->n++] = (struct slot){p, optional, many};
        } else if (is(p, "optional") || is(p, "choice")) {
            collect(w, p, kind, true, many, out);
        } else if (is(p, "zeroOrMore")) {
            collect(w, p, kind, true, true, out);
        } else if (is(p, "interleave") || is(p, "group")) {
            collect(w, p, kind, optional, many, out);
        } else if (is(p, "ref")) {
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
        if (is(p, "param")) {
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
        if (is(p, "documentation")) {
            xmlChar *t = xmlNodeGetContent(p);

            snprintf(out, size, "%s", (char *)t);
            xmlFree(t);
            return;
        }
    }
    snprintf(out, size, "another form");
}

/* Checks the text of an element or the value of an attribute. `what` begins the message. */
static int check_value(const struct walk *w, long line, const char *what, xmlNodePtr pattern,
                       const xmlChar *text)
{
    struct slots values = {.n = 0}, data = {.n = 0}, any = {.n = 0};
    char accepted[512];

    collect(w, pattern, "value", false, false, &values);
    collect(w, pattern, "data", false, false, &data);
    collect(w, pattern, "text", false, false, &any);
    if (any.n || (values.n && value_among(&values, text)) ||
        (data.n && data_fits(data.v[0].pattern, text)))
        return 0;
    if (values.n)
        list_slots(&values, false, accepted, sizeof(accepted));
    else if (data.n)
        data_sentence(data.v[0].pattern, accepted, sizeof(accepted));
    else
        return *text ? error_set(w->e, -EINVAL, "%s:%ld: %s takes no text, but has '%.64s'",
                                 w->file, line, what, (const char *)text)
                     : 0;
    return error_set(w->e, -EINVAL, "%s:%ld: %s: '%.64s' is not accepted; accepted: %s", w->file,
                     line, what, (const char *)text, accepted);
}

static int check_attributes(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern)
{
    struct slots known = {.n = 0};
    long line = xmlGetLineNo(node);
    char names[512];

    collect(w, pattern, "attribute", false, false, &known);
    list_slots(&known, true, names, sizeof(names));
    for (xmlAttrPtr a = node->properties; a; a = a->next) {
        const struct slot *s = a->ns ? NULL : find_slot(&known, a->name);
        xmlChar *value;
        char what[128];
        int rc;

        if (!s)
            return error_set(w->e, -EINVAL,
                             "%s:%ld: <%s> has no attribute '%s'; its attributes: %s", w->file,
                             line, node->name, a->name, names);
        snprintf(what, sizeof(what), "attribute '%s' of <%s>", a->name, node->name);
        value = xmlNodeListGetString(node->doc, a->children, 1);
        rc = check_value(w, line, what, s->pattern, value ? value : BAD_CAST "");
        xmlFree(value);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < known.n; i++) {
        xmlChar *name = xmlGetProp(known.v[i].pattern, BAD_CAST "name");
        int rc = 0;

        if (!known.v[i].optional && name && !xmlHasProp(node, name))
            rc = error_set(w->e, -EINVAL, "%s:%ld: <%s> lacks the attribute '%s'", w->file, line,
                           node->name, name);
        xmlFree(name);
        if (rc)
            return rc;
    }
    return 0;
}

static size_t count_children(xmlNodePtr node, const struct slot *s, long *last_line)
{
    size_t n = 0;

    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && slot_named(s, c->name)) {
            n++;
            *last_line = xmlGetLineNo(c);
        }
    }
    return n;
}

static int check_counts(const struct walk *w, xmlNodePtr node, const struct slots *known)
{
    for (size_t i = 0; i < known->n; i++) {
        const struct slot *s = &known->v[i];
        xmlChar *name = xmlGetProp(s->pattern, BAD_CAST "name");
        long line = xmlGetLineNo(node);
        size_t n = count_children(node, s, &line);
        int rc = 0;

        if (n > 1 && !s->many)
            rc = error_set(w->e, -EINVAL, "%s:%ld: <%s> is given twice in <%s>; accepted once",
                           w->file, line, (char *)name, node->name);
        else if (n == 0 && !s->optional)
            rc = error_set(w->e, -EINVAL, "%s:%ld: <%s> lacks <%s>", w->file, line, node->name,
                           (char *)name);
        xmlFree(name);
        if (rc)
            return rc;
    }
    return 0;
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
    from = all + strspn((char *)all, " \t\r\n");
    len = xmlStrlen(from);
    while (len > 0 && strchr(" \t\r\n", from[len - 1]))
        len--;
    from = xmlStrndup(from, len);
    xmlFree(all);
    return from;
}

/* Elements that the schema does not know. */
struct unknown {
    unsigned int n;
    xmlNodePtr first, first_pattern; /* with the pattern of what it stands in */
    size_t len;
    char text[512]; /* "<cpu> in <domain> (line 7), ..." */
};

static void note_unknown(struct unknown *u, xmlNodePtr node, xmlNodePtr pattern)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "%s<%.32s> in <%.32s> (line %ld)", u->n ? ", " : "",
                       node->name, node->parent->name, xmlGetLineNo(node));

    if (u->n++ == 0) {
        u->first = node;
        u->first_pattern = pattern;
    }
    if (u->len + (size_t)len < sizeof(u->text)) {
        memcpy(u->text + u->len, text, (size_t)len + 1);
        u->len += (size_t)len;
    }
}

static void find_unknown(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern,
                         struct unknown *u)
{
    struct slots known = {.n = 0};

    collect(w, pattern, "element", false, false, &known);
    for (xmlNodePtr c = node->children; c; c = c->next) {
        const struct slot *s;

        if (c->type != XML_ELEMENT_NODE)
            continue;
        s = c->ns ? NULL : find_slot(&known, c->name);
        if (s)
            find_unknown(w, c, s->pattern, u);
        else
            note_unknown(u, c, pattern);
    }
}

/* All at once: who brings a file from elsewhere would meet one after another. */
static int check_known(const struct walk *w, xmlNodePtr root, xmlNodePtr pattern)
{
    struct unknown u = {.n = 0};
    struct slots known = {.n = 0};
    char names[512];

    find_unknown(w, root, pattern, &u);
    if (u.n == 0)
        return 0;
    if (u.n > 1)
        return error_set(w->e, -EINVAL, "%s:%ld: %u elements are not known: %s", w->file,
                         xmlGetLineNo(u.first), u.n, u.text);
    collect(w, u.first_pattern, "element", false, false, &known);
    list_slots(&known, true, names, sizeof(names));
    return error_set(w->e, -EINVAL, "%s:%ld: <%s> is not known in <%s>; known: %s", w->file,
                     xmlGetLineNo(u.first), u.first->name, u.first->parent->name, names);
}

/* All elements in it are known. */
static int check_element(const struct walk *w, xmlNodePtr node, xmlNodePtr pattern)
{
    struct slots known = {.n = 0};
    char what[96];
    xmlChar *text;
    int rc;

    rc = check_attributes(w, node, pattern);
    if (rc)
        return rc;
    collect(w, pattern, "element", false, false, &known);
    for (xmlNodePtr c = node->children; c; c = c->next) {
        if (c->type != XML_ELEMENT_NODE)
            continue;
        rc = check_element(w, c, find_slot(&known, c->name)->pattern);
        if (rc)
            return rc;
    }
    rc = check_counts(w, node, &known);
    if (rc)
        return rc;
    text = own_text(node);
    snprintf(what, sizeof(what), "<%s>", node->name);
    rc = check_value(w, xmlGetLineNo(node), what, pattern, text);
    xmlFree(text);
    return rc;
}

/* Words the reason why the document does not fit; 0 if none was found. */
static int explain(xmlDocPtr doc, const char *file, xmlDocPtr schema, struct error *e)
{
    struct walk w = {xmlDocGetRootElement(schema), file, e};
    xmlNodePtr root = xmlDocGetRootElement(doc), start;
    struct slots first = {.n = 0};
    int rc;

    for (start = w.grammar->children; start && !is(start, "start"); start = start->next) {
    }
    if (!start)
        return 0;
    collect(&w, start, "element", false, false, &first);
    if (!find_slot(&first, root->name))
        return error_set(e, -EINVAL, "%s:%ld: the file begins with <%s>; accepted: domain", file,
                         xmlGetLineNo(root), root->name);
    rc = check_known(&w, root, first.v[0].pattern);
    return rc ? rc : check_element(&w, root, first.v[0].pattern);
}

/* libxml2's own words, which config_malformed.c keeps from being printed, help nobody: they name
 * neither the element nor what would be accepted. */
int schema_check(xmlDocPtr doc, const char *file, const char *schema, struct error *e)
{
    const char *from_env = getenv("PARVIS_SCHEMA");
    const char *path = schema ? schema : from_env ? from_env : SCHEMA_PATH;
    const int quiet = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlDocPtr sdoc = xmlReadFile(path, NULL, quiet);
    xmlRelaxNGParserCtxtPtr parser = sdoc ? xmlRelaxNGNewDocParserCtxt(sdoc) : NULL;
    xmlRelaxNGPtr rng = parser ? xmlRelaxNGParse(parser) : NULL;
    xmlRelaxNGValidCtxtPtr valid = rng ? xmlRelaxNGNewValidCtxt(rng) : NULL;
    int rc = 0;

    if (!valid) {
        rc = error_set(e, -ENOENT, "%s: the schema of domain XML is missing or unreadable", path);
    } else {
        if (xmlRelaxNGValidateDoc(valid, doc) != 0) {
            rc = explain(doc, file, sdoc, e);
            if (rc == 0)
                rc = error_set(e, -EINVAL, "%s:%ld: <domain>: does not fit the schema %s", file,
                               xmlGetLineNo(xmlDocGetRootElement(doc)), path);
        }
    }
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(rng);
    xmlRelaxNGFreeParserCtxt(parser);
    xmlFreeDoc(sdoc);
    return rc;
}
