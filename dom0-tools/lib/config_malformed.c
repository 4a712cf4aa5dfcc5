/* SPDX-License-Identifier: MIT */
/*
 * Faults of XML in words: see config_malformed.h.
 *
 * libxml2 numbers its faults and hands over the names that are concerned. The commonest have a
 * sentence here; what is left is told by its line alone, which is most of what a person needs.
 */
#include "config_malformed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct {
    int code;
    const char *text; /* %s: the first name */
} faults[] = {
    {XML_ERR_DOCUMENT_EMPTY,            "the file does not begin with an element"},
    {XML_ERR_DOCUMENT_END,              "something follows the end of the first element"},
    {XML_ERR_INVALID_CHARREF,           "a character reference that names no character"},
    {XML_ERR_INVALID_CHAR,              "a character that XML does not have, or bytes that are no UTF-8"},
    {XML_ERR_INVALID_ENCODING,          "bytes that are no UTF-8"},
    {XML_ERR_NAME_REQUIRED,             "a < or & with no name behind it; the characters themselves are &lt; and &amp;"},
    {XML_ERR_ENTITYREF_SEMICOL_MISSING, "a & without a ; behind its name; the character itself is &amp;"},
    {XML_ERR_UNDECLARED_ENTITY,         "&%s; is not known; known: &lt; &gt; &amp; &apos; &quot;"},
    {XML_ERR_LT_IN_ATTRIBUTE,           "a < in a value between quotes, which may lack its end; the character itself is &lt;"},
    {XML_ERR_ATTRIBUTE_NOT_STARTED,     "a value of an attribute is not between quotes"},
    {XML_ERR_ATTRIBUTE_NOT_FINISHED,    "a value of an attribute lacks its closing quote"},
    {XML_ERR_ATTRIBUTE_WITHOUT_VALUE,   "the attribute '%s' has no value"},
    {XML_ERR_ATTRIBUTE_REDEFINED,       "the attribute '%s' is given twice"},
    {XML_ERR_COMMENT_NOT_FINISHED,      "a comment does not end"},
    {XML_ERR_SPACE_REQUIRED,            "two attributes without a blank between them"},
    {XML_ERR_RESERVED_XML_NAME,         "<?xml ...?> stands at the very beginning of a file, before any blank or line, or not at all"},
    {XML_ERR_GT_REQUIRED,               "a tag lacks its >"},
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

static void keep_first(void *ctx, xmlErrorPtr x)
{
    struct malformed *m = ((xmlParserCtxtPtr)ctx)->_private;

    if (m->line || x->level < XML_ERR_ERROR)
        return;
    if (x->domain == XML_FROM_I18N || x->domain == XML_FROM_IO) {
        snprintf(m->why, sizeof(m->why), "bytes that are not of the file's encoding");
        return; /* the parser, which misses them, knows the line */
    }
    m->line = x->line > 0 ? x->line : 1;
    if (!m->why[0])
        describe(x, m->why, sizeof(m->why));
}

static void ignore(void *ctx, xmlErrorPtr x)
{
    (void)ctx, (void)x;
}

/* Who decodes bytes does not know the parser, and tells whoever listens to all; if nobody does, the
 * library prints. */
xmlDocPtr malformed_read(xmlParserCtxtPtr ctxt, const char *xml, int len, struct malformed *m)
{
    const int options =
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES;
    xmlDocPtr doc;

    *m = (struct malformed){.line = 0};
    ctxt->_private = m;
    ctxt->sax->serror = keep_first;
    xmlSetStructuredErrorFunc(ctxt, keep_first);
    doc = xmlCtxtReadMemory(ctxt, xml, len, NULL, NULL, options);
    xmlSetStructuredErrorFunc(NULL, ignore);
    return doc;
}

void malformed_report(const struct malformed *m, struct findings *f)
{
    findings_error(f, -EINVAL, m->line ? m->line : 1, "not well-formed XML: %s",
                   m->why[0] ? m->why : "there is nothing");
}
