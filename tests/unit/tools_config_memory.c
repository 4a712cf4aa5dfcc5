/* SPDX-License-Identifier: MIT */
/*
 * A document that is read where memory ends: at each place where the reader, or libxml2 for it,
 * asks for some, there is none, once or from there on. It says so, or has read all of it: what was
 * not seen is not taken for what is not there, and no file is called wrong for it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xmlregexp.h>

#include "config.h"

/* One of each thing that is looked for, blanks around it, words of other programs. */
static const char document[] =
    "<domain type='xen' xmlns:q='urn:q'>\n"
    " <name> web </name><uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>\n"
    " <title>it's</title><description>a</description><metadata><q:a>b</q:a></metadata>\n"
    " <memory unit='mib'>256</memory><currentMemory>131072</currentMemory>\n"
    " <vcpu cpuset='0-3' current='1'>2</vcpu>\n"
    " <os><type machine='xenpv'>linux</type><kernel>/k</kernel><initrd>/i</initrd>\n"
    "  <cmdline>a long one that is more than fits into the first piece of a buffer of text: "
    "root=/dev/xvda ro console=hvc0 quiet init=/sbin/init</cmdline></os>\n"
    " <cputune><shares>512</shares><vcpupin vcpu='1' cpuset='1'/></cputune>\n"
    " <on_reboot>destroy</on_reboot><on_crash>preserve</on_crash><devices>\n"
    "  <disk type='block'><driver name='qemu' cache='none'/><source dev=' /dev/a '/>\n"
    "   <target dev='xvda'/><readonly/><iotune><read_iops_sec>9</read_iops_sec></iotune></disk>\n"
    "  <interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='b'/>\n"
    "   <ip address='10.0.0.2'/><ip address='10.0.0.3'/><target dev='v'/><bandwidth>\n"
    "   <outbound average='5'/></bandwidth><script path='vif-bridge'/></interface>\n"
    "  <controller type='xenbus' maxGrantFrames='64'/><graphics type='vnc'/>\n"
    "  <console type='pty'/></devices></domain>\n";

/* Requests since the reading began, and from and to which of them are refused. */
static unsigned long asked, first, last;

static bool refused(void)
{
    asked++;
    return asked >= first && asked <= last;
}

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_realloc(void *old, size_t size);
char *__wrap_strdup(const char *s);
char *__real_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
char *__real_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refused() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *s)
{
    return refused() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return refused() ? NULL : __real_strndup(s, n);
}

xmlRegexpPtr __wrap_xmlRegexpCompile(const xmlChar *form);
xmlRegexpPtr __real_xmlRegexpCompile(const xmlChar *form);
int __wrap_xmlRegexpExec(xmlRegexpPtr form, const xmlChar *text);
int __real_xmlRegexpExec(xmlRegexpPtr form, const xmlChar *text);

static unsigned long spare(void)
{
    unsigned long to = last;

    last = 0;
    return to;
}

/* libxml2's own search for a form does not outlive a lack of memory, as of 2.9.14: it is refused as
 * a whole. */
xmlRegexpPtr __wrap_xmlRegexpCompile(const xmlChar *form)
{
    bool none = refused();
    unsigned long to = spare();
    xmlRegexpPtr re = none ? NULL : __real_xmlRegexpCompile(form);

    last = to;
    return re;
}

int __wrap_xmlRegexpExec(xmlRegexpPtr form, const xmlChar *text)
{
    bool none = refused();
    unsigned long to = spare();
    int fits = none ? -1 : __real_xmlRegexpExec(form, text);

    last = to;
    return fits;
}

/* What libxml2 asks for comes by ways of ours, too. */
static int setup(void **state)
{
    (void)state;
    return xmlMemSetup(free, __wrap_malloc, __wrap_realloc, __wrap_strdup);
}

/* Reads it with these requests refused; what has been read as XML, or NULL. */
static char *reads(unsigned long from, unsigned long to, struct findings *f)
{
    const struct config_how how = {0};
    struct domain_config c;
    char *xml = NULL;
    int rc;

    asked = 0;
    first = from;
    last = to;
    rc = domain_config_xml(document, sizeof(document) - 1, &how, &c, f);
    first = last = 0;
    if (rc == 0) {
        xml = domain_config_to_xml(&c, -1);
        domain_config_free(&c);
    }
    return xml;
}

static void tries(unsigned long most, bool once)
{
    struct findings f = {0};
    char *whole = reads(0, 0, &f), *xml;
    unsigned long places = asked, notes = f.nr;

    assert_non_null(whole);
    assert_int_equal(notes, 2);
    assert_in_range(places, 500, most);
    for (unsigned long i = 1; i <= places; i++) {
        findings_free(&f);
        xml = reads(i, once ? i : most, &f);
        if (xml && strcmp(xml, whole) != 0)
            fail_msg("without memory at %lu of %lu: %s", i, places, xml);
        if (xml && f.nr != notes && !f.too_many)
            fail_msg("without memory at %lu of %lu a note is lost", i, places);
        if (!xml && f.code != -ENOMEM)
            fail_msg("without memory at %lu of %lu: %d: %s", i, places, f.code,
                     f.nr ? f.list[0].text : "");
        free(xml);
    }
    findings_free(&f);
    free(whole);
}

static void once(void **state)
{
    (void)state;
    tries(100000, true);
}

static void from_there_on(void **state)
{
    (void)state;
    tries(100000, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),
        cmocka_unit_test(from_there_on),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
