/* SPDX-License-Identifier: MIT */
/*
 * The longest configurations: what is accepted can be read again as it is kept, though a quote that
 * is one byte in a file is six there; what would not is refused when it is given, by one line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "state_file.h"

/* How long the parts of a document are: of characters that grow most when they are written. */
struct lengths {
    size_t title, description, path, source, script;
    unsigned int addresses;
};

static const struct lengths longest = {5000, 5922, 4095, 4095, 255, 32};

static void put_many(FILE *out, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        fputs(text, out);
}

static void put_path(FILE *out, const char *element, size_t len)
{
    fprintf(out, "<%s>/", element);
    put_many(out, len - 1, "'");
    fprintf(out, "</%s>", element);
}

static void put_devices(FILE *out, const struct lengths *l)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    fputs("<devices>", out);
    for (unsigned int i = 0; i < CONFIG_MAX_DISKS; i++) {
        fputs("<disk type='file'><source file=\"/", out);
        put_many(out, l->source - 1, "'");
        fprintf(out, "\"/><target dev='%s%c'/><readonly/><shareable/></disk>",
                i < 26 ? "xvd" : "sd", letters[i % 26]);
    }
    for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
        fprintf(out,
                "<interface type='bridge'><mac address='00:16:3e:00:00:%02x'/>"
                "<source bridge='abcdefghijklm%02u'/><target dev='nopqrstuvwxyz%02u'/>"
                "<bandwidth><outbound average='4000000'/></bandwidth><script path=\"/",
                i, i, i);
        put_many(out, l->script - 1, "'");
        fputs("\"/>", out);
        for (unsigned int k = 0; k < l->addresses; k++)
            fprintf(out, "<ip address='2001:db8:aaaa:bbbb:cccc:dddd:eeee:%04x'/>", k);
        fputs("</interface>", out);
    }
    fputs("</devices>", out);
}

/* A document of CONFIG_MAX_ everything, malloc'ed. */
static char *document(const struct lengths *l)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    fputs("<domain type='xen'><name>web</name>"
          "<uuid>01234567-89ab-cdef-0123-456789abcdef</uuid><title>",
          out);
    put_many(out, l->title, "'");
    fputs("</title><description>", out);
    put_many(out, l->description, "'");
    fputs("</description><memory unit='KiB'>9000000</memory><vcpu>64</vcpu>", out);
    fputs("<os><type>linux</type>", out);
    put_path(out, "kernel", l->path);
    put_path(out, "initrd", l->path);
    fputs("<cmdline>", out);
    put_many(out, CONFIG_MAX_CMDLINE, "'");
    fputs("</cmdline></os><cputune>", out);
    for (unsigned int i = 0; i < CONFIG_MAX_VCPUS; i++) {
        fprintf(out, "<vcpupin vcpu='%u' cpuset='0", i);
        for (unsigned int cpu = 2; cpu < 64; cpu += 2)
            fprintf(out, ",%u", cpu);
        fputs("'/>", out);
    }
    fputs("</cputune>", out);
    put_devices(out, l);
    fputs("</domain>", out);
    fclose(out);
    return text;
}

static void the_longest_is_read_again(void **state)
{
    char *text = document(&longest), *kept;
    struct domain_config c, again;
    struct error e = {0};

    (void)state;
    if (domain_config_parse(text, strlen(text), "given", &c, &e))
        fail_msg("%s", e.text);
    kept = domain_config_to_xml(&c, -1);
    assert_in_range(strlen(kept), 900000, CONFIG_MAX_FILE);
    if (domain_config_parse(kept, strlen(kept), "kept", &again, &e))
        fail_msg("%s", e.text);
    assert_string_equal(c.description, again.description);
    assert_string_equal(c.disks[31].source, again.disks[31].source);
    assert_string_equal(c.nics[15].ip, again.nics[15].ip);
    assert_string_equal(c.nics[15].script, again.nics[15].script);
    domain_config_free(&c);
    domain_config_free(&again);
    free(kept);
    free(text);
}

static void refused(const struct lengths *l, int code, const char *says)
{
    char *text = document(l);
    struct domain_config c;
    struct error e = {0};

    assert_in_range(strlen(text), 1, CONFIG_MAX_FILE);
    assert_int_equal(domain_config_parse(text, strlen(text), "given", &c, &e), code);
    if (!strstr(e.text, says))
        fail_msg("%s", e.text);
    free(text);
}

static void longer_is_refused(void **state)
{
    struct lengths l = longest;

    (void)state;
    l.description++;
    refused(&l, -EFBIG,
            "given:1: <title>, <description> and <metadata>: 65538 bytes as they are kept, at most "
            "65536 are");
    l.description = 200000;
    refused(&l, -EFBIG, "1230000 bytes as they are kept");
    l = longest;
    l.path++;
    refused(&l, -ENAMETOOLONG, "given:1: <kernel>: 4096 bytes, a path has at most 4095");
    l = longest;
    l.source++;
    refused(&l, -ENAMETOOLONG, "given:1: <disk>: <source>: 4096 bytes, a path has at most 4095");
    l = longest;
    l.script++;
    refused(&l, -ENAMETOOLONG, "given:1: <script>: 256 bytes, a path has at most 255");
    l = longest;
    l.addresses++;
    refused(&l, -E2BIG, "given:1: <ip>: 33 addresses, at most 32");
}

#define REST "<memory>65536</memory><os><type>linux</type><kernel>/k</kernel></os></domain>"

/* How a document is read that has so many of these in the midst. */
static int reads(const char *head, size_t n, const char *these, const char *rest, struct error *e)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct domain_config c;
    int rc;

    fputs(head, out);
    put_many(out, n, these);
    fputs(rest, out);
    fclose(out);
    rc = domain_config_parse(text, len, "given", &c, e);
    free(text);
    return rc;
}

/* Other programs' texts are written by libxml2. */
static void metadata_too(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(reads("<domain type='xen'><name>web</name>\n<title>a</title>\n"
                           "<metadata><a xmlns='u'>",
                           20000, ">", "</a></metadata>" REST, &e),
                     -EFBIG);
    assert_non_null(strstr(e.text, "bytes as they are kept, at most 65536 are"));
    assert_int_equal(strncmp(e.text, "given:3: <title>, ", 18), 0);
}

/* For each name in it what is declared around it would be looked for: not where it is too long. */
static void too_long_metadata_is_not_looked_at(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(reads("<domain type='xen' xmlns:q='u'><name>web</name><metadata><q:a>", 70000,
                           "x", "</q:a></metadata>" REST, &e),
                     -EFBIG);
    assert_non_null(strstr(e.text, ": 70032 bytes as they are kept"));
}

/* What takes the parser, or who writes the texts, the square of its length is refused before. */
static void many_in_one_place_are_refused(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct domain_config c;
    struct error e = {0};

    (void)state;
    fputs("<domain type='xen'><name>web</name>\n<metadata ", out);
    for (unsigned int i = 0; i < 257; i++)
        fprintf(out, "a%u='' ", i);
    fputs("/><memory>65536</memory></domain>", out);
    fclose(out);
    assert_int_equal(domain_config_parse(text, len, "given", &c, &e), -E2BIG);
    assert_string_equal(
        e.text, "given:2: <metadata> has 257 attributes, at most 256 are read; what else is "
                "wrong in the file is not looked at");
    free(text);
}

/* What XML reads as another character where it stands as it is, is in the next life what it is in
 * this one: the end of a line of old, and a tab in a path, which would be that of another file. */
static void each_character_stays(void **state)
{
    static const char text[] =
        "<domain "
        "type='xen'><name>web</name><title>a&#13;b&#x9b;2J&#127;</title><memory>65536</memory><os>"
        "<type>linux</type><kernel>/k</kernel><cmdline>a&#13;&#10;&#9;b</cmdline></os><devices>"
        "<disk type='file'><source file='/a&#9;b'/><target dev='xvda'/></disk></devices></domain>";
    struct domain_config c, again;
    struct error e = {0};
    char *kept;

    (void)state;
    assert_int_equal(domain_config_parse(text, sizeof(text) - 1, "given", &c, &e), 0);
    kept = domain_config_to_xml(&c, -1);
    assert_int_equal(domain_config_parse(kept, strlen(kept), "kept", &again, &e), 0);
    assert_string_equal(again.title, "a\rb\xc2\x9b"
                                     "2J\x7f");
    assert_non_null(strstr(kept, "<title>a&#13;b&#x9b;2J&#127;</title>")); /* no terminal's */
    assert_int_equal(config_xml_len("\xc2\x9b\xc2\xa0\x7f\xc2"), 6 + 2 + 6 + 1);
    assert_string_equal(again.cmdline, "a\r\n\tb");
    assert_string_equal(again.disks[0].source, "/a\tb");
    domain_config_free(&c);
    domain_config_free(&again);
    free(kept);
}

/* The state directory's files: half of one is not taken for it. */
static void too_long_a_file_is_no_file(void **state)
{
    char path[] = "/tmp/parvis-test-XXXXXX", *text;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(ftruncate(fd, 4 << 20), 0);
    assert_int_equal(state_read_file(path, &text), 0);
    free(text);
    assert_int_equal(ftruncate(fd, (4 << 20) + 1), 0);
    assert_int_equal(state_read_file(path, &text), -EFBIG);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_longest_is_read_again),
                                       cmocka_unit_test(longer_is_refused),
                                       cmocka_unit_test(metadata_too),
                                       cmocka_unit_test(too_long_metadata_is_not_looked_at),
                                       cmocka_unit_test(many_in_one_place_are_refused),
                                       cmocka_unit_test(each_character_stays),
                                       cmocka_unit_test(too_long_a_file_is_no_file)};

    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
