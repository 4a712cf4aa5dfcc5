/* SPDX-License-Identifier: MIT */
/*
 * Documents at random: a good one is damaged in up to three places, by rules that know what an
 * element and an attribute are. Whatever is refused is explained by file, line and element, in the
 * tools' own words. And what the tools' table of the schema makes of a document is what libxml2
 * makes of the schema itself: nothing is accepted that its validator refuses, nor the other way.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "config_schema.h"
#include "tools_config.h"

static uint32_t next_random(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

/* The element that a walk in document order meets as the n-th. */
static xmlNodePtr nth_element(xmlNodePtr root, unsigned int n)
{
    xmlNodePtr at = root;

    while (n--) {
        do {
            xmlNodePtr next = at->children ? at->children : at->next;

            while (!next && at != root) {
                at = at->parent;
                next = at == root ? NULL : at->next;
            }
            at = next ? next : root;
        } while (at->type != XML_ELEMENT_NODE);
    }
    return at;
}

static void damage(xmlDocPtr doc, uint32_t *seed)
{
    static const char *const words[] = {
        "domain", "name",    "memory", "unit",         "vcpu",  "type",    "source",   "dev",
        "file",   "xen",     "disk",   "target",       "16",    "",        "static",   "MiB",
        "/a b",   "xvdb",    "a\nb",   "\xc2\xa0",     "-1",    "console", "readonly", "cputune",
        "shares", "vcpupin", "cpuset", "global_quota", "0-3,^1"};
    const uint32_t nr = sizeof(words) / sizeof(words[0]);
    xmlNodePtr root = xmlDocGetRootElement(doc), n = nth_element(root, next_random(seed, 40));
    const char *name = words[next_random(seed, 12)], *value = words[next_random(seed, nr)];

    switch (next_random(seed, 8)) {
    case 0:
        if (n != root) {
            xmlUnlinkNode(n);
            xmlFreeNode(n);
        }
        break;
    case 1:
        if (n != root)
            xmlAddNextSibling(n, xmlCopyNode(n, 1));
        break;
    case 2:
        xmlNodeSetName(n, BAD_CAST name);
        break;
    case 3:
        xmlNodeSetContent(n, BAD_CAST value);
        break;
    case 4:
        xmlSetProp(n, BAD_CAST name, BAD_CAST value);
        break;
    case 5:
        if (n->properties)
            xmlRemoveProp(n->properties);
        break;
    case 6:
        xmlAddChild(n, xmlCopyNode(nth_element(root, 1 + next_random(seed, 39)), 1));
        break;
    default:
        xmlNodeAddContent(n, BAD_CAST value);
    }
}

static void say_nothing(void *ctx, const char *text, ...)
{
    (void)ctx, (void)text;
}

static void every_refusal_is_explained(void **state)
{
    uint32_t seed = 2611;
    unsigned int refused = 0;

    (void)state;
    for (unsigned int round = 0; round < 1500; round++) {
        xmlDocPtr doc = xmlReadMemory(good, sizeof(good) - 1, "t.xml", NULL, 0);
        unsigned int places = 1 + next_random(&seed, 3);
        struct domain_config c;
        struct error e;
        xmlChar *text;
        int size;

        while (places--)
            damage(doc, &seed);
        xmlDocDumpMemory(doc, &text, &size);
        if (parse((char *)text, &c, &e) == 0) {
            domain_config_free(&c);
        } else {
            refused++;
            /* file:line: <element>, in our words */
            if (strncmp(e.text, "t.xml:", 6) != 0 || e.text[6] < '1' || e.text[6] > '9' ||
                !strchr(e.text, '<') || strstr(e.text, "does not fit the schema"))
                fail_msg("round %u: %s: for\n%s", round, e.text, (char *)text);
        }
        xmlFree(text);
        xmlFreeDoc(doc);
    }
    assert_in_range(refused, 500, 1499);
}

/* Blanks around values are no matter of the schema: they are off before it is asked. */
static void table_and_validator_agree(void **state)
{
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt("dom0-tools/schema/domain.rng");
    xmlRelaxNGPtr schema = xmlRelaxNGParse(parser);
    unsigned int refused = 0;
    uint32_t seed = 1711;

    (void)state;
    xmlSetGenericErrorFunc(NULL, say_nothing);
    for (unsigned int round = 0; round < 4000; round++) {
        xmlDocPtr doc = xmlReadMemory(good, sizeof(good) - 1, "t.xml", NULL, 0);
        xmlRelaxNGValidCtxtPtr valid = xmlRelaxNGNewValidCtxt(schema);
        struct findings f = {0};
        bool accepted;

        for (unsigned int places = next_random(&seed, 4); places--;)
            damage(doc, &seed);
        accepted = xmlRelaxNGValidateDoc(valid, doc) == 0;
        refused += !accepted;
        schema_check(doc, &f);
        if (accepted != (f.code == 0))
            fail_msg("round %u: %s", round, f.nr ? f.list[0].text : "refused by libxml2 alone");
        findings_free(&f);
        xmlRelaxNGFreeValidCtxt(valid);
        xmlFreeDoc(doc);
    }
    xmlSetGenericErrorFunc(NULL, NULL);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    assert_in_range(refused, 1000, 3500);
}

/* Files that are no XML: the first fault, by its line and in words. */
static void what_is_no_xml(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"<domain type='xen'>", "domain",
         "t.xml:1: not well-formed XML: the file does not begin with an element"},
        {"</name>", "</nmae>",
         "t.xml:2: not well-formed XML: <name> of line 2 is closed by </nmae>"},
        {"</name>", "<name>",
         "t.xml:24: not well-formed XML: <name> of line 2 is closed by </domain>"},
        {"</domain>\n", "", "t.xml:24: not well-formed XML: the file ends within an element"},
        {"</domain>\n", "</domain><domain/>",
         "t.xml:24: not well-formed XML: something follows the end"},
        {"a='b' &amp;c", "a=b & c",
         "t.xml:11: not well-formed XML: a < or & with no name behind it"},
        {"&amp;c", "&amp c", "t.xml:11: not well-formed XML: a & without a ; behind its name"},
        {"&amp;c", "&nbsp;", "t.xml:11: not well-formed XML: &nbsp; is not known; known: &lt;"},
        {"unit='KiB'", "unit=KiB",
         "t.xml:5: not well-formed XML: a value of an attribute is not between quotes"},
        {"unit='KiB'", "unit", "t.xml:5: not well-formed XML: the attribute 'unit' has no value"},
        {"unit='KiB'", "unit='KiB' unit='b'",
         "t.xml:5: not well-formed XML: the attribute 'unit' is given twice"},
        {"unit='KiB'", "unit='KiB'a='b'",
         "t.xml:5: not well-formed XML: two attributes without a blank"},
        {"unit='KiB'", "unit='KiB", "t.xml:5: not well-formed XML: a < in a value between quotes"},
        {"web<", "\x01<", "t.xml:2: not well-formed XML: a character that XML does not have"},
        {"web<",
         "w\xe9"
         "b<",
         "t.xml:2: not well-formed XML: a character that XML does not have, or bytes that are no "
         "UTF-8"},
        {"<name>", "<!-- <name>", "t.xml:25: not well-formed XML: a comment does not end"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *at = strstr(good, cases[i].from);
        char text[2 * sizeof(good)];
        struct domain_config c;
        struct error e;

        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, cases[i].to,
                 at + strlen(cases[i].from));
        assert_int_equal(parse(text, &c, &e), -EINVAL);
        if (strncmp(e.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("%s -> %s: %s", cases[i].from, cases[i].to, e.text);
    }
}

static void finds(const char *text, const char *all)
{
    struct domain_config c;
    struct findings f = {0};
    char *said = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&said, &len);

    assert_int_equal(domain_config_xml(text, strlen(text), &(struct config_how){0}, &c, &f),
                     -EINVAL);
    findings_print(&f, "", "t", out);
    fclose(out);
    if (strcmp(said, all) != 0)
        fail_msg("%s\n%s", text, said);
    free(said);
    findings_free(&f);
}

/* Where the elements are what they were written as in spite of the faults, all mistakes are told,
 * but for those of a fault's own line, which it may have made; elsewhere none. */
static void what_else_is_wrong(void **state)
{
    (void)state;
    finds(
        "\n<?xml version='1.0'?>\n<domain type='xen'>\n <name>a & b</nmae>\n "
        "<memory>&much;</memory>\n"
        " <vcpu>0</vcpu>\n <os><type>linux</type>\n <kernel>/k</kernel>\n <cmdline>a&b</cmdline>\n"
        " <boot/></os>\n</domain>\n",
        "t:2: not well-formed XML: <?xml ...?> stands at the very beginning of a file, before any "
        "blank or line, or not at all\n"
        "t:4: not well-formed XML: a < or & with no name behind it; the characters themselves are "
        "&lt; and &amp;\n"
        "t:4: not well-formed XML: <name> of line 4 is closed by </nmae>\n"
        "t:5: not well-formed XML: &much; is not known; known: &lt; &gt; &amp; &apos; &quot;\n"
        "t:6: <vcpu>: 0 is not between 1 and 64\n"
        "t:9: not well-formed XML: a & without a ; behind its name; the character itself is &amp;\n"
        "t:10: note: <boot>: a guest is no PC, and has none of it\n");
    finds(
        "<domain type='xen'>\n <name>web\n <memory>1</memory>\n</domain>\n",
        "t:4: not well-formed XML: <name> of line 2 is closed by </domain>; what else is wrong in "
        "the file is not looked at\n");
    finds(
        "<domain type='xen'>\n <name>a&b</name>\n <vcpu>0</vcpu>\n <memory unit=KiB>1</memory>\n"
        "</domain>\n",
        "t:2: not well-formed XML: a & without a ; behind its name; the character itself is &amp;\n"
        "t:4: not well-formed XML: a value of an attribute is not between quotes; what else is "
        "wrong in the file is not looked at\n");
    finds(
        "<domain type='xen'>\n <name>web</name>\n <os><kernel/boot/vmlinuz</kernel></os>\n"
        "</domain>\n",
        "t:3: not well-formed XML: a < or & with no name behind it; the characters themselves are "
        "&lt; and &amp;; what else is wrong in the file is not looked at\n");
}

/* Standard error is a file from here on; returns what was it. */
static int divert(int to)
{
    int old = dup(STDERR_FILENO);

    assert_true(old >= 0 && dup2(to, STDERR_FILENO) >= 0);
    return old;
}

/* Bytes that cannot be decoded: the library tells us alone, and nobody else. */
static void nothing_is_printed(void **state)
{
    static const char utf16[] = "\xff\xfe<\0a\0>\0\n\0\n\0\0\xd8x\0<\0/\0a\0>\0";
    static const char japanese[] = "<?xml version='1.0' encoding='EUC-JP'?>\n<a>\n\n\xff\xff</a>\n";
    FILE *printed = tmpfile();
    int old = divert(fileno(printed)), rc[2];
    struct domain_config c;
    struct error e[2] = {0};

    (void)state;
    rc[0] = domain_config_parse(utf16, sizeof(utf16) - 1, "t.xml", &c, &e[0]);
    rc[1] = domain_config_parse(japanese, sizeof(japanese) - 1, "t.xml", &c, &e[1]);
    dup2(old, STDERR_FILENO);
    close(old);
    for (unsigned int i = 0; i < 2; i++)
        assert_true(rc[i] < 0 && rc[i] == e[i].code);
    assert_int_equal(lseek(fileno(printed), 0, SEEK_END), 0);
    fclose(printed);
    for (unsigned int i = 0; i < 2; i++)
        assert_string_equal(
            e[i].text,
            i ? "t.xml:4: not well-formed XML: bytes that are not of the file's encoding; what "
                "else is wrong in the file is not looked at"
              : "t.xml:3: not well-formed XML: bytes that are not of the file's encoding; what "
                "else is wrong in the file is not looked at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_is_explained), cmocka_unit_test(table_and_validator_agree),
        cmocka_unit_test(what_is_no_xml), cmocka_unit_test(what_else_is_wrong),
        cmocka_unit_test(nothing_is_printed)};
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return rc;
}
