/* SPDX-License-Identifier: MIT */
/*
 * Which file an interface's script is (config_script.c), alike in domain XML and in xl's files, and
 * that it is read again as it was written. Whether the file is there nobody asks who reads.
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

#include "config.h"
#include "config_xl.h"

static const struct {
    const char *given, *file; /* NULL: none, it is on our bridge */
} scripts[] = {
    {"vif-bridge", NULL},
    {"/etc/xen/scripts/vif-bridge", NULL},
    {"/srv/own/vif-bridge", NULL},
    {"vif-route", "/etc/xen/scripts/vif-route"},
    {"of-ours/vif", "/etc/xen/scripts/of-ours/vif"},
    {"/srv/vif-bridge-too", "/srv/vif-bridge-too"},
    {"/srv/two words", "/srv/two words"},
};
#define NR_SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

static void assert_script(const struct domain_config *c, const char *file)
{
    if (!file)
        assert_null(c->nics[0].script);
    else
        assert_string_equal(c->nics[0].script, file);
}

/* Also as it is written again. */
static void in_xml(void **state)
{
    (void)state;
    for (size_t i = 0; i < NR_SCRIPTS; i++) {
        struct domain_config c, again;
        struct error e = {0};
        char text[512], *xml;

        snprintf(text, sizeof(text),
                 "<domain type='xen'><name>a</name><memory>65536</memory><os><type>linux</type>"
                 "<kernel>/k</kernel></os><devices><interface type='ethernet'>"
                 "<script path='%s'/></interface></devices></domain>",
                 scripts[i].given);
        if (domain_config_parse(text, strlen(text), "t.xml", &c, &e))
            fail_msg("%s", e.text);
        assert_script(&c, scripts[i].file);
        assert_null(c.nics[0].bridge);
        xml = domain_config_to_xml(&c, -1);
        assert_int_equal(domain_config_parse(xml, strlen(xml), "again", &again, &e), 0);
        assert_script(&again, scripts[i].file);
        domain_config_free(&again);
        domain_config_free(&c);
        free(xml);
    }
}

static void in_files_of_xl(void **state)
{
    (void)state;
    for (size_t i = 0; i < NR_SCRIPTS; i++) {
        const struct config_how how = {.strict = true};
        struct findings f = {0};
        struct domain_config c;
        char text[256];

        snprintf(text, sizeof(text),
                 "name='a'\nmemory=64\nkernel='/k'\nvif=['script=/other, script=%s']\n",
                 scripts[i].given);
        if (config_xl_read(text, strlen(text), &how, &c, &f))
            fail_msg("%s", f.list[0].text);
        assert_script(&c, scripts[i].file);
        assert_string_equal(c.nics[0].bridge, "xenbr0");
        domain_config_free(&c);
        findings_free(&f);
    }
}

/* What is kept is no longer than what is read again. */
static void its_path_has_a_limit(void **state)
{
    char text[1024], path[CONFIG_MAX_SCRIPT + 2];
    struct domain_config c;

    (void)state;
    for (unsigned int more = 0; more < 2; more++) {
        struct error e = {0};

        memset(path, 'a', sizeof(path));
        path[0] = '/';
        path[CONFIG_MAX_SCRIPT + more] = '\0';
        snprintf(text, sizeof(text),
                 "<domain type='xen'><name>a</name><memory>65536</memory><os><type>linux</type>"
                 "<kernel>/k</kernel></os><devices><interface type='ethernet'>\n"
                 "<script path='%s'/></interface></devices></domain>",
                 path);
        assert_int_equal(domain_config_parse(text, strlen(text), "t.xml", &c, &e),
                         more ? -ENAMETOOLONG : 0);
        if (more)
            assert_string_equal(e.text, "t.xml:1: <script>: 256 bytes, a path has at most 255");
        else
            domain_config_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_xml), cmocka_unit_test(in_files_of_xl),
                                       cmocka_unit_test(its_path_has_a_limit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
