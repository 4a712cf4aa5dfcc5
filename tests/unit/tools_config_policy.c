/* SPDX-License-Identifier: MIT */
/*
 * What other programs write into domain XML. Each rule is tried by a document that it is about: it
 * is reached (none before it takes its place), says its words with the line, does what it says, and
 * leaves a document that the schema accepts. Strictly, what it passes over is refused. And all that
 * is wrong is said at once, in the order of the file.
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
#include <libxml/relaxng.h>

#include "config_policy.h"
#include "tools_config.h"

#define DISK "<source file='/a'/><target dev='xvda'/>"
#define BASE "<name>a</name>\n<memory>8192</memory>"
#define OS   "<type>linux</type><kernel>/k</kernel>"

/* What an element needs beside what a rule is about. */
static const struct {
    const char *path, *attributes, *inner;
} needed[] = {
    {"memory", "", "8192"},
    {"currentMemory", "", "8192"},
    {"vcpu", "", "1"},
    {"vcpus", "", "<vcpu id='0' enabled='yes'/>"},
    {"os", "", OS},
    {"clock", "offset='utc'", ""},
    {"cputune", "", ""},
    {"devices/disk", "type='file'", DISK},
    {"devices/disk/driver", "name='qemu'", ""},
    {"devices/disk/source", "file='/a'", ""},
    {"devices/disk/target", "dev='xvda'", ""},
    {"devices/interface", "type='bridge'", "<source bridge='b'/>"},
    {"devices/interface/source", "bridge='b'", ""},
    {"devices/interface/mac", "address='00:16:3e:00:00:01'", ""},
    {"devices/interface/ip", "address='10.0.0.1'", ""},
    {"devices/interface/bandwidth/outbound", "average='5'", ""},
    {"devices/console", "type='pty'", ""},
    {"devices/serial", "type='pty'", ""},
    {"devices/input", "type='mouse' bus='xen'", ""},
    {"devices/controller", "type='xenbus'", ""},
    {"devices/memballoon", "model='xen'", ""},
};

/* The first of "a|b/..." words. */
static size_t first_word(const char *list)
{
    return strcspn(list, "|/");
}

static void first_path(const char *rule, char out[128])
{
    out[0] = '\0';
    while (*rule) {
        size_t len = first_word(rule);

        sprintf(out + strlen(out), "%s%.*s", *out ? "/" : "", (int)len, rule);
        rule += strcspn(rule, "/");
        rule += *rule == '/';
    }
}

static const char *need(const char *path, bool inner)
{
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (strcmp(needed[i].path, path) == 0)
            return inner ? needed[i].inner : needed[i].attributes;
    }
    return "";
}

/* type='file' type='network' would be no XML: the rule's own goes before. */
static void put_needed(FILE *f, const char *attributes, const char *own)
{
    char name[32] = "";

    sscanf(own, "%31[a-zA-Z]", name);
    if (!*name || !strstr(attributes, name) || strchr(attributes, ' '))
        fprintf(f, " %s", *name && strstr(attributes, name) ? "" : attributes);
}

/* "type=a|b" and "type!=a" as an attribute that fits. */
static void when_text(const char *when, char out[96])
{
    size_t len = when ? strcspn(when, "!=") : 0;

    out[0] = '\0';
    if (when && when[len] == '!')
        sprintf(out, "%.*s='other'", (int)len, when);
    else if (when && when[len] == '=')
        sprintf(out, "%.*s='%.*s'", (int)len, when, (int)first_word(when + len + 1),
                when + len + 1);
}

/* The element, on a line of its own, in all that it stands in. */
static void put_path(FILE *f, const struct rule *r, const char *path, const char *at)
{
    char here[128], name[64], own[96] = "", inner[256];
    size_t len = strcspn(at, "/");
    bool last = !at[len];

    sprintf(here, "%.*s", (int)(at - path + (long)len), path);
    sprintf(name, "%.*s", (int)len, at);
    if (last)
        when_text(r->when, own);
    fprintf(f, "%s<%s %s", last ? "\n" : "", name, own);
    put_needed(f, need(here, false), own);
    if (last && r->attribute && (!r->when || strncmp(r->when, r->attribute, strlen(r->attribute))))
        fprintf(f, " %.*s='x'", (int)first_word(r->attribute), r->attribute);
    fputs(">", f);
    snprintf(inner, sizeof(inner), "%s", need(here, true));
    if (!last) {
        /* what it stands in has it once */
        char again[64];
        char *twice;

        sprintf(again, "<%.*s ", (int)strcspn(at + len + 1, "/"), at + len + 1);
        twice = strstr(inner, again);
        if (twice)
            memmove(twice, strchr(twice, '>') + 1, strlen(strchr(twice, '>') + 1) + 1);
        fputs(inner, f);
        put_path(f, r, path, at + len + 1);
    } else {
        fputs(inner, f);
    }
    fprintf(f, "</%s>", name);
}

static char *document(const struct rule *r)
{
    char path[128], *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);

    first_path(r->element, path);
    fputs("<domain type='xen'>\n", f);
    fputs(strncmp(path, "memory", 6) == 0 && path[6] == '\0' ? "<name>a</name>" : BASE, f);
    if (strncmp(path, "os/", 3) != 0)
        fputs("<os>" OS "</os>", f);
    put_path(f, r, path, path);
    fputs("</domain>", f);
    fclose(f);
    return out;
}

static long line_of_rule(const char *text)
{
    long line = 1;

    for (const char *end = strrchr(text, '\n'); text <= end; text++)
        line += *text == '\n';
    return line;
}

static int judge(const char *text, bool strict, struct findings *f)
{
    const struct config_how how = {.strict = strict};
    struct domain_config c;
    int rc;

    *f = (struct findings){0};
    rc = domain_config_xml(text, strlen(text), &how, &c, f);
    if (rc == 0)
        domain_config_free(&c);
    return rc;
}

static const struct finding *with_words(const struct findings *f, const char *words)
{
    for (size_t i = 0; i < f->nr; i++) {
        if (strstr(f->list[i].text, words))
            return &f->list[i];
    }
    return NULL;
}

static void check_rule(const struct rule *r)
{
    char *text = document(r);
    struct findings f;
    int rc = judge(text, false, &f);
    const struct finding *said = r->words ? with_words(&f, r->words) : NULL;

    if ((rc != 0) != (r->treatment == REFUSE))
        fail_msg("%s %s %s: %s in\n%s", r->element, r->when ? r->when : "",
                 r->attribute ? r->attribute : "", f.nr ? f.list[0].text : "accepted", text);
    if (r->treatment == SILENT && f.nr)
        fail_msg("%s: it is not silent: %s in\n%s", r->element, f.list[0].text, text);
    if (r->treatment != SILENT && (!said || said->line != line_of_rule(text) || f.nr != 1))
        fail_msg("%s: %zu are said, the first at line %ld: %s in\n%s", r->element, f.nr,
                 f.nr ? f.list[0].line : 0, f.nr ? f.list[0].text : "", text);
    if (r->treatment == NOTE && said->code)
        fail_msg("%s: a note is an error", r->element);
    findings_free(&f);
    free(text);
}

static const struct rule *const tables[] = {config_domain_rules, config_device_rules};

/* A rule stands where one of its kind is looked for. */
static void each_rule(void **state)
{
    unsigned int n = 0;

    (void)state;
    for (unsigned int t = 0; t < 2; t++) {
        for (const struct rule *r = tables[t]; r->element; r++, n++) {
            assert_int_equal(strncmp(r->element, "devices/", 8) == 0,
                             tables[t] == config_device_rules);
            check_rule(r);
        }
    }
    assert_in_range(n, 60, 500);
}

/* Whether it is refused strictly, as all are but for what the schema has as well: libvirt's <vcpu
 * placement='static'> and the like. */
static bool refused_strictly(const struct rule *r)
{
    static const char *const also[] = {"vcpu", "clock"};
    char *text = document(r);
    struct findings f;
    bool refused;

    if (judge(text, true, &f) == 0 && strcmp(r->element, also[0]) != 0 &&
        strcmp(r->element, also[1]) != 0)
        fail_msg("strictly accepted:\n%s", text);
    refused = f.code != 0;
    findings_free(&f);
    free(text);
    return refused;
}

static void strictly(void **state)
{
    unsigned int refused = 0;

    (void)state;
    for (unsigned int t = 0; t < 2; t++) {
        for (const struct rule *r = tables[t]; r->element; r++)
            refused += refused_strictly(r);
    }
    assert_in_range(refused, 60, 500);
}

/* One file with a fault in each place: all of them, by their lines. */
static void all_at_once(void **state)
{
    static const char text[] = "<domain type='xen' size='9'>\n"
                               "  <name>7</name>\n"
                               "  <memory unit='ells'>8192</memory>\n"
                               "  <memory>8192</memory>\n"
                               "  <vcpu current='3'>2</vcpu>\n"
                               "  <os><type machine='q35'>linux</type>\n"
                               "  <kernel>k</kernel></os>\n"
                               "  <cputune><vcpupin vcpu='9' cpuset='0'/>\n"
                               "  <vcpupin cpuset='1-'/></cputune>\n"
                               "  <devices><disk type='file'>\n"
                               "  <target dev='sdz'/></disk>\n"
                               "  <tpm/>\n"
                               "  <interface type='bridge'><mac address='01:00:00:00:00:00'/>\n"
                               "  <source bridge='x y'/></interface></devices>\n"
                               "</domain>\n";
    static const struct {
        long line;
        const char *says;
    } wanted[] = {
        {1, "<domain> has no attribute 'size'"},
        {2, "'7'"},
        {3, "'ells' is not accepted"},
        {4, "<memory> is given twice"},
        {5, "current='3' is not between 1 and 2"},
        {6, "machine='q35'"},
        {7, "an absolute path"},
        {8, "vcpu='9' is not between 0 and 1"},
        {9, "<vcpupin> lacks the attribute 'vcpu'"},
        {10, "<disk> lacks <source>"},
        {11, "'sdz'"},
        {12, "there is no TPM"},
        {13, "is a group address"},
        {14, "'x y'"},
    };
    struct findings f;
    size_t at = 0;

    (void)state;
    assert_int_not_equal(judge(text, false, &f), 0);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        while (at < f.nr &&
               (f.list[at].line != wanted[i].line || !strstr(f.list[at].text, wanted[i].says)))
            at++;
        if (at == f.nr)
            fail_msg("line %ld is not said in its place: %s", wanted[i].line, wanted[i].says);
    }
    findings_free(&f);
}

/* What each disk has is noted once, with all the lines; errors are told each. */
static void notes_once(void **state)
{
    static const char text[] =
        "<domain type='xen'>" BASE "<os>" OS "</os><devices>\n"
        "<disk type='file'>" DISK "<driver name='qemu' cache='none'/></disk>\n"
        "<graphics type='vnc'/><tpm/>\n"
        "<graphics type='spice'/><tpm/>\n"
        "<disk type='file'><source file='/b'/><target dev='xvdb'/>\n"
        "<driver name='qemu' cache='none'/></disk>\n"
        "<graphics type='sdl'/></devices></domain>";
    static const struct finding wanted[] = {
        {3, 0, "attribute 'cache' of <driver>: a disk is read and written directly (and :7)"},
        {4, 0, "<graphics>: there is no framebuffer: use the console (and :5, :8)"},
        {4, -ENOTSUP, "<tpm>: there is no TPM for a guest"},
        {5, -ENOTSUP, "<tpm>: there is no TPM for a guest"},
    };
    struct findings f;

    (void)state;
    assert_int_equal(judge(text, false, &f), -ENOTSUP);
    assert_int_equal(f.nr, 4);
    for (size_t i = 0; i < f.nr; i++) {
        assert_int_equal(f.list[i].line, wanted[i].line);
        assert_int_equal(f.list[i].code, wanted[i].code);
        assert_string_equal(f.list[i].text, wanted[i].text);
    }
    findings_free(&f);
}

/* A file of nothing but faults has an end. */
static void too_many(void **state)
{
    char *text = malloc(100000), *to = stpcpy(text, "<domain type='xen'>");
    struct findings f;

    (void)state;
    for (int i = 0; i < 1000; i++)
        to += sprintf(to, "<e%d/>\n", i);
    strcpy(to, "</domain>");
    assert_int_not_equal(judge(text, false, &f), 0);
    assert_int_equal(f.nr, 200);
    assert_true(f.too_many);
    findings_free(&f);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),  cmocka_unit_test(strictly), cmocka_unit_test(all_at_once),
        cmocka_unit_test(notes_once), cmocka_unit_test(too_many),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return rc;
}
