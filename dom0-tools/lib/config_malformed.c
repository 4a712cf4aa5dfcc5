/* SPDX-License-Identifier: MIT */
/*
 * Faults of XML in words: see config_malformed.h.
 *
 * libxml2 numbers its faults and hands over the names that are concerned. The commonest have a
 * sentence here; what is left is told by its line alone, which is most of what a person needs.
 *
 * The library goes on behind a fault, and so do we where its guess is sure to be right: a file with
 * an & too many, and a misspelt element, has two mistakes. Behind a tag that is not closed or not
 * understood all is in the wrong place for it, and what could be said of that would be false.
 */
#include "config_malformed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/SAX2.h>

#include "config_nodes.h"

#define MOST_ATTRIBUTES 256 /* of one element */

/* clang-format off */
static const struct {
    int code;
    bool goes_on;
    const char *text; /* %s: the first name */
} faults[] = {
    {XML_ERR_DOCUMENT_EMPTY,            false, "the file does not begin with an element"},
    {XML_ERR_DOCUMENT_END,              false, "something follows the end of the first element"},
    {XML_ERR_INVALID_CHARREF,           false, "a character reference that names no character"},
    {XML_ERR_INVALID_CHAR,              false, "a character that XML does not have, or bytes that are no UTF-8"},
    {XML_ERR_INVALID_ENCODING,          false, "bytes that are no UTF-8"},
    {XML_ERR_NAME_REQUIRED,             true,  "a < or & with no name behind it; the characters themselves are &lt; and &amp;"},
    {XML_ERR_ENTITYREF_SEMICOL_MISSING, true,  "a & without a ; behind its name; the character itself is &amp;"},
    {XML_ERR_UNDECLARED_ENTITY,         true,  "&%s; is not known; known: &lt; &gt; &amp; &apos; &quot;"},
    {XML_ERR_LT_IN_ATTRIBUTE,           false, "a < in a value between quotes, which may lack its end; the character itself is &lt;"},
    {XML_ERR_ATTRIBUTE_NOT_STARTED,     false, "a value of an attribute is not between quotes"},
    {XML_ERR_ATTRIBUTE_NOT_FINISHED,    false, "a value of an attribute lacks its closing quote"},
    {XML_ERR_ATTRIBUTE_WITHOUT_VALUE,   false, "the attribute '%s' has no value"},
    {XML_ERR_ATTRIBUTE_REDEFINED,       true,  "the attribute '%s' is given twice"},
    {XML_ERR_COMMENT_NOT_FINISHED,      false, "a comment does not end"},
    {XML_ERR_SPACE_REQUIRED,            false, "two attributes without a blank between them"},
    {XML_ERR_RESERVED_XML_NAME,         true,  "<?xml ...?> stands at the very beginning of a file, before any blank or line, or not at all"},
    {XML_ERR_GT_REQUIRED,               false, "a tag lacks its >"},
};
/* clang-format on */

static const char *name(const char *s)
{
    return s ? s : "?";
}

static void describe(const xmlError *x, char *out, size_t size)
{
    if (x->code == XML_ERR_TAG_NAME_MISMATCH) {
        snprintf(out, size, "<%.48s> of line %d is closed by </%.48s>", name(x->str1), x->int1,
                 name(x->str2));
        return;
    }
    if (x->code == XML_ERR_TAG_NOT_FINISHED || x->code == XML_ERR_LTSLASH_REQUIRED) {
        snprintf(out, size, "the file ends within an element");
        return;
    }
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const char *text = faults[i].text, *at = strstr(text, "%s");

        if (faults[i].code == x->code) {
            snprintf(out, size, "%.*s%.48s%s", (int)(at ? at - text : 0), text,
                     at ? name(x->str1) : "", at ? at + 2 : text);
            return;
        }
    }
    snprintf(out, size, "something that does not belong there");
}

/* Are the elements behind it those that were written? By the wrong name of a closing tag they are,
 * unless it closes something else: then there is one too many, or too few, in the end. */
static bool goes_on(int code)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i].code == code)
            return faults[i].goes_on;
    }
    return code == XML_ERR_TAG_NAME_MISMATCH;
}

static void keep(void *ctx, xmlErrorPtr x)
{
    struct malformed *m = ((xmlParserCtxtPtr)ctx)->_private;
    bool bytes = x->domain == XML_FROM_I18N || x->domain == XML_FROM_IO;
    const struct findings *have = &m->faults;
    const long line = x->line > 0 ? x->line : 1;
    char why[160];

    if (x->code == XML_ERR_NO_MEMORY)
        m->no_memory = true;
    if (m->no_memory || x->level < XML_ERR_ERROR || x->domain == XML_FROM_NAMESPACE)
        return;
    m->bytes = m->bytes || (bytes && !m->faults.nr);
    m->lost = m->lost || bytes || !goes_on(x->code);
    if (bytes)
        return; /* the parser, which misses them, knows the line */
    describe(x, why, sizeof(why));
    m->shaken = m->shaken || (have->nr && have->list[have->nr - 1].line == line);
    findings_error(&m->faults, -EINVAL, line, "not well-formed XML: %s",
                   m->bytes ? "bytes that are not of the file's encoding" : why);
    m->sure = m->shaken ? m->sure : m->faults.nr;
    m->shaken = m->lost || m->shaken || x->code == XML_ERR_TAG_NAME_MISMATCH;
}

/* What the parser takes is refused for itself: nothing behind it is looked at. */
static void refuse(xmlParserCtxtPtr ctxt, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(xmlParserCtxtPtr ctxt, int code, const char *fmt, ...)
{
    struct malformed *m = ctxt->_private;
    struct error why = {0};
    va_list ap;

    va_start(ap, fmt);
    error_setv(&why, code, fmt, ap);
    va_end(ap);
    findings_error(&m->faults, code, xmlSAX2GetLineNumber(ctxt), "%s", why.text);
    m->sure = m->shaken ? m->sure : m->faults.nr;
    m->lost = true;
    ctxt->wellFormed = 0;
    xmlStopParser(ctxt);
}

/* It could declare entities: short names of long texts, or of files. */
static void begin_doctype(void *ctx, const xmlChar *root, const xmlChar *public,
                          const xmlChar *system)
{
    (void)root, (void)public, (void)system;
    refuse(ctx, -EINVAL, "a document type declaration is not accepted");
}

/* The library looks at all of them for each. */
static void begin_element(void *ctx, const xmlChar *local, const xmlChar *prefix,
                          const xmlChar *uri, int nr_spaces, const xmlChar **spaces, int nr,
                          int nr_defaults, const xmlChar **attributes)
{
    if (nr <= MOST_ATTRIBUTES)
        xmlSAX2StartElementNs(ctx, local, prefix, uri, nr_spaces, spaces, nr, nr_defaults,
                              attributes);
    else
        refuse(ctx, -E2BIG, "<%.48s> has %d attributes, at most %d are read", (const char *)local,
               nr, MOST_ATTRIBUTES);
}

/* Who decodes bytes does not know the parser, and tells whoever listens to all; if nobody does, the
 * library prints. */
xmlDocPtr malformed_read(xmlParserCtxtPtr ctxt, const char *xml, int len, struct malformed *m)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                        XML_PARSE_BIG_LINES | XML_PARSE_RECOVER;
    xmlDocPtr doc;

    *m = (struct malformed){.lost = false};
    ctxt->_private = m;
    ctxt->sax->serror = keep;
    ctxt->sax->startElementNs = begin_element;
    ctxt->sax->internalSubset = begin_doctype;
    xmlSetStructuredErrorFunc(ctxt, keep);
    doc = xmlCtxtReadMemory(ctxt, xml, len, NULL, NULL, options);
    nodes_watch(NULL);
    if (ctxt->wellFormed && doc) {
        findings_free(&m->faults);
        m->lost = false;
        return doc;
    }
    if (!m->faults.code) {
        findings_error(&m->faults, -EINVAL, 1, "not well-formed XML: there is nothing");
        m->sure = m->faults.nr;
    }
    if (!m->lost && xmlDocGetRootElement(doc))
        return doc;
    m->lost = true;
    xmlFreeDoc(doc);
    return NULL;
}

void malformed_report(struct malformed *m, struct findings *f)
{
    const struct finding *list = m->faults.list;
    size_t nr = m->lost ? m->sure : m->faults.nr;

    for (size_t i = 0; i < nr; i++)
        findings_drop_line(f, list[i].line);
    for (size_t i = 0; i < nr; i++)
        findings_error(f, list[i].code, list[i].line, "%s%s", list[i].text,
                       m->lost && i + 1 == nr ? "; what else is wrong in the file is not looked at"
                                              : "");
    f->code = f->code ? f->code : m->faults.code; /* though there was no memory to say why */
    findings_free(&m->faults);
}
