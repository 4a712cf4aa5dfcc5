/* SPDX-License-Identifier: MIT */
/*
 * Applying the rules of config_policy_rows.c: see config_policy.h.
 */
#include "config_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_nodes.h"

#define PATH_LEN 160

static bool ends_word(char c)
{
    return !c || c == '|' || c == '/';
}

/* Is the word, of so many characters, one of "a|b|c", which ends where a '/' does? (Without the C
 * library's functions, as this is asked for each element and each rule.) */
static bool among(const char *list, const char *word, size_t len)
{
    for (;; list++) {
        size_t n = 0;

        while (n < len && list[n] == word[n])
            n++;
        if (n == len && ends_word(list[n]))
            return true;
        while (!ends_word(*list))
            list++;
        if (*list != '|')
            return false;
    }
}

/* "devices/disk|interface/alias" fits "devices/disk/alias". */
static bool path_fits(const char *rule, const char *path)
{
    for (;; rule++, path++) {
        size_t len = 0;

        while (path[len] && path[len] != '/')
            len++;
        if (!among(rule, path, len))
            return false;
        while (*rule && *rule != '/')
            rule++;
        path += len;
        if (!*rule || !*path)
            return *rule == *path;
    }
}

static bool when_fits(const char *when, xmlNodePtr n)
{
    size_t len = when ? strcspn(when, "!=") : 0;
    char name[32], *value;
    bool other, fits;

    if (!when)
        return true;
    if (strcmp(when, "elements") == 0)
        return xmlFirstElementChild(n) != NULL;
    other = when[len] == '!';
    snprintf(name, sizeof(name), "%.*s", (int)len, when);
    value = node_attr(n, name);
    fits = value && among(when + len + other + 1, value, strlen(value)) != other;
    free(value);
    return fits;
}

/* "<disk type='network'>": with what decided. */
static void element_text(const struct rule *r, xmlNodePtr n, char *out, size_t size)
{
    char name[32] = "", *value = NULL;

    if (r->when) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(r->when, "!="), r->when);
        value = node_attr(n, name);
    }
    if (value)
        snprintf(out, size, "<%s %s='%.64s'>", n->name, name, value);
    else
        snprintf(out, size, "<%s>", n->name);
    free(value);
}

static void tell(const struct rule *r, xmlNodePtr n, const char *what, struct findings *f)
{
    if (r->treatment == NOTE)
        findings_note(f, xmlGetLineNo(n), "%s: %s", what, r->words);
    else if (r->treatment == REFUSE)
        findings_error(f, -ENOTSUP, xmlGetLineNo(n), "%s: %s", what, r->words);
}

static void apply_to_attributes(const struct rule *r, xmlNodePtr n, struct findings *f)
{
    char what[160];
    xmlAttrPtr next;

    for (xmlAttrPtr a = n->properties; a; a = next) {
        next = a->next;
        if (a->ns || !among(r->attribute, (const char *)a->name, strlen((const char *)a->name)))
            continue;
        snprintf(what, sizeof(what), "attribute '%s' of <%s>", a->name, n->name);
        tell(r, n, what, f);
        xmlRemoveProp(a);
    }
}

/* false: the element is gone. */
static bool apply(xmlNodePtr n, const char *path, bool strict, struct findings *f)
{
    const struct rule *r =
        strncmp(path, "devices/", 8) == 0 ? config_device_rules : config_domain_rules;
    char what[160];

    for (; r->element; r++) {
        if ((strict && r->treatment != REFUSE) || (r->attribute && !n->properties) ||
            !path_fits(r->element, path) || !when_fits(r->when, n))
            continue;
        if (r->attribute) {
            apply_to_attributes(r, n, f);
            continue;
        }
        element_text(r, n, what, sizeof(what));
        tell(r, n, what, f);
        node_drop(n);
        return false;
    }
    return true;
}

static void walk(xmlNodePtr n, const char *path, bool strict, struct findings *f)
{
    char below[PATH_LEN];
    xmlNodePtr next;

    for (xmlNodePtr c = n->children; c; c = next) {
        next = c->next;
        if (c->type != XML_ELEMENT_NODE || c->ns)
            continue;
        if (snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", c->name) < PATH_LEN &&
            apply(c, below, strict, f))
            walk(c, below, strict, f);
    }
}

/* What there is one of. */
static void drop_more(xmlNodePtr devices, const char *name, struct findings *f)
{
    xmlNodePtr first = node_child(devices, name), n;

    while ((n = node_next(first)) != NULL) {
        findings_note(f, xmlGetLineNo(n), "<%s>: there is one console", name);
        node_drop(n);
    }
}

void config_policy(xmlNodePtr root, bool strict, struct findings *f)
{
    xmlNodePtr devices = node_child(root, "devices");

    walk(root, "", strict, f);
    if (!strict) {
        drop_more(devices, "console", f);
        drop_more(devices, "serial", f);
    }
}
