/* SPDX-License-Identifier: MIT */
/*
 * Each mistake at each place of domain XML: the places come from the table of the schema, so that
 * none is forgotten that somebody adds. Every element is misspelt, left out, given twice, given
 * text or a wrong text; every attribute is misspelt, left out, or has a wrong value. What is
 * refused is refused once, with the line of the change, and by the name of what was changed; what
 * is not has a value that fits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xmlregexp.h>

#include "config_schema.h"
#include "tools_config.h"

/* All that the schema knows, each element on a line of its own. */
static const char whole[] =
    "<?xml version='1.0'?>\n"
    "<domain type='xen' id='7'>\n"
    "<name>web</name>\n"
    "<uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>\n"
    "<title>a title</title>\n"
    "<description>words</description>\n"
    "<metadata/>\n"
    "<memory unit='KiB'>262144</memory>\n"
    "<currentMemory unit='KiB'>131072</currentMemory>\n"
    "<vcpu placement='static' cpuset='0-7' current='1'>2</vcpu>\n"
    "<bootloader>pygrub</bootloader>\n"
    "<os>\n"
    "<type arch='x86_64' machine='xenpv'>linux</type>\n"
    "<kernel>/boot/vmlinuz</kernel>\n"
    "<initrd>/boot/initrd</initrd>\n"
    "<cmdline>console=hvc0</cmdline>\n"
    "</os>\n"
    "<cputune>\n"
    "<shares>512</shares>\n"
    "<global_period>100000</global_period>\n"
    "<global_quota>50000</global_quota>\n"
    "<vcpupin vcpu='1' cpuset='0-3'/>\n"
    "</cputune>\n"
    "<features>\n"
    "<acpi/>\n"
    "<apic/>\n"
    "<pae/>\n"
    "<xen/>\n"
    "</features>\n"
    "<clock offset='utc' adjustment='reset'/>\n"
    "<on_poweroff>destroy</on_poweroff>\n"
    "<on_reboot>restart</on_reboot>\n"
    "<on_crash>preserve</on_crash>\n"
    "<devices>\n"
    "<emulator>/usr/bin/qemu</emulator>\n"
    "<disk type='file' device='disk'>\n"
    "<driver name='phy' type='raw'/>\n"
    "<source file='/srv/web.img'/>\n"
    "<target dev='xvda' bus='xen'/>\n"
    "<readonly/>\n"
    "<shareable/>\n"
    "<iotune>\n"
    "<read_bytes_sec>4096</read_bytes_sec>\n"
    "<write_bytes_sec>4096</write_bytes_sec>\n"
    "<read_iops_sec>10</read_iops_sec>\n"
    "<write_iops_sec>10</write_iops_sec>\n"
    "</iotune>\n"
    "</disk>\n"
    "<disk type='block'>\n"
    "<source dev='/dev/sdb'/>\n"
    "<target dev='xvdb'/>\n"
    "</disk>\n"
    "<interface type='bridge'>\n"
    "<mac address='00:16:3e:00:00:01'/>\n"
    "<source bridge='xenbr0'/>\n"
    "<script path='vif-bridge'/>\n"
    "<ip address='10.0.0.1'/>\n"
    "<target dev='web0'/>\n"
    "<bandwidth>\n"
    "<outbound average='100'/>\n"
    "</bandwidth>\n"
    "</interface>\n"
    "<console type='pty'>\n"
    "<target type='xen' port='0'/>\n"
    "</console>\n"
    "<serial type='pty'>\n"
    "<target port='0'/>\n"
    "</serial>\n"
    "<input type='mouse' bus='xen'/>\n"
    "<controller type='xenbus' index='0' maxGrantFrames='32' maxEventChannels='511'/>\n"
    "<memballoon model='xen'/>\n"
    "</devices>\n"
    "</domain>\n";

/* What people write where something else is meant. */
static const char *const values[] = {"",      " ",        "0",
                                     "-1",    "+5",       "0x10",
                                     "1.5",   "1,000",    "999999999",
                                     "1e9",   "quux",     "a b",
                                     "XEN",   "yes",      "true",
                                     "/",     "a/b",      "relative",
                                     "3-0",   "^0",       "nodes:0",
                                     "'",     "\xc2\xa0", "\xf0\x9f\x98\x80",
                                     "64M",   "0-99",     "99999999999999999999",
                                     "a\nb",  "\t",       "%s%n",
                                     "$(id)", "..",       "xvd",
                                     "xvdA",  "00:00",    "ff:ff:ff:ff:ff:ff"};

static unsigned int refused, accepted;

static void quiet(void *ctx, const char *text, ...)
{
    (void)ctx, (void)text;
}

static xmlDocPtr document(void)
{
    return xmlReadMemory(whole, sizeof(whole) - 1, "t.xml", NULL, 0);
}

/* The first element at a path such as "devices/disk"; with an attribute, the first that has it. */
static xmlNodePtr find(xmlNodePtr from, const char *path, const char *attribute)
{
    size_t len = strcspn(path, "/");

    for (xmlNodePtr n = from->children; n; n = n->next) {
        xmlNodePtr got;

        if (n->type != XML_ELEMENT_NODE || strlen((const char *)n->name) != len ||
            strncmp((const char *)n->name, path, len) != 0)
            continue;
        if (path[len])
            got = find(n, path + len + 1, attribute);
        else
            got = !attribute || xmlHasProp(n, BAD_CAST attribute) ? n : NULL;
        if (got)
            return got;
    }
    return NULL;
}

static xmlNodePtr need(xmlDocPtr doc, const char *path, const char *attribute)
{
    xmlNodePtr n =
        *path ? find(xmlDocGetRootElement(doc), path, attribute) : xmlDocGetRootElement(doc);

    if (!n)
        fail_msg("the document of this test lacks <%s> %s: add it", path,
                 attribute ? attribute : "");
    return n;
}

/* Where a mistake is, and what a message may call it. */
struct place {
    long line, parent; /* what is wrong only beside another is said of the element around both */
    char a[64], b[64];
};

static struct place place(xmlNodePtr n, const char *a, const char *b)
{
    struct place p = {.line = xmlGetLineNo(n), .parent = xmlGetLineNo(n->parent)};

    snprintf(p.a, sizeof(p.a), "%s", a);
    snprintf(p.b, sizeof(p.b), "%s", b);
    return p;
}

static bool is_of(const struct finding *f, const struct place *p)
{
    return f->code && (f->line == p->line || f->line == p->parent) &&
           (strstr(f->text, p->a) || strstr(f->text, p->b));
}

/* Reads the document: 0, or the code; then what is said is of this place. */
static int judge(xmlDocPtr doc, struct place p, const char *what)
{
    const struct config_how how = {.strict = true};
    struct domain_config c;
    struct findings f = {0};
    xmlChar *text;
    bool here = false;
    unsigned int errors = 0;
    int size, rc;

    xmlDocDumpMemory(doc, &text, &size);
    rc = domain_config_xml((char *)text, (size_t)size, &how, &c, &f);
    if (rc == 0) {
        accepted++;
        domain_config_free(&c);
    } else {
        refused++;
        for (size_t i = 0; i < f.nr && !here; i++)
            here = is_of(&f.list[i], &p);
        if (!here)
            fail_msg("%s: %zu findings, none at line %ld of %s or %s; the first: %ld: %s", what,
                     f.nr, p.line, p.a, p.b, f.nr ? f.list[0].line : 0,
                     f.nr ? f.list[0].text : "none");
        for (size_t i = 0; i < f.nr; i++)
            errors += f.list[i].code != 0;
        if (errors != 1)
            fail_msg("%s: %u errors: %s, %s", what, errors, f.list[0].text, f.list[f.nr - 1].text);
        assert_true(rc < 0);
    }
    findings_free(&f);
    xmlFree(text);
    xmlFreeDoc(doc);
    return rc;
}

static bool fits(const struct schema_text *s, const char *text)
{
    xmlRegexpPtr re;
    bool ok;

    if (s->free)
        return true;
    for (const char *const *w = s->words; w && *w; w++) {
        if (strcmp(*w, text) == 0)
            return true;
    }
    if (!s->form)
        return !s->words && !*text;
    re = xmlRegexpCompile(BAD_CAST s->form);
    ok = xmlRegexpExec(re, BAD_CAST text) == 1;
    xmlRegFreeRegexp(re);
    return ok;
}

static void must_refuse(xmlDocPtr doc, struct place p, const char *what)
{
    if (judge(doc, p, what) == 0)
        fail_msg("accepted: %s", what);
}

static void try_attribute(const char *path, const struct schema_attribute *a)
{
    xmlDocPtr doc;
    xmlNodePtr n;
    char what[256], wrong[64];

    snprintf(what, sizeof(what), "%s@%s", path, a->name);
    snprintf(wrong, sizeof(wrong), "%sx", a->name);
    doc = document();
    n = need(doc, path, a->name);
    xmlSetProp(n, BAD_CAST wrong, BAD_CAST "1");
    must_refuse(doc, place(n, wrong, wrong), what);
    doc = document();
    n = need(doc, path, a->name);
    xmlUnsetProp(n, BAD_CAST a->name);
    if (judge(doc, place(n, a->name, (const char *)n->name), what) == 0 && !a->optional)
        fail_msg("accepted: %s is missing", what);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        doc = document();
        n = need(doc, path, a->name);
        snprintf(what, sizeof(what), "%s@%s='%s'", path, a->name, values[i]);
        xmlSetProp(n, BAD_CAST a->name, BAD_CAST values[i]);
        if (judge(doc, place(n, a->name, *values[i] ? values[i] : a->name), what) == 0 &&
            !fits(&a->text, values[i]) && strspn(values[i], CONFIG_BLANKS) == 0)
            fail_msg("accepted: %s", what);
    }
}

static void try_text(const char *path, const struct schema_text *s)
{
    char what[256];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        xmlDocPtr doc = document();
        xmlNodePtr n = need(doc, path, NULL);

        /* Elements in it stay; an element with elements has a text beside them. */
        snprintf(what, sizeof(what), "<%s>%s", path, values[i]);
        if (!xmlFirstElementChild(n))
            xmlNodeSetContent(n, BAD_CAST "");
        xmlNodeAddContent(n, BAD_CAST values[i]);
        if (judge(doc, place(n, (const char *)n->name, (const char *)n->name), what) == 0 &&
            !fits(s, values[i]) && values[i][strspn(values[i], CONFIG_BLANKS)])
            fail_msg("accepted: %s", what);
    }
}

/* Lines that an element goes on for. */
static long more_lines(xmlNodePtr n)
{
    xmlBufferPtr text = xmlBufferCreate();
    long lines = 0;

    xmlNodeDump(text, n->doc, n, 0, 0);
    for (const char *c = (const char *)xmlBufferContent(text); *c; c++)
        lines += *c == '\n';
    xmlBufferFree(text);
    return lines;
}

/* Its parent says that it is missing, there too often, or something else. */
static void try_element(const char *path, const struct schema_element *s)
{
    xmlDocPtr doc = document();
    xmlNodePtr n = need(doc, path, NULL);
    char wrong[64];

    snprintf(wrong, sizeof(wrong), "%sx", s->name);
    xmlNodeSetName(n, BAD_CAST wrong);
    must_refuse(doc, place(n, wrong, wrong), path);
    if (!s->many) {
        struct place p;

        doc = document();
        n = need(doc, path, NULL);
        p = place(n, s->name, s->name);
        p.line += more_lines(n);
        xmlAddNextSibling(n, xmlCopyNode(n, 1));
        must_refuse(doc, p, path);
    }
    if (!s->optional) {
        struct place p;

        doc = document();
        n = need(doc, path, NULL);
        p = place(n, s->name, s->name);
        xmlAddPrevSibling(n, xmlNewText(BAD_CAST "")); /* the lines behind it stay */
        xmlUnlinkNode(n);
        xmlFreeNode(n);
        must_refuse(doc, p, path);
    }
}

static unsigned int walk(const char *path, const struct schema_element *s)
{
    unsigned int n = 1;

    if (*path)
        try_element(path, s);
    if (strcmp(path, "metadata") != 0) /* what is in it is its program's */
        try_text(path, &s->text);
    for (const struct schema_attribute *a = s->attributes; a && a->name; a++)
        try_attribute(path, a);
    for (const struct schema_element *c = s->elements; c && c->name; c++) {
        char below[192];

        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", c->name);
        n += walk(below, c);
    }
    return n;
}

static void each_place(void **state)
{
    struct domain_config c;
    struct error e;

    (void)state;
    xmlSetGenericErrorFunc(NULL, quiet);
    if (parse(whole, &c, &e))
        fail_msg("%s", e.text);
    domain_config_free(&c);
    assert_in_range(walk("", schema_root), 50, 500);
    assert_in_range(refused, 1500, 10000);
    assert_in_range(accepted, 100, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_place)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
