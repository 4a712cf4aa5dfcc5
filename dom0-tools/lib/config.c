/* SPDX-License-Identifier: MIT */
/*
 * Reading domain XML: see config.h.
 *
 * libxml2 parses (no network; no entities, as a document type declaration is refused); blanks
 * around values are taken off, as people and programs lay XML out prettily; what other programs
 * write is passed over or refused (config_policy.h); the schema decides whether every element and
 * value that is left is known; then the struct is filled and config_check() looks at what a grammar
 * cannot say.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "config_check.h"
#include "config_fill.h"
#include "config_firmware.h"
#include "config_malformed.h"
#include "config_nodes.h"
#include "config_policy.h"
#include "config_schema.h"
#include "config_units.h"

/* A copy without blanks around it; NULL if there are none, and without memory. */
static xmlChar *stripped(const xmlChar *s)
{
    size_t lead = strspn((const char *)s, CONFIG_BLANKS), len = strlen((const char *)s + lead);
    bool any = lead > 0;

    for (; len > 0 && strchr(CONFIG_BLANKS, s[lead + len - 1]); len--)
        any = true;
    return any ? xmlStrndup(s + lead, (int)len) : NULL;
}

/* Takes the blanks off each attribute, and off the text of each element that holds nothing else. */
static void strip_blanks(xmlNodePtr n)
{
    bool leaf = true;
    xmlChar *all, *value;

    for (xmlAttrPtr a = n->properties; a; a = a->next) {
        all = a->ns ? NULL : xmlNodeListGetString(n->doc, a->children, 1);
        value = all ? stripped(all) : NULL;
        if (value)
            xmlSetProp(n, a->name, value);
        xmlFree(value);
        xmlFree(all);
    }
    for (xmlNodePtr c = n->children; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE) {
            leaf = false;
            strip_blanks(c);
        }
    }
    all = leaf && n->children ? xmlNodeGetContent(n) : NULL;
    value = all ? stripped(all) : NULL;
    if (value) {
        xmlNodeSetContent(n, NULL);
        xmlAddChild(n, xmlNewDocText(n->doc, value));
    }
    xmlFree(value);
    xmlFree(all);
}

/* With what is declared around it. Of a text that is too long to be kept nobody wants that, and it
 * would take the square of its length. */
static bool write_whole(xmlNodePtr n, xmlBufferPtr text)
{
    if (xmlNodeDump(text, n->doc, n, 0, 0) < 0)
        return false;
    if (xmlBufferLength(text) > (int)CONFIG_MAX_TEXTS)
        return true;
    xmlReconciliateNs(n->doc, n);
    xmlBufferEmpty(text);
    return xmlNodeDump(text, n->doc, n, 0, 0) >= 0;
}

/* Other programs' texts, which mean nothing here and go back as they came: an empty element stays
 * in their place, so that the schema counts it. Returns -ENOMEM or 0. */
static int take_metadata(xmlNodePtr root, char **out)
{
    xmlNodePtr n = node_child(root, "metadata");
    xmlBufferPtr text = n ? xmlBufferCreate() : NULL;
    xmlNodePtr empty = n ? xmlNewDocNode(n->doc, NULL, n->name, NULL) : NULL;

    if (!n)
        return 0;
    if (empty)
        empty->line = n->line;
    xmlReplaceNode(n, empty);
    if (text && write_whole(n, text))
        *out = strdup((const char *)xmlBufferContent(text));
    xmlBufferFree(text);
    xmlFreeNode(n);
    return *out ? 0 : -ENOMEM;
}

/* In any case of letters, as libvirt reads them; the schema has one. */
static void name_units(xmlNodePtr root)
{
    static const char *const sizes[] = {"memory", "currentMemory"};

    for (size_t i = 0; i < 2; i++) {
        for (xmlNodePtr n = node_child(root, sizes[i]); n; n = node_next(n)) {
            char *unit = node_attr(n, "unit");
            const char *name = unit ? unit_name(unit) : NULL;

            if (name)
                xmlSetProp(n, BAD_CAST "unit", BAD_CAST name);
            free(unit);
        }
    }
}

/* A file of another hypervisor is read on as if it were one for Xen: what else there is to change.
 */
static void want_xen(xmlNodePtr root, struct findings *f)
{
    char *type = node_attr(root, "type");

    if (node_is(root, "domain") && type && strcmp(type, "xen") != 0) {
        findings_error(f, -EINVAL, xmlGetLineNo(root),
                       "attribute 'type' of <domain>: '%.64s' is not accepted; accepted: xen",
                       type);
        xmlSetProp(root, BAD_CAST "type", BAD_CAST "xen");
    }
    free(type);
}

static int read_root(xmlDocPtr doc, const struct config_how *how, struct domain_config *c,
                     struct findings *f)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);
    int rc = take_metadata(root, &c->metadata);

    strip_blanks(root);
    name_units(root);
    want_xen(root, f);
    firmware_check(root, f);
    config_policy(root, how->strict, f);
    if (rc)
        return rc;
    schema_check(doc, f);
    if (!node_is(root, "domain"))
        return 0;
    rc = config_fill(root, c, f);
    if (rc == 0)
        config_check(c, f);
    return rc;
}

static int read_text(const char *xml, size_t len, const struct config_how *how,
                     struct domain_config *c, struct findings *f)
{
    xmlParserCtxtPtr ctxt = xmlNewParserCtxt();
    struct malformed faults;
    xmlDocPtr doc;
    int rc = 0;

    if (!ctxt)
        return -ENOMEM;
    doc = malformed_read(ctxt, xml, (int)len, &faults);
    nodes_watch(doc);
    if (doc)
        rc = read_root(doc, how, c, f);
    nodes_watch(NULL);
    malformed_report(&faults, f);
    if (faults.no_memory || f->unread || nodes_lack_memory(doc))
        rc = -ENOMEM;
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(ctxt);
    return rc;
}

int domain_config_xml(const char *xml, size_t len, const struct config_how *how,
                      struct domain_config *out, struct findings *f)
{
    struct domain_config c = {.line.format = CONFIG_XML};
    int rc = 0;

    if (len == 0)
        findings_error(f, -EINVAL, 0, "the file is empty");
    else if (len > CONFIG_MAX_FILE)
        findings_error(f, -EFBIG, 0, "more than 1 MiB");
    else
        rc = read_text(xml, len, how, &c, f);
    if (rc) { /* then what was found is not the file's */
        findings_free(f);
        findings_error(f, rc, 0, "%s", error_reason(rc));
    }
    findings_sort(f);
    if (f->code)
        domain_config_free(&c);
    else
        *out = c;
    return f->code;
}

int domain_config_parse(const char *xml, size_t len, const char *name, struct domain_config *out,
                        struct error *e)
{
    const struct config_how how = {.strict = true};
    struct findings f = {0};
    int rc = domain_config_xml(xml, len, &how, out, &f);

    rc = rc ? findings_first(&f, name, e) : 0;
    findings_free(&f);
    return rc;
}

void domain_config_free(struct domain_config *c)
{
    for (size_t i = 0; i < c->nr_disks; i++) {
        free(c->disks[i].source);
        free(c->disks[i].target);
    }
    for (size_t i = 0; i < c->nr_nics; i++) {
        free(c->nics[i].bridge);
        free(c->nics[i].ifname);
        free(c->nics[i].script);
        free(c->nics[i].ip);
    }
    free(c->disks);
    free(c->nics);
    free(c->name);
    free(c->title);
    free(c->description);
    free(c->metadata);
    free(c->bootloader);
    free(c->kernel);
    free(c->ramdisk);
    free(c->cmdline);
    memset(c, 0, sizeof(*c));
}
